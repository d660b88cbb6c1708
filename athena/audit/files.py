"""The audit log of a home: `audit/audit.jsonl`, and older ones beside it."""

import fcntl
import logging
import os
from collections import deque
from pathlib import Path

from athena.audit import Entry, line

FILE_BYTES = 64 * 1024 * 1024
FILES_KEPT = 8
# What is noted faster than it can be written is dropped, and counted, rather than filling the memory.
MOST_NOTED = 100_000

_log = logging.getLogger(__name__)


class FileAudit:
    """Appends whole lines under a lock that all processes of the home share; the oldest file goes when there are
    more than eight of 64 MB. Not forced to the disk: a machine that fails loses what it had not written itself."""

    def __init__(self, folder: Path, *, file_bytes: int = FILE_BYTES) -> None:
        self._folder = folder
        self._file_bytes = file_bytes
        self._noted: deque[Entry] = deque()
        self._dropped = 0

    @property
    def path(self) -> Path:
        """The file that is written to."""
        return self._folder / "audit.jsonl"

    def note(self, entry: Entry) -> None:
        """Keep the entry for the log."""
        if len(self._noted) < MOST_NOTED:
            self._noted.append(entry)
        else:
            self._dropped += 1

    def flush(self) -> None:
        """Write what was noted; stays noted when that fails."""
        entries = [self._noted[at] for at in range(len(self._noted))]
        if not entries:
            return
        try:
            self._append(b"".join(map(line, entries)))
        except OSError as error:
            _log.error(
                "the audit log cannot be written: %s (%d lines wait, %d lost)", error, len(entries), self._dropped
            )
            return
        for _ in entries:
            self._noted.popleft()

    def _append(self, lines: bytes) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        with (self._folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                # A process that ended within a line has left its half: the next line must not become part of it.
                size = os.fstat(file).st_size
                _write(file, lines if size == 0 or _ends_whole(self.path, size) else b"\n" + lines)
            finally:
                os.close(file)
            if size + len(lines) >= self._file_bytes:
                self._turn()

    def _turn(self) -> None:
        for age in range(FILES_KEPT - 1, 0, -1):
            newer = self.path if age == 1 else self._folder / f"audit.{age - 1}.jsonl"
            if newer.exists():
                newer.replace(self._folder / f"audit.{age}.jsonl")


def _write(file: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(file, left) :]


def _ends_whole(path: Path, size: int) -> bool:
    with path.open("rb") as file:
        file.seek(size - 1)
        return file.read(1) == b"\n"
