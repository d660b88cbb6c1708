"""The files of an UNLOAD in S3: found by Athena's manifest, believed as far as their own footers go."""

from collections.abc import Iterator

from athena.errors import Gone
from athena.results.footer import TAIL_BYTES, footer_bytes, rows_of
from athena.results.parts import Part, Parts
from athena.s3 import Bucket

# Beside Athena's results, under the same lifecycle rule; each run writes into a folder of its own.
UNLOADS = "unloads/"
_CHUNK_BYTES = 8_000_000


class S3Parts:
    """The parts in the result location of one work group."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def target(self, token: str) -> str:
        """Where the run with this token is to write: nobody else does."""
        return f"s3://{self._bucket.name}/{self._bucket.prefix}{UNLOADS}{token}/"

    def survey(self, manifest: str) -> Parts:
        """What a manifest of Athena's names (one address a line), each with the rows that its own footer tells.

        Raises `Gone` for what is not there, or is no Parquet file of this place.
        """
        lines = self._bucket.get(self._key(manifest)).decode().splitlines()
        try:
            return Parts(tuple(self._part(self._key(line.strip())) for line in lines if line.strip()))
        except ValueError as error:
            raise _gone() from error

    def check(self, parts: Parts) -> None:
        """Raises `Gone` unless every file is there as it was written."""
        for part in parts.files:
            if self._bucket.size_and_tag(part.key) != (part.size_bytes, part.tag):
                raise _gone()

    def link(self, part: Part, *, seconds: int, filename: str) -> str:
        """An address from which anybody may fetch the file for so long."""
        return self._bucket.link(part.key, seconds=seconds, filename=filename)

    def chunks(self, part: Part) -> Iterator[bytes]:
        """The file's bytes."""
        for start in range(0, part.size_bytes, _CHUNK_BYTES):
            yield self._bucket.range(part.key, start=start, size=_CHUNK_BYTES, tag=part.tag)

    def _part(self, key: str) -> Part:
        size, tag = self._bucket.size_and_tag(key)
        if size < TAIL_BYTES:
            raise _gone()
        length = footer_bytes(self._bucket.range(key, start=size - TAIL_BYTES, size=TAIL_BYTES, tag=tag))
        footer = self._bucket.range(key, start=max(0, size - TAIL_BYTES - length), size=max(1, length), tag=tag)
        return Part(key, tag, size, rows_of(footer))

    def _key(self, address: str) -> str:
        place = f"s3://{self._bucket.name}/{self._bucket.prefix}"
        if not address.startswith(place):
            raise _gone()
        return address.removeprefix(place)


def _gone() -> Gone:
    return Gone("The files of this answer are not there.", "Ask for the download again.", code="result-gone")
