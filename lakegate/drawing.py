"""An answer drawn with characters, for a terminal: bars for a few named values, a chart for many. Pure."""

import math
from collections.abc import Sequence

from athena.errors import Refused

MOST_BARS = 40
CHART_LINES = 12
LABEL_WIDTH = 24
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_HEIGHTS = " ▁▂▃▄▅▆▇█"


def drawing(names: Sequence[str], rows: Sequence[Sequence[object]], numeric: Sequence[bool], *, width: int) -> str:
    """The first column against the first number beside it (`numeric` says which columns are numbers).

    Raises `Refused` (`plot-invalid`) when no column holds numbers or there are no rows.
    """
    ys = [place for place, is_number in enumerate(numeric) if is_number and (place > 0 or len(names) == 1)]
    if not ys or not rows:
        raise Refused(
            "There is nothing to draw: no rows, or no number beside the first column.",
            "Ask for a count or a sum beside a name or a day, such as SELECT day, count(*) … GROUP BY 1 ORDER BY 1.",
            code="plot-invalid",
        )
    labels = ["NULL" if row[0] is None else str(row[0]) for row in rows]
    values = [_number(row[ys[0]]) for row in rows]
    across = names[0] if len(names) > 1 else "row"
    title = f"{names[ys[0]]} by {across}"
    body = _bars(labels, values, width) if len(rows) <= MOST_BARS else _chart(labels, values, width)
    return f"{title}\n{body}"


def _bars(labels: Sequence[str], values: Sequence[float], width: int) -> str:
    r"""One line per value, from zero; negative values are drawn with their sign and the bar of their size.

    >>> print(_bars(["a", "bb"], [4, 2], 20))
    a   4 ██████████████
    bb  2 ███████
    """
    cut = [label if len(label) <= LABEL_WIDTH else label[: LABEL_WIDTH - 1] + "…" for label in labels]
    texts = [_text(value) for value in values]
    left, middle = max(map(len, cut)), max(map(len, texts))
    room = max(4, width - left - middle - 3)
    most = max((abs(value) for value in values if math.isfinite(value)), default=0.0) or 1.0
    lines = []
    for label, text, value in zip(cut, texts, values, strict=True):
        size = abs(value) / most * room if math.isfinite(value) else 0.0
        whole, part = int(size), int((size - int(size)) * 8)
        mark = "▒" * max(1, round(size)) if value < 0 else "█" * whole + _EIGHTHS[part].strip()
        lines.append(f"{label:<{left}}  {text:>{middle}} {mark}".rstrip())
    return "\n".join(lines)


def _chart(labels: Sequence[str], values: Sequence[float], width: int) -> str:
    """Columns from the least to the greatest value; where there are too many, neighbours share one by their mean."""
    known = [value for value in values if math.isfinite(value)]
    if not known:
        return "(no finite value)"
    low, high = min(known), max(known)
    edge = max(len(_text(low)), len(_text(high)))
    count = max(1, min(len(values), width - edge - 2))
    means = [_mean(values[len(values) * at // count : len(values) * (at + 1) // count]) for at in range(count)]
    steps = CHART_LINES * 8
    heights = [0 if mean is None else 1 + round((mean - low) / ((high - low) or 1.0) * (steps - 1)) for mean in means]
    lines = []
    for line in range(CHART_LINES - 1, -1, -1):
        edge_text = _text(high) if line == CHART_LINES - 1 else _text(low) if line == 0 else ""
        cells = "".join(_HEIGHTS[max(0, min(8, height - line * 8))] for height in heights)
        lines.append(f"{edge_text:>{edge}} │{cells}".rstrip())
    room = max(1, count - len(labels[0]))
    lines.append(f"{'':>{edge}}  {labels[0]}{labels[-1]:>{room}}")
    return "\n".join(lines)


def _mean(values: Sequence[float]) -> float | None:
    known = [value for value in values if math.isfinite(value)]
    return sum(known) / len(known) if known else None


def _number(value: object) -> float:
    try:
        return math.nan if value is None else float(str(value))
    except ValueError:
        return math.nan


def _text(value: float) -> str:
    """A value beside its bar.

    >>> _text(1234567.0), _text(0.12345), _text(math.nan)
    ('1,234,567', '0.1235', 'NULL')
    """
    if math.isnan(value):
        return "NULL"
    return f"{value:,.0f}" if math.isfinite(value) and value == int(value) and abs(value) < 1e15 else f"{value:,.4g}"
