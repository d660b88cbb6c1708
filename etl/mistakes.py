"""The mistakes of one contract, gathered, so that its owner hears of all at once. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from athena.errors import Refused
from etl.toml_place import Document, line_of, nearest

Place = tuple[str, ...]
T = TypeVar("T")
_MOST_TOLD = 20


@dataclass(slots=True)
class Mistakes:
    """What was refused so far of a document, with its lines."""

    document: Document
    _found: list[tuple[int, Refused]] = field(default_factory=list)

    def tried(self, place: Place, read: Callable[[], T], otherwise: T) -> T:
        """What `read` gives; `otherwise`, and one mistake more, where it refuses."""
        try:
            return read()
        except Refused as error:
            self._found.append((line_of(self.document.text, place) or 0, error))
            return otherwise

    def known_keys(
        self, place: Place, known: Sequence[str], *, hint: Callable[[str], str | None] = lambda _: None
    ) -> tuple[str, ...]:
        """The keys of the table at `place` that are known; each other one is a mistake. `hint` may tell the remedy."""
        there: dict[str, object] = self.tried(place, lambda: self.document.subtable(place), {})
        for key in there.keys() - set(known):
            self.tried((*place, key), lambda key=key: self._unknown((*place, key), known, hint(key)), None)  # type: ignore[misc]
        return tuple(key for key in there if key in known)

    def check(self) -> None:
        """Raise what was gathered, if anything: all in one `Refused` ("contract-invalid"), in the order of lines."""
        path = self.document.path
        found = [error for _, error in sorted(self._found, key=lambda one: one[0])]
        if len(found) == 1:
            raise found[0]
        if found:
            told = [f"{one.message.removeprefix(path).lstrip(', :')} {one.remedy}" for one in found[:_MOST_TOLD]]
            more = f" And {len(found) - _MOST_TOLD} more." if len(found) > _MOST_TOLD else ""
            raise Refused(
                f"{path} has {len(found)} mistakes. {' '.join(one[:1].upper() + one[1:] for one in told)}{more}",
                "Mend them all.",
                code="contract-invalid",
            )

    def _unknown(self, place: Place, known: Sequence[str], remedy: str | None) -> None:
        self.document.refuse(place, "is not known", remedy or nearest(place[-1], known))
