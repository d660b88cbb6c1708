"""Answers and failures depend on the granted rows and columns alone, whatever the grant and the question."""

import random
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from athena.grants import DatasetGrant, Grant, Limits
from athena.heads import Head
from tests.athena.granted import Base, Row, everything, store
from tests.athena.questions import CARRIERS, COLUMNS, conditions, questions

HEADS = {name: Head(name, "1", "v1", "", datetime(2026, 1, 1, tzinfo=UTC), 1, COLUMNS) for name in ("f", "g")}


def rows_of(seed: int) -> list[Row]:
    """Some rows; many of them make a cast or a division fail, some tables have none at all."""
    draw = random.Random(seed)
    dirty = draw.choice([0.0, 0.1, 0.5])
    bad, zero = ["S1", "x", ""], [0, None]

    def row() -> Row:
        spoilt = draw.random() < dirty
        return (
            draw.choice(CARRIERS),
            draw.choice(bad) if spoilt else draw.choice(["1", "2", "3", "10", None]),
            draw.choice(zero) if spoilt else draw.choice([1, 2, 3, 50, -7]),
            draw.randint(1, 5),
            draw.choice([0.5, 1.5, None]),
            date(2013, 1, draw.randint(1, 9)),
        )

    return [row() for _ in range(draw.choice([0, 4, 30, 120]))]


class Lakes:
    """The full lake of a seed, and what a condition leaves of it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = iter(range(1_000_000))
        self.full = cache(self._full)

    def _full(self, seed: int) -> Base:
        rows = {"f": rows_of(seed), "g": rows_of(seed + 1000)}
        return Base(store(self._folder / f"full-{seed}", rows, HEADS), HEADS)

    def granted(self, seed: int, condition: str) -> Base:
        """A lake that holds only the rows that meet `condition`, found without any of our code."""
        folder = self._folder / f"granted-{next(self._numbers)}"
        self.full(seed).copy(folder, condition)
        return Base(folder, HEADS)


@pytest.fixture(scope="module")
def lakes() -> Iterator[Lakes]:
    with tempfile.TemporaryDirectory() as folder:
        yield Lakes(Path(folder))


def _hold(lakes: Lakes, seed: int, condition: str, asked: list[str]) -> None:
    grant = Grant("p", "", dict.fromkeys(HEADS, DatasetGrant(condition)), Limits(), "1")
    full, granted = lakes.full(seed), lakes.granted(seed, condition)
    try:
        for sql in asked:
            came, alone = full.ask(sql, grant), granted.ask(sql, grant)
            event(came.failure or "answered")
            assert (came.failure, came.sorted_rows) == (alone.failure, alone.sorted_rows), sql
            plain = granted.ask(sql, everything(HEADS))
            if came.failure is None and plain.failure is None:
                assert came.sorted_rows == plain.sorted_rows, sql
    finally:
        granted.close()


def _rule(examples: int) -> settings:
    return settings(max_examples=examples, suppress_health_check=list(HealthCheck))


@_rule(40)
@given(seed=st.integers(0, 30), condition=conditions(), asked=st.lists(questions(), min_size=3, max_size=3))
def test_outcomes_depend_on_the_granted_rows_alone(lakes: Lakes, seed: int, condition: str, asked: list[str]) -> None:
    _hold(lakes, seed, condition, asked)


@_rule(60)
@given(seed=st.integers(0, 30), asked=questions())
def test_resolving_names_changes_no_answer(lakes: Lakes, seed: int, asked: str) -> None:
    base = lakes.full(seed)
    came, written = base.ask(asked, everything(HEADS)), base.run_as_written(asked)
    if came.failure is None and written.failure is None:
        assert came.sorted_rows == written.sorted_rows


@pytest.mark.long
@_rule(2000)
@given(seed=st.integers(0, 200), condition=conditions(), asked=st.lists(questions(), min_size=1, max_size=2))
def test_outcomes_depend_on_the_granted_rows_alone_for_long(
    lakes: Lakes, seed: int, condition: str, asked: list[str]
) -> None:
    _hold(lakes, seed, condition, asked)
