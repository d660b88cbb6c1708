"""Which small data files are worth being made one: a decision over sizes and partitions. Pure.

Files are of one class when they are of about one size; a class is compacted when there are enough of it. So every
row is written anew a few times in the life of a table, however many loads there are (as log-structured stores do).
"""

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

MB = 1024 * 1024
SMALL_BYTES = 128 * MB  # files of at least this size are left alone
STEP_BYTES = 512 * MB  # what one commit takes in at most: its time is bounded, and what a conflict costs
STEP_FILES = 2000
LEAST_FILES = 8
_FIRST_CLASS_BYTES = 64 * 1024
_CLASS_FACTOR = 8


@dataclass(frozen=True, slots=True)
class Stored:
    """One data file of a table. `partition` is that of `spec_id`, as a text; files of two partitions stay apart."""

    path: str
    size_bytes: int
    rows: int
    partition: str = ""
    spec_id: int = 0


def next_step(files: Iterable[Stored], *, least_files: int = LEAST_FILES) -> tuple[Stored, ...]:
    """The files that the next commit should make fewer, in the order of their paths; none when all is well.

    Partitions with the most files come first. With `least_files` 2 whatever can be made fewer is.

    >>> [file.path for file in next_step([Stored(str(n), 1000, 5) for n in range(9)])]
    ['0', '1', '2', '3', '4', '5', '6', '7', '8']
    >>> next_step([Stored(str(n), 1000, 5) for n in range(7)])
    ()
    """
    by_partition: dict[tuple[int, str], list[Stored]] = defaultdict(list)
    for file in files:
        if file.size_bytes < SMALL_BYTES:
            by_partition[file.spec_id, file.partition].append(file)
    step: list[Stored] = []
    for small in sorted(by_partition.values(), key=len, reverse=True):
        step += _group(small, step, least_files)
    return tuple(sorted(step, key=lambda file: file.path))


def _group(small: list[Stored], step: list[Stored], least_files: int) -> list[Stored]:
    room_bytes, room_files = STEP_BYTES - sum(file.size_bytes for file in step), STEP_FILES - len(step)
    small.sort(key=lambda file: (size_class(file.size_bytes), file.path))
    largest = next((size_class(one.size_bytes) for at, one in _last_of_class(small) if at + 1 >= least_files), None)
    group: list[Stored] = []
    for file in small:
        if largest is None or (size_class(file.size_bytes) > largest and least_files > 2):
            break
        room_bytes -= file.size_bytes
        if room_bytes < 0 or len(group) >= room_files:
            break
        group.append(file)
    return group if len(group) >= least_files else []


def _last_of_class(small: list[Stored]) -> Iterable[tuple[int, Stored]]:
    """The last file of each class, smallest class first, with its place."""
    for at, file in enumerate(small):
        if at + 1 == len(small) or size_class(small[at + 1].size_bytes) != size_class(file.size_bytes):
            yield at, file


def size_class(size_bytes: int) -> int:
    """About how large, in steps of a factor of eight.

    >>> [size_class(size) for size in (10, 65_536, 600_000, 100_000_000)]
    [0, 0, 1, 3]
    """
    return max(0, int(math.log(max(size_bytes, 1) / _FIRST_CLASS_BYTES, _CLASS_FACTOR)))
