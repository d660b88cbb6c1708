"""Leases in DynamoDB: one item per name, never deleted, so that tokens rise for ever.

Clocks of different machines are compared here. A lease must therefore be much longer than they can differ (Amazon's
Time Sync keeps them within milliseconds), and what it protects has a fence of its own: the catalog's compare-and-swap.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from athena.dynamodb import Item, Key, Table, instant, micros, number, text
from athena.leases import Lease

FREE = ""


class DynamoLeases:
    """Item `lease#<name>` / `lease`: holder, token, expires_at. A free one has an empty holder."""

    def __init__(self, state: Table, clock: Callable[[], datetime]) -> None:
        self._table = state
        self._clock = clock

    def acquire(self, name: str, holder: str, *, seconds: float) -> Lease | None:
        """The lease with a new token, or None while somebody (the same holder included) holds it."""
        now = self._clock()
        outcome = self._table.change(
            _key(name),
            "SET holder = :holder, expires_at = :expires_at, token = if_not_exists(token, :zero) + :one",
            when="attribute_not_exists(pk) OR holder = :free OR expires_at <= :now",
            holder=holder,
            expires_at=micros(now + timedelta(seconds=seconds)),
            now=micros(now),
            free=FREE,
            zero=0,
            one=1,
        )
        return _lease(name, outcome.item) if outcome.won and outcome.item else None

    def renew(self, lease: Lease, *, seconds: float) -> Lease | None:
        """The lease with a later end, or None when another holder has had it since."""
        outcome = self._table.change(
            _key(lease.name),
            "SET expires_at = :expires_at",
            when="holder = :holder AND token = :token",
            expires_at=micros(self._clock() + timedelta(seconds=seconds)),
            holder=lease.holder,
            token=lease.token,
        )
        return _lease(lease.name, outcome.item) if outcome.won and outcome.item else None

    def release(self, lease: Lease) -> None:
        """End it early; the token stays behind for the next holder."""
        self._table.change(
            _key(lease.name),
            "SET holder = :free",
            when="holder = :holder AND token = :token",
            free=FREE,
            holder=lease.holder,
            token=lease.token,
        )

    def current(self, name: str) -> Lease | None:
        """Whoever holds it now; an item that has expired counts as none."""
        item = self._table.get(_key(name))
        if item is None or item["holder"] == FREE:
            return None
        lease = _lease(name, item)
        return lease if lease.expires_at > self._clock() else None


def is_held_in(state: Table, lease: Lease) -> bool:
    """Whether nobody else has had the lease since, its end passed or not."""
    item = state.get(_key(lease.name))
    return item is not None and (item["holder"], item["token"]) == (lease.holder, lease.token)


def _key(name: str) -> Key:
    return Key(f"lease#{name}", "lease")


def _lease(name: str, item: Item) -> Lease:
    return Lease(name, text(item["holder"]), number(item["token"]), instant(item["expires_at"]))
