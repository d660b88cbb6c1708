"""The corpus of hostile statements: each is answered with what is granted, or refused; nothing hidden comes back."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from athena.entitlement import not_found
from tests.athena.cases import Case, cases, rows_of
from tests.athena.granted import (
    GRANTS,
    HEADS,
    ROWS,
    Base,
    Outcome,
    everything,
    granted_heads,
    granted_rows,
    hidden_marks,
    is_granted,
    store,
)

HOSTILE, LEGAL = cases("hostile"), cases("legal")


@dataclass(frozen=True, slots=True)
class Bases:
    """The full lake; for each partner one without the hidden rows, and one without the hidden columns either."""

    full: Base
    unhidden: dict[str, Base]
    granted: dict[str, Base]


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bases]:
    folder = tmp_path_factory.mktemp("granted")
    full = Base(store(folder / "full", ROWS, HEADS), HEADS)
    unhidden = {name: _unhidden(name, folder) for name in GRANTS}
    granted = {name: _granted(name, folder) for name in GRANTS}
    yield Bases(full, unhidden, granted)
    for base in (full, *unhidden.values(), *granted.values()):
        base.close()


def _unhidden(partner: str, folder: Path) -> Base:
    flights = [row for row in ROWS["flights"] if is_granted(partner, row)]
    return Base(store(folder / f"{partner}-unhidden", {**ROWS, "flights": flights}, HEADS), HEADS)


def _granted(partner: str, folder: Path) -> Base:
    heads = granted_heads(GRANTS[partner])
    return Base(store(folder / f"{partner}-granted", granted_rows(partner), heads), heads)


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in (*HOSTILE, *LEGAL)])
def test_case(case: Case, bases: Bases) -> None:
    for partner, grant in GRANTS.items():
        came = bases.full.ask(case.sql, grant)
        unhidden = bases.unhidden[partner].ask(case.sql, grant)
        assert replace(came, rows=()) == replace(unhidden, rows=())
        assert came.sorted_rows == unhidden.sorted_rows
        granted = bases.granted[partner]
        same = granted.ask(case.sql, everything(granted.heads))
        _check_hidden(partner, came)
        _check_expected(case, partner, came, same)


def test_the_corpus_is_as_large_as_promised() -> None:
    assert len(HOSTILE) >= 250
    assert len(LEGAL) >= 60
    assert len({case.id for case in (*HOSTILE, *LEGAL)}) == len(HOSTILE) + len(LEGAL)


def _check_hidden(partner: str, came: Outcome) -> None:
    text = f"{came.rows} {came.message} {came.output}"
    assert not [mark for mark in hidden_marks(partner) if mark in text]


def _check_expected(case: Case, partner: str, came: Outcome, same: Outcome) -> None:
    kind, argument = case.expected.get(partner) or case.expected["*"]
    if kind == "not-found":
        assert (came.failure, came.message) == ("not-found", str(not_found()))
    elif kind == "refused":
        assert came.failure == "sql-unsupported", came
        assert argument.strip("'").lower() in came.message.lower()
    elif kind == "syntax":
        assert came.failure == "sql-syntax", came
    elif kind == "refused-parameters":
        assert came.failure == "parameters-invalid", came
    elif kind == "rows":
        assert (came.failure, came.sorted_rows) == (None, rows_of(argument)), came
    elif kind == "fails":
        assert (came.failure, same.failure) == ("engine", "engine"), (came, same)
    elif kind != "alone":
        assert kind == "same"
        assert (came.failure, came.sorted_rows) == (same.failure, same.sorted_rows)
        assert came.failure in (None, "engine"), came
