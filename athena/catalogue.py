"""What a caller may see of each dataset: its columns, types, units, descriptions and current snapshot."""

from dataclasses import dataclass
from datetime import datetime

from athena.dataset import Column
from athena.lake import Lake
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
    """Everything that this caller may ask about, by name; rejects tables only for the owner or by grant.

    Raises `NotFound`-free: a partner without a grant sees nothing.
    """
    raise NotImplementedError


def dataset(lake: Lake, caller: Caller, name: str) -> Listing:
    """One of them; raises `NotFound` for what is denied, absent or hidden alike."""
    raise NotImplementedError
