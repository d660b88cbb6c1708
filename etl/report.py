"""What became of one file: the report that `load` and `convert` print, and the rejects its owner gets back. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from athena.errors import LakegateError

Status = Literal["loaded", "replaced", "duplicate", "unchanged", "failed"]
SkippedKind = Literal["header", "blank", "comment", "preamble", "footer", "separator-hint"]


@dataclass(frozen=True, slots=True)
class Reject:
    """One record that was not loaded: where it stands, why, and its text as it stood in the file.

    Lines are physical and 1-based, both ends included; bytes are offsets in the decompressed file, 0-based,
    `last_byte` included (line ending excluded). `column` is None when the record as a whole is wrong. Bytes that
    cannot be decoded stand in `raw` as `\\xNN`.
    """

    first_line: int
    last_line: int
    first_byte: int
    last_byte: int
    column: str | None
    reason: str
    message: str
    raw: str

    def as_row(self, *, load_id: str, file: str) -> dict[str, str | int | None]:
        """The reject by the names and in the order of `athena.dataset.REJECT_COLUMNS`."""
        return {
            "load_id": load_id,
            "file": file,
            "first_line": self.first_line,
            "last_line": self.last_line,
            "first_byte": self.first_byte,
            "last_byte": self.last_byte,
            "column": self.column,
            "reason": self.reason,
            "message": self.message,
            "raw": self.raw,
        }


@dataclass(frozen=True, slots=True)
class Skipped:
    """A line that is no record and not blank: kept with its text, not counted as a reject."""

    kind: SkippedKind
    first_line: int
    last_line: int
    first_byte: int
    last_byte: int
    raw: str


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a file failed as a whole: a `LakegateError` as a value."""

    code: str
    message: str
    remedy: str

    @classmethod
    def of(cls, error: LakegateError) -> "Problem":
        """The error's three parts."""
        return cls(error.code, error.message, error.remedy)


@dataclass(frozen=True, slots=True)
class Report:
    """One file's (or member's) load or conversion. Counts are of physical lines and of records.

    `error` is there when `status` is "failed"; nothing was changed then. `confidence` (0 to 1) tells how sure the
    dialect is. `headings` are the columns' names as they stand in the file, in its order. `skipped` holds the first
    `MAX_SKIPPED_SHOWN` skipped lines with their text.
    """

    status: Status
    dataset: str | None
    source: str | None
    file: str
    content: str | None = None
    format: str = "csv"
    encoding: str | None = None
    delimiter: str | None = None
    quote: str | None = None
    escape: str | None = None
    header: bool | None = None
    confidence: float | None = None
    lines_in: int = 0
    lines_skipped: Mapping[str, int] = field(default_factory=dict)
    rows_in: int = 0
    rows_loaded: int = 0
    rows_rejected: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)
    headings: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    snapshot: str | None = None
    load_id: str | None = None
    duplicate_of: str | None = None
    warnings: tuple[str, ...] = ()
    seconds: float = 0.0
    error: Problem | None = None

    def as_json(self) -> dict[str, object]:
        """The object that `--json` prints, ready for `json.dumps`.

        >>> report = Report("loaded", "flights", "default", "flights/may.csv", rows_in=3, rows_loaded=3)
        >>> report.as_json()["rows_loaded"], report.as_json()["lines_skipped"]
        (3, {})
        """
        values: dict[str, object] = {name: getattr(self, name) for name in _PLAIN}
        values["lines_skipped"] = dict(self.lines_skipped)
        values["reasons"] = dict(self.reasons)
        values["columns"] = dict(self.columns)
        values["headings"] = list(self.headings)
        values["warnings"] = list(self.warnings)
        values["seconds"] = round(self.seconds, 3)
        values["skipped"] = [{"kind": one.kind, "line": one.first_line, "raw": one.raw} for one in self.skipped]
        problem = self.error
        values["error"] = problem and {"code": problem.code, "message": problem.message, "remedy": problem.remedy}
        return {name: values[name] for name in _ORDER}


MAX_SKIPPED_SHOWN = 1000

_ORDER = (
    *("status", "dataset", "source", "file", "content", "format", "encoding", "delimiter", "quote", "escape"),
    *("header", "confidence", "lines_in", "lines_skipped", "rows_in", "rows_loaded", "rows_rejected", "reasons"),
    *("columns", "headings", "skipped", "snapshot", "load_id", "duplicate_of", "warnings", "seconds", "error"),
)
_BUILT = frozenset(["lines_skipped", "reasons", "columns", "headings", "warnings", "seconds", "skipped", "error"])
_PLAIN = tuple(name for name in _ORDER if name not in _BUILT)
