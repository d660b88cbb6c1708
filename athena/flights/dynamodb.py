"""Flights in DynamoDB: one item per (fingerprint, attempt), every step one conditional write on it.

The current attempt is the item with the highest sort key, so that reading it is one look-up, and beginning the next
attempt is the creation of an item that must not exist yet. Those who wait are a set in the item; DynamoDB drops a
set with its last member.
"""

import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

from athena.dynamodb import Item, Key, Outcome, Table, Value, instant, micros, number, text
from athena.engines import Job
from athena.errors import Busy, Damaged, Failed, Gone, OutcomeUnknown
from athena.flights import Flight
from athena.flights.pins import DynamoPins
from athena.flights.step import expired, next_step
from athena.lake import Clock
from athena.memo import Memo
from athena.question import Page, Receipt, State
from athena.records import decode, encode
from athena.s3 import Bucket

# What nobody finishes or asks for again is forgotten after a day.
UNFINISHED = timedelta(days=1)
# An item may have 400 KB; reading one costs a unit per 4 KB.
INLINE_BYTES = 100_000
ROUNDS = 20
REMEMBERED_BYTES = 32 * 1024 * 1024

_LIGHT = "pk, sk, state, leader, lease_expires_at, expires_at, execution, error_code"
_JOINING = " ADD askers :asker DELETE gone :asker"
_OWNED = "leader = :leader AND state = :running"


