"""The port of saved questions: each belongs to one partner and keeps its last versions."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

KEPT_VERSIONS = 10


@dataclass(frozen=True, slots=True)
class SavedParameter:
    """A value that a run gives: `type` is a column type as contracts write it, `default` the text of a value."""

    name: str
    type: str
    default: str | None = None
    optional: bool = False


@dataclass(frozen=True, slots=True)
class SavedVersion:
    """What a question said from one moment on."""

    version: int
    sql: str
    description: str
    parameters: tuple[SavedParameter, ...]
    limit: int | None
    saved_at: datetime


@dataclass(frozen=True, slots=True)
class SavedQuestion:
    """A question by its name; `versions` has the newest last, and at most `KEPT_VERSIONS`."""

    partner: str
    name: str
    versions: tuple[SavedVersion, ...]

    @property
    def latest(self) -> SavedVersion:
        """What a run takes unless it names another."""
        return self.versions[-1]


class Saved(Protocol):
    """Saved questions by partner and name."""

    def get(self, partner: str, name: str) -> SavedQuestion | None:
        """The question, or None."""
        ...

    def all(self, partner: str) -> tuple[SavedQuestion, ...]:
        """All of a partner's, by name."""
        ...

    def put(self, question: SavedQuestion, *, before: int | None) -> bool:
        """Keep it if the latest version is still `before` (None: there is none yet); whether it was."""
        ...

    def remove(self, partner: str, name: str) -> bool:
        """Forget it with all versions; whether there was one."""
        ...
