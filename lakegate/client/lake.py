"""The lake as an analyst holds it: its datasets, and questions to them."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from athena.dataset import check_dataset_name
from athena.errors import NotFound, Refused
from athena.question import Scalar
from lakegate.client import Link, Query
from lakegate.client.answer import LazyAnswer
from lakegate.client.dataset import Dataset

if TYPE_CHECKING:
    import pyarrow as pa

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1


class LakeClient:
    """One lake, wherever it is. Use it as a context manager or `close` it; safe to share between threads.

    With `progress` what takes long shows a bar, on a terminal and in a notebook.
    """

    def __init__(self, link: Link, *, progress: bool = True) -> None:
        self.link = link
        self.progress = progress

    @property
    def where(self) -> str:
        """What this leads to: a home, a server or a stage."""
        return self.link.where

    def datasets(self) -> "Datasets":
        """Everything that may be asked about."""
        return Datasets(tuple(Dataset(self.link, listing, self.progress) for listing in self.link.listings()))

    def __getitem__(self, name: str) -> Dataset:
        """One dataset; raises `NotFound` for what is absent, denied or hidden."""
        return Dataset(self.link, self.link.listing(check_dataset_name(name)), self.progress)

    def __contains__(self, name: object) -> bool:
        try:
            return isinstance(name, str) and self[name] is not None
        except (NotFound, Refused):
            return False

    def sql(
        self,
        text: str,
        parameters: Sequence[object] | Mapping[str, object] = (),
        *,
        limit: int | None = None,
        refresh: bool = False,
        as_of: datetime | str | None = None,
    ) -> LazyAnswer:
        """A question in Athena's SQL, asked when its answer is used.

        `parameters` fill `?` by place or `:name` by name, typed: dates, instants and decimals are passed as text, so
        CAST them. `refresh` computes anew; `as_of` (an instant or a snapshot's id) reads every table as of then.
        """
        if as_of is not None and not isinstance(as_of, str | datetime):
            raise Refused(
                f"as_of is a {type(as_of).__name__}.",
                "Give a snapshot's id, or an instant with its zone such as 2026-05-01T12:00:00Z.",
                code="as-of-invalid",
            )
        query = Query(text, _scalars(parameters), limit=limit, refresh=refresh, as_of=as_of)
        return LazyAnswer(self.link, query, progress=self.progress)

    def load(
        self, data: object, *, dataset: str, source: str = "default", name: str | None = None
    ) -> dict[str, object]:
        """Load a file (its path), or a pandas, Polars or Arrow table, through landing; gives the load's report.

        `name` is the landing file's name (the file's own, else `upload.csv`): the same name again replaces. On AWS the
        file is put into the landing bucket (status `landed`), and the job that this starts loads it.
        """
        check_dataset_name(dataset)
        if isinstance(data, str | Path):
            return dict(self.link.load(Path(data), dataset=dataset, source=source))
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / (name or "upload.csv")
            _write_csv(_table(data), file)
            return dict(self.link.load(file, dataset=dataset, source=source))

    def close(self) -> None:
        """Let go of what is held; embedded: stop the engine."""
        self.link.close()

    def __enter__(self) -> "LakeClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<lake: {self.where}>"

    def _repr_html_(self) -> str:
        from lakegate.client.display import lake_html

        return lake_html(self)


class Datasets(Sequence[Dataset]):
    """The datasets of a lake, in a list that a notebook shows as a table."""

    def __init__(self, found: tuple[Dataset, ...]) -> None:
        self._found = found

    def __getitem__(self, place: Any) -> Any:
        return self._found[place]

    def __len__(self) -> int:
        return len(self._found)

    def __iter__(self) -> Iterator[Dataset]:
        return iter(self._found)

    def __repr__(self) -> str:
        return "\n".join(map(repr, self._found)) or "<no dataset>"

    def _repr_html_(self) -> str:
        from lakegate.client.display import datasets_html

        return datasets_html(self._found)


def _scalars(given: Sequence[object] | Mapping[str, object]) -> tuple[Scalar, ...] | Mapping[str, Scalar]:
    if isinstance(given, str):
        raise Refused("parameters is one text.", f"Give a list, such as [{given[:20]!r}].", code="parameters-invalid")
    if isinstance(given, Mapping):
        return {name: _scalar(value) for name, value in given.items()}
    return tuple(_scalar(value) for value in given)


def _scalar(value: object) -> Scalar:
    """A value of Python or NumPy as a parameter.

    >>> _scalar(date(2026, 5, 1)), _scalar(Decimal("1.50")), _scalar(True)
    ('2026-05-01', '1.50', True)
    """
    if hasattr(value, "item") and not isinstance(value, str | bytes):
        value = value.item()  # a NumPy scalar
    if value is None or isinstance(value, bool | float | str):
        return value
    if isinstance(value, int) and INT64_MIN <= value <= INT64_MAX:
        return value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(sep=" ").replace("+00:00", " UTC") if value.tzinfo else str(value)
    if isinstance(value, date | Decimal):
        return str(value)
    raise Refused(
        f"A parameter is a {type(value).__name__}.",
        "Give text, a number, true, false or None; CAST the rest from text.",
        code="parameters-invalid",
    )


def _table(data: object) -> "pa.Table":
    import pyarrow as pa

    if isinstance(data, pa.Table):
        return data
    if isinstance(data, pa.RecordBatch):
        return pa.Table.from_batches([data])
    if hasattr(data, "__arrow_c_stream__"):
        table = pa.table(data)
        plain = [field.with_type(pa.string()) if field.type == pa.string_view() else field for field in table.schema]
        return table.cast(pa.schema(plain))  # Polars' texts are views, which the CSV writer does not know
    raise Refused(
        f"A {type(data).__name__} cannot be loaded.",
        "Give the path of a file, a pandas or Polars frame, or an Arrow table.",
        code="load-unavailable",
    )


def _write_csv(table: "pa.Table", file: Path) -> None:
    """NULL as an empty field, an empty text in quotes, instants in ISO 8601."""
    import pyarrow as pa
    from pyarrow import csv

    index = [name for name in table.column_names if name.startswith("__index_level_")]
    table = table.drop_columns(index)
    nested = [field.name for field in table.schema if pa.types.is_nested(field.type)]
    if nested:
        raise Refused(
            f"Column {nested[0]} holds lists or structs.",
            "Spread it over columns of plain values.",
            code="load-unavailable",
        )
    csv.write_csv(table, file, csv.WriteOptions(quoting_style="needed"))
