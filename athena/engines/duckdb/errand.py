"""What the engine and its child say to each other: one JSON line each way, the first page behind the reply. Pure."""

from dataclasses import dataclass

from athena.question import ResultColumn


@dataclass(frozen=True, slots=True)
class TableView:
    """One dataset at its pinned snapshot: a name and the DuckDB SELECT over exactly its planned files."""

    name: str
    select: str


@dataclass(frozen=True, slots=True)
class Errand:
    """One question for a child. Paths are absolute; sizes in bytes."""

    lake: str
    sql: str
    guarded: bool
    setup: tuple[str, ...]
    views: tuple[TableView, ...]
    files: tuple[str, ...]
    output: tuple[str, ...]
    row_limit: int
    page_rows: int
    staged: str
    spill: str
    threads: int
    memory_bytes: int
    spill_bytes: int
    result_bytes: int


@dataclass(frozen=True, slots=True)
class Done:
    """A child's reply. `error_code` is one of our own; `log` is for the operator and holds no value of the data.

    `page_bytes` bytes of the first page's JSON follow the line.
    """

    error_code: str | None = None
    log: str = ""
    columns: tuple[ResultColumn, ...] = ()
    row_count: int = 0
    truncated: bool = False
    size_bytes: int = 0
    sha256: str = ""
    warnings: tuple[str, ...] = ()
    page_rows: int = 0
    page_next: int | None = None
    page_bytes: int = 0