class DynamoFlights:
    """Items `flight#<fingerprint>` / `<attempt>` of the cache table; what is too large for one lies in `overflow`."""

    def __init__(self, cache: Table, overflow: Bucket, clock: Clock, *, pins: DynamoPins | None = None) -> None:
        self._table = cache
        self._overflow = overflow
        self._clock = clock
        self._pins = pins
        # An object's key names attempt and leader, and nobody writes it twice.
        self._fetched_before: Memo[bytes] = Memo(REMEMBERED_BYTES, len)

    def get(self, fingerprint: str, attempt: int | None = None) -> Flight | None:
        """The current record, or that of `attempt`; None when it has expired, even if it is still there."""
        item = self._table.last(_pk(fingerprint)) if attempt is None else self._table.get(_key(fingerprint, attempt))
        flight = None if item is None else self._whole(item)
        return None if flight is None or expired(flight, self._clock()) else flight

    def standing(self, fingerprints: Sequence[str]) -> tuple[Flight, ...]:
        """The current records, without work, receipt and page; one look-up each."""
        found = (self._table.last(_pk(fingerprint), only=_LIGHT) for fingerprint in fingerprints)
        now = self._clock()
        flights = (_light(item) for item in found if item is not None)
        return tuple(flight for flight in flights if not expired(flight, now))

    def lead(
        self, fingerprint: str, *, leader: str, lease_seconds: float, asker: str, work: bytes, anew: int | None = None
    ) -> Flight:
        """See the port. Each round reads the record and writes what follows from it, if it is still the same."""
        item = self._table.last(_pk(fingerprint))
        for _ in range(ROUNDS):
            now = self._clock()
            current = None if item is None else _light(item)
            step = next_step(current, now, anew=anew)
            ends = now + timedelta(seconds=lease_seconds)
            if step == "use" and item is not None:
                return self._whole(item)
            if step == "begin" or current is None:
                attempt = 1 if current is None else current.attempt + 1
                outcome = self._begin(Flight(fingerprint, attempt, State.RUNNING, leader, ends, work=work), asker, now)
            elif step == "take over":
                outcome = self._hand_over(current, leader, ends, now, asker=asker)
            else:
                outcome = self._join(current, asker)
            if outcome.won and outcome.item is not None:
                return self._whole(outcome.item)
            item = outcome.item or self._table.last(_pk(fingerprint))
        raise Busy("Too many ask the same at this moment.", "Ask again in a second.")

    def take_over(self, fingerprint: str, attempt: int, *, leader: str, lease_seconds: float) -> Flight | None:
        """See the port."""
        item = self._table.get(_key(fingerprint, attempt), only=_LIGHT)
        now = self._clock()
        if item is None or next_step(held := _light(item), now, anew=None) != "take over":
            return None
        outcome = self._hand_over(held, leader, now + timedelta(seconds=lease_seconds), now)
        return self._whole(outcome.item) if outcome.won and outcome.item is not None else None

    def beat(self, flight: Flight, *, lease_seconds: float) -> bool:
        """See the port."""
        now = self._clock()
        changes = {"lease_expires_at": micros(now + timedelta(seconds=lease_seconds)), **_ends(now + UNFINISHED)}
        return self._update(flight, changes, also="attribute_exists(askers)" if lease_seconds else None)

    def note(self, flight: Flight, execution: str) -> None:
        """See the port."""
        self._update(flight, {"execution": execution})

    def finish(self, flight: Flight, receipt: Receipt, page: Page, *, expires_at: datetime) -> bool:
        """See the port."""
        changes: dict[str, Value] = {
            "state": State.SUCCEEDED.value,
            "page_rows": page.row_count,
            **({} if page.next_offset is None else {"next_offset": page.next_offset}),
            **self._stored("page", page.fragment, flight),
            **self._stored("receipt", encode(receipt), flight),
            **_ends(expires_at),
        }
        return self._ended(flight, self._update(flight, changes, remove="work, work_at, askers"))

    def fail(self, flight: Flight, error_code: str, *, state: State = State.FAILED) -> bool:
        """See the port."""
        changes: dict[str, Value] = {"state": state.value, "error_code": error_code}
        also = "attribute_not_exists(askers)" if state is State.CANCELLED else None
        return self._ended(flight, self._update(flight, changes, remove="work, work_at", also=also))

    def lose(self, fingerprint: str, attempt: int) -> None:
        """See the port."""
        ends = _ends(self._clock())
        succeeded = State.SUCCEEDED.value
        self._changed(
            _key(fingerprint, attempt), _setting(ends), when="state = :succeeded", succeeded=succeeded, **ends
        )

    def leave(self, fingerprint: str, attempt: int, asker: str) -> int:
        """See the port."""
        outcome = self._changed(
            _key(fingerprint, attempt),
            "ADD gone :asker DELETE askers :asker",
            when="attribute_exists(pk)",
            asker=frozenset([asker]),
        )
        return len(_names(outcome.item, "askers"))

    def has_left(self, fingerprint: str, attempt: int, asker: str) -> bool:
        """Whether this asker cancelled."""
        return asker in _names(self._table.get(_key(fingerprint, attempt), only="gone"), "gone")

    def _ended(self, flight: Flight, by_us: bool) -> bool:
        if by_us and self._pins is not None:
            self._pins.remove(flight.fingerprint, flight.attempt)
        return by_us

    def _pin(self, flight: Flight) -> None:
        """Before the run can begin: nobody expires what it is about to read."""
        if self._pins is not None and flight.work:
            heads = decode(Job, flight.work).pins.values()
            pinned = frozenset(head.snapshot_id for head in heads if head.snapshot_id)
            with _as_store():
                self._pins.put(flight.fingerprint, flight.attempt, pinned)

    def _begin(self, flight: Flight, asker: str, now: datetime) -> Outcome:
        self._pin(flight)
        values = {
            "state": flight.state.value,
            "leader": flight.leader,
            "lease_expires_at": micros(flight.lease_expires_at),
            "askers": frozenset([asker]),
            **self._stored("work", flight.work or b"", flight),
            **_ends(now + UNFINISHED),
        }
        return self._changed(
            _key(flight.fingerprint, flight.attempt), _setting(values), when="attribute_not_exists(pk)", **values
        )

    def _hand_over(
        self, held: Flight, leader: str, lease_ends: datetime, now: datetime, *, asker: str | None = None
    ) -> Outcome:
        changes: dict[str, Value] = {
            "leader": leader,
            "lease_expires_at": micros(lease_ends),
            **_ends(now + UNFINISHED),
        }
        joined: dict[str, Value] = {} if asker is None else {"asker": frozenset([asker])}
        return self._changed(
            _key(held.fingerprint, held.attempt),
            _setting(changes) + (_JOINING if joined else ""),
            when="state = :running AND leader = :held_by AND lease_expires_at = :held_until",
            running=State.RUNNING.value,
            held_by=held.leader,
            held_until=micros(held.lease_expires_at),
            **changes,
            **joined,
        )

    def _join(self, held: Flight, asker: str) -> Outcome:
        return self._changed(
            _key(held.fingerprint, held.attempt),
            _JOINING.strip(),
            when="state = :running",
            asker=frozenset([asker]),
            running=State.RUNNING.value,
        )

    def _update(
        self, flight: Flight, changes: dict[str, Value], *, remove: str | None = None, also: str | None = None
    ) -> bool:
        return self._changed(
            _key(flight.fingerprint, flight.attempt),
            _setting(changes) + (f" REMOVE {remove}" if remove else ""),
            when=_OWNED + (f" AND {also}" if also else ""),
            running=State.RUNNING.value,
            **{"leader": flight.leader, **changes},
        ).won

    def _changed(self, key: Key, update: str, *, when: str, **values: Value) -> Outcome:
        with _as_store():
            return self._table.change(key, update, when=when, **values)

    def _stored(self, name: str, content: bytes, flight: Flight) -> dict[str, Value]:
        packed = zlib.compress(content, 1)
        if len(packed) <= INLINE_BYTES:
            return {name: packed}
        # Under the leader's own name: a late one never touches what its heir wrote.
        key = f"{flight.fingerprint}/{flight.attempt}/{flight.leader}.{name}"
        self._overflow.put(key, packed)
        return {f"{name}_at": key}

    def _fetched(self, item: Item, name: str) -> bytes | None:
        packed = item.get(name)
        try:
            if f"{name}_at" in item:
                key = text(item[f"{name}_at"])
                packed = self._fetched_before.recall(key, lambda: self._overflow.get(key))
            return zlib.decompress(packed) if isinstance(packed, bytes) else None
        except Gone:
            return None
        except zlib.error as error:
            raise Damaged(
                f"The {name} of a stored flight cannot be read.",
                "Remove the item; it is computed anew.",
                code="state-damaged",
            ) from error

    def _whole(self, item: Item) -> Flight:
        fragment, next_offset = self._fetched(item, "page"), item.get("next_offset")
        return replace(
            _light(item),
            work=self._fetched(item, "work"),
            receipt=self._receipt(item),
            page=None
            if fragment is None
            else Page(fragment, number(item["page_rows"]), None if next_offset is None else number(next_offset)),
        )

    def _receipt(self, item: Item) -> Receipt | None:
        # Older releases wrote it as it is.
        written = item.get("receipt")
        packed = written.encode() if isinstance(written, str) else self._fetched(item, "receipt")
        return None if packed is None else decode(Receipt, packed)


