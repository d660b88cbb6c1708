"""What type an expression has, and whether it could fail on some row. Pure.

Conservative on purpose: "may fail" is the answer whenever no rule says otherwise. A statement in which nothing can
fail needs no guard around the rows that a grant hides.
"""

from collections.abc import Callable, Sequence

from sqlglot import exp

from athena.dataset import DataType
from athena.sql.calls import called
from athena.sql.kinds import (
    DATE,
    DOUBLE,
    FLAG,
    FLOATING,
    INSTANT,
    INT,
    INTERVAL,
    LONG,
    MAX_DIGITS,
    NULL,
    TEMPORAL,
    TEXT,
    TIMESTAMP,
    WHOLE,
    Judgement,
    cast_type,
    common,
    comparable,
    is_aggregate,
    marked,
    safe_cast,
)

_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ)


def judge(node: exp.Expr, *, grouped: bool = False) -> Judgement:
    """Type and fallibility of an expression whose columns are marked.

    With `grouped`, what is computed from an aggregate's result counts as safe: it is there only once all hidden
    rows are gone.

    >>> from athena.trino.text import read
    >>> [judge(item).may_fail for item in read("SELECT lower('A') = 'a', CAST('a' AS int)").selects]
    [False, True]
    """
    return _Judge(grouped).of(node)


def _after_groups(node: exp.Expr) -> bool:
    inner = node.walk(prune=lambda each: isinstance(each, exp.Query))
    return any(is_aggregate(each) for each in inner)


def _one_row(query: exp.Expr) -> bool:
    inner = query.unnest()
    if not isinstance(inner, exp.Select) or inner.args.get("group") or len(inner.selects) != 1:
        return False
    return any(is_aggregate(each) for each in inner.selects[0].walk()) and not inner.find(exp.Window)


def _parts(node: exp.Expr) -> list[exp.Expr]:
    if isinstance(node, exp.Query):
        return []
    return list(node.flatten()) if isinstance(node, exp.Connector) else list(node.iter_expressions())


class _Judge:
    """One pass over an expression, from the leaves up; every node is judged once."""

    def __init__(self, grouped: bool) -> None:
        self._grouped = grouped
        self._known: dict[int, Judgement] = {}

    def of(self, node: exp.Expr) -> Judgement:
        """The judgement of `node` with all that is below it."""
        known = self._known.get(id(node))
        if known is None:
            parts = _parts(node)
            below = any(self._part_may_fail(node, part) for part in parts)
            own = self._own(node, parts)
            safe = own.may_fail and self._grouped and _after_groups(node)
            known = Judgement(own.type, below or (own.may_fail and not safe))
            self._known[id(node)] = known
        return known

    def type(self, node: exp.Expr | None) -> DataType | None:
        """The type of a node below, NULL's for one that is not there."""
        if node is None:
            return NULL
        return self.of(node).type

    def types(self, nodes: Sequence[exp.Expr]) -> list[DataType | None]:
        """The same for several."""
        return [self.type(node) for node in nodes]

    def _part_may_fail(self, node: exp.Expr, part: exp.Expr) -> bool:
        # A query in these places may give any number of rows; anywhere else more than one is an error.
        any_rows = isinstance(part, exp.Query) and isinstance(node, exp.Exists | exp.In | exp.Any | exp.All)
        return not any_rows and self.of(part).may_fail

    def _own(self, node: exp.Expr, parts: list[exp.Expr]) -> Judgement:
        if isinstance(node, exp.Column):
            return Judgement(marked(node))
        if isinstance(node, exp.Query):
            return Judgement(marked(node), may_fail=not _one_row(node))
        if isinstance(node, exp.Connector):
            return Judgement(FLAG, any(each not in (FLAG, NULL) for each in self.types(parts)))
        rule = _RULES.get(type(node))
        return rule(node, self) if rule is not None else Judgement(None, may_fail=True)


def _literal(node: exp.Expr, of: _Judge) -> Judgement:
    if node.args.get("is_string"):
        return Judgement(TEXT)
    if "e" in node.name.lower():
        return Judgement(DOUBLE)
    whole, point, fraction = node.name.partition(".")
    if point:
        digits = len(whole.lstrip("0")) + len(fraction)
        return Judgement(DataType("decimal", max(digits, 1), len(fraction)), digits > MAX_DIGITS)
    value = int(node.name)
    if value < 2**31:
        return Judgement(INT)
    return Judgement(LONG) if value < 2**63 else Judgement(None, may_fail=True)


def _first(node: exp.Expr, of: _Judge) -> Judgement:
    return Judgement(of.type(node.this) if isinstance(node.this, exp.Expr) else None)


def _flag(node: exp.Expr, of: _Judge) -> Judgement:
    return Judgement(FLAG)


