"""A column and the rules of a source → how its values are read. Pure."""

from decimal import Decimal

from athena.dataset import Column
from athena.errors import Refused
from etl._form import NUMERIC, check_form
from etl._moments import zone_of
from etl._values import MISSING, Reading
from etl.contract import SourceRules


def reading_of(column: Column, rules: SourceRules) -> Reading:
    """How the rules' source writes values of the column. Raises `Refused` ("contract-invalid")."""
    name, form = column.type.name, rules.formats.get(column.name)
    if form is not None:
        check_form(column, form)
    if rules.zone is not None:
        zone_of(rules.zone)
    default = ("",) if name == "string" else MISSING
    return Reading(
        column.type,
        absent=text_missing(rules),
        missing=default if rules.null is None else rules.null,
        decimal=rules.decimal or ".",
        thousands=rules.thousands or None,
        form=form,
        zone=rules.zone,
        words=tuple(rules.values.get(column.name, {}).items()),
        factor=_factor(column, rules),
        allowed=column.allowed,
        required=column.required,
    )


def text_missing(rules: SourceRules) -> tuple[str, ...]:
    """How missing text is spelled: empty, unless the rules say otherwise.

    >>> text_missing(SourceRules()), text_missing(SourceRules(null=("-",)))
    (('',), ('-',))
    """
    return ("",) if rules.null is None else rules.null


def _factor(column: Column, rules: SourceRules) -> Decimal | None:
    if column.name not in rules.scale:
        return None
    if column.type.name not in NUMERIC:
        raise _wrong(f"`scale` names {column.name}, which is no number but {column.type}.", "Take it out of `scale`.")
    return Decimal(repr(rules.scale[column.name]))


def _wrong(message: str, remedy: str) -> Refused:
    return Refused(message, remedy, code="contract-invalid")
