"""A home at another path: what its catalog, state and tables name by the old one, named by the new one.

Iceberg names every file by its absolute path: metadata files the lists of manifests, lists the manifests, manifests the
data files. All of them are written anew under their own names; data files stay as they are.
"""

import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from pyiceberg.avro.file import AvroFile, AvroOutputFile
from pyiceberg.typedef import Record
from pyiceberg.types import StructType

from etl.durable import DurableFileIO

# Columns that hold one path, and those that hold JSON with paths in it.
_PATHS = {
    "catalog.sqlite": (("iceberg_tables", "metadata_location"), ("iceberg_tables", "previous_metadata_location")),
    "state.sqlite": (("piece", "path"), ("garbage", "path")),
}
_TEXTS = {"catalog.sqlite": (), "state.sqlite": (("head", "head"), ("plan", "plan"))}
_AVRO_KEYS = frozenset(["avro.schema", "avro.codec"])


@dataclass(frozen=True, slots=True)
class Move:
    """From one absolute path of a home to another."""

    old: str
    new: str

    def path(self, path: str) -> str:
        """A path below the home, by its new place; any other as it is.

        >>> Move("/a", "/b c").path("/a/t/x.parquet"), Move("/a", "/b").path("/ab/x")
        ('/b c/t/x.parquet', '/ab/x')
        """
        return self.new + path.removeprefix(self.old) if path.startswith(f"{self.old}/") else path

    def text(self, text: str) -> str:
        """JSON with every path in it moved.

        >>> Move("/a", "/b").text('{"p": "/a/x", "q": "of /a/x"}')
        '{"p": "/b/x", "q": "of /a/x"}'
        """
        new = json.dumps(self.new)[:-1]
        for escaped in (True, False):
            text = text.replace(json.dumps(self.old, ensure_ascii=escaped)[:-1] + "/", new + "/")
        return text


def move_home(home: Path, old: str, new: str) -> None:
    """Let what lies in `home` be the home that was at `old` and will be at `new`."""
    move = Move(old, new)
    for name in ("catalog.sqlite", "state.sqlite"):
        if (home / name).exists():
            with closing(sqlite3.connect(home / name)) as database, database:
                _move_rows(database, _PATHS[name], move.path)
                _move_rows(database, _TEXTS[name], move.text)
    for folder in sorted((home / "tables").glob("*/*/metadata")):
        _move_metadata(folder, move)


def _move_rows(database: sqlite3.Connection, columns: tuple[tuple[str, str], ...], moved: Callable[[str], str]) -> None:
    there = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    for table, column in columns:
        if table not in there:
            continue
        rows = database.execute(f"SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL")
        for (value,) in rows.fetchall():
            new: str | bytes = moved(value.decode()).encode() if isinstance(value, bytes) else moved(value)
            database.execute(f"UPDATE {table} SET {column} = ? WHERE {column} = ?", (new, value))


def _move_metadata(folder: Path, move: Move) -> None:
    for file in folder.glob("*.metadata.json"):
        text = move.text(file.read_text(encoding="utf-8"))
        with file.open("w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
    lists = sorted(folder.glob("snap-*.avro"))
    sizes = {file.name: _rewrite(file, _with_data_files(move)) for file in folder.glob("*.avro") if file not in lists}
    for file in lists:
        _rewrite(file, _with_manifests(move, sizes))


Change = Callable[[Record, Mapping[str, int]], None]


def _with_data_files(move: Move) -> Change:
    def change(entry: Record, places: Mapping[str, int]) -> None:
        file = entry[places["data_file"]]
        file[places["file_path"]] = move.path(file[places["file_path"]])

    return change


def _with_manifests(move: Move, sizes: Mapping[str, int]) -> Change:
    def change(manifest: Record, places: Mapping[str, int]) -> None:
        path = manifest[places["manifest_path"]]
        manifest[places["manifest_path"]] = move.path(path)
        manifest[places["manifest_length"]] = sizes[Path(path).name]

    return change


def _rewrite(file: Path, change: Change) -> int:
    """Write a file of Avro records anew, each changed; the size in bytes."""
    io = DurableFileIO()
    with AvroFile[Record](io.new_input(str(file))) as reader:
        records = list(reader)
        places = dict(_places(reader))
        told = {name: value for name, value in reader.header.meta.items() if name not in _AVRO_KEYS}
        codec = reader.header.meta.get("avro.codec", "null")
    name = "manifest_entry" if "data_file" in places else "manifest_file"
    for record in records:
        change(record, places)
    part = file.with_name(f"{file.name}.part")
    output = AvroOutputFile[Record](
        io.new_output(str(part)), reader.schema, name, metadata={**told, "avro.codec": codec}
    )
    with output as writer:
        if records:
            writer.write_block(records)
    part.replace(file)
    return file.stat().st_size


def _places(reader: AvroFile[Record]) -> Iterator[tuple[str, int]]:
    """Where the fields of a record stand; of a manifest's entries also the path of the data file."""
    for place, field in enumerate(reader.schema.fields):
        yield field.name, place
        if isinstance(field.field_type, StructType):
            names = [inner.name for inner in field.field_type.fields]
            yield "file_path", names.index("file_path")
