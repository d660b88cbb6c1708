"""The corpus of hostile statements: each is answered with what is granted, or refused; nothing hidden comes back."""

from collections.abc import Iterator
from dataclasses import dataclass
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
    store,
)

HOSTILE, LEGAL = cases("hostile"), cases("legal")


@dataclass(frozen=True, slots=True)
class Bases:
    """The full lake, and for each partner one with nothing but what is granted."""

    full: Base
    granted: dict[str, Base]


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bases]:
    folder = tmp_path_factory.mktemp("granted")
    full = Base(store(folder / "full", ROWS, HEADS), HEADS)
    made = {name: _only(name, folder) for name in GRANTS}
    yield Bases(full, made)
    for base in (full, *made.values()):
        base.close()


def _only(partner: str, folder: Path) -> Base:
    heads = granted_heads(GRANTS[partner])
    return Base(store(folder / partner, granted_rows(partner), heads), heads)


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in (*HOSTILE, *LEGAL)])
def test_case(case: Case, bases: Bases) -> None:
    for partner, grant in GRANTS.items():
        came = bases.full.ask(case.sql, grant)
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
    else:
        assert kind == "same"
        assert (came.failure, came.sorted_rows) == (same.failure, same.sorted_rows)
        assert came.failure in (None, "engine"), came
