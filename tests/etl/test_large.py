"""A large file that many tasks read is the load that one task makes of it: rows, rejects, lines, report, content."""

import json
import logging
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from athena.errors import Failed, LakegateError
from athena.s3 import Bucket
from athena.settings_aws import AwsSettings
from etl._places import line_ends
from etl._split import Skip
from etl._stretch import Looked, Stretch, chain, likely_start, read_stretch
from etl.contract import SourceRules
from etl.dialect import Dialect, detect
from etl.fanout import STRETCHES, FanOut
from etl.ingest import reconcile
from etl.intake import Intake
from etl.read import Block, read_blocks
from etl.workers import Processes, T, outcome
from tests.cloud import Cloud
from tests.fanned import InTurn, check_alike, fanned, rows
from tests.home import drop, intake_at, reports_of

LEAST = 4096  # what is larger is read by several tasks, in stretches of an eighth


def pair(folder: Path, content: bytes, *, contract: str | None = None) -> tuple[Intake, Intake, InTurn]:
    """A home that one task reads and one that many do, with a small file and a large one."""
    workers = InTurn()
    one, many = intake_at(folder / "one"), fanned(folder / "many", workers, split_bytes=LEAST)
    for home in (one, many):
        if contract is not None:
            (home.settings.contracts / "t.toml").write_text(contract, encoding="utf-8")
        drop(home, "t/b.csv", content)
        drop(home, "t/c.csv", content[: content.index(b"\n") + 1])
    return one, many, workers


def check(folder: Path, content: bytes, *, contract: str | None = None) -> None:
    one, many, workers = pair(folder, content, contract=contract)
    check_alike(one, many)
    assert csv_of(one) == csv_of(many)
    assert warnings_of(one) == warnings_of(many)
    assert one.contracts.text("t") == many.contracts.text("t")
    assert len(workers.tasks) > STRETCHES


def csv_of(home: Intake) -> list[list[str]]:
    """What owners get of their rejects, without the load's id."""
    files = sorted((home.settings.reports / "t").rglob("*.rejects.csv"))
    return [[line.partition(",")[2] for line in path.read_text().splitlines()] for path in files]


def warnings_of(home: Intake) -> list[str]:
    files = (home.settings.reports / "t").rglob("*.json")
    return sorted(str(json.loads(path.read_text())["warnings"]) for path in files)


def clean(count: int = 900, end: str = "\n") -> bytes:
    return ("n,name,day" + end + "".join(f"{n},name {n},2026-03-{n % 28 + 1:02d}{end}" for n in range(count))).encode()


def quoted(count: int = 400, end: str = "\n") -> bytes:
    """Nearly every record goes over several lines, some of which look like records."""
    said = f'"he said ""x"",{end}{end}1,b,2026-01-01{end}and left"'
    return ("n,name,day" + end + "".join(f"{n},{said},2026-03-{n % 28 + 1:02d}{end}" for n in range(count))).encode()


def damaged(count: int = 900, seed: int = 7, end: str = "\n") -> bytes:
    """Stray and unclosed quotes, too many and too few fields, bad values, a header in between, a total below."""
    chance = random.Random(seed)
    odd = ['{n},"open,2026-03-01', '{n},st"ray,2026-03-01', "{n}", "{n},a,b,2026-03-01", "", "n,name,day"]
    odd += [
        '{n},"a\nb,c",2026-03-02',
        "x{n},name,not a day",
        '{n},"closed" badly,2026-03-02',
        '"{n}","a ""b""",2026-03-03',
    ]
    lines = ["n,name,day"]
    for n in range(count):
        wrong = chance.random() < 0.06
        lines.append((chance.choice(odd) if wrong else "{n},name {n},2026-03-04").format(n=n))
    return end.join([*lines, "", "Total,900,", ""]).replace("\n", end).replace("\r\r", "\r").encode()


