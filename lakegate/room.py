"""How much memory requests may still take: who comes when there is little is told to come back, before it runs out."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from athena.errors import Busy

# All bodies that are held at a time; short ones are not counted, there can be only so many connections.
MOST_BODY_BYTES = 128 * 1024 * 1024
MEMINFO, CGROUP = Path("/proc/meminfo"), Path("/sys/fs/cgroup")
RETRY_AFTER_SECONDS = 5


class Room:
    """What is left of the machine's memory, and of the share that bodies may take. Belongs to one event loop."""

    def __init__(self, least_bytes: int, available: Callable[[], int | None] | None = None) -> None:
        self._least_bytes = least_bytes
        self._available = available or available_bytes
        self._short = False
        self.body_bytes = 0

    def look(self) -> None:
        """Find out how much memory the machine has left; called a few times a second."""
        left = self._available() if self._least_bytes else None
        self._short = left is not None and left < self._least_bytes

    def check(self) -> None:
        """Raises `Busy` when memory is short."""
        if self._short:
            raise _full("The server has too little memory left to take this now.")

    @contextmanager
    def held(self) -> "Iterator[Held]":
        """The place of one body; what it took is given back when the block ends."""
        held = Held(self)
        try:
            yield held
        finally:
            self.body_bytes -= held.size_bytes


@dataclass(slots=True)
class Held:
    """What one body has taken so far."""

    room: Room
    size_bytes: int = 0

    def take(self, size_bytes: int) -> None:
        """Take so many more bytes; raises `Busy` when all bodies together would be too large."""
        if self.room.body_bytes + size_bytes > MOST_BODY_BYTES:
            raise _full("The server is taking too many large bodies at the moment.")
        self.room.body_bytes += size_bytes
        self.size_bytes += size_bytes


def available_bytes() -> int | None:
    """What programs can still be given here: the machine's own word, or that of the container (cgroup 2) when it
    is less; None where there is neither."""
    found = [in_meminfo(_read(MEMINFO)), in_cgroup(*(_read(CGROUP / name) for name in _CGROUP_FILES))]
    return min((bytes_ for bytes_ in found if bytes_ is not None), default=None)


_CGROUP_FILES = ("memory.max", "memory.current", "memory.stat")


def in_meminfo(text: str) -> int | None:
    """`MemAvailable` of /proc/meminfo.

    >>> in_meminfo("MemTotal:  24 kB\\nMemAvailable:   16 kB\\n")
    16384
    """
    found = _named(text.replace(":", " "), "MemAvailable")
    return None if found is None else found * 1024


def in_cgroup(most: str, current: str, stat: str) -> int | None:
    """What is left below the limit of a cgroup, files that can be dropped from memory not counted; None without one.

    >>> in_cgroup("1000\\n", "900\\n", "anon 600\\ninactive_file 250\\n"), in_cgroup("max", "900", "")
    (350, None)
    """
    if not most.strip().isdigit() or not current.strip().isdigit():
        return None
    return int(most) - int(current) + (_named(stat, "inactive_file") or 0)


def _named(text: str, name: str) -> int | None:
    for line in text.splitlines():
        words = line.split()
        if len(words) > 1 and words[0] == name:
            return int(words[1])
    return None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except OSError:
        return ""


def _full(message: str) -> Busy:
    return Busy(message, "Come again in a few seconds.", retry_after_seconds=RETRY_AFTER_SECONDS)
