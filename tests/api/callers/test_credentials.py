import sqlite3
from pathlib import Path

import pytest

from api.callers.credentials import SCHEMA, Credentials
from athena.errors import NotFound
from athena.sqlite import Database
from tests.clock import SetClock


@pytest.fixture
def credentials(tmp_path: Path) -> Credentials:
    return Credentials(Database(tmp_path / "state.sqlite", SCHEMA), SetClock())


def test_the_secret_that_was_shown_is_the_only_one_that_is_taken(credentials: Credentials) -> None:
    issued, other = credentials.add_client("united"), credentials.add_client("united")
    found = credentials.check(issued.client_id, issued.secret)
    assert found is not None
    assert (found.client_id, found.partner) == (issued.client_id, "united")
    assert credentials.check(issued.client_id, other.secret) is None
    assert credentials.check(issued.client_id, "") is None
    assert credentials.check("c_nobody", issued.secret) is None


def test_no_secret_lies_in_the_file_or_shows_in_a_repr(credentials: Credentials, tmp_path: Path) -> None:
    issued = credentials.add_client("united")
    assert issued.secret not in repr(issued)
    files = list(tmp_path.glob("state.sqlite*"))
    assert files and all(issued.secret.encode() not in path.read_bytes() for path in files)


def test_equal_secrets_would_have_different_hashes(credentials: Credentials, tmp_path: Path) -> None:
    for _ in range(2):
        credentials.add_client("united")
    with sqlite3.connect(tmp_path / "state.sqlite") as connection:
        salts = connection.execute("SELECT DISTINCT salt FROM clients").fetchall()
    connection.close()
    assert len(salts) == 2


def test_a_revoked_client_is_not_active(credentials: Credentials) -> None:
    issued = credentials.add_client("united")
    credentials.revoke_client(issued.client_id)
    assert credentials.partner_of(issued.client_id) is None
    assert credentials.check(issued.client_id, issued.secret) is None


def test_revoking_a_partner_revokes_its_clients_and_no_others(credentials: Credentials) -> None:
    mine = [credentials.add_client("united") for _ in range(2)]
    theirs = credentials.add_client("delta")
    assert credentials.revoke_partner("united") == 2
    assert credentials.revoke_partner("united") == 0
    assert [credentials.partner_of(issued.client_id) for issued in mine] == [None, None]
    assert credentials.partner_of(theirs.client_id) is not None
    assert [client.revoked_at is None for client in credentials.clients("united")] == [False, False]
    assert len(credentials.clients()) == 3


def test_an_unknown_client_cannot_be_revoked(credentials: Credentials) -> None:
    with pytest.raises(NotFound, match="may ask") as refused:
        credentials.revoke_client("c_nobody")
    assert "partner list" in refused.value.remedy
