"""The signing keys of a home: files that only their owner can read. The newest signs; all that are there verify.

A file is named `<instant it was made>-<key id>.pem`. An older key stays until the last token that it signed has
ended, so that a rotation refuses nobody; deleting its file refuses its tokens from the next request on. Every 90 days
the keys rotate by themselves; `python -m api.callers.keys HOME` does it now.
"""

import os
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from threading import Lock

from joserfc.jwk import RSAKey

from athena.errors import Damaged, Failed
from athena.lake import Clock
from athena.settings import read_settings

KEY_BITS = 2048
STAMP = "%Y%m%dT%H%M%S%fZ"
# Clocks may differ by that much between who signs and who rotates.
GRACE = timedelta(minutes=5)
ROTATED_AFTER = timedelta(days=90)
# A folder's time has steps of a few ms: one that was read sooner may change again without a new time.
SETTLED_NS = 50_000_000
UNREAD = -1


@dataclass(frozen=True, slots=True)
class Ring:
    """The keys of one moment by id, oldest first."""

    keys: dict[str, RSAKey]
    newest_made_at: datetime

    @property
    def newest(self) -> RSAKey:
        """The one that signs."""
        return next(reversed(self.keys.values()))


class SigningKeys:
    """The keys in `folder`, read again when it changes; the first one is made when it is needed."""

    def __init__(self, folder: Path, *, clock: Clock, token_lifetime_seconds: int) -> None:
        self._folder = folder
        self._clock = clock
        self._token_lifetime_seconds = token_lifetime_seconds
        self._lock = Lock()
        self._ring = Ring({}, clock())
        self._changed_ns = UNREAD

    def ring(self) -> Ring:
        """What is valid now; the same object as long as no key came or went."""
        if self._folder_changed_ns() == self._changed_ns:
            return self._ring
        with self._lock:
            changed_ns = self._folder_changed_ns()
            if not _files(self._folder):
                rotate_keys(self._folder, now=self._clock(), token_lifetime_seconds=self._token_lifetime_seconds)
                changed_ns = self._folder_changed_ns()
            paths = _files(self._folder)
            keys = {path.stem.partition("-")[2]: _read(path) for path in paths}
            if list(keys) != list(self._ring.keys):
                self._ring = Ring(keys, _made_at(paths[-1]))
            self._changed_ns = changed_ns if time.time_ns() - changed_ns > SETTLED_NS else UNREAD
            return self._ring

    def signing(self) -> RSAKey:
        """The key to sign with; one that has signed for 90 days is replaced first."""
        ring = self.ring()
        if self._clock() - ring.newest_made_at > ROTATED_AFTER:
            rotate_keys(self._folder, now=self._clock(), token_lifetime_seconds=self._token_lifetime_seconds)
            ring = self.ring()
        return ring.newest

    def _folder_changed_ns(self) -> int:
        try:
            return self._folder.stat().st_mtime_ns
        except OSError:
            return 0


def rotate_keys(folder: Path, *, now: datetime, token_lifetime_seconds: int) -> str:
    """Make a new signing key and drop those whose last tokens have ended; the new key's id."""
    key: RSAKey = RSAKey.generate_key(KEY_BITS, private=True)
    kid = key.thumbprint()[:16]
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(folder / f"{now.astimezone(UTC):{STAMP}}-{kid}.pem", key.as_pem(private=True))
        _drop_ended(folder, now - timedelta(seconds=token_lifetime_seconds) - GRACE)
    except OSError as error:
        raise Failed(
            f"No signing key could be made in {folder}: {error.strerror}.",
            "Check that the disk has room and that the folder is writable.",
            code="state-unavailable",
        ) from error
    return kid


def _drop_ended(folder: Path, ended: datetime) -> None:
    for path, successor in pairwise(_files(folder)):
        if _made_at(successor) < ended:
            path.unlink(missing_ok=True)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.pem") if not path.name.startswith("."))


def _made_at(path: Path) -> datetime:
    return datetime.strptime(path.name.partition("-")[0], STAMP).replace(tzinfo=UTC)


def _read(path: Path) -> RSAKey:
    try:
        return RSAKey.import_key(path.read_bytes(), {"kid": path.stem.partition("-")[2]})
    except OSError as error:
        raise Failed(f"{path.name} cannot be read: {error.strerror}.", "Check its permissions.") from error
    except ValueError as error:
        raise Damaged(
            f"The signing key {path.name} is damaged.",
            "Delete the file: its tokens end at once, and a new key is made when none is left.",
            code="key-damaged",
        ) from error


def _write(path: Path, content: bytes) -> None:
    draft = path.with_name("." + path.name)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    draft.rename(path)


if __name__ == "__main__":
    home = read_settings(Path(sys.argv[1]))
    lifetime_seconds = home.token_lifetime_seconds
    sys.stdout.write(rotate_keys(home.keys, now=datetime.now(UTC), token_lifetime_seconds=lifetime_seconds) + "\n")
