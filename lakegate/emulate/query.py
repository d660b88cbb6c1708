"""What the service asks of an engine, and the two ways in which a query goes wrong."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from lakegate.emulate.result import Type

if TYPE_CHECKING:
    import pyarrow as pa


class Rejected(Exception):
    """A call that Athena answers with an error: its code and its text."""

    def __init__(self, message: str, code: str = "InvalidRequestException") -> None:
        super().__init__(message)
        self.code = code


class QueryFailed(Exception):
    """A query that ends in FAILED: the reason's first word is Trino's name of the error."""

    def __init__(self, reason: str, *, category: int = 2, kind: int = 1000) -> None:
        super().__init__(reason)
        self.category = category
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Rows:
    """What the engine makes of a query; it computes while `batches` are taken, which may raise `QueryFailed`."""

    columns: Sequence[tuple[str, Type]]
    batches: "Iterable[pa.RecordBatch]"
    bytes_scanned: int


class Query(Protocol):
    """A running query."""

    def rows(self) -> Rows:
        """Run it; raises `QueryFailed`."""
        ...

    def interrupt(self) -> None:
        """Make `rows` end soon."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...


Engine = Callable[[str, str, Sequence[str]], Query]  # SQL, database, execution parameters
