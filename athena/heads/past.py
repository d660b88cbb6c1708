"""Which of a table's kept snapshots an `as_of` means. Pure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from athena.errors import Gone, Refused
from athena.heads import Head


def heads_as_of(histories: Mapping[str, Sequence[Head]], as_of: datetime | str) -> dict[str, Head]:
    """Every table as it was: at an instant (aware; the last snapshot until then), or at a snapshot of one of them.

    A snapshot's id stands for the instant at which it was committed, so that several tables fit together. Each
    history is the kept snapshots of one table, oldest first. Raises `Refused` (`as-of-invalid`) for an id that
    none of them has and an instant without a zone, `Gone` (`snapshot-gone`) for an instant before the oldest one.
    """
    named = {head.snapshot_id: name for name, history in histories.items() for head in history}
    instant = _instant(histories, named, as_of)
    found = {name: _last(name, history, instant) for name, history in histories.items()}
    if isinstance(as_of, str) and as_of in named:
        # Two commits within one millisecond: the id is the more precise of the two.
        found[named[as_of]] = next(head for head in histories[named[as_of]] if head.snapshot_id == as_of)
    return found


def _instant(histories: Mapping[str, Sequence[Head]], named: Mapping[str, str], as_of: datetime | str) -> datetime:
    if isinstance(as_of, str) and as_of in named:
        return next(head.committed_at for head in histories[named[as_of]] if head.snapshot_id == as_of)
    try:
        instant = datetime.fromisoformat(as_of) if isinstance(as_of, str) else as_of
    except ValueError as error:
        raise Refused(
            f"{as_of!r} is neither a kept snapshot of {', '.join(histories)} nor an instant.",
            "Give a snapshot's id from the dataset's history, or an instant such as 2026-05-01T12:00:00Z.",
            code="as-of-invalid",
        ) from error
    if instant.tzinfo is None:
        raise Refused(f"{as_of} has no time zone.", "Add one, such as 2026-05-01T12:00:00Z.", code="as-of-invalid")
    return instant.astimezone(UTC)


def _last(name: str, history: Sequence[Head], instant: datetime) -> Head:
    until = [head for head in history if head.committed_at <= instant]
    if not until:
        oldest = f"; the oldest kept one is of {history[0].committed_at.isoformat()}" if history else ""
        raise Gone(
            f"{name} has no snapshot of {instant.isoformat()}{oldest}.",
            "Ask for a later state, or load the files of that time into a dataset of their own.",
            code="snapshot-gone",
        )
    return until[-1]
