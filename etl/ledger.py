"""Which key holds which content, which data files hold it, and what became of each load: `state.sqlite`.

The ledger is what the table is reconciled with. It changes in one transaction per commit (`record`), which repeats
without harm; a plan stays open from before the commit until its head is published.
"""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import orjson

from athena.leases import Lease, lease_lost
from athena.leases.sqlite import is_held_in
from athena.records import decode, encode
from athena.sqlite import Database
from etl.plan import BROUGHT_ROWS, LATEST_LOADS, Examined, Holding, LoadEntry, PastLoad, Piece, Plan
from etl.union import Holdings, Slot

# FULL: what was recorded must survive a power cut, as the catalog does.
_SCHEMA = """
PRAGMA synchronous=FULL;
CREATE TABLE IF NOT EXISTS examined (
    key TEXT PRIMARY KEY, dataset TEXT NOT NULL, source TEXT NOT NULL, stamp TEXT NOT NULL,
    contract TEXT NOT NULL, outcome TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS examined_outcome ON examined (dataset, outcome);
CREATE TABLE IF NOT EXISTS holding (
    unit TEXT PRIMARY KEY, key TEXT NOT NULL, dataset TEXT NOT NULL, source TEXT NOT NULL, slot TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS holding_dataset ON holding (dataset, slot);
CREATE INDEX IF NOT EXISTS holding_key ON holding (key);
CREATE TABLE IF NOT EXISTS slot (
    dataset TEXT NOT NULL, name TEXT NOT NULL, content TEXT NOT NULL, interpretation TEXT NOT NULL, unit TEXT NOT NULL,
    source TEXT NOT NULL, load_id TEXT NOT NULL, size_bytes INTEGER NOT NULL, PRIMARY KEY (dataset, name)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS slot_load ON slot (dataset, load_id);
CREATE TABLE IF NOT EXISTS piece (
    dataset TEXT NOT NULL, slot TEXT NOT NULL, path TEXT NOT NULL, rows INTEGER NOT NULL, size_bytes INTEGER NOT NULL,
    PRIMARY KEY (dataset, slot, path)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS piece_path ON piece (dataset, path);
CREATE TABLE IF NOT EXISTS load (
    number INTEGER PRIMARY KEY AUTOINCREMENT, load_id TEXT NOT NULL UNIQUE, dataset TEXT NOT NULL, key TEXT NOT NULL,
    unit TEXT NOT NULL, status TEXT NOT NULL, made_at TEXT NOT NULL, commit_id TEXT NOT NULL, report TEXT
);
CREATE INDEX IF NOT EXISTS load_dataset ON load (dataset, number);
CREATE TABLE IF NOT EXISTS plan (
    commit_id TEXT PRIMARY KEY, dataset TEXT NOT NULL, state TEXT NOT NULL, plan BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS garbage (
    path TEXT PRIMARY KEY, dataset TEXT NOT NULL, since TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS writing (
    commit_id TEXT PRIMARY KEY, dataset TEXT NOT NULL, holder TEXT NOT NULL, keys TEXT NOT NULL
) WITHOUT ROWID;
"""
_SLOT = "name, content, interpretation, unit, source, load_id, size_bytes"
_PIECE = "slot, path, rows, size_bytes"
# One statement for any number of values.
_LISTED = "(SELECT value FROM json_each(?))"


