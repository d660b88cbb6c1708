"""Types and fallibility of function calls, by the lists of `athena/sql/functions.py`. Pure."""

from collections.abc import Callable
from typing import Protocol

from sqlglot import exp

from athena.dataset import DataType
from athena.sql.functions import FUNCTIONS, Takes
from athena.sql.grammar import UNITS
from athena.sql.kinds import DOUBLE, FLOATING, INT, LONG, MAX_DIGITS, NULL, TEMPORAL, TEXT, WHOLE, Judgement, common


class Types(Protocol):
    """The types of the parts of an expression."""

    def type(self, node: exp.Expr | None) -> DataType | None:
        """The type of a node, NULL's for one that is not there."""
        ...

    def types(self, nodes: list[exp.Expr]) -> list[DataType | None]:
        """The same for several."""
        ...


def called(node: exp.Expr, of: Types) -> Judgement:
    """The judgement of a call itself; that of its arguments is another matter."""
    function = FUNCTIONS[node.name]
    arguments = [_plain(each) for each in node.expressions if not isinstance(each, exp.Star)]
    special = _CALLS.get(node.name)
    if special is not None:
        return special(arguments, of)
    bad, kind = _TAKES[function.takes](arguments, of)
    first = of.type(arguments[0]) if arguments and function.like_first else None
    return Judgement(function.result or kind or first, bad or not function.total)


def _plain(argument: exp.Expr) -> exp.Expr:
    """An aggregate's argument without DISTINCT and ORDER BY."""
    if isinstance(argument, exp.Order):
        return _plain(argument.this)
    return argument.expressions[0] if isinstance(argument, exp.Distinct) else argument


_Arguments = list[exp.Expr]
_Taken = tuple[bool, DataType | None]  # whether something may fail, and the type where the arguments tell it


def _any(arguments: _Arguments, of: Types) -> _Taken:
    return False, None


def _texts(arguments: _Arguments, of: Types) -> _Taken:
    return any(each not in (TEXT, NULL) for each in of.types(arguments)), None


def _text_constants(arguments: _Arguments, of: Types) -> _Taken:
    return of.type(arguments[0]) not in (TEXT, NULL) or not _constants(arguments[1:]), None


def _times(arguments: _Arguments, of: Types) -> _Taken:
    return any(each not in TEMPORAL for each in of.types(arguments)), None


def _double_constants(arguments: _Arguments, of: Types) -> _Taken:
    return of.type(arguments[0]) not in FLOATING or not _constants(arguments[1:]), None


def _same(arguments: _Arguments, of: Types) -> _Taken:
    one = common(of.types(arguments))
    return one.may_fail, one.type


_TAKES: dict[Takes, Callable[[_Arguments, Types], _Taken]] = {
    Takes.ANY: _any,
    Takes.TEXT: _texts,
    Takes.TEXT_CONSTANTS: _text_constants,
    Takes.TIME: _times,
    Takes.DOUBLE_CONSTANTS: _double_constants,
    Takes.SAME: _same,
}


def _constants(nodes: list[exp.Expr]) -> bool:
    return all(isinstance(each, exp.Literal) for each in nodes)


def _summed(arguments: _Arguments, of: Types) -> Judgement:
    kind = of.type(arguments[0]) if arguments else None
    # A sum of ints would need four billion rows to overflow.
    wide = DataType("decimal", MAX_DIGITS, kind.scale) if kind and kind.name == "decimal" else kind
    return Judgement(LONG if kind in WHOLE else wide, kind not in {INT, NULL, *FLOATING})


def _averaged(arguments: _Arguments, of: Types) -> Judgement:
    kind = of.type(arguments[0]) if arguments else None
    return Judgement(DOUBLE if kind in WHOLE else kind, kind not in {NULL, *WHOLE, *FLOATING})


def _truncated_time(arguments: _Arguments, of: Types) -> Judgement:
    unit, operand = arguments if len(arguments) == 2 else (None, None)
    kind = of.type(operand) if operand is not None else None
    known = isinstance(unit, exp.Literal) and unit.name.upper() in UNITS
    return Judgement(kind, not known or kind not in TEMPORAL)


def _neighbour(arguments: _Arguments, of: Types) -> Judgement:
    return Judgement(of.type(arguments[0]) if arguments else None, len(arguments) > 2 or not _constants(arguments[1:]))


def _extreme(most: int) -> Callable[[_Arguments, Types], Judgement]:
    """min and its kin: with one argument more it is a list of so many, and fails on a count below one."""

    def judged(arguments: _Arguments, of: Types) -> Judgement:
        several = len(arguments) > most
        return Judgement(None if several or not arguments else of.type(arguments[0]), several)

    return judged


_CALLS: dict[str, Callable[[_Arguments, Types], Judgement]] = {
    **dict.fromkeys(("min", "max"), _extreme(1)),
    **dict.fromkeys(("min_by", "max_by"), _extreme(2)),
    "sum": _summed,
    "avg": _averaged,
    "date_trunc": _truncated_time,
    "lag": _neighbour,
    "lead": _neighbour,
}