CONFIRMED = """
inferred = false
max_rejected = 0.5
[columns]
n = { type = "int" }
name = { type = "string" }
day = { type = "date" }
"""
FILES: dict[str, Callable[[], bytes]] = {
    "clean": clean,
    "crlf": lambda: clean(end="\r\n"),
    "cr": lambda: clean(end="\r").replace(b"\r", b"\n", 1),
    "no-last-line-end": lambda: clean().removesuffix(b"\n"),
    "quoted-line-ends": quoted,
    "quoted-line-ends-crlf": lambda: quoted(end="\r\n"),
    "damaged": damaged,
    "blank-lines": lambda: clean(100) + b"\n" * 6000 + b"7,x,2026-03-01\n" * 100 + b"\r\n" * 3000 + b" \nTotal,9,\n",
    "damaged-crlf": lambda: damaged(end="\r\n"),
    "mark": lambda: b"\xef\xbb\xbf" + clean(),
    "preamble": lambda: b"Exported by X\n\n" + clean(),
    "cp1252": lambda: clean().replace(b"name 7", "Größe".encode("cp1252")),
    "accents": lambda: clean().replace(b"name 7", "Größe, ".replace(",", "").encode()),
    "one-column": lambda: b"n\n" + b"".join(b"%d\n" % n for n in range(3000)),
}


@pytest.mark.parametrize("name", ["crlf", "quoted-line-ends", "damaged-crlf", "preamble"])
def test_an_inferred_contract_is_the_same(tmp_path: Path, name: str) -> None:
    check(tmp_path, FILES[name]())


@pytest.mark.parametrize("name", ["clean", "quoted-line-ends-crlf", "cp1252"])
def test_a_confirmed_contract_gives_the_same(tmp_path: Path, name: str) -> None:
    check(tmp_path, FILES[name](), contract=CONFIRMED)


@pytest.mark.long
@pytest.mark.parametrize("name", FILES)
def test_every_file_gives_the_same(tmp_path: Path, name: str) -> None:
    check(tmp_path / "inferred", FILES[name]())
    if name not in ("preamble", "one-column"):
        check(tmp_path / "confirmed", FILES[name](), contract=CONFIRMED)


def test_a_layout_keeps_the_same_rows(tmp_path: Path) -> None:
    layout = CONFIRMED + '[layout]\npartition = ["day"]\nsort = ["n"]\n'
    check(tmp_path, damaged(), contract=layout)


def test_a_file_with_too_many_rejects_fails_the_same_and_leaves_no_rows(tmp_path: Path) -> None:
    check(tmp_path, damaged(), contract=CONFIRMED.replace("0.5", "0.001"))
    data = tmp_path / "many" / "tables" / "lake" / "t" / "data"
    assert not list(data.glob("*.parquet"))


def test_encoding_that_only_the_end_tells_of_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("etl.transform.SAMPLE_BYTES", 2048)
    content = clean() + "5000,Größe Übergang Äpfel,2026-03-01\n".encode("cp1252") * 20
    check(tmp_path, content)


def test_a_type_that_only_the_end_tells_of_is_found(tmp_path: Path) -> None:
    check(tmp_path, clean() + b"9999999999,x,2026-03-01\n12,y,soon\n")


def test_a_large_file_that_is_there_already_is_a_duplicate(tmp_path: Path) -> None:
    one, many, _ = pair(tmp_path, damaged())
    check_alike(one, many)
    for home in (one, many):
        drop(home, "t/d.csv", damaged())
        drop(home, "t/e.csv", damaged(seed=8))
    check_alike(one, many)


@pytest.mark.parametrize(("name", "content"), [("a.csv", "utf-16"), ("a.jsonl", "jsonl")])
def test_what_cannot_be_cut_is_read_by_one_task_and_the_log_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, content: str
) -> None:
    raw = clean().decode().encode("utf-16") if content == "utf-16" else b'{"n": 1, "name": "x"}\n' * 900
    one, many = intake_at(tmp_path / "one"), fanned(tmp_path / "many", InTurn(), split_bytes=LEAST)
    drop(one, f"t/{name}", raw)
    drop(many, f"t/{name}", raw)
    with caplog.at_level(logging.INFO):
        check_alike(one, many)
    assert "is read by one task" in caplog.text


def test_a_packed_file_is_read_by_one_task_and_the_log_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    import gzip

    many = fanned(tmp_path, InTurn(), split_bytes=100)
    drop(many, "t/a.csv.gz", gzip.compress(clean(2000)))
    with caplog.at_level(logging.INFO):
        (report,) = reports_of(reconcile(many))
    assert (report.rows_loaded, "what is gz cannot be cut" in caplog.text) == (2000, True)


def test_a_line_that_is_too_long_is_left_to_one_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("etl._chunks.MAX_LINE_BYTES", 3000)
    for reader in (read_blocks, read_stretch):
        monkeypatch.setitem(cast("dict[str, int]", reader.__kwdefaults__), "block_bytes", 1000)
    lines = clean().splitlines(keepends=True)
    with caplog.at_level(logging.INFO):
        check(tmp_path, b"".join([*lines[:400], b"1,", b"x" * 9000, b",2026-01-01\n", *lines[400:]]))
    assert "t/b.csv is read by one task: it has a line that is too long" in caplog.text


