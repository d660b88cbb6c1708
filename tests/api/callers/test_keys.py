import stat
import subprocess
import sys
from pathlib import Path

import pytest

from api.callers.keys import SigningKeys, rotate_keys
from athena.errors import Damaged
from athena.lake import utc_now
from athena.settings import HOME_FILE
from tests.clock import SetClock

LIFETIME = 3600


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


def test_the_first_key_is_made_when_it_is_needed_and_kept(tmp_path: Path, clock: SetClock) -> None:
    folder = tmp_path / "keys"
    first = SigningKeys(folder, clock=clock, token_lifetime_seconds=LIFETIME).ring().newest.kid
    again = SigningKeys(folder, clock=clock, token_lifetime_seconds=LIFETIME).ring().newest.kid
    assert first == again


def test_key_files_can_be_read_by_their_owner_alone(tmp_path: Path, clock: SetClock) -> None:
    folder = tmp_path / "keys"
    rotate_keys(folder, now=clock(), token_lifetime_seconds=LIFETIME)
    (path,) = folder.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_rotation_signs_with_the_new_key_and_keeps_the_old_one_until_its_tokens_ended(
    tmp_path: Path, clock: SetClock
) -> None:
    keys = SigningKeys(tmp_path, clock=clock, token_lifetime_seconds=LIFETIME)
    old = keys.ring().newest.kid
    clock.move(seconds=10)
    new = rotate_keys(tmp_path, now=clock(), token_lifetime_seconds=LIFETIME)
    assert keys.ring().newest.kid == new
    assert set(keys.ring().keys) == {old, new}
    clock.move(seconds=LIFETIME + 600)
    newer = rotate_keys(tmp_path, now=clock(), token_lifetime_seconds=LIFETIME)
    assert set(keys.ring().keys) == {new, newer}


def test_a_key_that_has_signed_for_long_is_replaced_by_itself(tmp_path: Path, clock: SetClock) -> None:
    keys = SigningKeys(tmp_path, clock=clock, token_lifetime_seconds=LIFETIME)
    first = keys.signing().kid
    clock.move(seconds=89 * 86_400)
    assert keys.signing().kid == first
    clock.move(seconds=2 * 86_400)
    second = keys.signing().kid
    assert second != first
    assert keys.signing().kid == second
    assert set(keys.ring().keys) == {first, second}


def test_an_operator_can_rotate_by_hand(tmp_path: Path) -> None:
    (tmp_path / HOME_FILE).write_text("version = 1\n")
    made = [
        subprocess.run([sys.executable, "-m", "api.callers.keys", str(tmp_path)], capture_output=True, check=True)
        for _ in range(2)
    ]
    kids = [one.stdout.decode().strip() for one in made]
    keys = SigningKeys(tmp_path / "keys", clock=utc_now, token_lifetime_seconds=LIFETIME)
    assert list(keys.ring().keys) == kids


def test_a_key_whose_file_is_gone_verifies_no_more(tmp_path: Path, clock: SetClock) -> None:
    keys = SigningKeys(tmp_path, clock=clock, token_lifetime_seconds=LIFETIME)
    keys.ring()
    clock.move(seconds=1)
    new = rotate_keys(tmp_path, now=clock(), token_lifetime_seconds=LIFETIME)
    keys.ring()
    min(tmp_path.glob("*.pem")).unlink()
    assert list(keys.ring().keys) == [new]


def test_the_ring_is_the_same_object_while_nothing_changes(tmp_path: Path, clock: SetClock) -> None:
    keys = SigningKeys(tmp_path, clock=clock, token_lifetime_seconds=LIFETIME)
    assert keys.ring() is keys.ring()


def test_a_damaged_key_is_told_with_its_file(tmp_path: Path, clock: SetClock) -> None:
    rotate_keys(tmp_path, now=clock(), token_lifetime_seconds=LIFETIME)
    (path,) = tmp_path.iterdir()
    path.write_text("-----BEGIN PRIVATE KEY-----\nnonsense\n-----END PRIVATE KEY-----\n")
    with pytest.raises(Damaged, match=path.name) as damaged:
        SigningKeys(tmp_path, clock=clock, token_lifetime_seconds=LIFETIME).ring()
    assert "Delete the file" in damaged.value.remedy
