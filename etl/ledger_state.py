"""What a ledger that is kept as a list of changes says: a fold over them. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from etl.plan import Examined, Holding, Piece, Plan
from etl.union import Holdings, Slot


@dataclass(frozen=True, slots=True)
class Change:
    """What one commit changes. With `afresh` nothing but `examined` stays of what was before, and of that not the keys
    in `forgotten`."""

    commit_id: str
    holdings: tuple[Holding, ...] = ()
    released: tuple[str, ...] = ()
    slots: tuple[Slot, ...] = ()
    dropped: tuple[str, ...] = ()
    pieces: tuple[Piece, ...] = ()
    removed_paths: tuple[str, ...] = ()
    examined: tuple[Examined, ...] = ()
    restamps: dict[str, str] = field(default_factory=dict)
    afresh: bool = False
    forgotten: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Whole:
    """A dataset's state as a value that can be kept."""

    holdings: tuple[Holding, ...] = ()
    slots: tuple[Slot, ...] = ()
    pieces: tuple[Piece, ...] = ()
    examined: tuple[Examined, ...] = ()


class LedgerState:
    """A dataset's state: units, slots and pieces by slot, examined keys. Never changed once it is shared."""

    def __init__(self, whole: Whole) -> None:
        self.holdings_by_unit = {one.unit: one for one in whole.holdings}
        self.slots = {one.name: one for one in whole.slots}
        self.pieces: dict[str, tuple[Piece, ...]] = {}
        for piece in whole.pieces:
            self.pieces[piece.slot] = (*self.pieces.get(piece.slot, ()), piece)
        self.examined = {one.key: one for one in whole.examined}

    def after(self, changes: Iterable[Change]) -> "LedgerState":
        """The state once these have happened, in order; the same change twice is as good as once."""
        made = LedgerState(Whole())
        made.holdings_by_unit, made.slots = dict(self.holdings_by_unit), dict(self.slots)
        made.pieces, made.examined = dict(self.pieces), dict(self.examined)
        for change in changes:
            made._apply(change)
        return made

    def whole(self) -> Whole:
        """The state as a value."""
        return Whole(
            tuple(self.holdings_by_unit.values()),
            tuple(self.slots.values()),
            tuple(piece for pieces in self.pieces.values() for piece in pieces),
            tuple(self.examined.values()),
        )

    def holdings(self) -> Holdings:
        """Who holds what, and what is in the table."""
        return Holdings({unit: one.slot for unit, one in self.holdings_by_unit.items()}, self.slots)

    def _apply(self, change: Change) -> None:
        if change.afresh:
            self.holdings_by_unit, self.slots, self.pieces = {}, {}, {}
            self.examined = {key: one for key, one in self.examined.items() if key not in change.forgotten}
        for name, slot in self.slots.items() if change.restamps else ():
            self.slots[name] = replace(
                slot, interpretation=change.restamps.get(slot.interpretation, slot.interpretation)
            )
        for name in (*change.dropped, *(slot.name for slot in change.slots)):
            self.slots.pop(name, None)
            self.pieces.pop(name, None)
        gone = set(change.removed_paths)
        for name, pieces in list(self.pieces.items()) if gone else ():
            self.pieces[name] = tuple(piece for piece in pieces if piece.path not in gone)
        for unit in change.released:
            self.holdings_by_unit.pop(unit, None)
        self.slots.update({slot.name: slot for slot in change.slots})
        for piece in change.pieces:
            others = (one for one in self.pieces.get(piece.slot, ()) if one.path != piece.path)
            self.pieces[piece.slot] = (*others, piece)
        self.holdings_by_unit.update({one.unit: one for one in change.holdings})
        self.examined.update({one.key: one for one in change.examined})


def change_of(plan: Plan) -> Change:
    """What a plan changes."""
    return Change(
        plan.commit_id,
        plan.holdings,
        plan.released,
        plan.slots,
        plan.dropped,
        (*plan.pieces, *plan.moved),
        plan.removed_paths,
        plan.examined,
        plan.restamps,
    )