class Twice(InTurn):
    """Workers that run every task twice, as Spark does with those whose executor was lost, and take the second."""

    def run(self, tasks: Sequence[Callable[[], T]], beat: Callable[[], None]) -> Iterator[T | LakegateError]:
        for task in tasks:
            outcome(task)
        yield from super().run(tasks, beat)


def test_a_task_that_is_run_again_doubles_nothing(tmp_path: Path) -> None:
    one, many = intake_at(tmp_path / "one"), fanned(tmp_path / "many", Twice(), split_bytes=LEAST)
    for home in (one, many):
        drop(home, "t/a.csv", damaged())
    check_alike(one, many)


def test_processes_of_this_machine_read_a_large_file(tmp_path: Path) -> None:
    one, many = intake_at(tmp_path / "one"), fanned(tmp_path / "many", Processes(2), split_bytes=32 * 1024)
    for home in (one, many):
        drop(home, "t/a.csv", damaged(3000))
    check_alike(one, many)


class Failing(InTurn):
    """Workers one of whose tasks of the second pass fails, once."""

    failed = False

    def run(self, tasks: Sequence[Callable[[], T]], beat: Callable[[], None]) -> Iterator[T | LakegateError]:
        for number, done in enumerate(super().run(tasks, beat)):
            second = cast("partial[T]", tasks[number]).func.__name__ == "write_rows"
            if second and number == 3 and not self.failed:
                self.failed = True
                yield Failed("The disk is full.", "Make room.", code="disk")
            else:
                yield done


def test_nothing_is_left_of_a_load_one_of_whose_tasks_failed(tmp_path: Path) -> None:
    workers = Failing()
    many = fanned(tmp_path, workers, split_bytes=LEAST)
    drop(many, "t/a.csv", damaged())
    (error,) = reconcile(many).unread
    assert "disk is full" in error.message
    left = [path.name for path in tmp_path.rglob("*") if path.suffix in (".parquet", ".part")]
    # The failed task's own files: it may have died behind them, and garbage collection finds them.
    assert len(left) <= 2
    assert (many.heads.get("t"), workers.failed) == (None, True)
    (report,) = reports_of(reconcile(many))
    assert (report.status, rows(many, "t").total()) == ("loaded", report.rows_loaded)


def test_a_file_that_is_replaced_while_tasks_read_it_is_read_anew(tmp_path: Path) -> None:
    replaced: list[str] = []

    def change(tasks: int) -> None:
        if tasks > 2 and len(seen) == 1 and not replaced:  # the second pass
            replaced.append(drop(many, "t/a.csv", clean(700)))
        seen.append(tasks)

    seen: list[int] = []
    many = fanned(tmp_path, InTurn(fail=change), split_bytes=LEAST)
    drop(many, "t/a.csv", clean(900))
    (report,) = reports_of(reconcile(many))
    assert (replaced, report.rows_loaded, rows(many, "t").total()) == (["t/a.csv"], 700, 700)


class Replacing(InTurn):
    """Workers between whose tasks of the second pass an object is replaced, once."""

    def __init__(self, replace_it: Callable[[], object]) -> None:
        super().__init__()
        self.left = [replace_it]
        self.told: list[str] = []

    def run(self, tasks: Sequence[Callable[[], T]], beat: Callable[[], None]) -> Iterator[T | LakegateError]:
        for number, done in enumerate(super().run(tasks, beat)):
            if isinstance(done, LakegateError):
                self.told.append(done.code)
            if "write_rows" in str(tasks[0]) and number == 2 and self.left:
                self.left.pop()()
            yield done


def test_an_object_that_is_replaced_between_two_stretches_is_never_mixed(cloud: Cloud) -> None:
    """Every range is read on the condition that the object is the one that was cut."""
    settings = cloud.writing()
    cloud.drop(settings, "t/a.csv", clean(900))
    workers = Replacing(lambda: cloud.drop(settings, "t/a.csv", clean(900).replace(b"name", b"else")))
    opener = partial(cloud.intake, settings)
    many = replace(opener(), spread=FanOut(opener, workers, split_bytes=LEAST))
    (report,) = reports_of(reconcile(many))
    assert set(workers.told) == {"file-changed"}
    assert (report.status, report.rows_loaded) == ("loaded", 900)
    assert {row["else"][:4] for row in cloud.rows(settings, "t").to_pylist()} == {"else"}


