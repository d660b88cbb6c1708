"""Which landing files are worth a look: landing's listing against the ledger."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from etl.batch import mark_of
from etl.contract import READER_VERSION, Contract
from etl.contract_file import parse_contract
from etl.landing import Landed, key_of, untouched
from etl.plan import Examined
from etl.ports import Contracts, Ledger
from etl.union import Holdings


@dataclass(frozen=True, slots=True)
class Pending:
    """One dataset: files to load, keys that hold rows though their files are gone, and how many need nothing."""

    wanted: tuple[Landed, ...]
    vanished: tuple[str, ...]
    unchanged: int


class Books(Protocol):
    """What has to be known: an intake, or less."""

    @property
    def ledger(self) -> Ledger:
        """Which key holds which content."""
        ...

    @property
    def contracts(self) -> Contracts:
        """What owners promise."""
        ...


def pending(books: Books, dataset: str, landed: Iterable[Landed], *, stale: bool) -> Pending:
    """What is new, changed or failed under another contract; with `stale` also what an older contract read.

    With `stale` it raises `Refused` for a contract that cannot be understood.
    """
    there, text = list(landed), books.contracts.text(dataset)
    holdings, examined = books.ledger.holdings(dataset), books.ledger.examined(dataset)
    contract = None
    if stale and text is not None:
        contract = parse_contract(text, dataset=dataset, path=books.contracts.where(dataset))
    old = outdated(holdings, contract) if contract else frozenset()
    mark = mark_of(text)
    wanted = [one for one in there if _is_wanted(one, examined.get(one.key.text), mark, old)]
    names = {one.key.text for one in there}
    held = {key_of(unit) for unit in holdings.units}
    return Pending(tuple(wanted), tuple(sorted(held - names)), len(there) - len(wanted))


def _is_wanted(landed: Landed, known: Examined | None, contract: str, outdated: frozenset[str]) -> bool:
    if known is None:
        return True
    if known.outcome == "retracted":
        return not untouched(known.stamp, landed.stamp)
    if known.stamp != landed.stamp:
        return True
    if known.outcome == "failed":
        return known.contract != contract
    return known.outcome == "held" and landed.key.text in outdated


def outdated(holdings: Holdings, contract: Contract) -> frozenset[str]:
    """The keys of `holdings` with a slot that the contract would read in another way now."""
    now = contract.interpretations(reader=READER_VERSION)
    return frozenset(
        key_of(unit)
        for unit, name in holdings.units.items()
        if (slot := holdings.slots.get(name)) is not None and slot.interpretation != now(slot.source)
    )
