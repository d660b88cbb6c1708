"""Saved questions in the home's `state.sqlite`."""

from pathlib import Path

from athena.records import decode, encode
from athena.saved import SavedQuestion
from athena.sqlite import Database

_SCHEMA = """
PRAGMA synchronous=FULL;
CREATE TABLE IF NOT EXISTS saved (
    partner TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL, content BLOB NOT NULL,
    PRIMARY KEY (partner, name)
) WITHOUT ROWID;
"""


class SqliteSaved:
    """One row per question, its versions together."""

    def __init__(self, state: Path) -> None:
        self._database = Database(state, _SCHEMA)

    def get(self, partner: str, name: str) -> SavedQuestion | None:
        """The question, or None."""
        select = "SELECT content FROM saved WHERE partner = ? AND name = ?"
        with self._database.read() as connection:
            row = connection.execute(select, (partner, name)).fetchone()
        return None if row is None else decode(SavedQuestion, row["content"])

    def all(self, partner: str) -> tuple[SavedQuestion, ...]:
        """All of a partner's, by name."""
        select = "SELECT content FROM saved WHERE partner = ? ORDER BY name"
        with self._database.read() as connection:
            return tuple(decode(SavedQuestion, row["content"]) for row in connection.execute(select, (partner,)))

    def put(self, question: SavedQuestion, *, before: int | None) -> bool:
        """Keep it if the latest version is still `before`; whether it was."""
        content, version = encode(question), question.latest.version
        with self._database.write() as connection:
            if before is None:
                write = "INSERT OR IGNORE INTO saved (content, version, partner, name) VALUES (?, ?, ?, ?)"
                return connection.execute(write, (content, version, question.partner, question.name)).rowcount == 1
            write = "UPDATE saved SET content = ?, version = ? WHERE partner = ? AND name = ? AND version = ?"
            values = (content, version, question.partner, question.name, before)
            return connection.execute(write, values).rowcount == 1

    def remove(self, partner: str, name: str) -> bool:
        """Forget it; whether there was one."""
        with self._database.write() as connection:
            done = connection.execute("DELETE FROM saved WHERE partner = ? AND name = ?", (partner, name))
            return done.rowcount == 1
