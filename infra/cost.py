"""What asking costs on AWS, and what the cache saves: public prices times counts.

`python -m infra.cost` prints the table of docs/aws.md. Prices are inputs: look them up for your region and month.
Not in it: storage, data sent to the internet, Cognito, NAT, and what loading costs.
"""

import sys
from dataclasses import dataclass

from infra.prices import LISTED, Prices

TB, MB = 10**12, 10**6
# Athena bills 10 MB at least: https://aws.amazon.com/athena/pricing/
LEAST_SCANNED_BYTES = 10 * MB


@dataclass(frozen=True, slots=True)
class Request:
    """What one request uses. Reads and writes of DynamoDB are calls times the units of each."""

    lambda_seconds: float
    reads: int
    writes: int = 0
    s3_reads: int = 0
    s3_writes: int = 0
    log_bytes: int = 800


# The calls are counted by tests; the units follow from the sizes of the items, the seconds from the waits.
HIT = Request(lambda_seconds=0.03, reads=4)
MISS = Request(lambda_seconds=3.0, reads=12, writes=12, s3_reads=4, s3_writes=2)


@dataclass(frozen=True, slots=True)
class Month:
    """What partners ask in a month. `scanned_bytes` is of one question that runs."""

    questions: int
    hit_share: float
    scanned_bytes: int


@dataclass(frozen=True, slots=True)
class Cost:
    """US dollars in a month."""

    athena: float
    requests: float

    @property
    def total(self) -> float:
        """All of it."""
        return self.athena + self.requests


def cost(month: Month, prices: Prices = LISTED, *, memory_gb: float = 1.0) -> Cost:
    """What the month costs with the cache.

    >>> round(cost(Month(1_000_000, 0.9, 200 * MB)).total, 2)
    112.06
    """
    misses = round(month.questions * (1 - month.hit_share))
    scanned = misses * max(month.scanned_bytes, LEAST_SCANNED_BYTES)
    hits = month.questions - misses
    requests = hits * per_request(HIT, prices, memory_gb) + misses * per_request(MISS, prices, memory_gb)
    return Cost(scanned / TB * prices.athena_per_tb, requests)


def saved(month: Month, prices: Prices = LISTED) -> float:
    """US dollars that the cache saves: the same month with every question run.

    >>> saved(Month(1_000_000, 0.9, 200 * MB)) > 900
    True
    """
    uncached = Month(month.questions, 0.0, month.scanned_bytes)
    return cost(uncached, prices).total - cost(month, prices).total


def per_request(request: Request, prices: Prices, memory_gb: float) -> float:
    """US dollars of one request, Athena's part aside."""
    millionths = (
        prices.api_gateway_per_million
        + prices.lambda_per_million
        + request.reads * prices.dynamodb_per_million_reads
        + request.writes * prices.dynamodb_per_million_writes
        + request.s3_reads * prices.s3_per_million_reads
        + request.s3_writes * prices.s3_per_million_writes
    )
    seconds = request.lambda_seconds * memory_gb * prices.lambda_per_gb_second
    return millionths / 1e6 + seconds + request.log_bytes / 1e9 * prices.logs_per_gb


MONTHS = tuple(
    Month(questions, share, scanned)
    for questions, scanned in ((100_000, 50 * MB), (1_000_000, 200 * MB), (1_000_000, 2_000 * MB))
    for share in (0.0, 0.5, 0.9, 0.99)
)


def table() -> str:
    """The table of docs/aws.md."""
    lines = [
        "| questions | scanned by each that runs | hits | Athena | requests | together | saved |",
        "|---|---|---|---|---|---|---|",
    ]
    for month in MONTHS:
        made = cost(month)
        words = (
            f"{month.questions:,}",
            f"{month.scanned_bytes // MB:,} MB",
            f"{month.hit_share:.0%}",
            *(f"${amount:,.2f}" for amount in (made.athena, made.requests, made.total, saved(month))),
        )
        lines.append("| " + " | ".join(words) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(table())
