"""One way to use S3: small objects whole, large ones by ranges that hold only while the object is the same."""

from collections.abc import Callable
from typing import Any, TypeVar

from botocore.exceptions import ClientError, HTTPClientError, IncompleteReadError, ResponseStreamingError

from athena.aws import Patience, Unreachable, error_code, persist
from athena.errors import Failed, Gone, OutcomeUnknown

T = TypeVar("T")

_ABSENT = frozenset(["404", "NoSuchKey", "NoSuchBucket", "NoSuchVersion"])
_CHANGED = frozenset(["412", "PreconditionFailed", "416", "InvalidRange"])


class Bucket:
    """The objects of `name` below `prefix`. Raises `Gone` for what is absent or changed, `Busy` and `Failed`."""

    def __init__(self, client: Any, name: str, *, prefix: str = "", patience: Patience | None = None) -> None:
        self.name = name
        self.prefix = prefix
        self._client = client
        self._patience = patience or Patience()

    def put(self, key: str, content: bytes) -> None:
        """Write the whole object; the same again changes nothing."""
        self._called(lambda: self._client.put_object(**self._at(key), Body=content))

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

    def link(self, key: str, *, seconds: int, filename: str) -> str:
        """A presigned address that anybody may fetch the object from for so long."""
        disposition = f'attachment; filename="{filename}"'
        return str(
            self._client.generate_presigned_url(
                "get_object", Params={**self._at(key), "ResponseContentDisposition": disposition}, ExpiresIn=seconds
            )
        )

    def _at(self, key: str) -> dict[str, str]:
        return {"Bucket": self.name, "Key": self.prefix + key}

    def _called(self, call: Callable[[], T]) -> T:
        try:
            return persist(_whole(call), patience=self._patience)
        except (Unreachable, OutcomeUnknown) as error:
            # Whole objects under their own names: once more is the same again.
            raise Failed(error.message, "Try again.", code="results-unavailable") from error
        except ClientError as error:
            if error_code(error) in _ABSENT | _CHANGED:
                raise Gone(
                    "The stored object is not there any more, or is another one.",
                    "Ask the question again: it is computed anew.",
                    code="result-gone",
                ) from error
            raise Failed(
                f"S3 refuses {error.operation_name} in bucket {self.name} ({error_code(error)}).",
                "Check the bucket's name and region, and that the role may use it.",
                code="results-unavailable",
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
