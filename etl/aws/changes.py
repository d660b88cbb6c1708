"""A dataset's ledger as a list of changes in DynamoDB, one item per commit, folded from a checkpoint on.

An item is written under the next number of its dataset, and only if there is none: that one conditional write is the
commit's record, whole or not at all, whatever its size, and a writer that comes late finds the number taken.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from athena.dynamodb import Key, Table, number, text
from athena.errors import Gone
from athena.records import decode, encode
from athena.s3 import Bucket
from etl.aws.packed import Packed, packed, unpacked, unreadable
from etl.ledger_state import Change, LedgerState, Whole
from etl.plan import LoadEntry, PastLoad

# A checkpoint costs what the state is large, so it comes the rarer the larger that is.
LEAST_CHANGES = 32
UNITS_PER_CHANGE = 1000
OLD_CHECKPOINTS = 3
_INDEX = "ledger"
_LOADS_PER_COMMIT = 100_000


@dataclass(frozen=True, slots=True)
class _Loads:
    loads: tuple[LoadEntry, ...]


class Changes:
    """Items `ledger#<dataset>` / number and `ledger` / dataset; `bucket` holds checkpoints and what is large."""

    def __init__(self, state: Table, bucket: Bucket) -> None:
        self._table = state
        self._bucket = bucket
        self._packed = Packed(bucket)
        self._known: dict[str, tuple[int, LedgerState]] = {}

    def datasets(self) -> tuple[str, ...]:
        """Every dataset that has changes, sorted: one look-up by partition."""
        return tuple(sorted(text(item["sk"]) for item in self._table.each(_INDEX, only="sk")))

    def state(self, dataset: str) -> LedgerState:
        """The dataset's state as it is now: what was known already, and what came since."""
        seq, state = self._known.get(dataset) or self._checkpoint(dataset)
        items = self._table.above(_changes(dataset), _number(seq), only="sk, change, change_at")
        if items:
            seq = int(text(items[-1]["sk"]))
            state = state.after(decode(Change, self._packed.fetched(item, "change")) for item in items)
        self._known[dataset] = (seq, state)
        return state

    def append(
        self, dataset: str, change: Change, loads: tuple[LoadEntry, ...], *, still_wanted: Callable[[], bool]
    ) -> bool:
        """Write the change under the next number, unless it stands there; False when nobody wants it any more."""
        while True:
            # The number first: if others finish the commit between the two looks, the number is taken when we write.
            tip, last = self._tip(dataset)
            if last == change.commit_id:
                return True
            if not still_wanted():
                return False
            if tip == 0:
                self._table.change(Key(_INDEX, dataset), "SET seq = if_not_exists(seq, :zero)", zero=0)
            if self._written(dataset, tip + 1, change, loads):
                self._keep_checkpoint(dataset, tip + 1)
                return True

    def past(self, dataset: str) -> Iterator[PastLoad]:
        """The loads, newest first, read as they are asked for."""
        current = {slot.load_id for slot in self.state(dataset).slots.values()}
        for item in self._table.backwards(_changes(dataset), only="sk, loads, loads_at"):
            loads = decode(_Loads, self._packed.fetched(item, "loads")).loads
            first = int(text(item["sk"])) * _LOADS_PER_COMMIT
            for at in range(len(loads) - 1, -1, -1):
                yield PastLoad(first + at, dataset, loads[at], loads[at].load_id in current)

    def entries(self, dataset: str) -> Iterator[LoadEntry]:
        """The same without what is current, which asks for the whole state."""
        for item in self._table.backwards(_changes(dataset), only="sk, loads, loads_at"):
            yield from reversed(decode(_Loads, self._packed.fetched(item, "loads")).loads)

    def _written(self, dataset: str, seq: int, change: Change, loads: tuple[LoadEntry, ...]) -> bool:
        where = f"changes/{dataset}/{change.commit_id}"
        values = {
            **self._packed.stored("change", where, encode(change)),
            **self._packed.stored("loads", f"{where}.loads", encode(_Loads(loads))),
        }
        return self._table.change(
            Key(_changes(dataset), _number(seq)),
            "SET commit_id = :commit_id, " + ", ".join(f"{name} = :{name}" for name in values),
            when="attribute_not_exists(pk)",
            commit_id=change.commit_id,
            **values,
        ).won

    def _tip(self, dataset: str) -> tuple[int, str]:
        item = self._table.last(_changes(dataset), only="sk, commit_id")
        return (0, "") if item is None else (int(text(item["sk"])), text(item["commit_id"]))

    def _checkpoint(self, dataset: str) -> tuple[int, LedgerState]:
        item = self._table.get(Key(_INDEX, dataset))
        seq = 0 if item is None else number(item["seq"])
        if item is None or seq == 0:
            return 0, LedgerState(Whole())
        try:
            content = self._bucket.get(text(item["checkpoint"]))
        except Gone as error:
            raise unreadable(dataset) from error
        return seq, LedgerState(decode(Whole, unpacked(content)))

    def _keep_checkpoint(self, dataset: str, seq: int) -> None:
        """Now and then, so that nobody has to fold from the beginning."""
        state = self.state(dataset)
        if seq % max(LEAST_CHANGES, len(state.holdings_by_unit) // UNITS_PER_CHANGE):
            return
        seq, _ = self._known[dataset]
        where = f"checkpoints/{dataset}/{_number(seq)}"
        self._bucket.put(where, packed(encode(state.whole())))
        self._table.change(
            Key(_INDEX, dataset),
            "SET seq = :seq, checkpoint = :checkpoint",
            when="seq < :seq",
            seq=seq,
            checkpoint=where,
        )
        # A reader may just have been told of the one before.
        for old in list(self._bucket.listing(f"checkpoints/{dataset}/"))[:-OLD_CHECKPOINTS]:
            self._bucket.remove(old.key)


def _changes(dataset: str) -> str:
    return f"ledger#{dataset}"


def _number(seq: int) -> str:
    return f"{seq:012d}"
