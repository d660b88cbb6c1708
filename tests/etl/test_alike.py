"""What is proved of a file from a few counts is what a close look at it finds; what cannot be proved is looked at."""

import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from athena.dataset import Column, parse_type
from athena.errors import Refused
from etl._plan import plan
from etl.alike import Pattern, count_records, first_line, pattern_of, read_alike
from etl.contract import Contract, SourceRules
from etl.flock import FLOCK_BYTES
from etl.ingest import reconcile, retract
from etl.intake import Intake
from etl.report import Report
from etl.source import Source
from etl.transform import Portion, Study, stored_schema, study, transform_narrow
from tests.home import drop, intake_at, reports_of, rows_of, values_of

PLAIN = {
    "int": ["7", "-12", "100", "999", "0", "+5"],
    "long": ["12345678901", "123"],
    "double": ["1.5", "-0.25", "1e5", "100", ".5", "5."],
    "decimal(9,2)": ["1.50", "100", "-3.2", "5."],
    "date": ["2024-01-31", "1999-12-01"],
    "timestamp": ["2024-01-31 10:00:00", "2024-01-31", "2024-01-31T10:00:00.5", "2024-01-31 05"],
    "string": ["Ulm", "Bad Urach", "N", "12", "x-1", "a@b.de", "2024-01-01", "yes"],
    "boolean": ["true", "false"],
}
# What types are inferred from.
SURE = {
    "int": ["7", "-12", "100", "999", "0"],
    "long": ["12345678901", "123", "9007199254740993"],
    "double": ["1.5", "-0.25", "100", ".5", "5.", "1.234", "+2.5", "1e-5", "1.5e7"],
    "date": ["2024-01-31", "1999-12-01"],
    "timestamp": ["2024-01-31 10:00:00", "2024-01-31", "2024-01-31T10:00:00.5"],
    "timestamptz": ["2024-01-31 10:00:00Z", "2024-01-31T10:00:00+02:00"],
    "string": ["Ulm", "Bad Urach", "N", "x-1", "a@b.de", "", "12.x"],
    "boolean": ["true", "False"],
}
FLAGS = ["Y", "N", "007"]
ODD = ["", "NA", '"a"', "'a'", "a'b", "1,5", "1;5", "a\tb", "a|b", "#c", "Total", "http://a/b", "1.234", "x~y", "k: v"]
ODD += ["0x1f", "é", " 7", "12:30", "\\N", "007", "a:b:c", "2024-13-45", "\x01", "\x00", "100,200", "sum"]
ODD += ["+5", "1e5", "3e-00004", "9007199254740993", "99999999999", "1", "yes", "2024-01-01", "nan", "12", "-0", "-05"]
NAMES = ["id", "day", "fare", "city", "size", "x", "total"]
ODD_NAMES = ["Dep Delay", "a:b", "inf", "5."]
LINES = ["", "total", "# remark", "1", "Total;;", "a,b,c,d,e,f,g", "   ", "7 rows"]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two files under one contract."""

    contract: Contract
    first: bytes
    second: bytes


@st.composite
def pairs(draw: st.DrawFn) -> Pair:
    names = draw(st.lists(st.sampled_from(NAMES), min_size=3, max_size=5, unique=True))
    if draw(st.integers(0, 9)) == 0:
        names[0] = draw(st.sampled_from(ODD_NAMES))
    inferred = draw(st.booleans())
    pool = SURE | ({"string": FLAGS} if draw(st.booleans()) else {}) if inferred else PLAIN
    kinds = [draw(st.sampled_from(sorted(pool))) for _ in names]
    delimiter = draw(st.sampled_from(",,,;|\t"))
    known = [name.lower().replace(" ", "_").replace(":", "_").strip(".") for name in names]
    columns = tuple(Column(name or "c", parse_type(kind)) for name, kind in zip(known, kinds, strict=True))
    rules = SourceRules(delimiter=draw(st.sampled_from([None, None, delimiter])))
    contract = Contract("t", columns, inferred=inferred, sources={"default": rules})
    header = delimiter.join(names)
    first = [header, *_rows(draw, kinds, delimiter, pool)]
    pool = PLAIN | SURE if draw(st.booleans()) else pool
    second = [header, *_rows(draw, kinds, delimiter, pool, odd=draw(st.sampled_from([0, 0, 1, 2])))]
    for _ in range(draw(st.sampled_from([0, 0, 0, 1]))):
        second.insert(draw(st.integers(1, len(second))), draw(st.sampled_from([*LINES, header])))
    end = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    last = draw(st.sampled_from([end, ""]))
    return Pair(contract, ("\n".join(first) + "\n").encode(), (end.join(second) + last).encode())


def _rows(
    draw: st.DrawFn, kinds: list[str], delimiter: str, pool: Mapping[str, list[str]], *, odd: int = 0
) -> list[str]:
    values = {kind: st.sampled_from(pool[kind]) for kind in set(kinds)}
    rows = [[draw(values[kind]) for kind in kinds] for _ in range(draw(st.integers(6, 10)))]
    for _ in range(odd):
        row = draw(st.integers(0, len(rows) - 1))
        rows[row][draw(st.integers(0, len(kinds) - 1))] = draw(st.sampled_from(ODD))
    return [delimiter.join(row) for row in rows]


def source_of(data: bytes) -> Source:
    def opened() -> BinaryIO:
        return io.BytesIO(data)

    return Source("t/a.csv", opened, "", len(data), len(data), data)


def closely(data: bytes, contract: Contract) -> tuple[Study, list[Portion]]:
    """What a close look finds, and the rows."""
    source, rules = source_of(data), contract.rules("default")
    studied = study(source, contract=contract, rules=rules)
    return studied, list(transform_narrow(source, studied, studied.columns, studied.rules))


def learnt(data: bytes, contract: Contract) -> Pattern | None:
    try:
        studied, _ = closely(data, contract)
    except Refused:
        return None
    rules = contract.rules("default")
    pattern = pattern_of(studied, plan(studied.dialect, contract.columns, rules), contract, rules)
    return pattern if pattern is not None and first_line(data) == pattern.heading else None


def check_same(pattern: Pattern, data: bytes, records: int, columns: list[pa.Array], contract: Contract) -> None:
    """Everything that a report and a table show is what a close look finds."""
    studied, portions = closely(data, contract)
    led = pattern.studied
    same = replace(
        led,
        content=studied.content,
        size_bytes=len(data),
        lines=records + 1,
        dialect=replace(led.dialect, numeric=studied.dialect.numeric),
    )
    assert studied == same
    schema = stored_schema(contract.columns)
    rows = pa.Table.from_batches([one.rows for one in portions])
    together = pa.table([c.cast(t) for c, t in zip(columns, schema.types, strict=True)], names=schema.names)
    assert together.to_pylist() == rows.to_pylist()
    lines = [line for one in portions for line in one.first_lines.to_pylist()]
    assert lines == list(range(2, records + 2))
    assert not any(one.rejects or one.warnings for one in portions)
    (header,) = [skipped for one in portions for skipped in one.skipped]
    assert (header.kind, header.first_line, header.raw) == ("header", 1, pattern.heading.decode())


@settings(max_examples=100)
@given(pairs())
def test_what_is_proved_of_a_file_is_what_a_close_look_finds(pair: Pair) -> None:
    pattern = learnt(pair.first, pair.contract)
    if pattern is None or first_line(pair.second) != pattern.heading:
        return
    records = count_records(pair.second, pattern)
    columns = read_alike([pair.second], [records], pattern) if records else None
    if columns is not None:
        check_same(pattern, pair.second, records, columns, pair.contract)


@pytest.mark.long
@settings(max_examples=20_000)
@given(pairs())
def test_what_is_proved_of_a_file_is_what_a_close_look_finds_in_many_cases(pair: Pair) -> None:
    test_what_is_proved_of_a_file_is_what_a_close_look_finds.hypothesis.inner_test(pair)  # type: ignore[attr-defined]


TRIPS = Contract(
    "t",
    tuple(
        Column(name, parse_type(kind))
        for name, kind in (("id", "int"), ("day", "date"), ("fare", "decimal(9,2)"), ("city", "string"))
    ),
    inferred=False,
)
CONTRACT = """inferred = false
[columns]
id = { type = "int" }
day = { type = "date" }
fare = { type = "decimal(9,2)" }
city = { type = "string" }
"""


def trips(first: int, count: int = 8, **odd: str) -> str:
    """A plain file; `odd` are other lines, by their place."""
    lines = [f"{first + at},2026-01-{at + 1:02},{at}.50,Ulm" for at in range(count)]
    for place, line in odd.items():
        lines[int(place[1:])] = line
    return "\n".join(["id,day,fare,city", *lines]) + "\n"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (trips(1, _3='3,2026-01-03,2.50,"Ulm"'), "a quote"),
        (trips(1, _3="3,2026-01-03,2.50,a;b"), "another delimiter"),
        (trips(1, _3="3,2026-01-03,2.50"), "a short record"),
        (trips(1, _3="3,2026-01-33,2.50,Ulm"), "a bad value"),
        (trips(1, _3=""), "a blank line"),
        (trips(1, _7="Total,,28.00,"), "a total"),
        (trips(1, _3="3,2026-01-03,2.50,Köln"), "more than ASCII"),
        (trips(1, 4), "too few records"),
    ],
)
def test_what_cannot_be_proved_is_looked_at_closely(text: str, why: str) -> None:
    pattern = learnt(trips(100).encode(), TRIPS)
    assert pattern is not None
    records = count_records(text.encode(), pattern)
    assert not records or read_alike([text.encode()], [records], pattern) is None, why


def test_plain_files_are_read_together() -> None:
    pattern = learnt(trips(100).encode(), TRIPS)
    assert pattern is not None
    texts = [trips(1).encode(), trips(50, 9).replace("\n", "\r\n").encode(), trips(70).rstrip().encode()]
    records = [count_records(text, pattern) for text in texts]
    columns = read_alike(texts, records, pattern)
    assert records == [8, 9, 8]
    assert columns is not None
    assert columns[0].to_pylist() == [*range(1, 9), *range(50, 59), *range(70, 78)]


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ({"_3": "+3,2026-01-03,2.50,Ulm", "_5": "05,2026-01-03,2.50,Ulm"}, "a leading zero"),
        ({"_3": "3,2026-01-03,1e5,Ulm"}, "a letter in a number"),
        ({"_3": "3,2026-01-03,9007199254740993,Ulm"}, "a number that no double holds"),
        ({f"_{at}": f"{at},2026-01-03,2.50,1{at}" for at in range(8)}, "numbers in a column of text"),
        ({"_0": "0,2026-01-03,2.50,12"}, "a number first in a column of text, which would be told of"),
        ({"_3": "3,2026-01-03,NA,Ulm"}, "a word for a missing value, which would be told of"),
    ],
)
def test_what_would_be_inferred_otherwise_is_looked_at_closely(lines: dict[str, str], why: str) -> None:
    kinds = {"id": "int", "day": "date", "fare": "double", "city": "string"}
    contract = Contract("t", tuple(Column(name, parse_type(kind)) for name, kind in kinds.items()), inferred=True)
    pattern = learnt(trips(100).encode(), contract)
    assert pattern is not None
    texts = [trips(10).encode(), trips(1, 8, **lines).encode(), trips(50).encode()]
    records = [count_records(text, pattern) for text in texts]
    assert read_alike(texts, records, pattern) is None, why
    assert read_alike(texts[::2], records[::2], pattern) is not None


@pytest.fixture
def intake(tmp_path: Path) -> Intake:
    made = intake_at(tmp_path / "home")
    made.contracts.save("t", CONTRACT)
    return made


def dropped(intake: Intake) -> list[str]:
    """Files of every sort, some of which go together."""
    texts = [trips(at * 10) for at in range(12)]
    texts[3] = trips(30, _3='33,2026-01-04,3.50,"Ulm"', _5="35,2026-01-06,5.50", _6="x")
    texts[5] = trips(50, _2="52,2026-13-45,2.50,Ulm")
    texts[7] = "\x00\x01\x02" * 50
    texts[9] = texts[1]
    texts[10] = trips(100).replace("\n", "\r\n")
    return [drop(intake, f"t/{at:02}.csv", text) for at, text in enumerate(texts)]


def told(report: Report) -> dict[str, object]:
    """A report without what differs from load to load."""
    if report.status == "duplicate":  # a file whose content is known by its size and hash is not looked at
        return {"status": report.status, "file": report.file, "content": report.content, "rows_in": report.rows_in}
    # Of a file that fails, the content is known only if it had to be looked for in the table first.
    content = None if report.error else report.content
    return replace(report, load_id=None, snapshot=None, seconds=0.0, content=content).as_json()


@pytest.mark.parametrize("contract", [f"max_rejected = 0.5\n{CONTRACT}", None], ids=["given", "inferred"])
def test_files_read_together_are_reported_and_loaded_as_one_by_one(contract: str | None, tmp_path: Path) -> None:
    intake, singly = intake_at(tmp_path / "home"), intake_at(tmp_path / "singly")
    for one in (singly, intake):
        if contract is not None:
            one.contracts.save("t", contract)
    dropped(intake)
    together = reports_of(reconcile(intake))
    each: list[Report] = []
    for file in sorted((intake.settings.landing / "t").iterdir()):
        drop(singly, f"t/{file.name}", file.read_bytes())
        each += reports_of(reconcile(singly))
    assert [told(one) for one in together] == [told(one) for one in each]
    columns = ["id", "day", "fare", "city", "_file", "_line", "_content"]
    order = [("_file", "ascending"), ("_line", "ascending")]
    assert rows_of(intake, "t").select(columns).sort_by(order) == rows_of(singly, "t").select(columns).sort_by(order)
    assert len(list((intake.data("t")).iterdir())) == 1


@pytest.mark.parametrize("contract", [f"max_rejected = 0.5\n{CONTRACT}", None], ids=["given", "inferred"])
def test_a_file_that_goes_with_none_does_no_harm_to_those_that_are_read_meanwhile(
    contract: str | None, intake: Intake
) -> None:
    (intake.settings.contracts / "t.toml").unlink()
    if contract is not None:
        intake.contracts.save("t", contract)
    rows = 3 * FLOCK_BYTES // 40 // 24
    texts = [
        "\n".join(["id,day,fare,city", *(f"{at * rows + row},2026-01-01,1.50,Ulm" for row in range(rows)), ""])
        for at in range(40)
    ]
    texts[4] = texts[4].replace(f"{4 * rows + 7},", "9007199254740993,")  # an int no more: widened, or rejected
    texts[30] = texts[5]
    for at, text in enumerate(texts):
        drop(intake, f"t/{at:02}.csv", text)
    reports = reports_of(reconcile(intake))
    assert [one.status for one in reports] == ["loaded" if at != 30 else "duplicate" for at in range(40)]
    assert [one.rows_rejected for one in reports] == [1 if at == 4 and contract else 0 for at in range(40)]
    found = (
        rows_of(intake, "t").select(["id", "_file", "_line"]).sort_by([("_file", "ascending"), ("_line", "ascending")])
    )
    wanted = [
        (int(line.split(",")[0]), f"t/{at:02}.csv", number)
        for at, text in enumerate(texts)
        for number, line in enumerate(text.splitlines(), start=1)
        if number > 1 and at != 30 and not (contract and line.startswith("9007199254740993"))
    ]
    assert list(zip(*(column.to_pylist() for column in found.columns), strict=True)) == wanted


def test_one_file_of_a_shared_one_is_replaced_and_another_retracted(intake: Intake) -> None:
    for at in range(4):
        drop(intake, f"t/{at}.csv", trips(at * 10))
    reports_of(reconcile(intake))
    assert len(list(intake.data("t").iterdir())) == 1
    drop(intake, "t/1.csv", trips(500))
    reports_of(reconcile(intake))
    retract(intake, "t/2.csv")
    wanted = [*range(8), *range(30, 38), *range(500, 508)]
    assert values_of(intake, "t", "id") == wanted
    files = rows_of(intake, "t").group_by("_file").aggregate([([], "count_all")]).to_pylist()
    assert {one["_file"]: one["count_all"] for one in files} == {f"t/{at}.csv": 8 for at in (0, 1, 3)}


def test_a_content_that_another_loaded_meanwhile_is_not_loaded_again_with_its_neighbours(intake: Intake) -> None:
    for at in range(4):
        drop(intake, f"t/{at}.csv", trips(at * 10))
    other = intake_at(intake.settings.home)

    def meanwhile(step: str) -> None:
        if step == "read":
            (intake.settings.landing / "t" / "2.csv").touch()  # another look at it is worth while
            from etl.ingest import ingest

            ingest(other, "t/1.csv")

    reports_of(reconcile(replace(intake, step=meanwhile)))
    assert values_of(intake, "t", "id") == [at * 10 + one for at in range(4) for one in range(8)]
