"""What loading costs on AWS: public prices times counts. `python -m infra.cost_loading` prints the table of
docs/operations.md. Prices and speeds are inputs: look the first up, and measure the second on your own files.
"""

import sys
from dataclasses import dataclass
from math import ceil

from infra.prices import LISTED, Prices


@dataclass(frozen=True, slots=True)
class Files:
    """Files that land. `per_run` is how many the dispatcher finds together, in the time in which the queue gathers."""

    count: int
    mb_each: float
    per_run: int


@dataclass(frozen=True, slots=True)
class Job:
    """Glue's G.1X: one unit (DPU) and four cores a worker, one worker of which drives. The first seconds of a run
    start Spark; a minute is billed at least. The speed of a core is assumed, with room to be slower than a laptop's."""

    workers: int = 2
    start_seconds: float = 40.0
    mb_per_core_second: float = 15.0
    seconds_per_file: float = 0.15
    least_seconds: float = 60.0


# A file: the object itself, its report, its share of data and manifest files; heard of once, received and deleted.
_WRITES_PER_FILE, _READS_PER_FILE, _MESSAGES_PER_FILE = 3, 4, 3
# A commit: lease, intent, plan, change, head, outbox, and their ends.
_STATE_WRITES_PER_RUN, _WRITES_PER_RUN = 12, 6


@dataclass(frozen=True, slots=True)
class Cost:
    """US dollars."""

    glue: float
    requests: float

    @property
    def total(self) -> float:
        """All of it."""
        return self.glue + self.requests


def cost(files: Files, job: Job = Job(), prices: Prices = LISTED) -> Cost:
    """What loading them costs.

    >>> few, many = cost(Files(1_000_000, 1.0, 10)), cost(Files(1_000_000, 1.0, 1000))
    >>> few.glue > 10 * many.glue
    True
    """
    runs = ceil(files.count / files.per_run)
    cores = 4 * (job.workers - 1)
    working = files.per_run * (job.seconds_per_file + files.mb_each / job.mb_per_core_second) / cores
    seconds = max(job.least_seconds, job.start_seconds + working)
    glue = runs * job.workers * seconds / 3600 * prices.glue_per_dpu_hour
    millionths = files.count * (
        _WRITES_PER_FILE * prices.s3_per_million_writes
        + _READS_PER_FILE * prices.s3_per_million_reads
        + _MESSAGES_PER_FILE * prices.sqs_per_million
        + prices.events_per_million
    ) + runs * (
        _STATE_WRITES_PER_RUN * prices.dynamodb_per_million_writes + _WRITES_PER_RUN * prices.s3_per_million_writes
    )
    return Cost(glue, millionths / 1e6)


CASES = tuple(Files(1_000_000, mb, per_run) for mb in (0.1, 1.0, 10.0) for per_run in (1, 10, 100, 1000))


def table() -> str:
    """The table of docs/operations.md."""
    lines = ["| a million files of | in one run | Glue | requests | together |", "|---|---|---|---|---|"]
    for case in CASES:
        made = cost(case)
        amounts = " | ".join(f"${amount:,.0f}" for amount in (made.glue, made.requests, made.total))
        lines.append(f"| {case.mb_each:g} MB | {case.per_run:,} | {amounts} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(table())
