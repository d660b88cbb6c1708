"""Rejects as they are found: a CSV for the owner of the file, and Parquet for the dataset `<dataset>__rejects`."""

import csv
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from athena.dataset import REJECT_COLUMNS
from athena.errors import Failed
from etl.files import Folder
from etl.plan import WrittenFile
from etl.report import Reject
from etl.transform import arrow_schema
from etl.write import ContentWriter

# The table is made with these ids, and never evolves by itself.
COLUMNS = tuple(replace(column, field_id=number) for number, column in enumerate(REJECT_COLUMNS, 1))


def no_keeping(_path: Path) -> None:
    """Where a file is where it belongs as soon as it is written."""


class RejectsCsv:
    """Rejects in a file at `path`, which `keep` is told of once it is whole. No rejects, no file."""

    def __init__(self, path: Path, *, load_id: str, file: str, keep: Callable[[Path], None] = no_keeping) -> None:
        self._path = path
        self._load_id = load_id
        self._file = file
        self._keep = keep
        self.rows = 0

    def write(self, rejects: Iterable[Reject]) -> None:
        """Add rows below the header. Raises `Failed` ("disk")."""
        rows = [reject.as_row(load_id=self._load_id, file=self._file) for reject in rejects]
        if not rows:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8", newline="") as stream:
                writer = csv.DictWriter(stream, [column.name for column in REJECT_COLUMNS])
                if not self.rows:
                    writer.writeheader()
                writer.writerows(rows)
        except OSError as error:
            raise Failed(
                f"{self._path} could not be written: {error.strerror}.",
                "Make room on the disk, then load again.",
                code="disk",
            ) from error
        self.rows += len(rows)

    def close(self) -> None:
        """Nothing comes after this. Raises `Failed`."""
        if self.rows:
            self._keep(self._path)

    def abort(self) -> None:
        """Remove what was written."""
        self._path.unlink(missing_ok=True)


class RejectsTable:
    """The rejects of one commit as Parquet files."""

    def __init__(self, folder: Folder, stem: str) -> None:
        self._writer = ContentWriter(folder, f"{stem}-rejects", COLUMNS)
        self._schema = arrow_schema(COLUMNS)

    def write(self, rejects: Iterable[Reject], *, load_id: str, file: str) -> None:
        """Add rows. Raises `Failed` ("disk")."""
        rows = [reject.as_row(load_id=load_id, file=file) for reject in rejects]
        if rows:
            self._writer.write(pa.RecordBatch.from_pylist(rows, schema=self._schema))

    def close(self) -> tuple[WrittenFile, ...]:
        """The finished files."""
        return self._writer.close()

    def abort(self) -> None:
        """Remove what was written."""
        self._writer.abort()