def test_rejects_of_a_large_object_are_what_one_task_finds(cloud: Cloud) -> None:
    settings, alone = cloud.writing(), cloud.writing()
    opener = partial(cloud.intake, settings)
    many = replace(opener(), spread=FanOut(opener, InTurn(), split_bytes=LEAST))
    one = cloud.intake(alone)
    for home in (settings, alone):
        cloud.drop(home, "t/a.csv", damaged(300))
    check_alike(one, many)
    assert objects(cloud, settings, ".rejects.csv") == objects(cloud, alone, ".rejects.csv")
    assert len(objects(cloud, settings, ".rejects.csv")[0]) > 3


def objects(cloud: Cloud, settings: AwsSettings, suffix: str) -> list[list[bytes]]:
    """The lines of a lake's objects of that name, without load ids."""
    name, _, prefix = settings.owners.removeprefix("s3://").partition("/")
    bucket = Bucket(cloud.client("s3"), name, prefix=prefix)
    keys = [one.key for one in bucket.listing("reports/") if one.key.endswith(suffix)]
    return [[line.partition(b",")[2] for line in bucket.get(key).splitlines()] for key in keys]


# Stretches by themselves, over whatever bytes: every cut, true or not.
PIECES = [
    b"1,a\n",
    b'2,"b\nc"\n',
    b'3,"x,y"\n',
    b'4,"open\n',
    b'5,s"tray\n',
    b"6\n",
    b"\n",
    b'"',
    b",",
    b"\r\n",
    b"7,d\r\n",
    b"\r",
    b"z",
]


def lines_in(text: bytes, skip: Skip) -> list[tuple[int, int, int]]:
    """Each line of it: a run of blank ones may be cut anywhere."""
    ends = [skip.start + int(end) for end in line_ends(text[skip.start : skip.end])]
    return list(zip(range(skip.line, skip.line + skip.height), [skip.start, *ends], ends, strict=False))


def records(blocks: Iterator[Block]) -> Iterator[tuple[int, int, bytes]]:
    """First line, first byte and bytes of whatever is a record or is not, as `split` tells it."""
    from etl._marks import split

    for block in blocks:
        found = block.split or split(block.text, SHAPED.shape, complete=True)
        apart = [(fault.line, fault.start, fault.end) for fault in found.faults]
        apart += [line for skip in found.skips for line in lines_in(block.text, skip)]
        good = zip(found.lines.tolist(), found.starts.tolist(), found.ends.tolist(), strict=True)
        for line, start, end in sorted([*good, *apart]):
            yield block.first_line + line, block.first_byte + start, block.text[start:end]


SHAPED: Dialect = detect(b"n,name\n1,a\n2,b\n", whole=True, rules=SourceRules())


@settings(max_examples=150)
@given(
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=60).map(b"".join),
    st.integers(3, 40),
    st.sampled_from([7, 64, 4096]),
)
@example(b'1,a\n2,"b\n3,c\n4,d"\n5,e\n', 9, 4096)
def test_stretches_are_the_file(body: bytes, size: int, block_bytes: int) -> None:
    data = b"n,name\n" + body
    whole = list(records(read_blocks(BytesIO(data), SHAPED, block_bytes=block_bytes)))
    cuts = sorted({at + (likely_start(data[at:], SHAPED) or len(data)) for at in range(7 + size, len(data), size)})
    stops = [*[cut for cut in cuts if cut < len(data)], len(data)]
    known: dict[tuple[int, int], Looked] = {}
    while True:
        found, missing = chain(stops, known)
        if not missing:
            break
        for start, stop in missing:
            read = list(stretch_of(data, Stretch(start, 1, stop), block_bytes))
            lines = sum(block.line_count + len(block.lead) for block in read)
            end = read[-1].first_byte + len(read[-1].raw) if read else start
            known[start, stop] = Looked(start, stop, end, lines)
    told: list[tuple[int, int, bytes]] = []
    line = 1
    for one in found:
        told += records(stretch_of(data, Stretch(one.start, line, one.end), block_bytes))
        line += one.lines
    assert told == whole


def stretch_of(data: bytes, stretch: Stretch, block_bytes: int) -> Iterator[Block]:
    stream = BytesIO(data)
    stream.seek(stretch.start)
    return read_stretch(stream, SHAPED, stretch, block_bytes=block_bytes)
