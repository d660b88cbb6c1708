"""One file to one typed Parquet file, without a lake."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from etl.contract import Contract
from etl.report import Report
from etl.transform import Advance, no_advance


def utc_now() -> datetime:
    """The clock of the machine."""
    return datetime.now(UTC)


def convert(
    src: Path,
    dst: Path,
    *,
    contract: Contract | None = None,
    text: bool = False,
    rejects: Path | None = None,
    advance: Advance = no_advance,
    clock: Callable[[], datetime] = utc_now,
) -> Report:
    """Write `dst` (zstd Parquet with field ids, typed columns, then the system columns) from `src`; the report.

    A file that is refused as a whole (empty, binary, does not fit the contract, more bad records than the contract
    allows) gives a report with status "failed" and `error`; `dst` is then as it was. `rejects` is written as CSV
    whenever the file could be read (with a header line alone when there are none). Raises `Refused` for
    a `src` that is not there ("no-such-file") and `Failed` when the disk fails.
    """
    raise NotImplementedError
