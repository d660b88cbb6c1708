"""Grants as files: `partners/<name>.toml`, read when they change."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from athena.errors import Failed, Refused
from athena.grants import Grant
from athena.grants.toml import PARTNER_NAME, grant_text, parse_grant

# File systems stamp changes in ticks of a few milliseconds: a file changed as recently as this may change again
# without its stamp telling.
_SETTLED_NS = 100_000_000

_Stamp = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class _Read:
    stamp: _Stamp
    grant: Grant


class FileGrants:
    """The grants of a folder. An edit, a new file and a removed file take effect on the next call.

    What was read is remembered by the file's inode, size and times, once they are old enough to be trusted.
    """

    def __init__(self, folder: Path, *, now_ns: Callable[[], int] = time.time_ns) -> None:
        self._folder = folder
        self._now_ns = now_ns
        self._read: dict[str, _Read] = {}

    def get(self, partner: str) -> Grant | None:
        """The grant of `partner`, None when there is no file; `Failed` (`grant-invalid`) when it is not understood."""
        if not PARTNER_NAME.match(partner):
            return None
        try:
            stamp = _stamp(os.stat(f"{self._folder}/{partner}.toml"))  # noqa: PTH116 - every request does this
            known = self._read.get(partner)
            if known is not None and known.stamp == stamp:
                return known.grant
            grant = read_grant(_path(self._folder, partner))
        except FileNotFoundError:
            self._read.pop(partner, None)
            return None
        except OSError as error:
            path = _path(self._folder, partner)
            raise Failed(f"{path} cannot be read: {error.strerror}.", "Check its permissions.") from error
        except Refused as error:
            # It is the owner's to mend; whoever asks is not told.
            raise Failed(error.message, error.remedy, code=error.code) from error
        if self._now_ns() - max(stamp[2:]) > _SETTLED_NS:
            self._read[partner] = _Read(stamp, grant)
        return grant

    def partners(self) -> tuple[str, ...]:
        """All names, sorted."""
        found = (path.stem for path in self._folder.glob("*.toml"))
        return tuple(sorted(name for name in found if PARTNER_NAME.match(name)))


def read_grant(path: Path) -> Grant:
    """The grant in a file; `Refused` (code `grant-invalid`) says what in it is not understood."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise Refused(f"{path} is not UTF-8.", "Save it as UTF-8.", code="grant-invalid") from error
    return parse_grant(text, partner=path.stem, where=str(path))


def write_grant(folder: Path, grant: Grant) -> Path:
    """Write `partners/<name>.toml` in one step and return its path.

    Raises `Refused`: `partner-name` when the name cannot be one, `partner-exists` when it is taken.
    """
    if not PARTNER_NAME.match(grant.partner):
        raise Refused(
            f"{grant.partner!r} is no partner name.",
            "Use up to 63 lower-case letters, digits, - and _, beginning with a letter or digit.",
            code="partner-name",
        )
    text = grant_text(grant)
    path = _path(folder, grant.partner)
    parse_grant(text, partner=grant.partner, where=str(path))
    folder.mkdir(parents=True, exist_ok=True)
    whole = folder / f".{grant.partner}.{os.getpid()}.tmp"
    try:
        whole.write_text(text, encoding="utf-8")
        # A link, not a rename: it fails where a file is, also one that another process has just made.
        os.link(whole, path)
    except FileExistsError as error:
        raise Refused(
            f"{path} is there already.", "Edit that file to change the grant.", code="partner-exists"
        ) from error
    except OSError as error:
        raise Failed(f"{path} cannot be written: {error.strerror}.", "Check the disk and the permissions.") from error
    finally:
        whole.unlink(missing_ok=True)
    return path


def remove_grant(folder: Path, partner: str) -> None:
    """Revoke: the file goes. `Refused` (code `no-partner`) when there is none."""
    path = _path(folder, partner)
    try:
        if not PARTNER_NAME.match(partner):
            raise FileNotFoundError(partner)
        path.unlink()
    except FileNotFoundError as error:
        raise Refused(f"There is no partner {partner!r}.", "See `lakegate partner list`.", code="no-partner") from error
    except OSError as error:
        raise Failed(f"{path} cannot be removed: {error.strerror}.", "Check its permissions.") from error


def _path(folder: Path, partner: str) -> Path:
    return folder / f"{partner}.toml"


def _stamp(stat: os.stat_result) -> _Stamp:
    return stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns
