"""Two partners, datasets with marker values in what they must not see, and DuckDB to run entitled SQL on.

`Full` holds all rows and columns; `Granted` holds, for one partner, only what is granted: what comes back from the
one through a grant must be what comes back from the other.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from athena.dataset import Column, parse_type
from athena.engines.duckdb.sandbox import disabled_optimizers
from athena.engines.duckdb.translate import translated
from athena.entitlement import Entitled, entitle, visible_columns
from athena.errors import LakegateError
from athena.grants import DatasetGrant, Grant, Limits
from athena.heads import Head
from athena.parameters import Parameters
from athena.statement import parse

TODAY = date(2013, 6, 30)
SALT = "pepper"
Row = tuple[object, ...]
_CARRIERS, _ORIGINS = ("UA", "AA", "DL", "B6"), ("JFK", "LGA", "EWR")


def _columns(**types: str) -> tuple[Column, ...]:
    return tuple(
        Column(name, parse_type(kind.removesuffix("!")), sensitive=kind.endswith("!"), field_id=number)
        for number, (name, kind) in enumerate(types.items(), 1)
    )


COLUMNS = {
    "flights": _columns(
        day="date",
        carrier="string",
        flight="int",
        origin="string",
        dep_delay="double",
        distance="int",
        fare="decimal(10,2)",
        seats="int",
        code="string",
        note="string",
        pilot="long",
        tailnum="string!",
    ),
    "airlines": _columns(carrier="string", name="string"),
    "payroll": _columns(carrier="string", amount="long", note="string"),
    "flights__rejects": _columns(load_id="string", first_line="long", raw="string"),
}
HEADS = {
    name: Head(name, "1", "v1", "", datetime(2026, 1, 1, tzinfo=UTC), 60, columns) for name, columns in COLUMNS.items()
}


def _flights() -> list[Row]:
    rows: list[Row] = []
    for number in range(60):
        carrier, origin = _CARRIERS[number % 4], _ORIGINS[number % 3]
        hidden = carrier != "UA" and origin != "JFK"  # from both partners: here lie the traps
        rows.append(
            (
                date(2013, 1 + number % 6, 1 + number % 28),
                carrier,
                1000 + number,
                origin,
                None if number % 10 == 9 else number / 4 - 5,
                100 * (1 + number % 7),
                Decimal(number) + Decimal("0.50"),
                0 if hidden else 100 + number % 3,
                f"SECRET-{number}" if hidden else str(number % 5),
                f"NOTE-{number}-",
                77000000000 + number,
                f"TAIL-{number}-",
            )
        )
    return rows


ROWS: Mapping[str, list[Row]] = {
    "flights": _flights(),
    "airlines": [("UA", "United"), ("AA", "American"), ("DL", "Delta"), ("B6", "JetBlue")],
    "payroll": [("UA", 88000000001, "PAYROLL-1-"), ("DL", 88000000002, "PAYROLL-2-")],
    "flights__rejects": [("load", 7, "REJECT-7-")],
}
_ALL = DatasetGrant()
GRANTS = {
    "united": Grant(
        "united",
        "",
        {"flights": DatasetGrant("carrier = 'UA'", ("*", "!pilot")), "airlines": _ALL},
        Limits(),
        "1",
    ),
    "kennedy": Grant(
        "kennedy",
        "",
        {
            "flights": DatasetGrant(
                "origin IN ('JFK', 'XXX') OR (origin = 'EWR' AND distance < 0)",
                ("day", "carrier", "flight", "origin", "dep_delay", "distance", "seats", "code", "note"),
            ),
            "airlines": _ALL,
        },
        Limits(),
        "2",
    ),
}


def is_granted(partner: str, row: Row) -> bool:
    """The grants' row conditions, said once more in Python."""
    return row[1] == "UA" if partner == "united" else row[3] == "JFK"


def hidden_marks(partner: str) -> set[str]:
    """Texts and numbers that this partner must never see, in whatever comes back."""
    marks = {str(value) for row in ROWS["payroll"] for value in row[1:]} | {"REJECT-7-", "SECRET-", SALT}
    for row in ROWS["flights"]:
        marks |= {str(row[11]), str(row[10])}
        if not is_granted(partner, row):
            marks.add(str(row[9]))
    return marks


@dataclass(frozen=True, slots=True)
class Outcome:
    """Rows (`failure` is None), or our own error, or the engine's failure without its text."""

    rows: tuple[Row, ...] = ()
    output: tuple[str, ...] = ()
    failure: str | None = None
    message: str = ""

    @property
    def sorted_rows(self) -> list[str]:
        """Rows without an order."""
        return sorted(map(repr, self.rows))


