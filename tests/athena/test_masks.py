"""What a partner sees of a masked column, and what questions make of it."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from athena.grants import DatasetGrant, Grant, Limits
from tests.athena.granted import HEADS, ROWS, SALT, Base, store

MASKS = {
    "carrier": "hash",
    "flight": "hash",
    "note": "first(6)",
    "code": "NULL",
    "origin": "CASE WHEN carrier = 'UA' THEN origin ELSE 'elsewhere' END",
    "distance": "distance / 1000",
}


def granted(rows: str | None) -> Grant:
    """Everything of flights, masked."""
    return Grant("p", "", {"flights": DatasetGrant(rows, ("*",), MASKS)}, Limits(), "1")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Base]:
    folder: Path = tmp_path_factory.mktemp("masks")
    made = Base(store(folder, ROWS, HEADS), HEADS)
    yield made
    made.close()


def hashed(value: object) -> str:
    """What a hash mask gives."""
    return hashlib.sha256(f"{SALT}{value}".encode()).hexdigest()


@pytest.mark.parametrize("rows", [None, "carrier IN ('UA', 'DL')"])
@pytest.mark.parametrize("failing", ["", " WHERE 1 / (seats + 1) >= 0"])
def test_masked_columns_show_their_masks(base: Base, rows: str | None, failing: str) -> None:
    came = base.ask(f"SELECT carrier, flight, note, code, origin, distance FROM flights{failing}", granted(rows))
    assert came.failure is None
    expected = [
        (
            hashed(row[1]),
            hashed(row[2]),
            str(row[9])[:6],
            None,
            row[3] if row[1] == "UA" else "elsewhere",
            int(str(row[5])) // 1000,
        )
        for row in ROWS["flights"]
        if rows is None or row[1] in ("UA", "DL")
    ]
    assert came.sorted_rows == sorted(map(repr, expected))


@pytest.mark.parametrize(
    ("condition", "count"),
    [
        ("carrier = 'UA'", 0),
        (f"carrier = '{hashed('UA')}'", 15),
        ("note = 'NOTE-4-'", 0),
        ("note = 'NOTE-4'", 11),
        ("note LIKE 'NOTE-1%'", 11),
        ("code IS NULL", 60),
        ("origin = 'JFK'", 5),
        ("distance = 0", 60),
        (f"carrier = '{hashed('UA')}' AND 1 / (seats + 1) >= 0", 15),
        ("carrier = 'UA' AND 1 / (seats + 1) >= 0", 0),
    ],
)
def test_conditions_on_a_masked_column_see_the_mask(base: Base, condition: str, count: int) -> None:
    for rows in (None, "seats >= 0"):
        came = base.ask(f"SELECT count(*) FROM flights WHERE {condition}", granted(rows))
        assert (came.failure, came.rows) == (None, ((count,),))


def test_equal_values_have_equal_hashes_across_datasets(base: Base) -> None:
    both = Grant(
        "p",
        "",
        dict.fromkeys(("flights", "airlines"), DatasetGrant(None, ("*",), {"carrier": "hash"})),
        Limits(),
        "1",
    )
    came = base.ask("SELECT count(*) FROM flights AS f JOIN airlines AS a ON f.carrier = a.carrier", both)
    assert came.rows == ((60,),)
