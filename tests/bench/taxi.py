"""Seeded files like New York's taxi trips: 19 columns, and the same with one record in a thousand damaged.

`python -m tests.bench.taxi MEGABYTES FILE [damaged|quoted]` writes one and prints the lines of its bad records.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

WHOLE = ("vendorid", "passenger_count", "ratecodeid", "pulocationid", "dolocationid", "payment_type")
TIMES = ("tpep_pickup_datetime", "tpep_dropoff_datetime")
FLAG = "store_and_fwd_flag"
MONEY = (
    *("fare_amount", "extra", "mta_tax", "tip_amount", "tolls_amount", "improvement_surcharge"),
    *("total_amount", "congestion_surcharge", "airport_fee"),
)
NAMES = (
    *("vendorid", *TIMES, "passenger_count", "trip_distance", "ratecodeid", FLAG),
    *("pulocationid", "dolocationid", "payment_type", *MONEY),
)
SEED = 20260101
SHARE_BAD = 0.001
_BATCH_ROWS = 100_000
_START = np.datetime64("2024-01-01T00:00:00")

Damage = Literal["none", "damaged", "quoted"]
"""`quoted`: damaged, and legal quoted delimiters and line ends stand beside."""


@dataclass(frozen=True, slots=True)
class Trips:
    """A file that was written: records in it, and the first physical line of each bad one."""

    path: Path
    rows: int
    bad_lines: tuple[int, ...]


def write_trips(path: Path, size_bytes: int, damage: Damage = "none", *, seed: int = SEED) -> Trips:
    """A file of about that size."""
    random = np.random.default_rng(seed)
    rows, line = 0, 2
    bad: list[int] = []
    with path.open("wb") as stream:
        stream.write(",".join(NAMES).encode() + b"\n")
        while stream.tell() < size_bytes:
            count = min(_BATCH_ROWS, max(1, (size_bytes - stream.tell()) // 100))
            text = _written(_trips(random, count))
            if damage == "none":
                stream.write(text)
                line += count
            else:
                line = _damaged(stream, text, damage, (random, line, bad))
            rows += count
    return Trips(path, rows, tuple(bad))


def contract_text() -> str:
    """The contract of these files: money is decimal."""
    kinds = dict.fromkeys(WHOLE, "int") | dict.fromkeys(TIMES, "timestamp") | {FLAG: "string"}
    lines = [f'{name} = {{ type = "{kinds.get(name, "decimal(10,2)")}" }}' for name in NAMES]
    return "inferred = false\n[columns]\n" + "\n".join(lines) + "\n"


def _trips(random: np.random.Generator, rows: int) -> pa.Table:
    def money(values: object) -> pa.Array:
        return pa.array(np.round(values, 2)).cast(pa.decimal128(10, 2), safe=False)  # type: ignore[call-overload]

    pickup = _START + random.integers(0, 31 * 86_400, rows).astype("timedelta64[s]")
    fare = random.gamma(2, 8, rows)
    columns = {
        "vendorid": random.integers(1, 3, rows),
        "tpep_pickup_datetime": pa.array(pickup).cast(pa.timestamp("s")),
        "tpep_dropoff_datetime": pa.array(pickup + random.integers(60, 3600, rows).astype("timedelta64[s]")),
        "passenger_count": random.integers(1, 7, rows),
        "trip_distance": money(random.gamma(2, 1.5, rows)),
        "ratecodeid": random.integers(1, 6, rows),
        FLAG: pa.array(["N", "Y"]).take(pa.array((random.random(rows) < 0.01).astype("int64"))),
        "pulocationid": random.integers(1, 266, rows),
        "dolocationid": random.integers(1, 266, rows),
        "payment_type": random.integers(1, 5, rows),
        "fare_amount": money(fare),
        "extra": money(random.choice([0, 0.5, 1, 2.5], rows)),
        "mta_tax": money(np.full(rows, 0.5)),
        "tip_amount": money(fare * random.random(rows) * 0.3),
        "tolls_amount": money(np.where(random.random(rows) < 0.05, 6.55, 0)),
        "improvement_surcharge": money(np.full(rows, 1.0)),
        "total_amount": money(fare * 1.3 + 1.5),
        "congestion_surcharge": money(random.choice([0, 2.5], rows)),
        "airport_fee": money(random.choice([0, 1.75], rows)),
    }
    return pa.table({name: columns[name] for name in NAMES})


def _written(table: pa.Table) -> bytes:
    sink = BytesIO()
    pacsv.write_csv(table, sink, pacsv.WriteOptions(include_header=False, quoting_style="none"))
    return sink.getvalue()


def _damaged(stream: BinaryIO, text: bytes, damage: Damage, state: tuple[np.random.Generator, int, list[int]]) -> int:
    """Write the records, some of them damaged; the line behind them."""
    random, line, bad = state
    lines = text.splitlines()
    hurt = set(np.flatnonzero(random.random(len(lines)) < SHARE_BAD).tolist())
    legal = set(np.flatnonzero(random.random(len(lines)) < SHARE_BAD).tolist()) - hurt if damage == "quoted" else set()
    for place in sorted(hurt | legal):
        fields = lines[place].split(b",")
        if place in legal:
            fields[6] = b'"N, ""kept""\nand sent"'
        else:
            fields = next(_hurt(fields, random))
        lines[place] = b",".join(fields)
    stream.write(b"\n".join(lines) + b"\n")
    taller = sorted(legal)
    bad += [line + place + int(np.searchsorted(taller, place)) for place in sorted(hurt)]
    return line + len(lines) + len(taller)


def _hurt(fields: list[bytes], random: np.random.Generator) -> Iterator[list[bytes]]:
    """One of the damages that files arrive with: three in five are values of a wrong type."""
    kind = random.random()
    if kind < 0.61:
        place = int(random.choice([at for at, name in enumerate(NAMES) if name != FLAG]))
        wrong = [b"abc", b"12.3.4", b"n/k", b"--", b"1O", b"2024-13-45", b"12 EUR"]
        yield [*fields[:place], wrong[int(random.integers(len(wrong)))], *fields[place + 1 :]]
    elif kind < 0.755:
        yield [*fields, b"surplus"]
    elif kind < 0.90:
        yield fields[: int(random.integers(2, 18))]
    else:
        place = int(random.integers(len(fields)))
        stray = [b'"' + fields[place], b'5" pipe', b'"' + fields[place] + b'" x']
        yield [*fields[:place], stray[int(random.integers(len(stray)))], *fields[place + 1 :]]


def main(megabytes: str, path: str, damage: Damage = "none") -> None:
    """Write one file."""
    found = write_trips(Path(path), int(megabytes) * 1_000_000, damage)
    sys.stdout.write(f"{found.rows} records, bad at lines {' '.join(map(str, found.bad_lines))}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])  # type: ignore[arg-type]
