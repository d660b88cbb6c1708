"""Contents of items: compressed, and in a bucket when they are too large for one."""

import zlib
from collections.abc import Mapping

from athena.dynamodb import Value, text
from athena.errors import Damaged, Gone
from athena.s3 import Bucket

# An item holds 400 KB; what is larger than this lies in the bucket.
INLINE_BYTES = 120_000


class Packed:
    """An attribute `name` is the content itself, or `name_at` the object that holds it."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def stored(self, name: str, where: str, content: bytes) -> dict[str, Value]:
        """The attribute to write; the object is there by then."""
        packed = zlib.compress(content)
        if len(packed) <= INLINE_BYTES:
            return {name: packed}
        self._bucket.put(where, packed)
        return {f"{name}_at": where}

    def fetched(self, item: Mapping[str, Value], name: str) -> bytes:
        """What `stored` was given. Raises `Damaged`."""
        try:
            if f"{name}_at" in item:
                return unpacked(self._bucket.get(text(item[f"{name}_at"])))
            return unpacked(item[name])
        except Gone as error:
            raise unreadable(text(item["sk"])) from error

    def remove(self, item: Mapping[str, Value], name: str) -> None:
        """Remove the object, if there is one."""
        if f"{name}_at" in item:
            self._bucket.remove(text(item[f"{name}_at"]))


def packed(content: bytes) -> bytes:
    """The content, compressed."""
    return zlib.compress(content)


def unpacked(value: Value) -> bytes:
    """The content again. Raises `Damaged`."""
    try:
        if isinstance(value, bytes):
            return zlib.decompress(value)
    except zlib.error as error:
        raise unreadable("an item") from error
    raise unreadable("an item")


def unreadable(what: str) -> Damaged:
    """What is raised for a record that does not hold what it must."""
    return Damaged(
        f"The ledger's record of {what} cannot be read.",
        "Restore the state table and the ledger's objects to one point in time, then reconcile.",
        code="state-damaged",
    )
