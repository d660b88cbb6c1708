from dataclasses import replace
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path

import orjson
import pytest

from athena.audit import Entry
from athena.audit.files import FILES_KEPT, MOST_NOTED, FileAudit
from athena.audit.stream import StreamAudit
from athena.clerk import Clerk
from tests.lakes import eventually

ENTRY = Entry("question", datetime(2026, 11, 21, tzinfo=UTC), "united", "answered", "r0", ("flights",), "ab", "hit")


def written(path: Path) -> list[str]:
    return [orjson.loads(line)["request_id"] for line in path.read_bytes().splitlines() if line.startswith(b"{")]


def test_lines_are_written_in_their_order_with_the_flush(tmp_path: Path) -> None:
    audit = FileAudit(tmp_path / "audit")
    audit.flush()
    assert not audit.path.exists()
    for at in range(3):
        audit.note(replace(ENTRY, request_id=f"r{at}"))
    assert not audit.path.exists()
    audit.flush()
    audit.flush()
    assert written(audit.path) == ["r0", "r1", "r2"]
    assert audit.path.stat().st_mode & 0o077 == 0


def test_full_files_are_turned_and_the_oldest_goes(tmp_path: Path) -> None:
    audit = FileAudit(tmp_path / "audit", file_bytes=1)
    for at in range(FILES_KEPT + 3):
        audit.note(replace(ENTRY, request_id=f"r{at}"))
        audit.flush()
    left = sorted(path.name for path in (tmp_path / "audit").glob("*.jsonl"))
    assert left == [f"audit.{age}.jsonl" for age in range(1, FILES_KEPT)]
    assert written(tmp_path / "audit" / "audit.1.jsonl") == [f"r{FILES_KEPT + 2}"]


def test_a_line_that_was_cut_off_spoils_no_other(tmp_path: Path) -> None:
    audit = FileAudit(tmp_path)
    audit.path.write_bytes(b'{"request_id":"r')
    audit.note(ENTRY)
    audit.flush()
    assert audit.path.read_bytes().splitlines()[0] == b'{"request_id":"r'
    assert orjson.loads(audit.path.read_bytes().splitlines()[1])["request_id"] == "r0"


def test_what_cannot_be_written_stays_noted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "audit"
    folder.write_text("in the way")
    audit = FileAudit(folder)
    audit.note(ENTRY)
    audit.flush()
    assert "cannot be written" in caplog.text
    folder.unlink()
    audit.flush()
    assert written(audit.path) == ["r0"]


def test_memory_is_bounded_while_nothing_can_be_written(tmp_path: Path) -> None:
    audit = FileAudit(tmp_path)
    for _ in range(MOST_NOTED + 5):
        audit.note(ENTRY)
    audit.flush()
    assert len(audit.path.read_bytes().splitlines()) == MOST_NOTED


def _write(folder: Path, name: str) -> None:
    audit = FileAudit(folder, file_bytes=4096)
    for at in range(100):
        audit.note(replace(ENTRY, request_id=f"{name}{at}"))
        audit.flush()


def test_processes_share_the_log_without_cutting_each_others_lines(tmp_path: Path) -> None:
    context = get_context("spawn")
    writers = [context.Process(target=_write, args=(tmp_path, name)) for name in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    lines = [line for path in tmp_path.glob("*.jsonl") for line in path.read_bytes().splitlines()]
    assert lines and all(orjson.loads(line)["fingerprint"] == "ab" for line in lines)


def test_a_function_writes_at_once() -> None:
    said: list[str] = []
    StreamAudit(said.append).note(ENTRY)
    assert orjson.loads(said[0])["cache"] == "hit" and said[0].endswith("\n")


def test_the_clerk_writes_soon_and_at_the_end() -> None:
    flushed: list[int] = []
    clerk = Clerk(lambda: flushed.append(1), seconds=0.01)
    clerk.nudge()
    eventually(lambda: bool(flushed))
    clerk.close()
    count = len(flushed)
    clerk.nudge()
    assert count >= 2