def store(folder: Path, rows: Mapping[str, list[Row]], heads: Mapping[str, Head]) -> Path:
    """Write each dataset as a Parquet file `<name>.parquet`; gives the folder back."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, head in heads.items():
        schema = pa.schema([(each.name, _arrow(each)) for each in head.columns])
        columns = zip(*rows[name], strict=True) if rows[name] else [()] * len(head.columns)
        arrays = [pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)]
        pq.write_table(pa.table(arrays, schema=schema), folder / f"{name}.parquet")
    return folder


def _arrow(column: Column) -> pa.DataType:
    if column.type.name == "decimal":
        return pa.decimal128(column.type.precision, column.type.scale)
    plain = {
        "string": pa.string(),
        "boolean": pa.bool_(),
        "int": pa.int32(),
        "long": pa.int64(),
        "double": pa.float64(),
        "date": pa.date32(),
        "timestamp": pa.timestamp("us"),
        "timestamptz": pa.timestamp("us", tz="UTC"),
    }
    return plain[column.type.name]


class Base:
    """A DuckDB on the Parquet files of a folder, asked through grants."""

    def __init__(self, folder: Path, heads: Mapping[str, Head]) -> None:
        self.heads = heads
        self._connection = duckdb.connect()
        self._made: set[str] = set()
        self._connection.execute('CREATE SCHEMA "lake"')
        for name in heads:
            path = folder / f"{name}.parquet"
            self._connection.execute(f"""CREATE VIEW "lake"."{name}" AS FROM read_parquet('{path}')""")
        self._connection.execute("SET search_path = 'main,lake'")

    def copy(self, folder: Path, condition: str) -> None:
        """Write the rows of every dataset that meet `condition` as files of another lake."""
        folder.mkdir(parents=True)
        for name in self.heads:
            rows = f'SELECT * FROM "lake"."{name}" WHERE {condition}'
            self._connection.execute(f"""COPY ({rows}) TO '{folder / name}.parquet' (FORMAT parquet)""")

    def ask(self, sql: str, grant: Grant | None, parameters: Parameters = ()) -> Outcome:
        """What comes back for `sql`, whatever happens."""
        try:
            entitled = entitled_sql(sql, grant, self.heads, parameters)
            return self.run(entitled)
        except LakegateError as error:
            return Outcome(failure=error.code, message=str(error))

    def run(self, entitled: Entitled) -> Outcome:
        """What the engine gives for a statement that is entitled already."""
        return self._run(entitled.sql, entitled.output, guarded=entitled.guarded)

    def run_as_written(self, sql: str) -> Outcome:
        """What the engine gives for a statement as it stands, its names resolved by somebody else's code."""
        return self._run(sql, (), guarded=False)

    def _run(self, sql: str, output: tuple[str, ...], *, guarded: bool) -> Outcome:
        made = translated(sql, {name: head.columns for name, head in self.heads.items()})
        for statement in made.setup:
            if statement not in self._made:
                self._connection.execute(statement)
                self._made.add(statement)
        try:
            disabled = disabled_optimizers(made.sql, guarded=guarded)
            self._connection.execute(f"SET disabled_optimizers = '{disabled}'")
            rows = self._connection.execute(made.sql).fetchall()
        except (duckdb.BinderException, duckdb.CatalogException):
            raise  # ours: names and types are checked before
        except duckdb.Error as error:
            return Outcome(failure="engine", message=type(error).__name__)
        return Outcome(tuple(rows), output)

    def close(self) -> None:
        """Let go of the files."""
        self._connection.close()


def entitled_sql(sql: str, grant: Grant | None, heads: Mapping[str, Head], parameters: Parameters = ()) -> Entitled:
    """The statement on what `grant` shows."""
    return entitle(parse(sql), grant, heads, lake="lake", parameters=parameters, today=TODAY, salt=SALT)


def granted_heads(grant: Grant) -> dict[str, Head]:
    """The datasets of a lake that holds only what is granted."""
    return {name: replace(HEADS[name], columns=visible_columns(grant, HEADS[name])) for name in grant.datasets}


def everything(heads: Mapping[str, Head]) -> Grant:
    """A grant of all columns and rows, without the system columns that an owner sees."""
    datasets = {name: DatasetGrant(None, tuple(each.name for each in head.columns)) for name, head in heads.items()}
    return Grant("everything", "", datasets, Limits(), "3")


def granted_rows(partner: str) -> dict[str, list[Row]]:
    """The rows of that lake."""
    heads = granted_heads(GRANTS[partner])
    result: dict[str, list[Row]] = {}
    for name, head in heads.items():
        places = [[each.name for each in COLUMNS[name]].index(column.name) for column in head.columns]
        rows = [row for row in ROWS[name] if name != "flights" or is_granted(partner, row)]
        result[name] = [tuple(row[place] for place in places) for row in rows]
    return result
