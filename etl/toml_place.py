"""A TOML document that can say where a key stands and what was probably meant. Pure."""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from athena.errors import Refused

_ALIKE = 0.65


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed file with its text: errors name path, line and key."""

    path: str
    text: str
    given: dict[str, Any]

    def refuse(self, place: tuple[str, ...], message: str, remedy: str) -> NoReturn:
        """Raise `Refused` ("contract-invalid") for the key at `place`."""
        raise Refused(f"{self._where(place)}: {'.'.join(place)} {message}.", remedy, code="contract-invalid")

    def _where(self, place: tuple[str, ...]) -> str:
        line = line_of(self.text, place)
        return f"{self.path}, line {line}" if line else self.path

    def subtable(self, place: tuple[str, ...]) -> dict[str, Any]:
        """The table at `place`, {} when it is not there, whatever its keys."""
        found: Any = self.given
        for part in place:
            found = found.get(part, {})
            if not isinstance(found, dict):
                self.refuse(place, f"is {found!r}, expected a table", f"Write [{'.'.join(place)}] with keys below it.")
        return dict(found)


def nearest(name: str, known: Sequence[str]) -> str:
    """A remedy for an unknown name.

    >>> nearest("delimeter", ["delimiter", "quote"])
    "Did you mean 'delimiter'?"
    >>> nearest("x", ["delimiter", "quote"])
    'Known: delimiter, quote.'
    """
    near = difflib.get_close_matches(name, known, n=1, cutoff=_ALIKE)
    return f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(known) or 'none'}."


def line_of(text: str, place: tuple[str, ...]) -> int | None:
    """The 1-based line on which the key at `place` stands (or the deepest part of it that is found).

    >>> line_of('a = 1\\n[columns]\\nday = { typ = "date" }', ("columns", "day", "typ"))
    3
    >>> line_of('a = 1\\n[columns]\\n', ("columns", "x"))
    2
    """
    best: tuple[int, int | None] = (0, None)
    section: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[+\s*([^\]]+?)\s*\]", line)
        key = re.match(r"""\s*("[^"]*"|'[^']*'|[\w.-]+)\s*=""", line)
        if header:
            section = _parts(header[1])
            stands = section
        elif key:
            stands = (*section, *_parts(key[1]))
        else:
            continue
        common = min(len(stands), len(place))
        # [sources.a] is where the key `sources` stands, too.
        if stands[:common] == place[:common] and common > best[0]:
            best = (common, number)
    return best[1]


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in re.findall(r""""[^"]*"|'[^']*'|[^.\s]+""", dotted))