def _compared(node: exp.Expr, of: _Judge) -> Judgement:
    left = of.type(node.this)
    others = [of.type(part) for part in node.iter_expressions() if part is not node.this]
    return Judgement(FLAG, not all(comparable(left, other) for other in others))


def _quantified(node: exp.Expr, of: _Judge) -> Judgement:
    return Judgement(of.type(node.this))


def _condition(node: exp.Expr, of: _Judge) -> Judgement:
    return Judgement(FLAG, of.type(node.this) not in (FLAG, NULL))


def _like(node: exp.Expr, of: _Judge) -> Judgement:
    return Judgement(FLAG, of.type(node.this) not in (TEXT, NULL) or not node.args["expression"].is_string)


def _case(node: exp.Expr, of: _Judge) -> Judgement:
    branches = node.args["ifs"]
    one = common([*(of.type(branch.args["true"]) for branch in branches), of.type(node.args.get("default"))])
    if node.this is None:
        bad = any(of.type(branch.this) not in (FLAG, NULL) for branch in branches)
    else:
        bad = not all(comparable(of.type(node.this), of.type(branch.this)) for branch in branches)
    return Judgement(one.type, bad or one.may_fail)


def _if(node: exp.Expr, of: _Judge) -> Judgement:
    if isinstance(node.parent, exp.Case):
        return Judgement(None)
    one = common([of.type(node.args["true"]), of.type(node.args.get("false"))])
    return Judgement(one.type, one.may_fail or of.type(node.this) not in (FLAG, NULL))


def _cast(node: exp.Expr, of: _Judge) -> Judgement:
    to = cast_type(node.args["to"])
    safe = isinstance(node, exp.TryCast) or safe_cast(node.this, of.type(node.this), to)
    return Judgement(to, not safe)


def _arithmetic(node: exp.Expr, of: _Judge) -> Judgement:
    types = {of.type(node.this), of.type(node.args["expression"])}
    if types <= WHOLE:
        return Judgement(LONG if LONG in types else INT, may_fail=True)
    if types & FLOATING and types <= WHOLE | FLOATING:
        return Judgement(DOUBLE, may_fail=True)
    return Judgement(DATE if types == {DATE, INTERVAL} else None, may_fail=True)


def _sign(node: exp.Expr, of: _Judge) -> Judgement:
    return Judgement(of.type(node.this), not isinstance(node.this, exp.Literal))


def _joined(node: exp.Expr, of: _Judge) -> Judgement:
    return Judgement(TEXT, any(each not in (TEXT, NULL) for each in of.types(list(node.iter_expressions()))))


def _part_of_time(node: exp.Expr, of: _Judge) -> Judgement:
    return Judgement(LONG, of.type(node.args["expression"]) not in TEMPORAL)


_Rule = Callable[[exp.Expr, _Judge], Judgement]
_PASS = (exp.Paren, exp.Alias, exp.Filter, exp.IgnoreNulls, exp.RespectNulls, exp.Window, exp.Order, exp.Ordered)
_NOTHING = (exp.Identifier, exp.Var, exp.DataType, exp.DataTypeParam, exp.Star, exp.WindowSpec, exp.Distinct)
_GROUPS = (exp.Group, exp.GroupingSets, exp.Rollup, exp.Cube, exp.Tuple)
_RULES: dict[type[exp.Expr], _Rule] = {
    exp.Literal: _literal,
    exp.HexString: lambda node, of: Judgement(None),
    exp.UnicodeString: lambda node, of: Judgement(TEXT),
    exp.Null: lambda node, of: Judgement(NULL),
    exp.Boolean: _flag,
    exp.Interval: lambda node, of: Judgement(INTERVAL),
    exp.Is: _flag,
    exp.Exists: _flag,
    exp.In: _compared,
    exp.Between: _compared,
    exp.Like: _like,
    exp.Case: _case,
    exp.If: _if,
    exp.Cast: _cast,
    exp.TryCast: _cast,
    exp.Neg: _sign,
    exp.Any: _quantified,
    exp.All: _quantified,
    **dict.fromkeys(_COMPARISONS, _compared),
    exp.Anonymous: called,
    exp.Trim: _joined,
    exp.DPipe: _joined,
    exp.Extract: _part_of_time,
    exp.GroupConcat: lambda node, of: Judgement(TEXT, may_fail=True),
    exp.CurrentDate: lambda node, of: Judgement(DATE),
    exp.CurrentTimestamp: lambda node, of: Judgement(INSTANT),
    exp.Localtimestamp: lambda node, of: Judgement(TIMESTAMP),
    **dict.fromkeys((exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod), _arithmetic),
    **dict.fromkeys((exp.Not, exp.Where, exp.Having), _condition),
    **dict.fromkeys(_GROUPS, lambda node, of: Judgement(None)),
    **dict.fromkeys((*_PASS, *_NOTHING), _first),
}
