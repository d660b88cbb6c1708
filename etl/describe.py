"""What an edited contract says of columns (units, descriptions, sensitive) reaches the head without a load."""

from dataclasses import replace

from athena.dataset import Column
from athena.heads import Head
from etl.commit import set_description
from etl.contract import Contract
from etl.contract_file import contract_in
from etl.intake import Intake
from etl.publish import resolve
from etl.turn import turn_at


def describe(intake: Intake, dataset: str) -> None:
    """Resolve what was left half done, and publish the contract's words when the head has others.

    A contract that cannot be read changes nothing: what was sensitive stays sensitive.
    """
    head, contract = intake.heads.get(dataset), contract_in(intake.contracts, dataset)
    stale = head is not None and contract is not None and _differs(head, contract)
    if not stale and dataset not in intake.ledger.unresolved() and intake.heads.pending(dataset) is None:
        return
    with turn_at(intake, dataset):
        resolve(intake, dataset)
        head = intake.heads.get(dataset)
        if head is not None and contract is not None and _differs(head, contract):
            change_id = intake.new_id()
            intake.heads.intend(dataset, change_id)
            said = set_description(intake.catalog, dataset, told(head, contract), contract.description)
            intake.heads.publish(replace(said, intent=change_id))


def told(head: Head, contract: Contract) -> tuple[Column, ...]:
    """The head's columns in the contract's words; names, types and ids stay."""
    by_name = {column.name: column for column in contract.columns}
    return tuple(
        replace(by_name[column.name], type=column.type, field_id=column.field_id) if column.name in by_name else column
        for column in head.columns
    )


def _differs(head: Head, contract: Contract) -> bool:
    return told(head, contract) != head.columns or contract.description != head.description
