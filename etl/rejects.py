"""Rejects as they are found: a CSV for the owner of the file, and Parquet for the dataset `<dataset>__rejects`."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import fields, replace

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from athena.dataset import REJECT_COLUMNS
from etl.disk import writing
from etl.files import Folder, NewFile
from etl.plan import WrittenFile
from etl.report import Reject
from etl.transform import arrow_schema
from etl.write import ContentWriter

# The table is made with these ids, and never evolves by itself.
COLUMNS = tuple(replace(column, field_id=number) for number, column in enumerate(REJECT_COLUMNS, 1))
_READ_ROWS = 10_000


class RejectsCsv:
    """Rejects as a file of a folder, there as soon as it is closed. No rejects, no file."""

    def __init__(self, folder: Folder, name: str, *, load_id: str, file: str) -> None:
        self._folder = folder
        self._name = name
        self._load_id = load_id
        self._of = file
        self._file: NewFile | None = None
        self._kept = False
        self.rows = 0

    def write(self, rejects: Iterable[Reject]) -> None:
        """Add rows below the header. Raises `Failed` ("disk")."""
        rows = [reject.as_row(load_id=self._load_id, file=self._of) for reject in rejects]
        if not rows:
            return
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, [column.name for column in REJECT_COLUMNS])
        if not self.rows:
            writer.writeheader()
        writer.writerows(rows)
        with self._writing():
            self._file = self._file or self._folder.create(self._name)
            self._file.stream.write(text.getvalue().encode())
        self.rows += len(rows)

    def close(self) -> None:
        """Nothing comes after this. Raises `Failed`."""
        if self._file is not None and not self._kept:
            with self._writing():
                self._file.keep()
            self._kept = True

    def abort(self) -> None:
        """Remove what was written."""
        if self._file is None:
            return
        if self._kept:
            self._folder.remove([self._file.location])
        else:
            self._file.drop()
        self._file = None

    def _writing(self) -> AbstractContextManager[None]:
        return writing(self._name, "Make room on the disk, then load again.")


class RejectsTable:
    """The rejects of one commit as Parquet files."""

    def __init__(self, folder: Folder, stem: str) -> None:
        self._folder = folder
        self._writer = ContentWriter(folder, f"{stem}-rejects", COLUMNS)
        self._schema = arrow_schema(COLUMNS)
        self._taken: list[WrittenFile] = []

    def write(self, rejects: Iterable[Reject], *, load_id: str, file: str) -> None:
        """Add rows. Raises `Failed` ("disk")."""
        rows = [reject.as_row(load_id=load_id, file=file) for reject in rejects]
        if rows:
            self._writer.write(pa.RecordBatch.from_pylist(rows, schema=self._schema))

    def take(self, files: Sequence[WrittenFile]) -> Iterator[list[Reject]]:
        """Count files that others have finished among its own; their rejects, some at a time."""
        self._taken += files
        return (rejects for file in files for rejects in self._rejects_in(file))

    def close(self) -> tuple[WrittenFile, ...]:
        """The finished files."""
        return (*self._taken, *self._writer.close())

    def abort(self) -> None:
        """Remove what was written."""
        self._writer.abort()
        self._folder.remove(file.path for file in self._taken)

    def _rejects_in(self, file: WrittenFile) -> Iterator[list[Reject]]:
        names = [one.name for one in fields(Reject)]
        with self._folder.open(file.path) as stream:
            for batch in pq.ParquetFile(stream, pre_buffer=False).iter_batches(_READ_ROWS):
                yield [Reject(*(row[name] for name in names)) for row in batch.to_pylist()]


def without(
    folder: Folder, files: Sequence[WrittenFile], load_ids: Sequence[str], *, stem: str
) -> tuple[WrittenFile, ...]:
    """Files of rejects written anew without those of some loads; the old ones are removed."""
    writer = ContentWriter(folder, stem, COLUMNS)
    unwanted = pa.array(load_ids, pa.string())
    try:
        for file in files:
            with folder.open(file.path) as stream:
                for rows in pq.ParquetFile(stream, pre_buffer=False).iter_batches(_READ_ROWS):
                    writer.write(rows.filter(pc.invert(pc.is_in(rows["load_id"], value_set=unwanted))))
        left = writer.close()
    except BaseException:
        writer.abort()
        raise
    folder.remove(file.path for file in files)
    return left
