"""What a caller may see of each dataset: its columns, types, units, descriptions and current snapshot."""

from dataclasses import dataclass
from datetime import datetime

from athena.dataset import Column
from athena.entitlement import not_found, unknown, visible_columns
from athena.errors import Failed, NotFound
from athena.heads import Head
from athena.lake import Lake
from athena.planning import Standing, standing_of
from athena.question import Caller


@dataclass(frozen=True, slots=True)
class Listing:
    """One dataset as one caller sees it. `rows` (count) is None for a partner whose rows are filtered."""

    name: str
    description: str
    columns: tuple[Column, ...]
    snapshot_id: str
    committed_at: datetime
    rows: int | None


def datasets(lake: Lake, caller: Caller) -> tuple[Listing, ...]:
    """Everything that this caller may ask about, by name; nothing for a partner without a grant.

    A dataset whose grant does not fit its columns (any more) is left out.
    """
    try:
        standing = standing_of(lake, caller)
    except NotFound:
        return ()
    heads = (lake.head(head.dataset) if head.intent is not None else head for head in lake.heads.all())
    listed = (_listing(standing, head) for head in heads if head is not None)
    return tuple(listing for listing in listed if listing is not None)


def dataset(lake: Lake, caller: Caller, name: str) -> Listing:
    """One of them; raises `NotFound` for what is denied, absent or hidden alike."""
    standing = standing_of(lake, caller)
    head = lake.head(name) if _granted(standing, name) else None
    listing = None if head is None else _listing(standing, head)
    if listing is None:
        raise not_found() if caller.partner is not None else unknown(name)
    return listing


def _granted(standing: Standing, name: str) -> bool:
    return standing.grant is None or name in standing.grant.datasets


def _listing(standing: Standing, head: Head) -> Listing | None:
    if not _granted(standing, head.dataset):
        return None
    try:
        columns = visible_columns(standing.grant, head)
    except (NotFound, Failed):
        return None
    filtered = standing.grant is not None and standing.grant.datasets[head.dataset].rows is not None
    return Listing(
        name=head.dataset,
        description=head.description,
        columns=columns,
        snapshot_id=head.snapshot_id,
        committed_at=head.committed_at,
        rows=None if filtered else head.rows,
    )
