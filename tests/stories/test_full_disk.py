"""A disk that is full during a load: a message with a remedy, and the table is what it was or what it should be."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from etl.doctor import examine
from etl.ingest import reconcile
from tests.home import intake_at, reports_of, rows_of
from tests.stories.loader import REFUSED


def hash_of(number: int) -> str:
    """Text that does not compress."""
    return hashlib.sha256(str(number).encode()).hexdigest()


ROWS = 20_000
OLD = "n,name\n1,a\n2,b\n"
NEW = "n,name\n" + "".join(f"{number},{hash_of(number)}\n" for number in range(ROWS))


def load(home: Path, most_bytes: str = "") -> subprocess.CompletedProcess[str]:
    """Reconcile in a process of its own, so that its databases are closed and small afterwards."""
    command = [sys.executable, "-m", "tests.stories.loader", str(home), "", most_bytes]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)


# What is the first to find no room: the state, then the data files; at last everything fits.
@pytest.mark.parametrize(
    ("most_bytes", "code"),
    [(0, "state-unavailable"), (20_000, "state-unavailable"), (350_000, "disk"), (4_000_000, "")],
)
def test_a_full_disk_changes_nothing_or_everything(tmp_path: Path, most_bytes: int, code: str) -> None:
    home = tmp_path / "home"
    landing = home / "landing/t/a.csv"
    landing.parent.mkdir(parents=True)
    landing.write_text(OLD)
    assert load(home).returncode == 0
    landing.write_text(NEW)
    done = load(home, str(most_bytes))
    assert (done.returncode, done.stderr.split(":")[0]) == (REFUSED if code else 0, code)
    assert not code or "room" in done.stderr
    assert landing.read_text() == NEW
    intake = intake_at(home)
    assert rows_of(intake, "t").num_rows == (2 if code else ROWS)
    reports_of(reconcile(intake))
    assert sorted(rows_of(intake, "t")["n"].to_pylist()) == list(range(ROWS))
    assert [one for one in examine(home) if one.level == "error"] == []
