"""What a contract leaves open about one file: how its dates are written, and its decimal mark. Pure.

Found from a sample by vote, so that a few bad values change nothing; what stays open is what would be a guess.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from athena.dataset import Column
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
from etl._values import MISSING
from etl.contract import SourceRules

_MOST = 0.9
_VOTERS = 120
_TIMED = {"date": {DATE, TIMESTAMP}, "timestamp": {TIMESTAMP}, "timestamptz": {TIMESTAMPTZ, TIMESTAMP}}
_REAL = frozenset(["float", "double", "decimal"])


def settle(
    columns: Sequence[Column], values: Mapping[str, Sequence[str]], rules: SourceRules
) -> tuple[SourceRules, tuple[str, ...]]:
    """The rules with formats and decimal mark that the sample's values tell; and the columns whose dates could be read
    in two ways.

    >>> from athena.dataset import parse_type
    >>> day, fare = Column("day", parse_type("date")), Column("fare", parse_type("double"))
    >>> settle([day, fare], {"day": ["13.04.2026"], "fare": ["1.234,5"]}, SourceRules())[0].decimal
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
        numbers = [text for column in columns if column.type.name in _REAL for text in values.get(column.name, ())]
        rules = _with_decimal(rules, numbers)
    return rules, tuple(open_columns)


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


def _has_point(text: str) -> bool:
    one = kinds(text)
    if POINT_GROUPED in one and POINT not in one:
        return True
    whole, mark, decimals = text.rpartition(".")
    return POINT in one and bool(mark) and not (len(decimals) == 3 and whole.lstrip("+-").isdigit() and len(whole) < 5)
