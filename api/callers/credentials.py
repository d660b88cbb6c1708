"""Client ids and hashed secrets of partners, in `state.sqlite`.

A secret has 256 random bits and is shown once; what is kept is scrypt (RFC 7914) of it with a salt of its own.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from sqlite3 import Row

from athena.errors import NotFound
from athena.lake import Clock
from athena.settings import Settings
from athena.sqlite import Database

SCHEMA = """
CREATE TABLE IF NOT EXISTS clients (
    client_id  TEXT PRIMARY KEY,
    partner    TEXT NOT NULL,
    salt       BLOB NOT NULL,
    hash       BLOB NOT NULL,
    created_at TEXT NOT NULL,
    revoked_at TEXT
) STRICT;
"""

_PARTNER = "SELECT partner FROM clients WHERE client_id = ? AND revoked_at IS NULL"
# 16 MB and about 40 ms a time: slow for who guesses, bearable once per token lifetime.
SCRYPT_COST, SCRYPT_BLOCK, SCRYPT_LANES = 2**14, 8, 1
SALT_BYTES, SECRET_BYTES, CLIENT_ID_BYTES = 16, 32, 12


@dataclass(frozen=True, slots=True)
class Issued:
    """A client id with its secret, which is shown once and kept nowhere."""

    client_id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Client:
    """What is known of a client; `revoked_at` is None while it may ask."""

    client_id: str
    partner: str
    created_at: datetime
    revoked_at: datetime | None = None


class Credentials:
    """The clients of one home."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    @classmethod
    def embedded(cls, settings: Settings, clock: Clock = lambda: datetime.now(UTC)) -> "Credentials":
        """The clients of a home on this machine."""
        return cls(Database(settings.state, SCHEMA), clock)

    def add_client(self, partner: str) -> Issued:
        """A new client of `partner`; the secret is told here and never again."""
        issued = Issued("c_" + secrets.token_hex(CLIENT_ID_BYTES), secrets.token_urlsafe(SECRET_BYTES))
        salt = secrets.token_bytes(SALT_BYTES)
        values = (issued.client_id, partner, salt, _hash(issued.secret, salt), self._clock().isoformat())
        with self._database.write() as connection:
            connection.execute(
                "INSERT INTO clients (client_id, partner, salt, hash, created_at) VALUES (?, ?, ?, ?, ?)", values
            )
        return issued

    def revoke_client(self, client_id: str) -> None:
        """Refuse the client, its secret and its tokens from the next request on; `NotFound` for an unknown one."""
        known = self._update(
            "SET revoked_at = coalesce(revoked_at, ?) WHERE client_id = ?", (self._clock().isoformat(), client_id)
        )
        if not known:
            raise _unknown(client_id)

    def revoke_partner(self, partner: str) -> int:
        """Revoke all clients of `partner`; how many could ask until now."""
        return self._update(
            "SET revoked_at = ? WHERE partner = ? AND revoked_at IS NULL", (self._clock().isoformat(), partner)
        )

    def clients(self, partner: str | None = None) -> tuple[Client, ...]:
        """All clients, or those of one partner, oldest first, revoked ones included."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT * FROM clients WHERE ?1 IS NULL OR partner = ?1 ORDER BY created_at, client_id", (partner,)
            ).fetchall()
        return tuple(_client(row) for row in rows)

    def partner_of(self, client_id: str) -> str | None:
        """Whose client it is, None when it is unknown or revoked: one look-up by key, made on every request."""
        row = self._database.row(_PARTNER, (client_id,))
        return None if row is None else str(row["partner"])

    def check(self, client_id: str, secret: str) -> Client | None:
        """The active client whose secret this is; as slow for an unknown client as for a known one."""
        row = self._row(client_id)
        if row is None or row["revoked_at"] is not None:
            _hash(secret, bytes(SALT_BYTES))
            return None
        return _client(row) if hmac.compare_digest(_hash(secret, row["salt"]), row["hash"]) else None

    def _row(self, client_id: str) -> Row | None:
        return self._database.row("SELECT * FROM clients WHERE client_id = ?", (client_id,))

    def _update(self, rest: str, values: tuple[object, ...]) -> int:
        with self._database.write() as connection:
            return connection.execute(f"UPDATE clients {rest}", values).rowcount


def _client(row: Row) -> Client:
    revoked_at = row["revoked_at"]
    return Client(
        client_id=row["client_id"],
        partner=row["partner"],
        created_at=datetime.fromisoformat(row["created_at"]),
        revoked_at=None if revoked_at is None else datetime.fromisoformat(revoked_at),
    )


def _hash(secret: str, salt: bytes) -> bytes:
    return hashlib.scrypt(
        secret.encode("utf-8", "replace"),
        salt=salt,
        n=SCRYPT_COST,
        r=SCRYPT_BLOCK,
        p=SCRYPT_LANES,
        maxmem=2**26,
    )


def _unknown(client_id: str) -> NotFound:
    return NotFound(f"No client {client_id!r} may ask.", "See `lakegate partner list`.", code="unknown-client")
