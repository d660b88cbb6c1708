"""What a contract leaves open about one file: how its dates are written, and its decimal mark. Pure.

Found from a sample by vote, so that a few bad values change nothing; what stays open is what would be a guess.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from athena.dataset import Column
from etl._form import NUMERIC
from etl._kinds import (
    COMMA,
    COMMA_GROUPED,
    DATE,
    GROUPED,
    POINT,
    POINT_GROUPED,
    TIMESTAMP,
    TIMESTAMPTZ,
    is_format,
    kinds,
)
from etl._values import MISSING, without_currency
from etl.contract import SourceRules

_MOST = 0.9
_VOTERS = 120
_TIMED = {"date": {DATE, TIMESTAMP}, "timestamp": {TIMESTAMP}, "timestamptz": {TIMESTAMPTZ, TIMESTAMP}}
_REAL = frozenset(["float", "double", "decimal"])


def settle(
    columns: Sequence[Column], values: Mapping[str, Sequence[str]], rules: SourceRules
) -> tuple[SourceRules, tuple[str, ...]]:
    """The rules with formats, decimal mark and grouping that the sample's values tell; and the columns whose dates
    could be read in two ways.

    >>> from athena.dataset import parse_type
    >>> day, fare = Column("day", parse_type("date")), Column("fare", parse_type("double"))
    >>> settle([day, fare], {"day": ["13.04.2026"], "fare": ["1.234,5"]}, SourceRules())[0].decimal
    ','
    >>> settle([fare], {"fare": ["$1,234.50", "$9"]}, SourceRules(formats={"fare": "currency"}))[0].thousands
    ','
    """
    formats, open_columns = dict(rules.formats), []
    for column in columns:
        if column.type.name in _TIMED and column.name not in formats:
            found = _formats(values.get(column.name, ()), _TIMED[column.type.name])
            if len(found) == 1:
                formats[column.name] = found[0]
            elif found:
                open_columns.append(column.name)
    rules = replace(rules, formats=formats)
    if rules.decimal is None:
        amounts = {one.name: _bare(values.get(one.name, ()), formats.get(one.name)) for one in columns}
        rules = _with_decimal(rules, [text for one in columns if one.type.name in _REAL for text in amounts[one.name]])
        if rules.decimal is None and rules.thousands is None:
            rules = _with_grouping(
                rules, [text for one in columns if one.type.name in NUMERIC for text in amounts[one.name]]
            )
    return rules, tuple(open_columns)


def _bare(values: Sequence[str], form: str | None) -> Sequence[str]:
    """The numbers of a column without the signs that its format drops."""
    return [without_currency(text) for text in values] if form == "currency" else values


def _present(values: Sequence[str]) -> list[str]:
    return [text for value in values if (text := value.strip(" \t")) not in MISSING]


def _formats(values: Sequence[str], plain: set[str]) -> list[str]:
    """The formats that most values have; none when most need no format."""
    present = _present(values)[:_VOTERS]
    votes = Counter(kind for text in present for kind in kinds(text))
    if any(votes[kind] >= _MOST * len(present) for kind in plain):
        return []
    return sorted(kind for kind, count in votes.items() if is_format(kind) and count >= _MOST * len(present))


def _with_decimal(rules: SourceRules, values: Sequence[str]) -> SourceRules:
    if not any("," in text for text in values):
        return rules
    found = [kinds(text) for text in _present(values)]
    # 1,234 may be grouped, as 1.234 below: it says nothing for a comma.
    commas = [one for one in found if (COMMA in one or COMMA_GROUPED in one) and not {POINT, GROUPED} & one]
    # 1.234 may be grouped: it says nothing against a comma.
    points = [text for text in _present(values) if _has_point(text)]
    if len(commas) <= len(points):
        return rules
    grouped = any("." in text for text in _present(values))
    return replace(rules, decimal=",", thousands=rules.thousands or ("." if grouped else None))


def _with_grouping(rules: SourceRules, values: Sequence[str]) -> SourceRules:
    """With commas before thousands where values say so by themselves (1,234.5 or 1,234,567), and none contradicts."""
    found = [kinds(text) for text in _present(values) if "," in text]
    grouped = any({GROUPED, POINT_GROUPED} & one and COMMA not in one for one in found)
    contradicted = any({COMMA, COMMA_GROUPED} & one and not {GROUPED, POINT_GROUPED} & one for one in found)
    return replace(rules, thousands=",") if grouped and not contradicted else rules


def _has_point(text: str) -> bool:
    one = kinds(text)
    if POINT_GROUPED in one and POINT not in one:
        return True
    whole, mark, decimals = text.rpartition(".")
    return POINT in one and bool(mark) and not (len(decimals) == 3 and whole.lstrip("+-").isdigit() and len(whole) < 5)
