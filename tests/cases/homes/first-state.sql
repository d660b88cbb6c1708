-- state.sqlite as the first version of Lakegate made it.
CREATE TABLE IF NOT EXISTS examined (
    key TEXT PRIMARY KEY, dataset TEXT NOT NULL, source TEXT NOT NULL, stamp TEXT NOT NULL,
    contract TEXT NOT NULL, outcome TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS examined_dataset ON examined (dataset);
CREATE TABLE IF NOT EXISTS holding (
    unit TEXT PRIMARY KEY, key TEXT NOT NULL, dataset TEXT NOT NULL, source TEXT NOT NULL, slot TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS holding_dataset ON holding (dataset, slot);
CREATE INDEX IF NOT EXISTS holding_key ON holding (key);
CREATE TABLE IF NOT EXISTS slot (
    dataset TEXT NOT NULL, name TEXT NOT NULL, content TEXT NOT NULL, interpretation TEXT NOT NULL, unit TEXT NOT NULL,
    source TEXT NOT NULL, load_id TEXT NOT NULL, size_bytes INTEGER NOT NULL, PRIMARY KEY (dataset, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS piece (
    dataset TEXT NOT NULL, slot TEXT NOT NULL, path TEXT NOT NULL, rows INTEGER NOT NULL, size_bytes INTEGER NOT NULL,
    PRIMARY KEY (dataset, slot, path)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS load (
    number INTEGER PRIMARY KEY AUTOINCREMENT, load_id TEXT NOT NULL UNIQUE, dataset TEXT NOT NULL, key TEXT NOT NULL,
    unit TEXT NOT NULL, status TEXT NOT NULL, made_at TEXT NOT NULL, commit_id TEXT NOT NULL, report TEXT
);
CREATE INDEX IF NOT EXISTS load_dataset ON load (dataset, number);
CREATE TABLE IF NOT EXISTS plan (
    commit_id TEXT PRIMARY KEY, dataset TEXT NOT NULL, state TEXT NOT NULL, plan BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS writing (
    commit_id TEXT PRIMARY KEY, dataset TEXT NOT NULL, holder TEXT NOT NULL, keys TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS head (dataset TEXT PRIMARY KEY, head BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS intent (dataset TEXT PRIMARY KEY, commit_id TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS lease (
    name TEXT PRIMARY KEY, holder TEXT NOT NULL, token INTEGER NOT NULL, expires_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS outbox (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, event BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS clients (
    client_id  TEXT PRIMARY KEY,
    partner    TEXT NOT NULL,
    salt       BLOB NOT NULL,
    hash       BLOB NOT NULL,
    created_at TEXT NOT NULL,
    revoked_at TEXT
) STRICT;
