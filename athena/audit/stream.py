"""The audit log on AWS: lines of the function's own output, which CloudWatch keeps. Others there keep none of ours:
who asks Athena with rights of their own stands in CloudTrail, and their output is not a log."""

import sys
from collections.abc import Callable

from athena.audit import Entry, line


class StreamAudit:
    """Writes at once: a function may stand still, or be gone, right after its reply."""

    def __init__(self, write: Callable[[str], object] = sys.stdout.write) -> None:
        self._write = write

    def note(self, entry: Entry) -> None:
        """Write the entry."""
        self._write(line(entry).decode())

    def flush(self) -> None:
        """Nothing waits here."""


class NoAudit:
    """Keeps nothing."""

    def note(self, entry: Entry) -> None:
        """Nothing."""

    def flush(self) -> None:
        """Nothing waits here."""
