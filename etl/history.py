"""The history of loads, as values."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from etl.plan import PastLoad
from etl.report import Problem, Report, Skipped


@dataclass(frozen=True, slots=True)
class Load:
    """One line of the history; `current` says that its rows are in the table. `report` is None for a retraction;
    `status` is one of a report's, or "retracted"."""

    load_id: str
    dataset: str
    file: str
    status: str
    made_at: datetime
    current: bool
    report: Report | None


def load_of(past: PastLoad) -> Load:
    """A line of the ledger as a value."""
    entry = past.entry
    report = None if entry.report is None else report_of(entry.report)
    made_at = datetime.fromisoformat(entry.made_at)
    return Load(entry.load_id, past.dataset, entry.unit, entry.status, made_at, past.current, report)


def report_of(told: dict[str, Any]) -> Report:
    """The report that `Report.as_json` wrote (of skipped lines: kind, first line and text).

    >>> report = Report("loaded", "flights", "default", "flights/may.csv", rows_in=3, rows_loaded=3)
    >>> report_of(report.as_json()) == report
    True
    """
    error = told["error"]
    skipped = (Skipped(one["kind"], one["line"], one["line"], 0, 0, one["raw"]) for one in told["skipped"])
    return Report(
        **{
            **told,
            "skipped": tuple(skipped),
            "headings": tuple(told.get("headings", ())),
            "warnings": tuple(told["warnings"]),
            "error": None if error is None else Problem(**error),
        }
    )
