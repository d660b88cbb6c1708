"""Who runs tasks beside each other: processes of this machine, or Spark's executors (`etl/glue_job.py`)."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing import get_context
from typing import Protocol, TypeVar

from athena.errors import LakegateError
from etl.intake import Intake

T = TypeVar("T")

Opener = Callable[[], Intake]
"""Opens the home in another process: a function that can be pickled."""

_BEAT_SECONDS = 1.0


class Workers(Protocol):
    """Who runs tasks; `count` of them at once."""

    @property
    def count(self) -> int:
        """How many tasks run at once."""
        ...

    def run(self, tasks: Sequence[Callable[[], T]], beat: Callable[[], None]) -> Iterator[T | LakegateError]:
        """What each task came to, in their order; `beat` is called about every second. Tasks can be pickled, and may
        be run more than once."""
        ...


def outcome(task: Callable[[], T]) -> T | LakegateError:
    """What a task returns, or the error that it raises: that is no reason to run it again."""
    try:
        return task()
    except LakegateError as error:
        return error


class Processes:
    """Processes of this machine."""

    def __init__(self, count: int) -> None:
        self.count = count

    def run(self, tasks: Sequence[Callable[[], T]], beat: Callable[[], None]) -> Iterator[T | LakegateError]:
        """What each task came to, in their order."""
        with ProcessPoolExecutor(min(self.count, len(tasks)), mp_context=get_context("spawn")) as pool:
            futures: list[Future[T | LakegateError]] = [pool.submit(outcome, task) for task in tasks]
            left = set(futures)
            while left:
                _, left = wait(left, timeout=_BEAT_SECONDS, return_when=FIRST_COMPLETED)
                beat()
            yield from (future.result() for future in futures)
