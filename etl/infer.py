"""What was seen of a file's columns → their types, what must be said of how they are written, and warnings. Pure.

Nothing is guessed: a column whose values do not all agree is text, and the owner is told why.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from athena.dataset import Column, DataType, promotes
from athena.errors import Refused
from etl._kinds import COMMA, COMMA_GROUPED, GROUPED, LOOKS_TYPED, POINT, POINT_GROUPED, is_format, type_of
from etl._seen import Seen, has_two_readings
from etl.contract import SourceRules

_STRING = DataType("string")
_MANY = 10
_SHOWN = 40
# Often written for a missing value, but a value elsewhere: the contract says which.
_PLACEHOLDERS = frozenset(["-", "--", ".", "..", "?", "None", "none", "n/a", "#N/A", "\\N", "n.a.", "NaN", "nan"])


@dataclass(frozen=True, slots=True)
class Inferred:
    """`columns` in the order asked for; `unknown` names those without any value, `exact` those whose numbers are exact
    as doubles. `rules` are the given ones, completed by formats, decimal mark and grouping. `odd` are, of columns that
    are text, the value that made them so, and its line."""

    columns: tuple[Column, ...]
    rules: SourceRules
    unknown: frozenset[str]
    exact: frozenset[str]
    warnings: tuple[str, ...]
    odd: Mapping[str, tuple[str, int]] = field(default_factory=dict)


def decide(seen: Mapping[str, Seen], rules: SourceRules) -> Inferred:
    """The types of the columns that were seen, in their order.

    >>> seen = {"n": Seen().and_values([("1", 2), ("2", 3)], 2), "zip": Seen().and_values([("007", 2)], 1)}
    >>> [str(column.type) for column in decide(seen, SourceRules()).columns]
    ['int', 'string']
    """
    kinds = {name: one.likeliest for name, one in seen.items()}
    kinds |= _by_other_columns(seen, kinds, rules)
    decimal = rules.decimal or _decimal_mark(kinds)
    unfit = _unfit(decimal)
    kinds = {name: None if kind in unfit else kind for name, kind in kinds.items()}
    columns = tuple(Column(name, type_of(kind) if kind else _STRING) for name, kind in kinds.items())
    formats = {name: kind for name, kind in kinds.items() if kind and is_format(kind)}
    thousands = rules.thousands
    if thousands is None and {POINT_GROUPED, COMMA_GROUPED, GROUPED} & set(kinds.values()):
        thousands = "." if decimal == "," else ","
    completed = replace(
        rules,
        formats={**rules.formats, **formats},
        decimal=decimal if decimal == "," else rules.decimal,
        thousands=thousands,
    )
    warnings = [warning for name, one in seen.items() for warning in _warnings(name, one, kinds[name], decimal)]
    unknown = frozenset(name for name, one in seen.items() if one.kinds is None)
    exact = frozenset(
        name for name, one in seen.items() if one.kinds is not None and {POINT, COMMA, GROUPED} & one.kinds
    )
    odd = {name: one.odd[:2] if one.odd else one.first for name, one in seen.items() if kinds[name] is None}
    met = {name: one for name, one in odd.items() if one is not None}
    return Inferred(columns, completed, unknown, exact, tuple(warnings), met)


def _by_other_columns(
    seen: Mapping[str, Seen], kinds: Mapping[str, str | None], rules: SourceRules
) -> dict[str, str | None]:
    """What values like 1,234 are where the rules or all other columns say what commas are for; undecided otherwise."""
    marked = set(kinds.values())
    decimal = rules.decimal == "," or bool({COMMA, COMMA_GROUPED} & marked)
    thousands = "," in (rules.thousands or "") or rules.decimal == "." or bool({POINT, POINT_GROUPED, GROUPED} & marked)
    if decimal == thousands:
        return {}
    open_columns = [name for name, one in seen.items() if one.kinds is not None and has_two_readings(one.kinds)]
    return dict.fromkeys(open_columns, COMMA if decimal else GROUPED)


def _decimal_mark(kinds: Mapping[str, str | None]) -> str:
    """The mark of most columns; a comma only where more are written with it than with a point."""
    commas = sum(kind in (COMMA, COMMA_GROUPED) for kind in kinds.values())
    points = sum(kind in (POINT, POINT_GROUPED, GROUPED) for kind in kinds.values())
    return "," if commas > points else "."


def _unfit(decimal: str) -> frozenset[str]:
    return frozenset([POINT, POINT_GROUPED, GROUPED]) if decimal == "," else frozenset([COMMA, COMMA_GROUPED])


def _warnings(name: str, seen: Seen, kind: str | None, decimal: str) -> list[str]:
    found: list[str] = []
    if kind is not None and seen.words:
        words = ", ".join(sorted(seen.words))
        found.append(f"{name}: {words} counted as missing, because every other value is {_called(kind)}.")
    if kind is not None or seen.kinds is None:
        return found
    formats = sorted(one for one in seen.kinds if is_format(one))
    if len(formats) > 1:
        found.append(
            f"{name} stays text: its dates can be read as {' or '.join(formats)}. "
            f'Say which in the contract: formats = {{ {name} = "{formats[0]}" }}.'
        )
    elif has_two_readings(seen.kinds):
        found.append(
            f"{name} stays text: the commas in its values can stand before decimals or thousands. "
            'Say which in the contract: decimal = "," or thousands = ",".'
        )
    elif seen.likeliest is not None:
        found.append(
            f"{name} stays text: it is written with another decimal mark than {decimal!r}, unlike other columns."
        )
    elif seen.odd is not None and seen.odd[0] in _PLACEHOLDERS:
        value, line, before = seen.odd
        found.append(
            f"{name} stays text: up to line {line} its values were {_called(before)}, but {value!r} is not. "
            f'If that stands for a missing value, say so in the contract: null = ["", "NA", {json.dumps(value)}].'
        )
    elif seen.odd is not None and seen.odd[1] > _MANY:
        value, line, before = seen.odd
        found.append(
            f"{name} stays text: up to line {line} its values were {_called(before)}, but {value[:_SHOWN]!r} is not."
        )
    elif LOOKS_TYPED in seen.kinds:
        found.append(looks_typed(name))
    return found


def looks_typed(name: str) -> str:
    """What is told of a column whose values all look like some type and have none."""
    return (
        f"{name} stays text: it looks like numbers, dates or booleans, but no type holds every value as it is written."
    )


def _called(kind: str) -> str:
    return f"of type {type_of(kind)}" if kind else "of one type"


def fit(
    contract: Sequence[Column], inferred: Inferred, *, new: Sequence[str], widen: bool
) -> tuple[tuple[Column, ...], tuple[str, ...]]:
    """The contract's columns as a file may widen them (while the contract is not confirmed), the file's new ones
    behind them; and which are new. Raises `Refused` ("type-conflict") when a column cannot be widened legally."""
    found = {column.name: column for column in inferred.columns}
    known = [_widened(column, found.get(column.name), inferred) if widen else column for column in contract]
    added = [found[name] for name in new if name in found]
    return (*known, *added), tuple(column.name for column in added)


def _widened(column: Column, found: Column | None, inferred: Inferred) -> Column:
    if found is None or column.name in inferred.unknown:
        return column
    old, new = column.type, found.type
    if old == new or old.name == "string" or _holds(old, new, exact=column.name in inferred.exact):
        return column
    if promotes(old, new):
        return replace(column, type=new)
    raise Refused(
        f"{column.name} is {old} in the contract, but {new} by this file's values{_at(inferred.odd.get(column.name))}.",
        f"{_way_out(column.name, old, new)}; or confirm the contract, then values that do not fit are rejected one by "
        "one.",
        code="type-conflict",
    )


def _at(odd: tuple[str, int] | None) -> str:
    return f": line {odd[1]} has {odd[0][:_SHOWN]!r}" if odd else ""


def _holds(old: DataType, new: DataType, *, exact: bool) -> bool:
    """Whether values of the new type can be written into the old one as they are."""
    if old.name == "double":
        return new.name == "float" or (exact and new.name in ("int", "long"))
    wider = {"long": {"int"}, "decimal": {"int", "long", "double", "float"}, "timestamp": {"date"}}
    return new.name in wider.get(old.name, set())


def _way_out(name: str, old: DataType, new: DataType) -> str:
    """What the owner can do about a type that does not widen.

    >>> _way_out("at", DataType("timestamptz"), DataType("timestamp"))
    'Say in the contract where the clocks of at stand that tell no offset, as in zone = "Europe/Berlin"'
    """
    if old.name == "timestamptz" and new.name == "timestamp":
        return f'Say in the contract where the clocks of {name} stand that tell no offset, as in zone = "Europe/Berlin"'
    return f'Mend the file; or set its type to "{_common(old, new)}" in the contract and reload all files'


def _common(old: DataType, new: DataType) -> str:
    numbers = {"int", "long", "float", "double"}
    if {old.name, new.name} == {"date", "timestamp"}:
        return "timestamp"
    return "double" if {old.name, new.name} <= numbers and "long" not in (old.name, new.name) else "string"
