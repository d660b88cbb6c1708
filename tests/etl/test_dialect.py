"""The dialect of generated tables, in every delimiter, quoting, line end and encoding; and what pins do."""

# ruff: noqa: RUF001  (letters that look alike are what this is about)
import csv
import io
import random

import pytest

from athena.errors import Refused
from etl._charset import guess_legacy
from etl._encoding import find_encoding
from etl.contract import SourceRules
from etl.dialect import Dialect, detect

DELIMITERS = [",", ";", "\t", "|", "~", "^", ":"]
WORDS = ["Ulm", "Bonn", "New York", "a, b", "x; y", 'say "hi"', "it's", "A|B", "", "two\nlines", "Zürich", "50% off"]


def table(rows: int, seed: int) -> list[list[str]]:
    """A header and rows of an id, a text, a date, a number and another text."""
    chance = random.Random(seed)
    body = [
        [
            str(place),
            chance.choice(WORDS),
            f"2024-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}",
            f"{chance.random() * 100:.2f}",
            chance.choice(WORDS),
        ]
        for place in range(rows)
    ]
    return [["id", "place", "day", "amount", "remark"], *body]


def written(rows: list[list[str]], delimiter: str, quote: str = '"', end: str = "\n", everything: bool = False) -> str:
    """The table as CSV."""
    stream = io.StringIO()
    if everything:
        writer = csv.writer(stream, delimiter=delimiter, quotechar=quote, lineterminator=end, quoting=csv.QUOTE_ALL)
    else:
        writer = csv.writer(stream, delimiter=delimiter, quotechar=quote, lineterminator=end)
    writer.writerows(rows)
    return stream.getvalue()


def found(data: bytes, **rules: str | bool) -> Dialect:
    """The dialect of a whole file."""
    return detect(data, whole=True, rules=SourceRules(**rules))  # type: ignore[arg-type]


@pytest.mark.parametrize("delimiter", DELIMITERS)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_delimiter_and_header_of_a_generated_table(delimiter: str, end: str) -> None:
    for seed, quote, everything in ((1, '"', False), (2, '"', True), (3, "'", True)):
        dialect = found(written(table(12, seed), delimiter, quote, end, everything).encode())
        assert (dialect.delimiter, dialect.quote, dialect.header) == (delimiter, quote, True)
        assert dialect.names == ("id", "place", "day", "amount", "remark")


@pytest.mark.parametrize("delimiter", DELIMITERS)
def test_a_tenth_of_bad_records_changes_nothing(delimiter: str) -> None:
    for seed in range(5):
        chance = random.Random(seed)
        lines = written(table(30, seed), delimiter).splitlines(keepends=True)
        for place in chance.sample(range(1, len(lines)), 3):
            cells = lines[place].rstrip("\n").split(delimiter)
            lines[place] = (
                delimiter.join(chance.choice([cells[:-2], [*cells, "x"], ['"' + cells[0], *cells[1:]]])) + "\n"
            )
        dialect = found("".join(lines).encode())
        assert (dialect.delimiter, dialect.quote, len(dialect.names)) == (delimiter, '"', 5)


@pytest.mark.parametrize("column", range(5))
@pytest.mark.parametrize("row", [0, 1, 2, 40, 83])
@pytest.mark.parametrize("damage", ["less", "more", "quote"])
def test_one_ragged_or_badly_quoted_row_never_makes_one_column(row: int, column: int, damage: str) -> None:
    lines = [
        line.split(",")
        for line in written([[*cells[:1], "Ulm", *cells[2:4], "ok"] for cells in table(84, 1)], ",").split("\n")
    ]
    cells = lines[row]
    if damage == "less":
        cells[column : column + 2] = ["".join(cells[column : column + 2])]
    elif damage == "more":
        cells.insert(column, "")
    else:
        cells[column] += '"'
    dialect = found("\n".join(",".join(cells) for cells in lines).encode())
    assert (dialect.delimiter, len(dialect.names)) == (",", 5)


@pytest.mark.parametrize("words", [b"lorem ipsum ", b"a", b"<a ", b"(1 2", b"12 ", b"-- ", b"0:", b"/a b"])
def test_a_long_line_without_a_delimiter_is_one_value(words: bytes) -> None:
    # A pattern that is quadratic in the length would take minutes here.
    dialect = found(b"text\n" + words * (100_000 // len(words)) + b"\nend\n")
    assert dialect.names == ("text",)


def test_a_line_of_many_parts_without_letters_at_its_end_is_looked_at_once() -> None:
    # Trying each letter of each part would take longer than anybody lives.
    assert found(b"Sta; ----#--" * 40 + b"\n").delimiter == ";"


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ("utf-8", "Größe Łódź Москва"),
        ("utf-16-le", "Größe Łódź Москва"),
        ("utf-16-be", "Größe Łódź Москва"),
        ("cp1252", "Größe “Köln” José François Málaga €"),
        ("cp1250", "Łódź Kraków Gdańsk Wójcik Dąbrowski"),
        ("cp1251", "Москва Казань Иван Мария Сергей"),
        ("koi8-r", "Москва Казань Иван Мария Сергей"),
        ("cp866", "Москва Казань Иван Мария Сергей"),
        ("cp1253", "Αθήνα Γιώργος Θεσσαλονίκη Μαρία"),
        ("cp1254", "İstanbul Ağaoğlu Işık Şehir"),
        ("cp1255", "ירושלים דוד משה שרה"),
        ("cp1256", "القاهرة محمد الرياض أحمد"),
        ("cp932", "東京 大阪 スズキ やまだ"),
        ("euc_jp", "東京 大阪 スズキ やまだ"),
        ("gb18030", "北京 上海 广州 王伟 李娜"),
        ("big5", "臺北 高雄 王小明 林志玲"),
        ("cp949", "서울 부산 김철수 이영희"),
    ],
)
def test_encodings(encoding: str, words: str) -> None:
    rows = [["id", "name"], *([str(place), word] for place, word in enumerate(words.split()))]
    data = written(rows, ",").encode(encoding)
    dialect = found(data)
    assert data.decode(dialect.encoding) == data.decode(encoding)
    assert (dialect.delimiter, len(dialect.names)) == (",", 2)


