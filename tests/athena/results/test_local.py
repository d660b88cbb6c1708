"""The result folder of an embedded home."""

import os
import time
from pathlib import Path

from athena.results.local import LocalResults


def _put(results: LocalResults, result_id: str) -> Path:
    place = results.stage(result_id)
    (place / "result.parquet").write_bytes(b"PAR1")
    results.keep(place / "result.parquet", result_id)
    results.unstage(place)
    return results.folder / result_id[:2] / f"{result_id}.parquet"


def test_a_kept_result_can_be_read_only(tmp_path: Path) -> None:
    kept = _put(LocalResults(tmp_path, kept_seconds=10), "aa11")
    assert kept.stat().st_mode & 0o777 == 0o444


def test_only_what_is_old_is_swept(tmp_path: Path) -> None:
    results = LocalResults(tmp_path, kept_seconds=10)
    old, new = _put(results, "aa11"), _put(results, "bb22")
    left_behind = results.stage("dead")
    os.utime(old, (1, 1))
    os.utime(left_behind, (1, 1))
    assert results.sweep(before=time.time() - 10) == 2
    assert (old.exists(), new.exists(), left_behind.exists()) == (False, True, False)
