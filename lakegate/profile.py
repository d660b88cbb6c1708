"""A profile of a dataset's columns by two questions in the lake's own SQL. Pure but for the asking, which is given."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from athena.dataset import Column

BUCKETS = 12
_NUMBERS = frozenset(["int", "long", "float", "double", "decimal"])

Ask = Callable[[str], Sequence[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """What a column holds. `distinct` is about right (2 %); `histogram` counts values in `BUCKETS` equal steps from
    `least` to `greatest`, empty where that has no sense."""

    column: Column
    rows: int
    nulls: int
    distinct: int
    least: object
    greatest: object
    histogram: tuple[int, ...] = ()


def profiled(dataset: str, columns: Sequence[Column], ask: Ask) -> tuple[ColumnProfile, ...]:
    """The profile of each column; `ask` gives the rows of a question by column name."""
    shown = [column for column in columns if not column.name.startswith("_")]
    facts = ask(_facts_sql(dataset, shown))[0]
    found = [_profile(column, facts, place) for place, column in enumerate(shown)]
    spread = [one for one in found if _has_histogram(one)]
    if not spread:
        return tuple(found)
    counts = _counts(spread, ask(_histogram_sql(dataset, spread)))
    return tuple(
        ColumnProfile(
            one.column, one.rows, one.nulls, one.distinct, one.least, one.greatest, counts.get(one.column.name, ())
        )
        for one in found
    )


def bars(counts: Sequence[int]) -> str:
    """A histogram as one line of text.

    >>> bars([0, 1, 4, 8])
    ' ▁▄█'
    """
    most = max(counts, default=0)
    return "".join(" " if count == 0 else "▁▂▃▄▅▆▇█"[max(0, -(-count * 8 // most) - 1)] for count in counts)


def _facts_sql(dataset: str, columns: Sequence[Column]) -> str:
    parts = ["count(*) AS n"]
    for place, column in enumerate(columns):
        name = f'"{column.name}"'
        parts += [f"count({name}) AS n_{place}", f"approx_distinct({name}) AS d_{place}"]
        parts += [f"min({name}) AS l_{place}", f"max({name}) AS g_{place}"]
    return f"SELECT {', '.join(parts)} FROM {dataset}"


def _profile(column: Column, facts: dict[str, Any], place: int) -> ColumnProfile:
    rows, known = int(facts["n"]), int(facts[f"n_{place}"])
    return ColumnProfile(
        column, rows, rows - known, int(facts[f"d_{place}"] or 0), facts[f"l_{place}"], facts[f"g_{place}"]
    )


def _has_histogram(one: ColumnProfile) -> bool:
    if one.column.type.name not in _NUMBERS or one.least is None:
        return False
    low, high = float(_number(one.least)), float(_number(one.greatest))
    return math.isfinite(low) and math.isfinite(high) and low < high


def _histogram_sql(dataset: str, spread: Sequence[ColumnProfile]) -> str:
    questions = []
    for one in spread:
        low, high = float(_number(one.least)), float(_number(one.greatest))
        value = f'CAST("{one.column.name}" AS double)'
        bucket = f"least({BUCKETS}, width_bucket({value}, {_double(low)}, {_double(high)}, {BUCKETS}))"
        questions.append(
            f"SELECT '{one.column.name}' AS c, {bucket} AS b, count(*) AS n FROM {dataset} "
            f'WHERE "{one.column.name}" IS NOT NULL GROUP BY 1, 2'
        )
    return " UNION ALL ".join(questions)


def _counts(spread: Sequence[ColumnProfile], rows: Sequence[dict[str, Any]]) -> dict[str, tuple[int, ...]]:
    found = {one.column.name: [0] * BUCKETS for one in spread}
    for row in rows:
        place = int(row["b"]) - 1
        if 0 <= place < BUCKETS:
            found[row["c"]][place] += int(row["n"])
    return {name: tuple(counts) for name, counts in found.items()}


def _double(value: float) -> str:
    """A double as a literal of SQL.

    >>> _double(1.5), _double(1e300)
    ('1.5e0', '1e+300')
    """
    text = repr(value)
    return text if "e" in text else f"{text}e0"


def _number(value: object) -> float:
    if isinstance(value, int | float | Decimal):
        return float(value)
    if isinstance(value, str):
        return float(value)
    raise TypeError(f"no number: {type(value)}")


def shown(value: object) -> str:
    """A least or greatest value in a table.

    >>> shown(datetime(2026, 5, 1)), shown(None), shown(1.5)
    ('2026-05-01 00:00:00', '', '1.5')
    """
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    return str(value)
