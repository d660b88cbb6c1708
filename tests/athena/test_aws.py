"""What a call to AWS comes to when its answer is no answer."""

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import CredentialRetrievalError

from athena.aws import Unreachable, persist
from athena.errors import OutcomeUnknown
from athena.s3 import Bucket
from tests.cloud import AT_ONCE, Cloud, Fault, Faults, answered


def without_role(_: AWSPreparedRequest) -> AWSResponse:
    """A role's credentials have ended, and whoever gives new ones is away."""
    raise CredentialRetrievalError(provider="iam-role", error_msg="timed out")


CUT = answered(200, b'<?xml version="1.0"?><ListBucketResult><Name>b</Na')


@pytest.mark.parametrize("fault", [CUT, without_role], ids=["cut", "role"])
def test_it_is_asked_again(cloud: Cloud, fault: Fault) -> None:
    s3 = cloud.client("s3")
    bucket = cloud.bucket(with_client=s3)
    bucket.put("a", b"1")
    calls = Faults.on(s3, "ListObjectsV2", fault, fault)
    assert [one.key for one in Bucket(s3, bucket.name, prefix=bucket.prefix, patience=AT_ONCE).listing()] == ["a"]
    assert calls.calls == 3


@pytest.mark.parametrize(("fault", "meant"), [(CUT, OutcomeUnknown), (without_role, Unreachable)], ids=["cut", "role"])
def test_in_the_end_it_may_have_happened_or_was_never_sent(
    cloud: Cloud, fault: Fault, meant: type[OutcomeUnknown] | type[Unreachable]
) -> None:
    s3 = cloud.client("s3")
    name = cloud.bucket().name
    Faults.on(s3, "ListObjectsV2", *[fault] * AT_ONCE.tries)
    with pytest.raises(meant):
        persist(lambda: s3.list_objects_v2(Bucket=name), patience=AT_ONCE)
