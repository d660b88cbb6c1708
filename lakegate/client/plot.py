"""Pictures of an answer that are worth printing: labelled axes with units, readable sizes, colours for everybody."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from athena.errors import Refused

if TYPE_CHECKING:
    import pyarrow as pa
    from matplotlib.axes import Axes

# Okabe and Ito's palette, told apart by readers of every colour vision: https://jfly.uni-koeln.de/color/
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
KINDS = ("line", "bar", "barh", "scatter", "hist", "heatmap")
SIZE_INCHES = (9.0, 5.0)
DOTS_PER_INCH = 110
MOST_BARS = 60
_STYLE: Any = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#DDDDDD",
    "font.size": 11,
    "axes.titlesize": 13,
    "axes.titlelocation": "left",
}


def plot(
    table: "pa.Table",
    kind: str | None = None,
    *,
    x: str | None = None,
    y: str | Sequence[str] | None = None,
    by: str | None = None,
    units: Mapping[str, str] | None = None,
    **labels: Any,
) -> "Axes":
    """A picture of a table: `kind` is line, bar, barh, scatter, hist or heatmap (else what the columns suggest).

    `x` defaults to the first column, `y` to the numbers beside it (a histogram needs `x` alone, a heatmap `x`, `by`
    and `y`), `by` makes a series of each of its values. `units` stand in brackets on the axes. `labels`: `title`,
    `xlabel`, `ylabel`, `ax` to draw on, `bins`. Raises `Refused` (`plot-invalid`) for what cannot be drawn.
    """
    import matplotlib.pyplot as plt

    chosen = _choice(table, kind, x, y, by)
    ax = labels.pop("ax", None)
    # Made before the style is set: what a notebook sets with its first figure would be undone with the style.
    figure = ax.figure if ax is not None else plt.figure(figsize=SIZE_INCHES, layout="constrained", dpi=DOTS_PER_INCH)
    with plt.rc_context(_STYLE):
        ax = ax if ax is not None else figure.add_subplot()
        _DRAWN[chosen.kind](ax, table, chosen, labels)
        _label(ax, chosen, units or {}, labels)
    return ax


@dataclass(frozen=True, slots=True)
class _Choice:
    """What to draw of which columns."""

    kind: str
    x: str
    ys: Sequence[str]
    by: str | None


def _choice(
    table: "pa.Table", kind: str | None, x: str | None, y: str | Sequence[str] | None, by: str | None
) -> _Choice:
    if kind is not None and kind not in KINDS:
        raise _invalid(f"{kind!r} is no kind of plot.", f"Use {', '.join(KINDS)}.")
    if not table.num_rows or not table.num_columns:
        raise _invalid("There are no rows to draw.", "Ask for more.")
    across = x or table.column_names[0]
    given = [y] if isinstance(y, str) else list(y or ())
    _check_columns(table, (across, *given, *([by] if by else [])))
    numbers = [field.name for field in table.schema if _is_number(field.type)]
    ys = given or [name for name in numbers if name not in (across, by)]
    if kind == "hist" or (kind is None and table.num_columns == 1 and across in numbers):
        return _Choice("hist", across, ys, by)
    _check_numbers(ys, numbers)
    if kind == "heatmap" and by is None:
        raise _invalid("A heatmap needs x=, by= and y=.", "Name the column of its lines with by=.")
    return _Choice(kind or _suggested(table.schema.field(across).type), across, ys, by)


def _check_columns(table: "pa.Table", names: Iterable[str]) -> None:
    for name in names:
        if name not in table.column_names:
            raise _invalid(f"There is no column {name!r}.", f"There are {', '.join(table.column_names)}.")


def _check_numbers(names: Sequence[str], numbers: Sequence[str]) -> None:
    if not names:
        raise _invalid("No column holds numbers to draw.", "Name y=, or ask for a count or a sum.")
    for name in names:
        if name not in numbers:
            raise _invalid(f"{name} holds no numbers.", "Name another y=.")


def _suggested(over: "pa.DataType") -> str:
    """What suits a column along the horizontal axis."""
    import pyarrow as pa

    return "line" if pa.types.is_temporal(over) or _is_number(over) else "bar"


def _series(table: "pa.Table", chosen: _Choice) -> list[tuple[str, list[Any], list[float | None]]]:
    """Name, x and y of each series, in the order of the rows."""
    columns = {name: table[name].to_pylist() for name in {chosen.x, *chosen.ys, *([chosen.by] if chosen.by else [])}}
    if chosen.by is None:
        return [(name.replace("_", " "), columns[chosen.x], _floats(columns[name])) for name in chosen.ys]
    found: dict[str, tuple[list[Any], list[float | None]]] = {}
    values = _floats(columns[chosen.ys[0]])
    for at, name in enumerate(columns[chosen.by]):
        xs, ys = found.setdefault(str(name), ([], []))
        xs.append(columns[chosen.x][at])
        ys.append(values[at])
    return [(name, xs, ys) for name, (xs, ys) in found.items()]


def _lines(ax: "Axes", table: "pa.Table", chosen: _Choice, labels: Mapping[str, Any]) -> None:
    from matplotlib.ticker import MaxNLocator

    for place, (name, xs, ys) in enumerate(_series(table, chosen)):
        drawn: Any = [float("nan") if value is None else value for value in ys]
        style = ("-", "--", ":")[place // len(COLOURS) % 3]
        ax.plot(xs, drawn, style, color=COLOURS[place % len(COLOURS)], label=name, linewidth=2)
        if all(isinstance(x, int) for x in xs):
            ax.xaxis.set_major_locator(MaxNLocator(integer=True))


def _points(ax: "Axes", table: "pa.Table", chosen: _Choice, labels: Mapping[str, Any]) -> None:
    for place, (name, xs, ys) in enumerate(_series(table, chosen)):
        drawn: Any = [float("nan") if value is None else value for value in ys]
        ax.scatter(xs, drawn, s=18, alpha=0.6, color=COLOURS[place % len(COLOURS)], label=name)


def _bars(ax: "Axes", table: "pa.Table", chosen: _Choice, labels: Mapping[str, Any]) -> None:
    series = _series(table, chosen)
    places = {value: at for at, value in enumerate(dict.fromkeys(x for _, xs, _ in series for x in xs))}
    if len(places) > MOST_BARS:
        raise _invalid(f"{len(places)} bars are too many to read.", "Add ORDER BY and LIMIT, or draw a line.")
    lying = chosen.kind == "barh"
    wide = 0.8 / len(series)
    for place, (name, xs, ys) in enumerate(series):
        at = [places[x] + (place - (len(series) - 1) / 2) * wide for x in xs]
        heights = [value or 0.0 for value in ys]
        colour = COLOURS[place % len(COLOURS)]
        (ax.barh if lying else ax.bar)(at, heights, wide * 0.95, color=colour, label=name)
    names = ["NULL" if value is None else str(value) for value in places]
    if lying:
        ax.set_yticks(range(len(places)), names)
        ax.invert_yaxis()
        ax.grid(visible=False, axis="y")
    else:
        slanted = max(map(len, names)) * len(names) > 90
        ax.set_xticks(range(len(places)), names, rotation=45 if slanted else 0, ha="right" if slanted else "center")
        ax.grid(visible=False, axis="x")


def _histogram(ax: "Axes", table: "pa.Table", chosen: _Choice, labels: Mapping[str, Any]) -> None:
    known = [value for value in _floats(table[chosen.x].to_pylist()) if value is not None and value == value]
    ax.hist(known, bins=labels.get("bins", 40), color=COLOURS[0], edgecolor="white", linewidth=0.4)


def _heatmap(ax: "Axes", table: "pa.Table", chosen: _Choice, labels: Mapping[str, Any]) -> None:
    assert chosen.by is not None  # noqa: S101 - asked before
    across, down = table[chosen.x].to_pylist(), table[chosen.by].to_pylist()
    xs, ys = sorted(dict.fromkeys(across), key=_order), sorted(dict.fromkeys(down), key=_order)
    cells = [[float("nan")] * len(xs) for _ in ys]
    for x, y, value in zip(across, down, _floats(table[chosen.ys[0]].to_pylist()), strict=True):
        cells[ys.index(y)][xs.index(x)] = float("nan") if value is None else value
    image = ax.imshow(cells, aspect="auto", cmap="cividis", origin="lower")
    ax.set_xticks(range(len(xs)), [str(value) for value in xs], rotation=90 if len(xs) > 16 else 0)
    ax.set_yticks(range(len(ys)), [str(value) for value in ys])
    ax.grid(visible=False)
    figure = ax.figure
    figure.colorbar(image, ax=ax, label=labels.get("value_label", chosen.ys[0]))


_DRAWN = {"line": _lines, "scatter": _points, "bar": _bars, "barh": _bars, "hist": _histogram, "heatmap": _heatmap}


def _label(ax: "Axes", chosen: _Choice, units: Mapping[str, str], labels: Mapping[str, Any]) -> None:
    def named(name: str) -> str:
        plain = name.replace("_", " ")
        return f"{plain} [{units[name]}]" if name in units else plain

    across = named(chosen.x)
    if chosen.kind == "hist":
        up = "rows"
    elif chosen.kind == "heatmap":
        up = named(chosen.by or "")
    else:
        up = named(chosen.ys[0]) if len(chosen.ys) == 1 or chosen.by else "value"
    if chosen.kind in ("line", "scatter", "bar", "hist"):
        _group_digits(ax.yaxis)
    elif chosen.kind == "barh":
        _group_digits(ax.xaxis)
    if chosen.kind == "barh":
        across, up = up, across
    ax.set_xlabel(labels.get("xlabel", across))
    ax.set_ylabel(labels.get("ylabel", up))
    if "title" in labels:
        ax.set_title(labels["title"])
    if chosen.kind not in ("hist", "heatmap") and (chosen.by or len(chosen.ys) > 1):
        ax.legend(title=None if chosen.by is None else chosen.by.replace("_", " "), frameon=False)


def _group_digits(axis: Any) -> None:
    """Thousands in groups, where numbers are that large."""
    if max(map(abs, axis.get_view_interval())) >= 10_000:
        axis.set_major_formatter("{x:,.0f}")


def _floats(values: Sequence[Any]) -> list[float | None]:
    return [None if value is None else float(value) for value in values]


def _order(value: Any) -> tuple[bool, Any]:
    return (value is None, value)


def _is_number(kind: "pa.DataType") -> bool:
    import pyarrow as pa

    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _invalid(message: str, remedy: str) -> Refused:
    return Refused(message, remedy, code="plot-invalid")
