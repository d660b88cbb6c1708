"""The ledger in DynamoDB: commits that are under way, and the changes of those that were made (`changes.py`).

Item shapes: `docs/aws-stores.md`.
"""

import secrets
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

import orjson

from athena.dynamodb import Item, Key, Table, text
from athena.errors import Failed, Gone, OutcomeUnknown
from athena.leases import Lease, lease_lost
from athena.leases.dynamodb import is_held_in
from athena.records import decode, encode
from athena.s3 import Bucket
from etl.aws.changes import Changes
from etl.aws.packed import Packed, packed, unpacked
from etl.ledger_state import Change, change_of
from etl.plan import BROUGHT_ROWS, LATEST_LOADS, Examined, Holding, LoadEntry, PastLoad, Piece, Plan
from etl.union import Holdings, Slot

_OPEN = "open"


class DynamoLedger:
    """Items of the state table; `bucket` holds what is too large for an item."""

    def __init__(self, state: Table, bucket: Bucket) -> None:
        self._table = state
        self._bucket = bucket
        self._changes = Changes(state, bucket)
        self._packed = Packed(bucket)

    def datasets(self) -> tuple[str, ...]:
        """Every dataset that the ledger knows, sorted."""
        return self._changes.datasets()

    def holdings(self, dataset: str) -> Holdings:
        """Who holds what, and what is in the table."""
        return self._changes.state(dataset).holdings()

    def holdings_around(self, dataset: str, keys: Iterable[str], slots: Iterable[str]) -> Holdings:
        """All of it: the state of a dataset is read whole here."""
        return self.holdings(dataset)

    def units(self, key: str) -> tuple[str, ...]:
        """The units of a key that hold something, sorted."""
        held = self._changes.state(_dataset(key)).holdings_by_unit.values()
        return tuple(sorted(one.unit for one in held if one.key == key))

    def pieces(self, dataset: str) -> tuple[Piece, ...]:
        """Which data files hold which slot with how many rows, by path."""
        pieces = (piece for some in self._changes.state(dataset).pieces.values() for piece in some)
        return tuple(sorted(pieces, key=lambda piece: (piece.path, piece.slot)))

    def pieces_of(self, dataset: str, slots: Iterable[str]) -> tuple[Piece, ...]:
        """The same, of these slots alone."""
        pieces = self._changes.state(dataset).pieces
        return tuple(piece for slot in slots for piece in pieces.get(slot, ()))

    def pieces_in(self, dataset: str, paths: Iterable[str]) -> tuple[Piece, ...]:
        """The same, of these data files alone."""
        wanted = set(paths)
        return tuple(piece for piece in self.pieces(dataset) if piece.path in wanted)

    def unreferenced(self, table: str, paths: Iterable[str], *, now: str) -> dict[str, str]:
        """Note that nobody names these files of a table; since when that was so whenever it was looked."""
        where = f"garbage/{table}"
        try:
            since: dict[str, str] = orjson.loads(unpacked(self._bucket.get(where)))
        except Gone:
            since = {}
        noted = {path: since.get(path, now) for path in paths}
        if noted != since:
            self._bucket.put(where, packed(orjson.dumps(noted)))
        return noted

    def rows(self, dataset: str) -> int:
        """How many rows the table has, as far as the ledger knows."""
        return sum(piece.rows for piece in self.pieces(dataset))

    def examined(self, dataset: str, *, outcome: str | None = None) -> dict[str, Examined]:
        """What became of every key when it was last looked into; with `outcome`, of those of that alone."""
        found = self._changes.state(dataset).examined
        return {key: one for key, one in found.items() if outcome in (None, one.outcome)}

    def examined_key(self, key: str) -> Examined | None:
        """The same for one key."""
        return self._changes.state(_dataset(key)).examined.get(key)

    def history(self, dataset: str | None, *, limit: int) -> tuple[PastLoad, ...]:
        """The loads, newest first."""
        names = self.datasets() if dataset is None else (dataset,)
        found = [past for name in names for past in islice(self._changes.past(name), limit)]
        return tuple(sorted(found, key=lambda past: (past.entry.made_at, past.number), reverse=True)[:limit])

    def latest(self, dataset: str, source: str) -> dict[str, Any] | None:
        """The report of the newest load that brought rows from a source, as far back as `LATEST_LOADS`."""
        for entry in islice(self._changes.entries(dataset), LATEST_LOADS):
            if entry.status in BROUGHT_ROWS and entry.report is not None and entry.report["source"] == source:
                return entry.report
        return None

    def begin(self, commit_id: str, dataset: str, holder: str, keys: Sequence[str] = ()) -> None:
        """Note that `holder` reads `keys` and writes files for `commit_id`."""
        self._table.change(
            Key(_OPEN, commit_id),
            "SET state = :state, dataset = :dataset, holder = :holder, keys = :keys",
            state="writing",
            dataset=dataset,
            holder=holder,
            keys=packed(orjson.dumps(list(keys))),
        )

    def being_read(self, dataset: str) -> dict[str, str]:
        """Keys that somebody reads just now (or did, and died): holder by key."""
        found = self._open(dataset, "writing", only="sk, state, dataset, holder, keys")
        return {key: text(one["holder"]) for one in found for key in orjson.loads(unpacked(one["keys"]))}

    def begun(self, dataset: str) -> dict[str, str]:
        """Commits whose files are being written (or were, by somebody who died): holder by commit id."""
        return {text(one["sk"]): text(one["holder"]) for one in self._open(dataset, "writing")}

    def end(self, commit_id: str) -> None:
        """Take the note of `begin` off."""
        self._table.remove(Key(_OPEN, commit_id), when="state = :state", state="writing")

    def plan(self, plan: Plan, lease: Lease) -> None:
        """Open a plan. Raises `Failed` ("lease-lost") when others have given it up meanwhile, or had the table."""
        values = self._packed.stored("plan", f"plans/{plan.commit_id}", encode(plan))
        opened = self._table.change(
            Key(_OPEN, plan.commit_id),
            "SET state = :state, dataset = :dataset, " + ", ".join(f"{name} = :{name}" for name in values),
            when="attribute_not_exists(pk) OR state = :writing",
            state="planned",
            writing="writing",
            dataset=plan.dataset,
            **values,
        )
        if not opened.won:
            raise _given_up(plan)
        # In this order: whoever takes the table from here on finds the plan.
        try:
            held = is_held_in(self._table, lease)
        except Failed as error:
            raise _left_open(plan, error) from error
        if not held:
            withdrawn = self._table.remove(Key(_OPEN, plan.commit_id), when="state = :planned", planned="planned").won
            raise lease_lost(plan.dataset) if withdrawn else _resolved_by_others(plan)

    def open_plans(self, dataset: str) -> tuple[tuple[Plan, bool], ...]:
        """Plans that were neither finished nor forgotten, each with whether it was recorded."""
        found = self._open(dataset, "planned", "recorded", only="sk, state, dataset, plan, plan_at")
        return tuple((decode(Plan, self._packed.fetched(one, "plan")), one["state"] == "recorded") for one in found)

    def unresolved(self) -> tuple[str, ...]:
        """Datasets with open plans, or with files of somebody who may have died."""
        return tuple(sorted({text(item["dataset"]) for item in self._table.each(_OPEN, only="dataset")}))

    def forget(self, plan: Plan, holder: str) -> bool:
        """Close a plan whose commit did not happen; False when somebody else has closed it."""
        return self._table.change(
            Key(_OPEN, plan.commit_id),
            "SET state = :state, holder = :holder, keys = :keys REMOVE plan",
            when="state = :planned",
            state="writing",
            planned="planned",
            holder=holder,
            keys=packed(b"[]"),
        ).won

    def close(self, commit_id: str) -> None:
        """The plan is done."""
        closed = self._table.get(Key(_OPEN, commit_id), only="plan_at")
        self._table.remove(Key(_OPEN, commit_id))
        self._packed.remove(closed or {}, "plan")

    def record(self, plan: Plan, *, snapshot: str | None) -> None:
        """Let the ledger say what the table says now, in one conditional write."""
        loads = tuple(
            LoadEntry(one.load_id, one.key, one.unit, one.status, one.made_at, one.told(snapshot)) for one in plan.loads
        )
        if self._changes.append(plan.dataset, change_of(plan), loads, still_wanted=lambda: self._is_planned(plan)):
            self._table.change(
                Key(_OPEN, plan.commit_id),
                "SET state = :recorded",
                when="state = :planned",
                recorded="recorded",
                planned="planned",
            )

    def replace(
        self, dataset: str, slots: Iterable[Slot], holdings: Iterable[Holding], pieces: Iterable[Piece]
    ) -> None:
        """Let the dataset's state be this, whatever it was; keys that lose something are looked into anew."""
        held = tuple(holdings)
        before, now = self._changes.state(dataset).holdings_by_unit, {one.unit: one.slot for one in held}
        lost = {one.key for one in before.values() if now.get(one.unit) != one.slot}
        change = Change(
            f"afresh-{secrets.token_hex(8)}",
            holdings=held,
            slots=tuple(slots),
            pieces=tuple(pieces),
            afresh=True,
            forgotten=tuple(sorted(lost)),
        )
        self._changes.append(dataset, change, (), still_wanted=lambda: True)

    def _is_planned(self, plan: Plan) -> bool:
        item = self._table.get(Key(_OPEN, plan.commit_id), only="state")
        return item is not None and item["state"] == "planned"

    def _open(self, dataset: str, *states: str, only: str = "sk, state, dataset, holder") -> list[Item]:
        found = self._table.each(_OPEN, only=only)
        return [item for item in found if item["dataset"] == dataset and item["state"] in states]


def _dataset(key: str) -> str:
    return key.partition("/")[0]


def _left_open(plan: Plan, error: Failed) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"{plan.dataset}: whether the commit {plan.commit_id} may be made cannot be told: {error.message}",
        f"The next load, or `lakegate reconcile`, sees to it; nothing is lost. {error.remedy}",
    )


def _resolved_by_others(plan: Plan) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"{plan.dataset}: the commit {plan.commit_id} was seen to by another writer.",
        "`lakegate loads` says what became of it; nothing is lost.",
    )


def _given_up(plan: Plan) -> Failed:
    return Failed(
        f"{plan.dataset}: the files of commit {plan.commit_id} were given up by another writer.",
        "Nothing was changed; load again.",
        code="lease-lost",
    )
