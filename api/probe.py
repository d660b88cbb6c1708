"""Checks around a shift of traffic: two Lambda handlers that CodeDeploy calls, before a new version gets any traffic
and after it has got all of it. What they find is told to CodeDeploy, which goes on or takes the traffic back.

Their event: https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html
"""

import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from botocore.exceptions import ClientError

from athena.aws import Patience, client, error_code, persist
from athena.errors import Failed, LakegateError

log = logging.getLogger(__name__)

READ_SECONDS = 40.0
# Nobody has this client: the answer shows that the settings are whole and the state can be read.
STRANGER = {"token_use": "access", "scope": "lakegate/query", "client_id": "probe"}

Ask = Callable[["Check"], int]


@dataclass(frozen=True, slots=True)
class Check:
    """One request and the status that it must have."""

    method: str
    path: str
    status: HTTPStatus
    claims: tuple[tuple[str, str], ...] = ()


HEALTHY = Check("GET", "/healthz", HTTPStatus.OK)
DESCRIBED = Check("GET", "/openapi.json", HTTPStatus.OK)
UNKNOWN = Check("GET", "/v1/datasets", HTTPStatus.UNAUTHORIZED, tuple(STRANGER.items()))
CLOSED = Check("GET", "/v1/datasets", HTTPStatus.UNAUTHORIZED)


def faults(checks: tuple[Check, ...], ask: Ask) -> Iterator[str]:
    """What is wrong, a sentence each.

    >>> list(faults((HEALTHY, CLOSED), lambda check: 200))
    ['GET /v1/datasets answered 200 instead of 401.']
    """
    for check in checks:
        try:
            status = ask(check)
        except LakegateError as error:
            yield f"{check.method} {check.path}: {error.message}"
            continue
        if status != check.status:
            yield f"{check.method} {check.path} answered {status} instead of {check.status.value}."


def asked_of(functions: Any, name: str) -> Ask:
    """Asks a version of the function as API Gateway would, past the gateway. `functions` is a client of Lambda."""

    def ask(check: Check) -> int:
        context = {
            "resourcePath": check.path,
            "httpMethod": check.method,
            "requestId": "probe",
            "identity": {"sourceIp": "127.0.0.1"},
            **({"authorizer": {"claims": dict(check.claims)}} if check.claims else {}),
        }
        event = {
            "httpMethod": check.method,
            "path": check.path,
            "requestContext": context,
            "headers": {},
            "multiValueQueryStringParameters": None,
            "pathParameters": None,
            "stageVariables": None,
            "body": None,
            "isBase64Encoded": False,
        }
        found = _called(lambda: functions.invoke(FunctionName=name, Payload=json.dumps(event).encode()))
        told = json.loads(found["Payload"].read())
        if found.get("FunctionError"):
            raise Failed(f"The function failed: {told.get('errorMessage')}.", "See its log.")
        return int(told["statusCode"])

    return ask


def asked_at(url: str) -> Ask:
    """Asks over HTTP, as partners do."""
    import urllib3

    pool = urllib3.PoolManager(retries=urllib3.Retry(2, status_forcelist=[]), timeout=READ_SECONDS)

    def ask(check: Check) -> int:
        try:
            return pool.request(check.method, f"{url}{check.path}", redirect=False).status
        except urllib3.exceptions.HTTPError as error:
            raise Failed(f"There was no answer ({type(error).__name__}).", "See the gateway's log.") from error

    return ask


def concluded(event: Mapping[str, str], found: list[str], deploy: Any) -> str:
    """Tells CodeDeploy, of which `deploy` is a client; what it was told."""
    for fault in found:
        log.error("%s", fault)
    status = "Failed" if found else "Succeeded"
    _called(
        lambda: deploy.put_lifecycle_event_hook_execution_status(
            deploymentId=event["DeploymentId"],
            lifecycleEventHookExecutionId=event["LifecycleEventHookExecutionId"],
            status=status,
        )
    )
    return status


def before_traffic(event: Mapping[str, str], _context: object) -> str:
    """The handler that asks the version that `LAKEGATE_PROBED` names."""
    ask = asked_of(client("lambda", read_timeout_seconds=READ_SECONDS), os.environ["LAKEGATE_PROBED"])
    return concluded(event, list(faults((HEALTHY, DESCRIBED, UNKNOWN), ask)), client("codedeploy"))


def after_traffic(event: Mapping[str, str], _context: object) -> str:
    """The handler that asks through the gateway, whose address is the stage's parameter `stack/api_url`."""
    name = f"/lakegate/{os.environ['LAKEGATE_STAGE']}/stack/api_url"
    try:
        url = _called(lambda: client("ssm").get_parameter(Name=name))["Parameter"]["Value"]
    except LakegateError as error:
        return concluded(event, [error.message], client("codedeploy"))
    return concluded(event, list(faults((HEALTHY, DESCRIBED, CLOSED), asked_at(url))), client("codedeploy"))


def _called(call: Callable[[], Any]) -> Any:
    try:
        return persist(call, patience=Patience())
    except ClientError as error:
        raise Failed(f"AWS refused ({error_code(error)}).", "Check the role of the checks.") from error