@contextmanager
def _as_store() -> Iterator[None]:
    """Whether or not a write happened, the record tells the next who reads it; until then there is no store."""
    try:
        yield
    except OutcomeUnknown as error:
        raise Failed(error.message, "The question runs alone.", code="state-unavailable") from error


def _pk(fingerprint: str) -> str:
    return f"flight#{fingerprint}"


def _key(fingerprint: str, attempt: int) -> Key:
    return Key(_pk(fingerprint), f"{attempt:09d}")


def _ends(at: datetime) -> dict[str, Value]:
    # `ttl` is DynamoDB's, in seconds; it deletes when it finds the time. What counts is `expires_at`.
    return {"expires_at": micros(at), "ttl": int(at.timestamp()) + 1}


def _setting(changes: dict[str, Value]) -> str:
    return "SET " + ", ".join(f"{name} = :{name}" for name in changes)


def _names(item: Item | None, name: str) -> frozenset[str]:
    found = (item or {}).get(name)
    return found if isinstance(found, frozenset) else frozenset()


def _light(item: Item) -> Flight:
    return Flight(
        fingerprint=text(item["pk"]).removeprefix("flight#"),
        attempt=int(text(item["sk"])),
        state=State(text(item["state"])),
        leader=text(item["leader"]),
        lease_expires_at=instant(item["lease_expires_at"]),
        execution=text(item["execution"]) if "execution" in item else None,
        error_code=text(item["error_code"]) if "error_code" in item else None,
        expires_at=instant(item["expires_at"]),
    )
