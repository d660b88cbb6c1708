"""Secrets of a home: 32 random bytes in a file that its owner alone may read."""

import os
from pathlib import Path

from athena.errors import Failed

_BYTES = 32


def kept_secret(path: Path) -> bytes:
    """The secret in `path`, made when there is none; two processes that make it at once agree on one."""
    try:
        if not path.exists():
            _make(path)
        return path.read_bytes()
    except OSError as error:
        raise Failed(
            f"The key {path} cannot be used: {error.strerror}.",
            "Check that the folder is writable and belongs to whoever runs Lakegate.",
            code="key-unavailable",
        ) from error


def _make(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(os.urandom(_BYTES))
        file.flush()
        os.fsync(descriptor)
    try:
        os.link(draft, path)  # fails when another process was first: its secret is the one
    except FileExistsError:
        pass
    finally:
        draft.unlink()