def test_a_legacy_encoding_is_guessed_from_single_words() -> None:
    for text, encoding in (("5 °C\n", "cp1252"), ("à la\n", "cp1252"), ("naïve\n", "cp1252"), ("100 €\n", "cp1252")):
        assert guess_legacy(text.encode(encoding))[0] == encoding


def test_many_broken_bytes_are_another_encoding_and_few_are_damage() -> None:
    assert find_encoding(b"a,\xfc\nb,\xe4\n").name == "cp1252"
    assert find_encoding("a,ü\nb,ä\nc,ö\n".encode() + b"d,\xfc\n").name == "utf-8"


@pytest.mark.parametrize("data", [b"%PDF-1.7 x", b"PK\x03\x04abc", b"\x00" * 100, b"<?xml version='1.0'?>\n<a/>"])
def test_what_is_no_text_is_refused_with_a_remedy(data: bytes) -> None:
    with pytest.raises(Refused) as refused:
        found(data)
    assert refused.value.code in ("not-text", "empty-file")
    assert "CSV" in refused.value.remedy or "content" in refused.value.remedy


def test_pins_are_kept() -> None:
    dialect = found(b"a,b;c\n1,2;3\n", delimiter=";", quote="", header=False, encoding="latin-1")
    assert (dialect.delimiter, dialect.quote, dialect.header, dialect.encoding) == (";", None, False, "iso8859-1")
    assert dialect.names == ("column_1", "column_2")


@pytest.mark.parametrize(
    "rules", [{"delimiter": ""}, {"delimiter": "ab"}, {"quote": "ä"}, {"escape": "\n"}, {"encoding": "klingon"}]
)
def test_pins_that_cannot_be_meant_are_refused(rules: dict[str, str]) -> None:
    with pytest.raises(Refused) as refused:
        found(b"a,b\n1,2\n", **rules)
    assert refused.value.code == "contract-invalid"


def test_the_names_of_a_contract_settle_what_is_a_header() -> None:
    data = b"anna,berlin\nbob,paris\n"
    assert detect(data, whole=True, rules=SourceRules(), expected=("name", "city")).header
    assert detect(b"city,name\nparis,bob\n", whole=True, rules=SourceRules(), expected=("name", "city")).header


def test_words_are_values_where_the_contract_says_text() -> None:
    data = b"a,b,c\nZ,x,Z\n0,y,0\n1,z,1\n"
    names = ("a", "b", "c")
    assert detect(data, whole=True, rules=SourceRules(), expected=names).lead == ("header", "header")
    assert detect(data, whole=True, rules=SourceRules(), expected=names, texts=names).lead == ("header",)


def test_confidence_falls_with_damage() -> None:
    clean = found(written(table(20, 1), ",").encode())
    damaged = found(written(table(20, 1), ",").encode().replace(b"2024-", b"2024,", 8))
    assert 0 < damaged.confidence < clean.confidence <= 1


@pytest.mark.parametrize(
    ("data", "called"),
    [
        (b"7z\xbc\xaf\x27\x1c" + b"\0" * 30, "a 7z archive"),
        (b"\x04\x22\x4d\x18" + b"x" * 40, "packed by lz4"),
        (b"\x1f\x9d\x90abcabc", "packed by compress"),
        (b"]\x00\x00\x80\x00" + b"\xff" * 8 + b"\x00abc", "packed by lzma"),
        (b"a.csv".ljust(257, b"\0") + b"ustar" + b"\0" * 300, "a tar archive"),
        (b"FEA1" + b"\0" * 40, "a Feather file"),
    ],
    ids=["7z", "lz4", "compress", "lzma", "tar", "feather"],
)
def test_other_kinds_of_file_are_called_by_their_names(data: bytes, called: str) -> None:
    with pytest.raises(Refused) as refused:
        found(data)
    assert (refused.value.code, called in refused.value.message) == ("not-text", True)


def test_a_heading_that_begins_like_another_kind_is_a_heading() -> None:
    assert found(b"ORC,PAR1\n1,2\n").names == ("orc", "par1")
