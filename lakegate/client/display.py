"""How a lake, a dataset and an answer look in a notebook: plain HTML tables, every text of the data escaped. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lakegate.client.answer import LazyAnswer
    from lakegate.client.dataset import Dataset
    from lakegate.client.lake import LakeClient

_LEFT, _RIGHT = "text-align:left", "text-align:right"
_NUMBERS = frozenset(["int", "long", "float", "double", "decimal"])


def lake_html(lake: "LakeClient") -> str:
    """The lake and its datasets."""
    return f"<p><b>Lake</b> {escape(lake.where)}</p>" + datasets_html(lake.datasets())


def datasets_html(datasets: Iterable["Dataset"]) -> str:
    """A table of datasets."""
    rows = [
        (
            one.name,
            "" if one.rows is None else f"{one.rows:,}",
            str(len(one.columns)),
            _instant(one.committed_at),
            one.listing.description,
        )
        for one in datasets
    ]
    if not rows:
        return "<p>No dataset yet.</p>"
    return table_html(
        ("dataset", "rows", "columns", "committed at", "description"), rows, right=(False, True, True, False, False)
    )


def dataset_html(dataset: "Dataset") -> str:
    """A dataset's facts and columns."""
    count = "" if dataset.rows is None else f"{dataset.rows:,} rows, "
    facts = f"{count}data of {_instant(dataset.committed_at)}, snapshot {escape(dataset.listing.snapshot_id)}"
    described = f"<br>{escape(dataset.listing.description)}" if dataset.listing.description else ""
    rows = [
        (one.name, str(one.type), one.unit or "", "yes" if one.required else "", one.description or "")
        for one in dataset.columns
    ]
    columns = table_html(("column", "type", "unit", "required", "description"), rows)
    return f"<p><b>{escape(dataset.name)}</b>: {facts}{described}</p>{columns}"


def answer_html(answer: "LazyAnswer") -> str:
    """An answer's first rows, and how it came about."""
    shown = answer.head()
    right = [column.type.name in _NUMBERS for column in answer.columns]
    rows = [tuple(_cell(value) for value in row.values()) for row in shown.to_pylist()]
    names = [column.name for column in answer.columns]
    more = f" (first {shown.num_rows})" if answer.row_count > shown.num_rows else ""
    cut = ", cut at its row limit" if answer.truncated else ""
    states = ", ".join(f"{name} of {_instant(ref.committed_at)}" for name, ref in answer.snapshots.items())
    facts = f"{answer.row_count:,} rows{more}{cut}, {answer.cache}{', on ' + states if states else ''}"
    notes = "".join(f"<br>{escape(text)}" for text in answer.warnings)
    return table_html(names, rows, right=right) + f"<p><small>{escape(facts)}{notes}</small></p>"


def table_html(names: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[bool] | None = None) -> str:
    """A table; `right` says which columns stand on the right.

    >>> "&lt;b&gt;" in table_html(["a"], [["<b>"]])
    True
    """
    sides = [_RIGHT if one else _LEFT for one in right or [False] * len(names)]
    head = "".join(f'<th style="{side}">{escape(name)}</th>' for name, side in zip(names, sides, strict=True))
    body = "".join(
        "<tr>"
        + "".join(f'<td style="{side}">{escape(value)}</td>' for value, side in zip(row, sides, strict=True))
        + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    return str(value)


def _instant(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
