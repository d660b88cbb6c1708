"""Copies within S3, of any size and whatever the line does."""

import os
from collections.abc import Iterator

import pytest

from athena.errors import Gone
from athena.s3 import Bucket
from tests.cloud import AT_ONCE, Cloud, Fault, Faults, answer_lost, server_error

LEAST_PART_BYTES = 5 * 1024**2
SIZE = 2 * LEAST_PART_BYTES + 1234


@pytest.fixture(scope="module")
def large() -> bytes:
    return os.urandom(SIZE)


@pytest.fixture
def bucket(cloud: Cloud, large: bytes) -> Iterator[Bucket]:
    made = cloud.bucket()
    made.put("from", large)
    yield made
    for one in list(made.listing()):
        made.remove(one.key)


def test_what_is_larger_than_one_call_may_copy_is_copied_in_parts(bucket: Bucket, large: bytes) -> None:
    bucket.copy("from", "to", part_bytes=LEAST_PART_BYTES)
    assert bucket.get("to") == large
    stored = bucket.find("to")
    assert stored is not None
    assert stored.tag.endswith('-3"')  # S3's mark of an object of three parts


def test_what_is_not_there_is_gone(bucket: Bucket) -> None:
    with pytest.raises(Gone):
        bucket.copy("nothing", "to")
    bucket.copy("from", "to")
    assert bucket.find("to") is not None


@pytest.mark.parametrize("fault", [answer_lost, server_error])
@pytest.mark.parametrize("operation", ["UploadPartCopy", "CompleteMultipartUpload"])
def test_the_start_of_an_object_is_copied_whatever_the_line_does(
    cloud: Cloud, bucket: Bucket, large: bytes, operation: str, fault: Fault
) -> None:
    """A completion whose answer is lost is asked for again, when the upload is not there any more."""
    client = cloud.client("s3")
    Faults.on(client, operation, fault)
    again = Bucket(client, bucket.name, prefix=bucket.prefix, patience=AT_ONCE)
    _, tag = again.size_and_tag("from")
    again.copy_start("from", "to", size=SIZE - 7, tag=tag)
    assert bucket.get("to") == large[:-7]
