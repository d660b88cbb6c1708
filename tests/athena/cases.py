"""Cases as data: `tests/cases/<folder>/*.sql`, each with what must come back.

A case is a title, what is expected, and a statement, up to a line of four dashes::

    -- The title says which way in is tried.
    -- expect: not-found
    SELECT amount FROM payroll
    ----

`<<100 x (>>` in a statement stands for a hundred brackets. Whatever is expected, the same must come back from a lake
without the hidden rows. Expected is one of

- `not-found`; `refused 'TOKEN'` (code sql-unsupported, naming the caller's token); `syntax`; `refused-parameters`;
- `same`: what a lake that holds only the granted rows and columns gives without any grant, a failure included;
- `fails`: the same, and it is a failure; `alone`: nothing more (SQL leaves open which condition is tried first);
- `rows JSON`: these rows for both partners; `united JSON` and `kennedy JSON` where they differ.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path

CASES = Path(__file__).parents[1] / "cases"


@dataclass(frozen=True, slots=True)
class Case:
    """One statement; `expected` maps a partner (or `*` for both) to kind and argument."""

    id: str
    sql: str
    expected: dict[str, tuple[str, str]]


def cases(folder: str) -> list[Case]:
    """All cases of a folder, in order."""
    return [case for path in sorted((CASES / folder).glob("*.sql")) for case in _of(path)]


def _of(path: Path) -> list[Case]:
    blocks = path.read_text(encoding="utf-8").split("\n----\n")
    return [_case(path.stem, block.strip("\n")) for block in blocks if block.strip()]


def _case(group: str, block: str) -> Case:
    title, *lines = block.split("\n")
    expected: dict[str, tuple[str, str]] = {}
    while lines and lines[0].startswith("-- ") and ":" in lines[0]:
        key, _, value = lines.pop(0).removeprefix("-- ").partition(": ")
        if key == "expect":
            expected["*"] = _split(value)
        else:
            expected[key] = ("rows", value)
    assert expected, f"{group}: {title} expects nothing"
    return Case(f"{group}: {title.removeprefix('-- ')}", _repeated("\n".join(lines)), expected)


def _repeated(sql: str) -> str:
    return re.sub(r"<<(\d+) x (.*?)>>", lambda found: int(found[1]) * found[2], sql, flags=re.DOTALL)


def _split(text: str) -> tuple[str, str]:
    kind, _, argument = text.partition(" ")
    return kind, argument


def rows_of(argument: str) -> list[str]:
    """The rows that a case names, in the form of `Outcome.sorted_rows`."""
    return sorted(repr(tuple(row)) for row in json.loads(argument))
