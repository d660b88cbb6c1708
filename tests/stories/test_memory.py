"""A load's memory does not grow with the file."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

MEASURE = """
import json, resource, sys
from pathlib import Path
from etl.ingest import load_files
from tests.home import intake_at
(report,) = load_files(intake_at(Path(sys.argv[1])), [Path(sys.argv[2])], dataset="trips")
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"status": report.status, "rows": report.rows_loaded, "peak_mb": peak / 1024}))
"""
LINE = "{0},2026-01-{1:02d} 10:{2:02d}:00,{3}.{2:02d},Y,{2}.5,{0},some text of line {0}\n"


def write_csv(path: Path, *, size_bytes: int) -> int:
    """A file of about that size; how many rows it has."""
    rows = 0
    with path.open("w") as stream:
        stream.write("id,at,fare,flag,distance,place,note\n")
        while stream.tell() < size_bytes:
            stream.writelines(LINE.format(n, n % 28 + 1, n % 60, n % 97) for n in range(rows, rows + 50_000))
            rows += 50_000
    return rows


@pytest.mark.long
@pytest.mark.parametrize("megabytes", [60, 300])
def test_resident_memory_stays_under_a_gigabyte(tmp_path: Path, megabytes: int) -> None:
    file = tmp_path / "trips.csv"
    rows = write_csv(file, size_bytes=megabytes * 1024 * 1024)
    command = [sys.executable, "-c", MEASURE, str(tmp_path / "home"), str(file)]
    told = json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=900).stdout)
    assert (told["status"], told["rows"]) == ("loaded", rows)
    assert told["peak_mb"] < 1024
