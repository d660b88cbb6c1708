"""Every file of the corpus, damaged at random but alike in every run: it balances, and its types change no count."""

import random
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from etl.convert import convert
from etl.report import Report
from tests.etl.test_landing_cases import CASES, FOLDER, balances

PIECES = (
    b'"',
    b"'",
    b"\n",
    b"\r",
    b"\r\n",
    b",",
    b";",
    b"\x00",
    b"\xff",
    b"\\",
    b"#",
    b" ",
    b"\t",
    b'""',
    b"\n\n",
    b"Total",
)


def damaged(data: bytes, chance: random.Random) -> bytes:
    """The bytes with something put in, taken out, cut off or said twice, a few times."""
    for _ in range(chance.randint(1, 6)):
        place, kind = chance.randint(0, len(data)), chance.randint(0, 3)
        if kind == 0:
            data = data[:place] + chance.choice(PIECES) + data[place:]
        elif kind == 1:
            data = data[:place] + data[place + chance.randint(1, 20) :]
        elif kind == 2:
            data = data[: max(place, len(data) // 2)]
        else:
            lines = data.splitlines(keepends=True) or [b""]
            lines.insert(chance.randint(0, len(lines)), chance.choice(lines))
            data = b"".join(lines)
    return data


def check(data: bytes, folder: Path) -> None:
    """Convert as text and typed: every record is a row or a reject."""
    source, target = folder / "x.csv", folder / "x.parquet"
    source.write_bytes(data)
    reports: list[Report] = []
    for text in (True, False):
        target.unlink(missing_ok=True)
        report = convert(source, target, text=text)
        assert balances(report), data
        assert report.error or pq.read_metadata(target).num_rows == report.rows_loaded, data
        reports.append(report)
    as_text, typed = reports
    assert (as_text.rows_loaded, as_text.rows_rejected) == (typed.rows_loaded, typed.rows_rejected), data


@pytest.mark.parametrize("part", range(4))
def test_damaged_files_balance(part: int, tmp_path: Path) -> None:
    for name in CASES[part::4]:
        check(damaged((FOLDER / f"{name}.csv").read_bytes(), random.Random(name)), tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(20))
def test_files_damaged_in_many_ways_balance(seed: int, tmp_path: Path) -> None:
    for name in CASES:
        check(damaged((FOLDER / f"{name}.csv").read_bytes(), random.Random(f"{name}{seed}")), tmp_path)
