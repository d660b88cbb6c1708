"""Home checks: what is wrong, and what to do now."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `subject` is a file, table or key; `repaired` says that `--repair` mended it."""

    check: str
    subject: str
    level: Literal["ok", "warning", "error"]
    message: str
    remedy: str = ""
    repaired: bool = False


def examine(home: Path, *, repair: bool = False) -> tuple[Finding, ...]:
    """Every check on the home, in the order settings, disk, state, catalog, tables. Needs no running server and
    survives damaged files: what cannot be read is a finding."""
    raise NotImplementedError
