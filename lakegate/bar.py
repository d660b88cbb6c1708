"""The progress bar of a command that reads files or writes one: on a terminal alone, one line however many files."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from lakegate.screen import visible

Told = Callable[[str, int, int, int], None]
"""What a load tells its progress to: a name, bytes done and in all (0 when unknown), and rows so far."""


@dataclass(slots=True)
class Sums:
    """What all files come to that were told of so far. `expected_bytes` are those of files not told of yet as well, as
    far as they are known; bytes are counted once for each of the `passes` over a file."""

    passes: int = 1
    expected_bytes: int = 0
    done: int = 0
    total: int = 0
    rows: int = 0
    latest: str = ""
    _files: dict[str, tuple[int, int, int]] = field(default_factory=dict)

    def take(self, name: str, done: int, total: int, rows: int) -> None:
        """One file is so far now."""
        before = self._files.get(name, (0, 0, 0))
        self._files[name] = (done, total, rows)
        self.done += done - before[0]
        self.total += total - before[1]
        self.rows += rows - before[2]
        self.latest = name

    @property
    def called(self) -> str:
        """The file, and how many there were.

        >>> sums = Sums()
        >>> sums.take("a.csv", 1, 2, 0)
        >>> sums.called
        'a.csv'
        >>> sums.take("b.csv", 1, 2, 0)
        >>> sums.called
        'b.csv (2 files)'
        """
        return self.latest if len(self._files) == 1 else f"{self.latest} ({len(self._files):,} files)"

    @property
    def bytes_done(self) -> int:
        """Bytes of files, each counted once."""
        return self.done // self.passes

    @property
    def bytes_in_all(self) -> int | None:
        """The same of all there is to do; None while nobody knows: then no time can be told.

        >>> sums = Sums(passes=2, expected_bytes=10)
        >>> sums.take("a.csv", 2, 4, 0)
        >>> sums.bytes_done, sums.bytes_in_all
        (1, 10)
        """
        if self._files[self.latest][1] == 0 or (not self.expected_bytes and len(self._files) > 1):
            return None  # what is packed tells its size in the end
        return max(self.total // self.passes, self.expected_bytes) or None


@contextmanager
def progress_bar(*, passes: int = 2, expected_bytes: int = 0) -> Iterator[Told | None]:
    """A bar on stderr when that is a terminal, else None: rows, bytes, MB/s and time left of all files together."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[rows]}", markup=False),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    sums = Sums(passes, expected_bytes)
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as bar:
        task = bar.add_task("", total=None, rows="", visible=False)

        def told(name: str, done: int, total: int, rows: int) -> None:
            sums.take(name, done, total, rows)
            bar.update(
                task,
                description=visible(sums.called),
                completed=sums.bytes_done,
                total=sums.bytes_in_all,
                rows=rows_text(sums.rows),
                visible=True,
            )

        yield told


def rows_text(rows: int) -> str:
    """How many rows, for people; nothing while none is known.

    >>> rows_text(0), rows_text(1234567)
    ('', '1,234,567 rows')
    """
    return f"{rows:,} rows" if rows else ""
