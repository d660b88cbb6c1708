"""The port of grants: what a partner may see."""

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class DatasetGrant:
    """Rows and columns of one dataset. `rows` is Athena SQL over the dataset's columns, literals only;
    `columns` are names, `*` (all but the sensitive ones) and `!name`; `mask` maps a column to NULL, hash,
    first(n) or an expression over the same row.
    """

    rows: str | None = None
    columns: tuple[str, ...] = ("*",)
    mask: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a partner may use; None is no limit of its own."""

    concurrent_queries: int | None = None
    queries_per_minute: int | None = None
    bytes_scanned_per_query: int | None = None
    bytes_scanned_per_day: int | None = None
    result_rows: int = 1_000_000


@dataclass(frozen=True, slots=True)
class Grant:
    """All that one partner may see. `digest` is sha256 over the content, the same for equal grants."""

    partner: str
    description: str
    datasets: dict[str, DatasetGrant]
    limits: Limits
    digest: str


class Grants(Protocol):
    """Read on every request: an edit or a removal takes effect on the next one."""

    def get(self, partner: str) -> Grant | None:
        """The grant, or None for an unknown or revoked partner. Raises `Failed` when it cannot be read:
        a grant that is not understood grants nothing."""
        ...

    def partners(self) -> tuple[str, ...]:
        """All names, sorted."""
        ...
