"""What a server's JSON says, as values. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from athena.catalogue import Listing
from athena.dataset import Column, parse_type
from athena.errors import LakegateError
from athena.failures import explained
from athena.question import ResultColumn, SnapshotRef, State
from lakegate.client import Standing


def listing_told(told: Mapping[str, Any]) -> Listing:
    """A dataset."""
    columns = tuple(
        Column(
            one["name"],
            parse_type(one["type"]),
            required=bool(one.get("required", False)),
            unit=one.get("unit"),
            description=one.get("description"),
        )
        for one in told["columns"]
    )
    snapshot = told["snapshot"]
    return Listing(
        name=told["name"],
        description=told.get("description") or "",
        columns=columns,
        snapshot_id=snapshot["id"],
        committed_at=datetime.fromisoformat(snapshot["committed_at"]),
        rows=told.get("rows"),
    )


def standing_told(told: Mapping[str, Any]) -> Standing:
    """An answer, in whatever state."""
    error = told.get("error")
    return Standing(
        id=told["id"],
        state=State(told["state"]),
        cache=told["cache"],
        submitted_at=datetime.fromisoformat(told["submitted_at"]),
        columns=tuple(ResultColumn(one["name"], parse_type(one["type"])) for one in told.get("columns", ())),
        row_count=told.get("row_count") or 0,
        truncated=bool(told.get("truncated")),
        snapshots={
            name: SnapshotRef(one["id"], datetime.fromisoformat(one["committed_at"]))
            for name, one in told.get("snapshots", {}).items()
        },
        warnings=tuple(told.get("warnings", ())),
        error=None if error is None else _failure(error),
        page=told.get("rows", []),
        is_whole=told.get("next") is None,
    )


def _failure(told: Mapping[str, Any]) -> LakegateError:
    return explained(str(told.get("code", "failed")))
