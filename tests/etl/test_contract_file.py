"""Contracts are strict to read, stable to write, and come back as they were."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from athena.dataset import Column, DataType
from athena.errors import Failed, NotFound, Refused
from etl.contract import Contract, Layout, SourceRules
from etl.contract_file import format_contract, parse_contract, read_contract, write_contract

# The example of the owner's guide, with every key.
WHOLE = """
description  = "Flights that departed NYC"
inferred     = false
same_content = "skip"
new_columns  = "add"
max_rejected = 0.1
[columns]
day        = { type = "date", required = true }
carrier    = { type = "string", required = true, allowed = ["AA", "UA"] }
pilot      = { type = "string", sensitive = true }
dep_delay  = { type = "double", unit = "min", description = "negative = early" }
fare       = { type = "decimal(12,2)" }
[layout]
partition = ["month(day)"]
sort      = ["day", "carrier"]
[sources.lufthansa]
delimiter = ";"
quote     = ""
escape    = "\\\\"
encoding  = "cp1252"
header    = true
decimal   = ","
thousands = "."
null      = ["", "NA", "-"]
formats   = { day = "%d.%m.%Y" }
rename    = { "Abflugtag" = "day", "Gesellschaft" = "carrier" }
values    = { carrier = { "Lufthansa" = "LH" } }
scale     = { dep_delay = 60 }
zone      = "Europe/Berlin"
sheet     = "Mai"
"""


def test_every_key_is_understood() -> None:
    contract = parse_contract(WHOLE, dataset="flights")
    assert contract.columns[3] == Column("dep_delay", DataType("double"), unit="min", description="negative = early")
    assert contract.columns[1].allowed == ("AA", "UA")
    assert (contract.columns[2].sensitive, contract.columns[4].type) == (True, DataType("decimal", 12, 2))
    assert contract.layout == Layout(("month(day)",), ("day", "carrier"))
    assert contract.sources["lufthansa"] == SourceRules(
        delimiter=";",
        quote="",
        escape="\\",
        encoding="cp1252",
        header=True,
        decimal=",",
        thousands=".",
        null=("", "NA", "-"),
        formats={"day": "%d.%m.%Y"},
        rename={"Abflugtag": "day", "Gesellschaft": "carrier"},
        values={"carrier": {"Lufthansa": "LH"}},
        scale={"dep_delay": 60.0},
        zone="Europe/Berlin",
        sheet="Mai",
    )


def test_what_is_not_said_has_the_documented_defaults() -> None:
    contract = parse_contract('[columns]\nday = { type = "date" }\n', dataset="flights")
    assert contract == Contract("flights", (Column("day", DataType("date")),), inferred=False)
    assert parse_contract("", dataset="flights") == Contract("flights", (), inferred=True)


@pytest.mark.parametrize(
    ("wrong", "right", "line", "remedy"),
    [
        ("max_rejectd = 0.1", "max_rejected = 0.1", 6, "'max_rejected'"),
        ('same_content = "skp"', 'same_content = "skip"', 4, "'skip'"),
        ("inferred     = 0", "inferred     = false", 3, "inferred = true or"),
        ("requird = true }\ncarrier", "required = true }\ncarrier", 8, "'required'"),
        ('type = "dat"', 'type = "date"', 8, "date"),
        ("unit = 3", 'unit = "min"', 11, 'unit = "3"'),
        ("Fare       =", "fare       =", 12, "lower-case"),
        ("_line       =", "fare       =", 12, "taken"),
        ('["month(dy)"]', '["month(day)"]', 14, "'day'"),
        ('["fortnight(day)"]', '["month(day)"]', 14, "month(c)"),
        ('["dy", "carrier"]', '["day", "carrier"]', 15, "'day'"),
        ('delimeter = ";"', 'delimiter = ";"', 17, "'delimiter'"),
        ('delimiter = ";;"', 'delimiter = ";"', 17, "example"),
        ('encoding  = "cp12520"', 'encoding  = "cp1252"', 20, "utf-8"),
        ('null      = "NA"', 'null      = ["", "NA", "-"]', 24, 'null = ["NA"]'),
        ('{ dy = "%d.%m.%Y" }', '{ day = "%d.%m.%Y" }', 25, "'day'"),
        ('"Gesellschaft" = "carier"', '"Gesellschaft" = "carrier"', 26, "'carrier'"),
        ("{ dep_delay = 0 }", "{ dep_delay = 60 }", 28, "erase"),
        ('"Europe/Berln"', '"Europe/Berlin"', 29, "Europe/Berlin"),
        ("allowed = []", 'allowed = ["AA", "UA"]', 9, "take the key out"),
        ('"decimal(12,2)", allowed = ["1", "a lot"]', '"decimal(12,2)"', 12, "decimal(12,2)"),
        ('["month(carrier)"]', '["month(day)"]', 14, "year, month, day of a date"),
        ('quote     = ";"', 'quote     = ""', 18, "of its own"),
        ('encoding  = "base64"', 'encoding  = "cp1252"', 20, "utf-8"),
        ('decimal   = "5"', 'decimal   = ","', 22, "example"),
        ('thousands = ","', 'thousands = "."', 23, "of its own"),
        ('"dd.mm.yyyy"', '"%d.%m.%Y"', 25, "%d.%m.%Y"),
        ('"%d.%m.%Q"', '"%d.%m.%Y"', 25, "%Y"),
        ('"%d.%m.%Y %I:%M"', '"%d.%m.%Y"', 25, "%p"),
        ('{ fare = "percnt" }', '{ day = "%d.%m.%Y" }', 25, "'percent'"),
        ("{ dep_delay = inf }", "{ dep_delay = 60 }", 28, "multiplied"),
        ("{ carrier = 60 }", "{ dep_delay = 60 }", 28, "out of scale"),
        ('"datetime", unit', '"double", unit', 11, "'timestamp'"),
        ('"numeric(12,2)"', '"decimal(12,2)"', 12, "'decimal(12,2)'"),
        ('"decimal(12,2)", min = 0', '"decimal(12,2)"', 12, "Known: type"),
        ('"decimal(12,2)", format = "percent"', '"decimal(12,2)"', 12, "[sources.default]"),
        ('"decimal(12,2)", nullable = false', '"decimal(12,2)"', 12, "'required'"),
        ("allowed = [1, 2]", 'allowed = ["AA", "UA"]', 9, '["1", "2"]'),
        ('fare = "double"', 'fare       = { type = "decimal(12,2)" }', 12, 'fare = { type = "double" }'),
        ('Fare = { type = "double" }', 'fare       = { type = "decimal(12,2)" }', 12, "Call it fare"),
        ("max_rejected = 10\n[columns]", "max_rejected = 0.1\n[columns]", 6, "0.1 for 10 percent"),
        ("[columns]\nmax_rejected = 0.2", "[columns]", 8, "above the first [table]"),
        ('[layout]\nsame_content = "load"', "[layout]", 14, "above the first [table]"),
        ('["month(day)", "month(day)"]', '["month(day)"]', 14, "Take it out"),
        ('["day desc"]', '["day", "carrier"]', 15, "upwards"),
        ('[sources]\ndelimiter = ";"\n[sources.x]', "[sources.lufthansa]", 17, "[sources.default]"),
        ("[source.lufthansa]", "[sources.lufthansa]", 16, "'sources'"),
        ('[sources."a/b"]', "[sources.lufthansa]", 16, "folder"),
        ('delimiter = "tab"', 'delimiter = ";"', 17, '"\\t"'),
        ('delimiter = "\\u0000"', 'delimiter = ";"', 17, "example"),
        ('encoding  = "cp037"', 'encoding  = "cp1252"', 20, "utf-8"),
        ('encoding  = "idna"', 'encoding  = "cp1252"', 20, "utf-8"),
        ('decimal   = "x"', 'decimal   = ","', 22, "example"),
        ('"dd.MM.yyyy HH:mm"', '"%d.%m.%Y"', 25, "%d.%m.%Y %H:%M"),
        ('{ day = "Abflugtag" }', '{ "Abflugtag" = "day", "Gesellschaft" = "carrier" }', 26, '"Abflugtag" = "day"'),
        ('{ fare = { free = "nothing" } }', '{ carrier = { "Lufthansa" = "LH" } }', 27, "fare"),
    ],
)
def test_a_mistake_is_told_with_file_line_and_remedy(wrong: str, right: str, line: int, remedy: str) -> None:
    assert right in WHOLE
    with pytest.raises(Refused) as refusal:
        parse_contract(WHOLE.replace(right, wrong), dataset="flights", path="datasets/flights.toml")
    assert refusal.value.message.startswith(f"datasets/flights.toml, line {line}: ")
    assert remedy in refusal.value.remedy
    assert refusal.value.code == "contract-invalid"


@pytest.mark.parametrize("share", ["-0.1", "1.5", "nan", "true", '"0.1"'])
def test_max_rejected_is_a_share(share: str) -> None:
    with pytest.raises(Refused, match="max_rejected"):
        parse_contract(f"max_rejected = {share}", dataset="flights")


def test_broken_toml_is_told_with_its_line() -> None:
    with pytest.raises(Refused, match=r"flights\.toml, line 2 is not valid TOML: Invalid value"):
        parse_contract("a = 1\nb = \n", dataset="flights")


@pytest.mark.parametrize(
    ("text", "line", "remedy"),
    [
        ('[columns]\nday = { type = "date }\n', 2, "Close the quotes"),
        ("[columns\n", 1, "Close the bracket"),
        ('[columns]\nday: "date"\n', 2, "equals sign"),
        ('[columns]\nday = {\n type = "date"\n}\n', 2, "on one line"),
        ('[columns]\nday = { type = "date", required = True }\n', 2, "small letters"),
        ("[columns]\nday = { type = date }\n", 2, "Write text in quotes"),
        ('[columns]\nday = { type = "date" }\nday = { type = "int" }\n', 3, "take the second out"),
        ('[columns]\nday = { type = "date" }\n[columns]\n', 3, "take the second out"),
        ('[sources.a]\nescape = "\\"\n', 2, "Close the quotes"),
        ('[sources.a]\nescape = "\\ "\n', 2, "for a backslash"),
    ],
    ids=["quotes", "bracket", "colon", "brace", "True", "bare", "key-twice", "table-twice", "escape", "backslash"],
)
def test_what_is_no_toml_is_told_with_its_line_and_what_was_meant(text: str, line: int, remedy: str) -> None:
    with pytest.raises(Refused) as refusal:
        parse_contract(text, dataset="flights", path="flights.toml")
    assert refusal.value.message.startswith(f"flights.toml, line {line} is not valid TOML: ")
    assert remedy in refusal.value.remedy


def test_all_mistakes_of_a_contract_are_told_at_once_in_their_order() -> None:
    text = (
        'max_reject = 0.1\n[columns]\nday = { type = "dat" }\nn = { typ = "int" }\n'
        '[layout]\nsort = ["x"]\n[sources.a]\ndelimeter = ";"\nzone = "Berlin"\n'
    )
    with pytest.raises(Refused) as refusal:
        parse_contract(text, dataset="flights", path="flights.toml")
    told = refusal.value.message
    assert told.startswith("flights.toml has 6 mistakes. Line 1: max_reject is not known. Did you mean 'max_rejected'?")
    assert re.findall(r"Line (\d+)", told) == ["1", "3", "4", "6", "8", "9"]
    assert "names 'x', which is no column. Known: day, n." in told  # no mistakes that follow from others


def test_a_contract_needs_columns_unless_it_is_inferred() -> None:
    with pytest.raises(Refused, match="columns is empty"):
        parse_contract("inferred = false", dataset="flights")
    sources = parse_contract(
        'inferred = true\n[sources.a]\ndelimiter = ";"\n[layout]\nsort = ["day"]', dataset="flights"
    )
    assert sources.rules("a").delimiter == ";"


names = st.text("abcdefghijklmnopqrstuvwxyz0123456789_", min_size=1, max_size=8).filter(
    lambda name: name not in ("_file", "_line", "_content", "_loaded_at")
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
types = st.one_of(
    st.sampled_from([DataType(name) for name in ("string", "boolean", "int", "long", "double", "date", "timestamptz")]),
    st.integers(1, 38).flatmap(lambda p: st.integers(0, p).map(lambda s: DataType("decimal", p, s))),
)
columns = st.builds(
    Column,
    names,
    types,
    required=st.booleans(),
    unit=st.none() | texts.filter(bool),
    description=st.none() | texts.filter(bool),
    sensitive=st.booleans(),
)
folders = texts.filter(lambda name: name != "" and "/" not in name and name.isprintable())
FORMS = {"date": "%d.%m.%Y", "timestamptz": "epoch", "int": "currency", "double": "percent"}
characters = st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0")


@st.composite
def contracts(draw: st.DrawFn) -> Contract:
    own = draw(st.lists(columns, max_size=4, unique_by=lambda column: column.name))
    allowed = draw(st.none() | st.lists(texts, min_size=1, max_size=3).map(tuple))
    own = [replace(column, allowed=allowed) if column.type.name == "string" else column for column in own]
    some = st.sampled_from([column.name for column in own]) if own else st.nothing()
    most = 2 if own else 0
    forms = {column.name: FORMS[column.type.name] for column in own if column.type.name in FORMS}
    strings = [column.name for column in own if column.type.name == "string"]
    words = st.sampled_from(strings) if strings else st.nothing()
    numbers = [column.name for column in own if column.type.name in ("int", "long", "double", "decimal")]
    rules = st.builds(
        SourceRules,
        delimiter=st.none() | characters,
        quote=st.none() | st.just("") | characters,
        escape=st.none() | characters,
        encoding=st.sampled_from([None, "utf-8", "cp1252"]),
        header=st.none() | st.booleans(),
        null=st.none() | st.lists(texts, max_size=2).map(tuple),
        formats=st.sampled_from([{}, forms]),
        rename=st.dictionaries(texts, some, max_size=most),
        values=st.dictionaries(words, st.dictionaries(texts, texts, max_size=2), max_size=1 if strings else 0),
        scale=st.fixed_dictionaries({}, optional=dict.fromkeys(numbers, st.floats(0.001, 1e300))),
        zone=st.sampled_from([None, "Europe/Berlin"]),
    ).filter(lambda one: not one.delimiter or one.delimiter not in (one.quote, one.escape))
    return Contract(
        "flights",
        tuple(own),
        description=draw(texts),
        inferred=draw(st.booleans()) or not own,
        same_content=draw(st.sampled_from(["skip", "load"])),
        new_columns=draw(st.sampled_from(["add", "ignore", "reject"])),
        max_rejected=draw(st.floats(0, 1)),
        layout=Layout(sort=tuple(draw(st.lists(some, max_size=2)))) if own else Layout(),
        sources=draw(st.dictionaries(folders, rules, max_size=2)),
    )


@given(contracts())
def test_a_written_contract_is_read_back_as_it_was(contract: Contract) -> None:
    assert parse_contract(format_contract(contract), dataset="flights") == contract


def test_what_is_written_is_aligned_and_short() -> None:
    text = format_contract(parse_contract(WHOLE, dataset="flights"))
    assert 'day       = { type = "date", required = true }\n' in text
    assert 'dep_delay = { type = "double", unit = "min", description = "negative = early" }\n' in text
    assert '[sources.lufthansa]\ndelimiter = ";"\n' in text


def test_a_contract_is_written_whole_and_reading_it_needs_no_more_than_its_path(tmp_path: Path) -> None:
    path = tmp_path / "datasets" / "flights.toml"
    contract = Contract("flights", (Column("day", DataType("date")),))
    write_contract(path, contract)
    write_contract(path, replace(contract, description="Flüge"))
    assert read_contract(path).description == "Flüge"
    assert [one.name for one in path.parent.iterdir()] == ["flights.toml"]


def test_a_contract_that_cannot_be_read_or_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="There is no contract"):
        read_contract(tmp_path / "flights.toml")
    (tmp_path / "flights.toml").write_bytes(b"description = '\xff'")
    with pytest.raises(Refused, match="is not UTF-8"):
        read_contract(tmp_path / "flights.toml")
    (tmp_path / "file").write_text("")
    with pytest.raises(Failed, match="could not be written"):
        write_contract(tmp_path / "file" / "flights.toml", Contract("flights", ()))
