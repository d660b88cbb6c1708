"""The contract that a file is read by, and the one that it leaves behind. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from athena.dataset import SYSTEM_NAMES, Column
from etl.contract import Contract
from etl.evolve import Evolution
from etl.transform import Study


def effective(dataset: str, contract: Contract | None, table: Sequence[Column]) -> Contract | None:
    """The contract a file is read by: the owner's, and what the table has beyond it (columns that files added).
    None while neither names a column: then the file says what they are."""
    contract = contract or Contract(dataset, ())
    named = {column.name for column in contract.columns} | SYSTEM_NAMES
    columns = (*contract.columns, *(column for column in table if column.name not in named))
    return replace(contract, columns=columns) if columns else None


def written_by(contract: Contract, evolution: Evolution, studied: Study, source: str, *, first: bool) -> Contract:
    """The contract with what a file adds to it, while it is inferred and Lakegate may write it.

    The first file of a source says how the source writes numbers and dates; of a later one this is known for its new
    columns alone: the others were written otherwise before, and each file is looked at anew.
    """
    if not contract.inferred:
        return contract
    columns = tuple(replace(column, field_id=None) for column in evolution.own)
    rules, found = contract.rules(source), studied.rules
    if not first:
        known = {column.name for column in contract.columns} - rules.formats.keys()
        formats = {name: form for name, form in found.formats.items() if name not in known}
        found = replace(found, formats=formats, decimal=rules.decimal, thousands=rules.thousands)
    sources = dict(contract.sources)
    if found != rules:
        sources[source] = found
    return replace(contract, columns=columns, sources=sources)
