"""Which field of a file feeds which column, and how it is read. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from athena.dataset import Column
from athena.errors import Refused
from etl._names import clean_name
from etl._reading import reading_of, text_missing
from etl._record import Shape
from etl._values import MISSING, Reading
from etl.contract import SourceRules
from etl.dialect import Dialect


@dataclass(frozen=True, slots=True)
class Feed:
    """One column: `place` is the file's field (0-based), None when the file does not have it."""

    column: Column
    place: int | None
    reading: Reading


@dataclass(frozen=True, slots=True)
class Plan:
    """How the records of one file become rows. `text_missing` are the spellings of missing text, `words` those that
    are missing in columns of other types alone."""

    shape: Shape
    feeds: tuple[Feed, ...]
    text_missing: tuple[str, ...]
    decimal: str
    words: tuple[str, ...] = ()


def plan(dialect: Dialect, columns: Sequence[Column], rules: SourceRules) -> Plan:
    """The plan for a file of this dialect; raises `Refused` ("contract-invalid", "contract-mismatch")."""
    places = {name: place for place, name in enumerate(file_names(dialect, rules))}
    feeds = tuple(Feed(column, places.get(column.name), reading_of(column, rules)) for column in columns)
    if all(feed.place is None for feed in feeds):
        raise _mismatch(dialect, columns)
    words = MISSING if rules.null is None else ()
    return Plan(dialect.shape, feeds, text_missing(rules), rules.decimal or ".", words)


def file_names(dialect: Dialect, rules: SourceRules) -> tuple[str, ...]:
    """The table's name for each field of the file: renamed where the rules say so.

    A key of `rename` is a heading as it stands in the file, or the clean name made of it.
    """
    if not rules.rename:
        return dialect.names
    renamed = _by_heading(rules.rename)
    headings = dialect.headings or dialect.names
    names = tuple(
        renamed.get(heading.strip(), renamed.get(name, name))
        for heading, name in zip(headings, dialect.names, strict=True)
    )
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        both = " and ".join(repr(heading) for heading, name in zip(headings, names, strict=True) if name == twice)
        raise Refused(
            f"Two columns of the file would be called {twice!r}: {both}.",
            "Mend `rename` in the contract, or the file's header.",
            code="contract-mismatch",
        )
    return names


def _by_heading(rename: Mapping[str, str]) -> dict[str, str]:
    cleaned = {clean_name(heading): name for heading, name in rename.items() if clean_name(heading)}
    return cleaned | {heading.strip(): name for heading, name in rename.items()}


def _mismatch(dialect: Dialect, columns: Sequence[Column]) -> Refused:
    have, want = ", ".join(dialect.names[:20]), ", ".join(column.name for column in columns[:20])
    return Refused(
        f"The file has none of the contract's columns: it has {have}; the contract has {want}.",
        "Drop it under its own dataset, or name its columns in the contract's `rename`.",
        code="contract-mismatch",
    )
