"""A lazy answer: nothing is asked until somebody wants to know, and then once."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from athena.errors import Refused
from athena.question import ResultColumn, SnapshotRef
from lakegate.client import Link, Query, Standing
from lakegate.client.arrow import arrow_schema
from lakegate.client.progress import fetched, shown
from lakegate.client.waiting import final

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    import polars as pl
    import pyarrow as pa
    from matplotlib.axes import Axes

SHOWN_ROWS = 20


class LazyAnswer:
    """The answer to one question. Asked with the first use of its rows or facts; asked once, pages are read anew."""

    def __init__(self, link: Link, query: Query, *, progress: bool = True) -> None:
        self._link = link
        self._progress = progress
        self.query = query

    @cached_property
    def _standing(self) -> Standing:
        return final(self._link, self.query, progress=self._progress)

    @property
    def id(self) -> str:
        """Its id at the server."""
        return self._standing.id

    @property
    def cache(self) -> str:
        """How it came about: hit, miss, joined or bypass."""
        return self._standing.cache

    @property
    def snapshots(self) -> Mapping[str, SnapshotRef]:
        """The state of each table that it was computed on, or is known to equal."""
        return self._standing.snapshots

    @property
    def columns(self) -> tuple[ResultColumn, ...]:
        """Names and types."""
        return self._standing.columns

    @property
    def row_count(self) -> int:
        """How many rows it has."""
        return self._standing.row_count

    @property
    def truncated(self) -> bool:
        """Whether it was cut at a row limit: there is more."""
        return self._standing.truncated

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is to be known of it beside its rows."""
        return self._standing.warnings

    @property
    def submitted_at(self) -> datetime:
        """When it was asked."""
        return self._standing.submitted_at

    def run(self) -> "LazyAnswer":
        """Ask now, and give itself back."""
        _ = self._standing
        return self

    def batches(self) -> "Iterator[pa.RecordBatch]":
        """The rows in order, batch by batch: for what does not fit into memory."""
        return self._link.batches(self._standing)

    def arrow(self) -> "pa.Table":
        """All rows as an Arrow table."""
        import pyarrow as pa

        batches = self.batches()
        with shown(wanted=self._progress) as show:
            found = list(fetched(batches, self.row_count, show=show))
        return pa.Table.from_batches(found, schema=arrow_schema(self.columns))

    def df(self) -> "pd.DataFrame":
        """All rows as a pandas frame of nullable Arrow types: a NULL integer stays an integer, a decimal exact."""
        pandas = _wanted("pandas")
        frame: pd.DataFrame = self.arrow().to_pandas(types_mapper=pandas.ArrowDtype)
        return frame

    def polars(self) -> "pl.DataFrame":
        """All rows as a Polars frame."""
        frame: pl.DataFrame = _wanted("polars").from_arrow(self.arrow())
        return frame

    def duckdb(self, connection: "duckdb.DuckDBPyConnection | None" = None) -> "duckdb.DuckDBPyRelation":
        """The rows as a relation, to go on with in SQL; of `connection`, or of one of its own."""
        import duckdb

        return (connection or duckdb.connect()).from_arrow(self.arrow())

    def rows(self) -> Iterator[dict[str, Any]]:
        """The rows one by one, as Python values."""
        for batch in self.batches():
            yield from batch.to_pylist()

    def value(self) -> Any:
        """The one value of an answer of one row and one column; raises `Refused` for any other."""
        if self.row_count != 1 or len(self.columns) != 1:
            raise Refused(
                f"The answer has {self.row_count} rows and {len(self.columns)} columns.",
                "Use rows(), df() or arrow().",
                code="not-one-value",
            )
        return self.arrow().column(0)[0].as_py()

    def head(self, rows: int = SHOWN_ROWS) -> "pa.Table":
        """The first rows as an Arrow table; no more is read than that."""
        import pyarrow as pa

        found, count = [], 0
        for batch in self.batches():
            found.append(batch.slice(0, rows - count))
            count += found[-1].num_rows
            if count >= rows:
                break
        return pa.Table.from_batches(found, schema=arrow_schema(self.columns))

    def plot(self, kind: str | None = None, **options: Any) -> "Axes":
        """A picture of it: see `lakegate.client.plot.plot`."""
        from lakegate.client.plot import plot

        return plot(self.arrow(), kind, units=self.units(), **options)

    def units(self) -> dict[str, str]:
        """The units of the columns that bear the name of a dataset's column."""
        found: dict[str, str] = {}
        for name in self.snapshots:
            for column in self._link.listing(name).columns:
                if column.unit:
                    found.setdefault(column.name, column.unit)
        return {column.name: found[column.name] for column in self.columns if column.name in found}

    def __repr__(self) -> str:
        if "_standing" not in self.__dict__:
            return f"<a question to {self._link.where}, not asked yet>"
        return f"<{self.row_count:,} rows of {len(self.columns)} columns, {self.cache}>"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        from lakegate.client.display import answer_html

        return {"text/html": answer_html(self), "text/plain": repr(self)}


def _wanted(library: str) -> Any:
    import importlib

    try:
        return importlib.import_module(library)
    except ImportError as error:
        raise Refused(
            f"{library} is not installed.", "pip install 'lakegate[notebooks]'", code="not-installed"
        ) from error
