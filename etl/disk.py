"""What a disk does to a file that is being written, as our own error."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from athena.errors import Failed


@contextmanager
def writing(what: object, remedy: str) -> Iterator[None]:
    """Whatever the disk refuses in the block is `Failed` ("disk") of `what`, a path or words, with this `remedy`."""
    try:
        yield
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else error
        raise Failed(f"{what} could not be written: {why}.", remedy, code="disk") from error
