"""The version of a home's SQLite files, and the steps from an older one to this one's.

A file carries it as `PRAGMA user_version`; 0 is a new file, or one from before versions were written. Tables that are
only added need no step: whoever uses them makes them. A step is for what `CREATE … IF NOT EXISTS` cannot do.
"""

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from athena.errors import Refused

Step = Callable[[sqlite3.Connection], None]


@dataclass(frozen=True, slots=True)
class Form:
    """How a file looks now: `steps[n]` takes it from version n to n + 1."""

    steps: tuple[Step, ...]

    @property
    def version(self) -> int:
        """The version that this Lakegate reads and writes."""
        return len(self.steps)


def as_it_is(_connection: sqlite3.Connection) -> None:
    """The step to version 1, which only gave the file a version."""


FORMS: Mapping[str, Form] = {"state.sqlite": Form((as_it_is,)), "cache.sqlite": Form((as_it_is,))}


def bring_up(connection: sqlite3.Connection, path: Path, forms: Mapping[str, Form] = FORMS) -> None:
    """Take the file to this version, in one transaction; next to nothing when it is there already.

    Raises `Refused` ("home-version") for a file of a newer Lakegate: nothing of it is touched.
    """
    form = forms.get(path.name)
    if form is None or _version(connection, path, form) == form.version:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Somebody else may have been faster.
        for step in form.steps[_version(connection, path, form) :]:
            step(connection)
        connection.execute(f"PRAGMA user_version = {form.version}")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _version(connection: sqlite3.Connection, path: Path, form: Form) -> int:
    found = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if found > form.version:
        raise Refused(
            f"{path.name} has version {found}; this Lakegate knows it up to version {form.version}.",
            "Use the Lakegate that wrote it, or a newer one. (cache.sqlite may be deleted instead.)",
            code="home-version",
        )
    return found
