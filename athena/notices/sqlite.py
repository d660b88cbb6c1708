"""Webhooks and notices in the home's `state.sqlite`."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from athena.events import DatasetUpdated
from athena.notices import Notice, Webhook
from athena.records import decode, encode
from athena.sqlite import Database

_SCHEMA = """
PRAGMA synchronous=FULL;
CREATE TABLE IF NOT EXISTS webhooks (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, partner TEXT NOT NULL, content BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS heard (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, event BLOB, spread INTEGER);
CREATE TABLE IF NOT EXISTS notices (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, webhook_id TEXT NOT NULL, due_at REAL NOT NULL,
    dead INTEGER NOT NULL, content BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS notices_due ON notices (dead, due_at);
"""
# An event is told again only shortly after it was told first.
_KEPT_EVENTS = 1000


class SqliteNotices:
    """Three tables; a notice that was taken is gone."""

    def __init__(self, state: Path) -> None:
        self._database = Database(state, _SCHEMA)

    def register(self, webhook: Webhook) -> None:
        """Keep a new webhook."""
        with self._database.write() as connection:
            insert = "INSERT INTO webhooks (id, partner, content) VALUES (?, ?, ?)"
            connection.execute(insert, (webhook.id, webhook.partner, encode(webhook)))

    def webhooks(self, partner: str | None = None) -> tuple[Webhook, ...]:
        """A partner's, or everybody's, oldest first."""
        select = "SELECT content FROM webhooks WHERE ?1 IS NULL OR partner = ?1 ORDER BY number"
        with self._database.read() as connection:
            return tuple(decode(Webhook, row["content"]) for row in connection.execute(select, (partner,)))

    def remove(self, partner: str, webhook_id: str) -> bool:
        """Forget one with its notices; whether there was one."""
        with self._database.write() as connection:
            delete = "DELETE FROM webhooks WHERE id = ? AND partner = ?"
            if connection.execute(delete, (webhook_id, partner)).rowcount == 0:
                return False
            connection.execute("DELETE FROM notices WHERE webhook_id = ?", (webhook_id,))
            return True

    def heard(self, event: DatasetUpdated) -> None:
        """Keep an event until it is spread."""
        with self._database.write() as connection:
            if connection.execute("SELECT 1 FROM webhooks LIMIT 1").fetchone() is not None:
                insert = "INSERT OR IGNORE INTO heard (id, event, spread) VALUES (?, ?, 0)"
                connection.execute(insert, (event.id, encode(event)))

    def events(self) -> tuple[DatasetUpdated, ...]:
        """Not spread yet, oldest first."""
        with self._database.read() as connection:
            rows = connection.execute("SELECT event FROM heard WHERE spread = 0 ORDER BY number").fetchall()
        return tuple(decode(DatasetUpdated, row["event"]) for row in rows)

    def spread(self, event: DatasetUpdated, notices: tuple[Notice, ...]) -> None:
        """Keep these notices, and the event no longer."""
        insert = "INSERT OR IGNORE INTO notices (id, webhook_id, due_at, dead, content) VALUES (?, ?, ?, 0, ?)"
        with self._database.write() as connection:
            # A webhook that was removed meanwhile must not leave notices behind.
            there = {row["id"] for row in connection.execute("SELECT id FROM webhooks")}
            # Another worker may have spread it, and the notices may have been taken since.
            if connection.execute("UPDATE heard SET spread = 1 WHERE id = ? AND spread = 0", (event.id,)).rowcount:
                for notice in notices:
                    if notice.webhook_id in there:
                        values = (notice.id, notice.webhook_id, notice.due_at.timestamp(), encode(notice))
                        connection.execute(insert, values)
            most = "DELETE FROM heard WHERE spread = 1 AND number <= (SELECT max(number) FROM heard) - ?"
            connection.execute(most, (_KEPT_EVENTS,))

    def claim(self, now: datetime, until: datetime) -> Notice | None:
        """One that is due, which nobody else is given before `until`."""
        select = "SELECT content FROM notices WHERE dead = 0 AND due_at <= ? ORDER BY due_at LIMIT 1"
        with self._database.read() as connection:
            if connection.execute(select, (now.timestamp(),)).fetchone() is None:
                return None
        with self._database.write() as connection:
            row = connection.execute(select, (now.timestamp(),)).fetchone()
            if row is None:
                return None
            notice = decode(Notice, row["content"])
            connection.execute("UPDATE notices SET due_at = ? WHERE id = ?", (until.timestamp(), notice.id))
            return notice

    def settle(self, notice: Notice) -> None:
        """Tried again when it is due, or dead."""
        update = "UPDATE notices SET due_at = ?, dead = ?, content = ? WHERE id = ?"
        with self._database.write() as connection:
            connection.execute(update, (notice.due_at.timestamp(), notice.dead, encode(notice), notice.id))

    def done(self, notice: Notice) -> None:
        """It was taken."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM notices WHERE id = ?", (notice.id,))

    def dead(self, webhook_id: str) -> tuple[Notice, ...]:
        """What was given up, oldest first."""
        select = "SELECT content FROM notices WHERE dead = 1 AND webhook_id = ? ORDER BY number LIMIT 1000"
        with self._database.read() as connection:
            return tuple(decode(Notice, row["content"]) for row in connection.execute(select, (webhook_id,)))

    def revive(self, webhook_id: str, now: datetime) -> int:
        """Try everything dead once more from the start."""
        found = self.dead(webhook_id)
        for notice in found:
            self.settle(replace(notice, dead=False, attempts=0, due_at=now, error=""))
        return len(found)
