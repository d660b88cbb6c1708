"""What a check of the home says. Pure."""

from dataclasses import dataclass
from typing import Literal

from athena.errors import LakegateError


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `subject` is a file, table or key; `repaired` says that `--repair` mended it."""

    check: str
    subject: str
    level: Literal["ok", "warning", "error"]
    message: str
    remedy: str = ""
    repaired: bool = False

    @classmethod
    def of(cls, check: str, subject: str, error: LakegateError) -> "Finding":
        """An error as a finding."""
        return cls(check, subject, "error", error.message, error.remedy)


REPAIR = "Run `lakegate doctor --repair`."
