"""One way to call AWS: clients that never repeat on their own, and failures told apart.

botocore would repeat a conditional write blindly and so report its own first success as a conflict. Here every
call is repeated by `persist`, whose callers make sure that a repetition is safe: a read, a write under a condition
whose outcome can be read back, or a start with a token.

============================  ====================================  ===================
what came back                what it means                         after the last try
============================  ====================================  ===================
throttled                     refused before anything happened      `Busy`
no connection, no new role    never sent                            `Unreachable`
time-out, cut line, HTTP 5xx  sent, outcome unknown                 `OutcomeUnknown`
any other answer              the service's final word              the `ClientError`
============================  ====================================  ===================
"""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    SSLError,
)
from botocore.exceptions import ConnectionError as NoConnection
from botocore.parsers import ResponseParserError

from athena.errors import Busy, Failed, LakegateError, OutcomeUnknown, Refused

T = TypeVar("T")

THROTTLES = frozenset(
    [
        "KmsThrottled",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "Throttled",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    ]
)
# With status 400, although it may have happened: S3 when a body or its own answer stalls, Glue when its own store does.
# https://docs.aws.amazon.com/glue/latest/webapi/API_UpdateTable.html#API_UpdateTable_Errors
_TIMED_OUT = frozenset(
    ["InternalServiceException", "OperationTimeoutException", "RequestTimeout", "RequestTimeoutException"]
)
RETRY_AFTER_SECONDS = 2
# An answer that cannot be parsed is one that was cut; a role's credentials are fetched anew every hour.
_FAILURES = (
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    NoConnection,
    NoCredentialsError,
    ResponseParserError,
)
# How long a call waits for its answer, unless it asks for more: what is slow at AWS is better asked again.
READ_TIMEOUT_SECONDS = 5.0
_SESSIONS = threading.Lock()


class Unreachable(Failed):
    """No connection, or nobody to connect as: nothing was sent."""

    code = "aws-unreachable"


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a call is repeated and how long between: full jitter below a bound that doubles. No try begins
    later than `most_seconds` after the first: who waits behind a gateway has 29 seconds in all.

    Source of the jitter: https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
    """

    tries: int = 6
    first_seconds: float = 0.05
    cap_seconds: float = 1.0
    most_seconds: float = 10.0
    sleep: Callable[[float], None] = time.sleep
    random: Callable[[], float] = random.random
    timer: Callable[[], float] = time.monotonic

    def pause(self, failures: int) -> None:
        """Sleep after so many failures in a row."""
        self.sleep(self.random() * min(self.cap_seconds, self.first_seconds * 2.0 ** (failures - 1)))


def client(service: str, *, region: str | None = None, read_timeout_seconds: float | None = None) -> Any:
    """A client of `service` for all threads of this process, botocore's own: boto3 would add transfers that nobody
    here uses. `AWS_ENDPOINT_URL` and `AWS_ENDPOINT_URL_<SERVICE>` are respected, as by every AWS tool."""
    config = Config(
        connect_timeout=2.0,
        read_timeout=READ_TIMEOUT_SECONDS if read_timeout_seconds is None else read_timeout_seconds,
        retries={"total_max_attempts": 1, "mode": "standard"},
        max_pool_connections=32,
        s3={"addressing_style": "auto"},
        # Links would else be signed the old way, which newer regions and encrypted objects refuse.
        signature_version="s3v4" if service == "s3" else None,
    )
    # Clients are safe to share between threads, a session that makes them is not.
    with _SESSIONS:
        try:
            return _session().create_client(service, region_name=region, config=config)
        except NoRegionError as error:
            raise Refused(
                "No AWS region is named.", "Set AWS_DEFAULT_REGION, or the setting `region`.", code="settings-invalid"
            ) from error


@cache
def _session() -> Any:
    import botocore.session

    return botocore.session.get_session()


def persist(call: Callable[[], T], *, patience: Patience) -> T:
    """What `call` gives, repeated while that can help; see the module's table for what is raised in the end."""
    failure: LakegateError | None = None
    begun = patience.timer()
    for failures in range(1, patience.tries + 1):
        try:
            return call()
        except _FAILURES as error:
            failure = _graver(failure, _judged(error))
            cause = error
        if patience.timer() - begun >= patience.most_seconds:
            break
        if failures < patience.tries:
            patience.pause(failures)
    assert failure is not None  # noqa: S101 - tries is at least 1
    raise failure from cause


def _judged(error: Exception) -> LakegateError:
    """The failure as one of ours; raises the `ClientError` again when it is the service's final word."""
    if isinstance(error, NoCredentialsError):
        raise Unreachable(
            "There are no AWS credentials here.",
            "Give this process a role, or set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
        ) from error
    if not isinstance(error, ClientError):
        return _judged_line(error)
    operation, code = error.operation_name, error_code(error)
    if code in THROTTLES:
        return Busy(
            f"AWS throttles {operation} ({code}).",
            "Come again in a moment; if it stays so, raise the capacity or the quota.",
            retry_after_seconds=RETRY_AFTER_SECONDS,
        )
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if status >= 500 or code in _TIMED_OUT:
        return OutcomeUnknown(
            f"AWS answered {operation} with {code}.", "Ask again: what happened is read back before anything else."
        )
    raise error


def _judged_line(error: Exception) -> LakegateError:
    unsent = isinstance(error, (NoConnection, CredentialRetrievalError)) and not isinstance(error, SSLError)
    if unsent:
        return Unreachable(
            f"AWS cannot be reached: {type(error).__name__}.", "Check network, region and AWS_ENDPOINT_URL."
        )
    return OutcomeUnknown(
        f"AWS did not answer: {type(error).__name__}.", "Ask again: what happened is read back before anything else."
    )


def _graver(old: LakegateError | None, new: LakegateError) -> LakegateError:
    # Once a try may have happened, a later throttle does not undo it.
    return old if isinstance(old, OutcomeUnknown) else new


def error_code(error: ClientError) -> str:
    """The service's own code of an error.

    >>> error_code(ClientError({"Error": {"Code": "NoSuchKey", "Message": ""}}, "GetObject"))
    'NoSuchKey'
    """
    return str(error.response.get("Error", {}).get("Code", ""))
