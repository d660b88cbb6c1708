"""The AWS account that the environment names: its clients, and what goes wrong with them in words."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError

from athena.errors import Failed, Refused

_DENIED = frozenset(["AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError"])


@dataclass(slots=True)
class Account:
    """Clients for a person's tool: they wait longer and repeat more than a function's. Every call that is made here
    may be made twice."""

    _session: Any = field(default_factory=botocore.session.get_session)
    _made: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str, *, patient: bool = False) -> Any:
        """botocore's client of the service, one for each; a `patient` one waits as long as a function may run, and
        calls once."""
        name = f"{service} {patient}"
        if name not in self._made:
            config = Config(
                connect_timeout=5.0,
                read_timeout=960.0 if patient else 60.0,
                retries={"total_max_attempts": 1 if patient else 8, "mode": "standard"},
                signature_version="s3v4" if service == "s3" else None,
            )
            self._made[name] = self._session.create_client(service, config=config)
        return self._made[name]

    @property
    def region(self) -> str:
        """Where everything is made."""
        return str(self.client("cloudformation").meta.region_name)


@contextmanager
def calling(doing: str) -> Iterator[None]:
    """Translates what AWS says while `doing` (a gerund: "deploying stage test") is under way."""
    try:
        yield
    except NoCredentialsError as error:
        raise Refused(
            f"AWS knows nobody here: no credentials were found while {doing}.",
            "Sign in (`aws configure`, `aws sso login`), or set AWS_PROFILE.",
            code="aws-refused",
        ) from error
    except NoRegionError as error:
        raise Refused(
            "No AWS region is named.", "Set AWS_DEFAULT_REGION, or `region` of the profile.", code="settings-invalid"
        ) from error
    except ClientError as error:
        said = error.response.get("Error", {})
        if code_of(error) in _DENIED:
            raise Refused(
                f"AWS does not let you, while {doing}: {said.get('Message', code_of(error))}",
                "Use a role that may; docs/operations.md lists what a deployment needs. Then run the command again.",
                code="aws-refused",
            ) from error
        raise Failed(
            f"AWS refused {error.operation_name} while {doing}: {code_of(error)}: {said.get('Message', '')}",
            "Mend what it names, then run the same command again: it goes on where it stopped.",
            code="deployment-failed",
        ) from error
    except BotoCoreError as error:
        raise Failed(
            f"AWS cannot be reached while {doing}: {error}",
            "Check the network, then run the same command again: it goes on where it stopped.",
            code="aws-unreachable",
        ) from error


def code_of(error: ClientError) -> str:
    """AWS's own name of what went wrong."""
    return str(error.response.get("Error", {}).get("Code", ""))
