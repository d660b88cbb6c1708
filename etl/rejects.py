"""Rejects as they are found: a CSV for the owner of the file, and Parquet for the dataset `<dataset>__rejects`."""

import csv
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from athena.dataset import REJECT_COLUMNS
from athena.errors import Failed
from etl.plan import WrittenFile
from etl.report import Reject
from etl.transform import arrow_schema
from etl.write import ContentWriter

# The table is made with these ids, and never evolves by itself.
COLUMNS = tuple(replace(column, field_id=number) for number, column in enumerate(REJECT_COLUMNS, 1))
UNFINISHED = ".part"


class RejectsCsv:
    """Has another name while it is written, until `finish_csv` once the load is committed. No rejects, no file."""

    def __init__(self, folder: Path, *, load_id: str, file: str) -> None:
        self._path = unfinished_csv(folder, load_id)
        self._load_id = load_id
        self._file = file
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

    def abort(self) -> None:
        """Remove what was written."""
        self._path.unlink(missing_ok=True)


def csv_of(folder: Path, load_id: str) -> Path:
    """Where the rejects of a load lie, below the folder of its key."""
    return folder / f"{load_id}.rejects.csv"


def unfinished_csv(folder: Path, load_id: str) -> Path:
    """Where they lie until the load is committed."""
    return folder / f"{load_id}.rejects.csv{UNFINISHED}"


def finish_csv(folder: Path, load_id: str) -> None:
    """Give the file its name, if there is one; repeats without harm."""
    unfinished = unfinished_csv(folder, load_id)
    if unfinished.exists():
        unfinished.replace(csv_of(folder, load_id))


class RejectsTable:
    """The rejects of one commit as Parquet files."""

    def __init__(self, folder: Path, commit_id: str) -> None:
        self._writer = ContentWriter(folder, f"{commit_id}-rejects", COLUMNS)
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
