"""The port of leases: who may write a table now."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from athena.errors import Failed


@dataclass(frozen=True, slots=True)
class Lease:
    """Held until `expires_at`; `token` rises with every holder, so that a late one can be told."""

    name: str
    holder: str
    token: int
    expires_at: datetime


def lease_lost(name: str) -> Failed:
    """What a writer is told whose turn is another's."""
    return Failed(
        f"The turn at {name} was lost to another writer.",
        "Nothing was changed; load again. (A machine that slept, or a clock that jumped, does this.)",
        code="lease-lost",
    )


class Leases(Protocol):
    """Conditional writes on one small record per name. An expired record that is still there counts as absent."""

    def acquire(self, name: str, holder: str, *, seconds: float) -> Lease | None:
        """The lease, or None while somebody else holds it."""
        ...

    def renew(self, lease: Lease, *, seconds: float) -> Lease | None:
        """The lease with a later end, or None when it was lost to another holder."""
        ...

    def release(self, lease: Lease) -> None:
        """End the lease early; without effect when it was lost."""
        ...

    def current(self, name: str) -> Lease | None:
        """Whoever holds it now."""
        ...
