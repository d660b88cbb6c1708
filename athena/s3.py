"""One way to use S3: small objects whole, large ones by ranges that hold only while the object is the same."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any, BinaryIO, TypeVar

from botocore.exceptions import ClientError, HTTPClientError, IncompleteReadError, ResponseStreamingError

from athena.aws import Patience, Unreachable, error_code, persist
from athena.errors import Failed, Gone, OutcomeUnknown

T = TypeVar("T")

_ABSENT = frozenset(["404", "NoSuchKey", "NoSuchBucket", "NoSuchVersion"])
_LEAST_COPIED_BYTES = 5 * 1024**2
_WITHHELD = frozenset(["403", "AccessDenied", "InvalidObjectState"])
_CHANGED = frozenset(["412", "PreconditionFailed", "416", "InvalidRange"])


# S3 takes up to 5 GB in one call and 10,000 parts of at least 5 MB in many; parts are held in memory one at a time.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
PART_BYTES = 32 * 1024 * 1024
# It copies as much in one call; of so much it is done before a client gives up.
COPY_BYTES = 256 * 1024 * 1024
_COPIERS = 8


@dataclass(frozen=True, slots=True)
class Stored:
    """An object as a listing shows it; `key` without the prefix."""

    key: str
    size_bytes: int
    tag: str
    modified_at: datetime


class Withheld(Failed):
    """S3 refuses for sure: there is no right to the object or to its key, or it lies in an archive."""


class Bucket:
    """The objects of `name` below `prefix`. Raises `Gone` for what is absent or changed, `Busy`, and `Failed` with
    `code` (`Withheld` for what may not be used)."""

    def __init__(
        self,
        client: Any,
        name: str,
        *,
        prefix: str = "",
        patience: Patience | None = None,
        code: str = "results-unavailable",
    ) -> None:
        self.name = name
        self.prefix = prefix
        self._client = client
        self._patience = patience or Patience()
        self._code = code

    def put(self, key: str, content: bytes) -> None:
        """Write the whole object; the same again changes nothing."""
        self._called(lambda: self._client.put_object(**self._at(key), Body=content))

    def upload(self, key: str, content: BinaryIO) -> None:
        """Write the whole object from the start of a seekable stream, in parts when it is large."""
        content.seek(0)
        first = content.read(PART_BYTES)
        if len(first) < PART_BYTES:
            self.put(key, first)
        else:
            self._upload_parts(key, first, content)

    def copy(self, key: str, to: str, *, part_bytes: int = COPY_BYTES) -> None:
        """The object under another name as well, within S3."""
        size, tag = self.size_and_tag(key)
        if size > part_bytes:
            return self._copy_parts(key, to, size=size, tag=tag, part_bytes=part_bytes)
        source = self._at(key)
        self._called(lambda: self._client.copy_object(**self._at(to), CopySource=source, CopySourceIfMatch=tag))
        return None

    def listing(self, prefix: str = "", *, at_most: int = 1000) -> Iterator[Stored]:
        """Every object whose key begins so, by key; `at_most` is how many one call asks for (1,000 is S3's limit)."""
        more: dict[str, str] = {}
        while True:
            asked = {"Bucket": self.name, "Prefix": self.prefix + prefix, "MaxKeys": at_most, **more}
            found = self._called(lambda asked=asked: self._client.list_objects_v2(**asked))  # type: ignore[misc]
            for one in found.get("Contents", ()):
                key = str(one["Key"]).removeprefix(self.prefix)
                yield Stored(key, int(one["Size"]), str(one["ETag"]), one["LastModified"])
            if not found.get("IsTruncated"):
                return
            more = {"ContinuationToken": found["NextContinuationToken"]}

    def find(self, key: str) -> Stored | None:
        """The object as it is now, None when there is none."""
        try:
            found = self._called(lambda: self._client.head_object(**self._at(key)))
        except Gone:
            return None
        return Stored(key, int(found["ContentLength"]), str(found["ETag"]), found["LastModified"])

    def get(self, key: str) -> bytes:
        """The whole object."""
        return self._called(lambda: _body(self._client.get_object(**self._at(key))))

    def remove(self, key: str) -> None:
        """Delete it; nothing happens when there is none."""
        self._called(lambda: self._client.delete_object(**self._at(key)))

    def size_and_tag(self, key: str) -> tuple[int, str]:
        """Its size in bytes and its ETag."""
        found = self._called(lambda: self._client.head_object(**self._at(key)))
        return int(found["ContentLength"]), str(found["ETag"])

    def range(self, key: str, *, start: int, size: int, tag: str) -> bytes:
        """At most `size` bytes from `start` on, of exactly the object with this ETag."""
        wanted = f"bytes={start}-{start + size - 1}"
        return self._called(lambda: _body(self._client.get_object(**self._at(key), Range=wanted, IfMatch=tag)))

    def copy_start(self, key: str, target: str, *, size: int, tag: str) -> None:
        """Make `target` of the first `size` bytes of exactly the object with this ETag.

        Within S3 where it can be: S3 copies ranges only of objects above 5 MB.
        https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html
        """
        if self.size_and_tag(key)[0] <= _LEAST_COPIED_BYTES:
            return self.put(target, self.range(key, start=0, size=size, tag=tag))
        return self._copy_parts(key, target, size=size, tag=tag, part_bytes=COPY_BYTES)

    def _copy_parts(self, key: str, target: str, *, size: int, tag: str, part_bytes: int) -> None:
        """Some at once: who asked for a link waits for it."""
        upload, source = {**self._at(target), "UploadId": self._begun(target)}, self._at(key)

        def copied(number: int, start: int) -> dict[str, Any]:
            asked = {
                **upload,
                "PartNumber": number,
                "CopySource": source,
                "CopySourceRange": f"bytes={start}-{min(start + part_bytes, size) - 1}",
                "CopySourceIfMatch": tag,
            }
            done = self._called(lambda: self._client.upload_part_copy(**asked))
            return {"PartNumber": number, "ETag": done["CopyPartResult"]["ETag"]}

        with ThreadPoolExecutor(_COPIERS) as pool:
            parts = list(pool.map(copied, count(1), range(0, size, part_bytes)))
        self._complete(target, upload, parts, size_bytes=size)

    def _begun(self, key: str) -> str:
        return str(self._called(lambda: self._client.create_multipart_upload(**self._at(key)))["UploadId"])

    def link(self, key: str, *, seconds: int, filename: str) -> str:
        """A presigned address that anybody may fetch the object from for so long."""
        disposition = f'attachment; filename="{filename}"'
        return str(
            self._client.generate_presigned_url(
                "get_object", Params={**self._at(key), "ResponseContentDisposition": disposition}, ExpiresIn=seconds
            )
        )

    def _upload_parts(self, key: str, first: bytes, rest: BinaryIO) -> None:
        upload = {**self._at(key), "UploadId": self._begun(key)}
        parts: list[dict[str, Any]] = []
        content, size_bytes = first, 0
        while content:
            asked = {**upload, "PartNumber": len(parts) + 1, "Body": content}
            done = self._called(lambda asked=asked: self._client.upload_part(**asked))  # type: ignore[misc]
            parts.append({"ETag": done["ETag"], "PartNumber": len(parts) + 1})
            size_bytes += len(content)
            content = rest.read(PART_BYTES)
        self._complete(key, upload, parts, size_bytes=size_bytes)

    def _complete(self, key: str, upload: dict[str, Any], parts: Sequence[dict[str, Any]], *, size_bytes: int) -> None:
        try:
            self._called(lambda: self._client.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts}))
        except Failed:
            # Completed by a call whose answer was lost, the upload is not there any more.
            there = self.find(key)
            if there is None or there.size_bytes != size_bytes:
                raise

    def _at(self, key: str) -> dict[str, str]:
        return {"Bucket": self.name, "Key": self.prefix + key}

    def _called(self, call: Callable[[], T]) -> T:
        try:
            return persist(_whole(call), patience=self._patience)
        except (Unreachable, OutcomeUnknown) as error:
            # Whole objects under their own names: once more is the same again.
            raise Failed(error.message, "Try again.", code=self._code) from error
        except ClientError as error:
            if error_code(error) in _ABSENT | _CHANGED:
                raise Gone(
                    "The stored object is not there any more, or is another one.",
                    "Ask the question again: it is computed anew.",
                    code="result-gone",
                ) from error
            raise (Withheld if error_code(error) in _WITHHELD else Failed)(
                f"S3 refuses {error.operation_name} in bucket {self.name} ({error_code(error)}).",
                "Check the bucket's name and region, and that the role may use it.",
                code=self._code,
            ) from error


class _CutShort(HTTPClientError):  # type: ignore[misc]
    """The body ended before its length: a line that was cut, to be tried again like one."""

    fmt = "The body ended early: {error}"


def _whole(call: Callable[[], T]) -> Callable[[], T]:
    def whole() -> T:
        try:
            return call()
        except (IncompleteReadError, ResponseStreamingError) as error:
            raise _CutShort(error=error) from error

    return whole


def _body(found: Any) -> bytes:
    content: bytes = found["Body"].read()
    return content
