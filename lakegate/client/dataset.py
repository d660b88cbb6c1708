"""One dataset, as far as the asker may see it."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from athena.catalogue import Listing
from athena.dataset import REJECTS_SUFFIX, Column
from lakegate.client import Link, PastState, Query
from lakegate.client.answer import LazyAnswer
from lakegate.profile import ColumnProfile, profiled

SAMPLE_ROWS = 10


@dataclass(frozen=True)
class Dataset:
    """`lake["flights"]`: its schema with units and descriptions, freshness, sample, history, rejects."""

    link: Link
    listing: Listing
    progress: bool = True

    @property
    def name(self) -> str:
        """Its name in SQL."""
        return self.listing.name

    @property
    def columns(self) -> tuple[Column, ...]:
        """What may be asked for, with types, units and descriptions."""
        return self.listing.columns

    @property
    def rows(self) -> int | None:
        """How many rows it has; None for a partner who sees some of them only."""
        return self.listing.rows

    @property
    def committed_at(self) -> datetime:
        """When its data last changed."""
        return self.listing.committed_at

    def all(self, *, as_of: datetime | str | None = None) -> LazyAnswer:
        """Every row of the columns that may be seen; `as_of` an instant or a snapshot's id."""
        return self._asked(f"SELECT {self._names} FROM {self.name}", as_of)

    def sample(self, rows: int = SAMPLE_ROWS) -> LazyAnswer:
        """Some rows, whichever come first."""
        return self._asked(f"SELECT {self._names} FROM {self.name} LIMIT {int(rows)}")

    def history(self) -> tuple[PastState, ...]:
        """The snapshots that are kept, oldest first: what `as_of` can name. The owner's alone."""
        return self.link.history(self.name)

    def rejects(self) -> LazyAnswer:
        """The rejected records with file, physical lines, reason and raw text, as far as they are granted."""
        return self._asked(f"SELECT * FROM {self.name}{REJECTS_SUFFIX}")

    def profile(self) -> tuple[ColumnProfile, ...]:
        """Each column's nulls, distinct values, least, greatest and, of numbers, a histogram."""
        return profiled(self.name, self.columns, lambda sql: list(self._asked(sql).rows()))

    def _asked(self, sql: str, as_of: datetime | str | None = None) -> LazyAnswer:
        return LazyAnswer(self.link, Query(sql, as_of=as_of), progress=self.progress)

    @cached_property
    def _names(self) -> str:
        return ", ".join(f'"{column.name}"' for column in self.columns if not column.name.startswith("_"))

    def __repr__(self) -> str:
        count = "" if self.rows is None else f", {self.rows:,} rows"
        return (
            f"<dataset {self.name}: {len(self.columns)} columns{count}, as of {self.committed_at:%Y-%m-%d %H:%M} UTC>"
        )

    def _repr_html_(self) -> str:
        from lakegate.client.display import dataset_html

        return dataset_html(self)