class SqliteLedger:
    """One file, shared by processes; every method is one transaction."""

    def __init__(self, state: Path) -> None:
        self._database = Database(state, _SCHEMA)

    def datasets(self) -> tuple[str, ...]:
        """Every dataset that the ledger knows, sorted."""
        with self._database.read() as connection:
            rows = connection.execute("SELECT dataset FROM examined UNION SELECT dataset FROM slot ORDER BY 1")
            return tuple(row["dataset"] for row in rows)

    def holdings(self, dataset: str) -> Holdings:
        """Who holds what, and what is in the table."""
        with self._database.read() as connection:
            units = connection.execute("SELECT unit, slot FROM holding WHERE dataset = ?", (dataset,)).fetchall()
            slots = connection.execute(f"SELECT {_SLOT} FROM slot WHERE dataset = ?", (dataset,)).fetchall()
        # By place: a table may hold a hundred thousand contents.
        return Holdings({row[0]: row[1] for row in units}, {row[0]: Slot(*row) for row in slots})

    def holdings_around(self, dataset: str, keys: Iterable[str], slots: Iterable[str]) -> Holdings:
        """The part of it that a load of these keys and slots can touch."""
        with self._database.read() as connection:
            held = f"SELECT slot FROM holding WHERE key IN {_LISTED} AND dataset = ?"
            wanted = {*slots, *(row[0] for row in connection.execute(held, (json.dumps([*keys]), dataset)))}
            of_these = (dataset, json.dumps(sorted(wanted)))
            found = connection.execute(f"SELECT {_SLOT} FROM slot WHERE dataset = ? AND name IN {_LISTED}", of_these)
            by_name = {row[0]: Slot(*row) for row in found}
            holders = f"SELECT unit, slot FROM holding WHERE dataset = ? AND slot IN {_LISTED}"
            units = {row[0]: row[1] for row in connection.execute(holders, of_these)}
        return Holdings(units, by_name)

    def units(self, key: str) -> tuple[str, ...]:
        """The units of a key that hold something, sorted."""
        with self._database.read() as connection:
            rows = connection.execute("SELECT unit FROM holding WHERE key = ? ORDER BY unit", (key,))
            return tuple(row["unit"] for row in rows)

    def pieces(self, dataset: str) -> tuple[Piece, ...]:
        """Which data files hold which slot with how many rows."""
        with self._database.read() as connection:
            rows = connection.execute(f"SELECT {_PIECE} FROM piece WHERE dataset = ? ORDER BY path, slot", (dataset,))
            return tuple(Piece(*row) for row in rows)

    def rows(self, dataset: str) -> int:
        """How many rows the table has, as far as the ledger knows."""
        found = self._database.row("SELECT sum(rows) AS rows FROM piece WHERE dataset = ?", (dataset,))
        return (found["rows"] or 0) if found else 0

    def pieces_of(self, dataset: str, slots: Iterable[str]) -> tuple[Piece, ...]:
        """The same, of these slots."""
        return self._pieces(dataset, "slot", slots)

    def pieces_in(self, dataset: str, paths: Iterable[str]) -> tuple[Piece, ...]:
        """The same, of these data files alone."""
        return self._pieces(dataset, "path", paths)

    def unreferenced(self, table: str, paths: Iterable[str], *, now: str) -> dict[str, str]:
        """Note that nobody names these files of a table (somebody does name all others); since when that was so."""
        with self._database.write() as connection:
            known = connection.execute("SELECT path, since FROM garbage WHERE dataset = ?", (table,)).fetchall()
            since = {row["path"]: row["since"] for row in known}
            noted = {path: since.get(path, now) for path in paths}
            connection.executemany("DELETE FROM garbage WHERE path = ?", [(one,) for one in set(since) - set(noted)])
            rows = [(path, table, at) for path, at in noted.items() if path not in since]
            connection.executemany("INSERT OR REPLACE INTO garbage VALUES (?, ?, ?)", rows)
        return noted

    def examined(self, dataset: str, *, outcome: str | None = None) -> dict[str, Examined]:
        """What became of every key when it was last looked into; with `outcome`, of those of that alone."""
        # Two conditions, not one with OR, for which SQLite reads the whole table.
        statement, values = "SELECT * FROM examined WHERE dataset = ?", [dataset]
        if outcome is not None:
            statement, values = f"{statement} AND outcome = ?", [dataset, outcome]
        with self._database.read() as connection:
            return {row["key"]: _examined(row) for row in connection.execute(statement, values)}

    def examined_key(self, key: str) -> Examined | None:
        """The same for one key."""
        with self._database.read() as connection:
            return next(map(_examined, connection.execute("SELECT * FROM examined WHERE key = ?", (key,))), None)

    def history(self, dataset: str | None, *, limit: int) -> tuple[PastLoad, ...]:
        """The loads, newest first."""
        of = "" if dataset is None else "WHERE dataset = :dataset"  # with OR, the loads of all others are read too
        current = "EXISTS (SELECT 1 FROM slot WHERE slot.dataset = load.dataset AND slot.load_id = load.load_id)"
        statement = f"SELECT load.*, {current} AS current FROM load {of} ORDER BY number DESC LIMIT :limit"
        with self._database.read() as connection:
            return tuple(map(_past, connection.execute(statement, {"dataset": dataset, "limit": limit})))

    def latest(self, dataset: str, source: str) -> dict[str, Any] | None:
        """The report of the newest load that brought rows from a source, as far back as `LATEST_LOADS`."""
        statement = "SELECT status, report FROM load WHERE dataset = ? ORDER BY number DESC LIMIT ?"
        with self._database.read() as connection:
            for row in connection.execute(statement, (dataset, LATEST_LOADS)):
                if row["status"] in BROUGHT_ROWS and (report := json.loads(row["report"]))["source"] == source:
                    return dict(report)
        return None

    def begin(self, commit_id: str, dataset: str, holder: str, keys: Sequence[str] = ()) -> None:
        """Note that `holder` reads `keys` and writes files for `commit_id`, so that these can be found if it dies."""
        with self._database.write() as connection:
            values = (commit_id, dataset, holder, json.dumps(list(keys)))
            connection.execute("INSERT OR REPLACE INTO writing VALUES (?, ?, ?, ?)", values)

    def being_read(self, dataset: str) -> dict[str, str]:
        """Keys that somebody reads just now (or did, and died): holder by key."""
        with self._database.read() as connection:
            rows = connection.execute("SELECT holder, keys FROM writing WHERE dataset = ?", (dataset,)).fetchall()
        return {key: row["holder"] for row in rows for key in json.loads(row["keys"])}

    def begun(self, dataset: str) -> dict[str, str]:
        """Commits whose files are being written (or were, by somebody who died): holder by commit id."""
        with self._database.read() as connection:
            rows = connection.execute("SELECT commit_id, holder FROM writing WHERE dataset = ?", (dataset,))
            return dict(rows.fetchall())

    def end(self, commit_id: str) -> None:
        """Take the note of `begin` off."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM writing WHERE commit_id = ?", (commit_id,))

    def plan(self, plan: Plan, lease: Lease) -> None:
        """Open a plan: from now on it is finished or forgotten, whatever happens to us. Raises `Failed`
        ("lease-lost") when the table had another writer since the lease was taken."""
        with self._database.write() as connection:
            if not is_held_in(connection, lease):
                raise lease_lost(plan.dataset)
            opened = (plan.commit_id, plan.dataset, encode(plan))
            connection.execute("INSERT INTO plan VALUES (?, ?, 'planned', ?)", opened)
            connection.execute("DELETE FROM writing WHERE commit_id = ?", (plan.commit_id,))

    def open_plans(self, dataset: str) -> tuple[tuple[Plan, bool], ...]:
        """Plans that were neither finished nor forgotten, each with whether it was recorded."""
        with self._database.read() as connection:
            rows = connection.execute("SELECT * FROM plan WHERE dataset = ?", (dataset,)).fetchall()
        return tuple((decode(Plan, row["plan"]), row["state"] == "recorded") for row in rows)

    def unresolved(self) -> tuple[str, ...]:
        """Datasets with open plans, or with files of somebody who may have died."""
        with self._database.read() as connection:
            rows = connection.execute("SELECT dataset FROM plan UNION SELECT dataset FROM writing ORDER BY 1")
            return tuple(row["dataset"] for row in rows)

    def forget(self, plan: Plan, holder: str) -> bool:
        """Close a plan whose commit did not happen, its files noted as by `begin`; False when it was closed already."""
        with self._database.write() as connection:
            if not connection.execute("DELETE FROM plan WHERE commit_id = ?", (plan.commit_id,)).rowcount:
                return False
            note = (plan.commit_id, plan.dataset, holder, "[]")
            connection.execute("INSERT OR REPLACE INTO writing VALUES (?, ?, ?, ?)", note)
        return True

    def close(self, commit_id: str) -> None:
        """The plan is done."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM plan WHERE commit_id = ?", (commit_id,))

    def record(self, plan: Plan, *, snapshot: str | None) -> None:
        """Let the ledger say what the table says now; nothing changes when somebody else has recorded or closed it."""
        with self._database.write() as connection:
            state = connection.execute("SELECT state FROM plan WHERE commit_id = ?", (plan.commit_id,)).fetchone()
            if state is None or state["state"] == "recorded":
                return
            _record(connection, plan)
            connection.executemany(
                "INSERT OR IGNORE INTO load (load_id, dataset, key, unit, status, made_at, commit_id, report) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [_load_row(plan, entry, snapshot) for entry in plan.loads],
            )
            connection.execute("UPDATE plan SET state = 'recorded' WHERE commit_id = ?", (plan.commit_id,))

    def replace(
        self, dataset: str, slots: Iterable[Slot], holdings: Iterable[Holding], pieces: Iterable[Piece]
    ) -> None:
        """Let the dataset's state be this, whatever it was; keys that lose something are looked into anew."""
        held = list(holdings)
        with self._database.write() as connection:
            known = connection.execute("SELECT unit, key, slot FROM holding WHERE dataset = ?", (dataset,)).fetchall()
            now = {one.unit: one.slot for one in held}
            lost = {row["key"] for row in known if now.get(row["unit"]) != row["slot"]}
            connection.executemany("DELETE FROM examined WHERE key = ?", [(key,) for key in lost])
            for name in ("slot", "piece", "holding"):
                connection.execute(f"DELETE FROM {name} WHERE dataset = ?", (dataset,))
            state = Plan("", dataset, "", holdings=tuple(held), slots=tuple(slots), pieces=tuple(pieces))
            _record(connection, state)

    def _pieces(self, dataset: str, column: str, values: Iterable[str]) -> tuple[Piece, ...]:
        statement = f"SELECT {_PIECE} FROM piece WHERE dataset = ? AND {column} IN {_LISTED}"
        with self._database.read() as connection:
            return tuple(Piece(*row) for row in connection.execute(statement, (dataset, json.dumps([*values]))))


def _record(connection: sqlite3.Connection, plan: Plan) -> None:
    dataset = plan.dataset
    restamped = [(new, dataset, old) for old, new in plan.restamps.items()]
    connection.executemany("UPDATE slot SET interpretation = ? WHERE dataset = ? AND interpretation = ?", restamped)
    replaced = [(dataset, name) for name in (*plan.dropped, *(slot.name for slot in plan.slots))]
    connection.executemany("DELETE FROM piece WHERE dataset = ? AND slot = ?", replaced)
    removed = [(dataset, path) for path in plan.removed_paths]
    connection.executemany("DELETE FROM piece WHERE dataset = ? AND path = ?", removed)
    connection.executemany("DELETE FROM slot WHERE dataset = ? AND name = ?", replaced)
    connection.executemany("DELETE FROM holding WHERE unit = ?", [(unit,) for unit in plan.released])
    connection.executemany(
        "INSERT OR REPLACE INTO slot VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [(dataset, s.name, s.content, s.interpretation, s.unit, s.source, s.load_id, s.size_bytes) for s in plan.slots],
    )
    connection.executemany(
        "INSERT OR REPLACE INTO piece VALUES (?, ?, ?, ?, ?)",
        [(dataset, piece.slot, piece.path, piece.rows, piece.size_bytes) for piece in (*plan.pieces, *plan.moved)],
    )
    connection.executemany(
        "INSERT OR REPLACE INTO holding VALUES (?, ?, ?, ?, ?)",
        [(one.unit, one.key, dataset, one.source, one.slot) for one in plan.holdings],
    )
    connection.executemany(
        "INSERT OR REPLACE INTO examined VALUES (?, ?, ?, ?, ?, ?)",
        [(one.key, dataset, one.source, one.stamp, one.contract, one.outcome) for one in plan.examined],
    )


def _load_row(plan: Plan, entry: LoadEntry, snapshot: str | None) -> tuple[str | None, ...]:
    told = entry.told(snapshot)
    report = None if told is None else orjson.dumps(told).decode()
    return (entry.load_id, plan.dataset, entry.key, entry.unit, entry.status, entry.made_at, plan.commit_id, report)


def _examined(row: sqlite3.Row) -> Examined:
    return Examined(row["key"], row["source"], row["stamp"], row["contract"], row["outcome"])


def _past(row: sqlite3.Row) -> PastLoad:
    report = None if row["report"] is None else json.loads(row["report"])
    entry = LoadEntry(row["load_id"], row["key"], row["unit"], row["status"], row["made_at"], report)
    return PastLoad(row["number"], row["dataset"], entry, bool(row["current"]))
