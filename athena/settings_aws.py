"""Every setting of a lake on AWS in one frozen record, from SSM parameters, the environment, or both.

Parameters stand under `/lakegate/<stage>/`, one for each field. `secret` and `salt`, SecureStrings, stand under
`/lakegate-secrets/<stage>/`: who may read a path of parameters may read everything below it, and whoever only loads
needs neither. A variable `LAKEGATE_<FIELD>` of the environment wins over the parameter: that is how a Lambda is told
without a call to SSM.
"""

import difflib
import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from athena.aws import Patience, error_code, persist
from athena.errors import Failed, OutcomeUnknown, Refused
from athena.settings import Settings, misfit

PREFIX = "LAKEGATE_"
SECRETS = ("secret", "salt")
_LEAST_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class AwsSettings:
    """What a lake on AWS uses. Sizes in bytes, times in seconds, `results` is an S3 location (`s3://bucket/prefix/`)
    that only Athena and this lake write to, `secret` hex digits (32 bytes at least) that sign answer ids,
    `cors_origins` web origins with spaces between them, `token_url` where partners get tokens. What only the write side
    needs may be empty: `owners` is the S3 location of what owners see (`landing/`, `datasets/`, `reports/`, as in an
    embedded home), `tables` that of tables, ledger and manifests; `queue` the address of the landing queue, `job` the
    Glue job's name, `topic` the ARN of the topic that hears of loads, `job_timeout_seconds` how long Glue lets a job
    run at most, `split_bytes` the size above which a file is read by many of a job's tasks."""

    stage: str
    results: str
    state_table: str
    cache_table: str
    workgroup: str
    secret: str = field(repr=False)
    salt: str = field(repr=False)
    name: str = "lake"
    region: str = ""
    event_bus: str = "default"
    owners: str = ""
    tables: str = ""
    queue: str = ""
    job: str = ""
    topic: str = ""
    job_timeout_seconds: float = 14_400.0
    split_bytes: int = 1024**3
    result_bytes: int = 4 * 1024**3
    query_timeout_seconds: float = 900.0
    statement_seconds: float = 5.0
    flight_lease_seconds: float = 10.0
    table_lease_seconds: float = 60.0
    result_days: float = 7.0
    page_rows: int = 1000
    max_parked: int = 1000
    cors_origins: str = ""
    token_url: str = ""
    scan_workgroups: str = ""

    @property
    def cutoffs(self) -> tuple[tuple[int, str], ...]:
        """The work groups that stop a query at so many bytes, by these."""
        pairs = (word.partition("=") for word in self.scan_workgroups.split())
        return tuple(sorted((int(size), name) for size, _, name in pairs))

    def shared(self) -> Settings:
        """What both homes have settings for. Its folder is one for scratch: nothing is kept on this machine."""
        return Settings(
            home=Path(tempfile.gettempdir()) / f"lakegate-{self.stage}",
            name=self.name,
            result_bytes=self.result_bytes,
            query_timeout_seconds=self.query_timeout_seconds,
            statement_seconds=self.statement_seconds,
            flight_lease_seconds=self.flight_lease_seconds,
            table_lease_seconds=self.table_lease_seconds,
            result_days=self.result_days,
            page_rows=self.page_rows,
            max_parked=self.max_parked,
            cors_origins=tuple(self.cors_origins.split()),
        )


def secrets_path(stage: str) -> str:
    """Where a stage's secrets stand, with the last slash.

    >>> secrets_path("test")
    '/lakegate-secrets/test/'
    """
    return f"/lakegate-secrets/{stage}/"


def aws_settings(given: Mapping[str, str]) -> AwsSettings:
    """The settings that `given` holds by field name; raises `Refused` for what is unknown, missing or malformed."""
    return _settings(given, ())


def _settings(given: Mapping[str, str], needless: tuple[str, ...]) -> AwsSettings:
    known = {one.name: one for one in fields(AwsSettings)}
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(known)}."
            raise _invalid(f"There is no AWS setting {name!r}.", hint)
    needed = [name for name, one in known.items() if one.default is MISSING and name not in needless]
    missing = [name for name in needed if not given.get(name)]
    if missing:
        raise _invalid(
            f"AWS settings are missing: {', '.join(missing)}.",
            f"Set the SSM parameters of the stage, or {', '.join(PREFIX + name.upper() for name in missing)}.",
        )
    values: dict[str, Any] = {name: _typed(name, known[name].default, text) for name, text in given.items()}
    for name, value in values.items():
        if wanted := misfit(name, value):
            raise _invalid(f"{name} is {given[name]!r}, expected {wanted}.", f"The default is {known[name].default!r}.")
    return _checked(AwsSettings(**values))


def read_aws_settings(stage: str, environment: Mapping[str, str], ssm: Any | None) -> AwsSettings:
    """The settings of `stage`. `ssm` is a client of SSM, or None to ask the environment alone."""
    found = {} if ssm is None else {**_parameters(ssm, _path(stage)), **_parameters(ssm, secrets_path(stage))}
    return aws_settings(_told(stage, environment, found))


def read_settings_without_secrets(stage: str, environment: Mapping[str, str], ssm: Any) -> AwsSettings:
    """The settings of `stage` for whoever signs and masks nothing: `secret` and `salt` are empty, and not asked for."""
    found = _told(stage, environment, _parameters(ssm, _path(stage)))
    return _settings({**found, **dict.fromkeys(SECRETS, "")}, SECRETS)


def _path(stage: str) -> str:
    return f"/lakegate/{stage}/"


def _told(stage: str, environment: Mapping[str, str], found: Mapping[str, str]) -> dict[str, str]:
    names = [one.name for one in fields(AwsSettings) if PREFIX + one.name.upper() in environment]
    return {**found, **{name: environment[PREFIX + name.upper()] for name in names}, "stage": stage}


def stage_settings(environment: Mapping[str, str], ssm: Callable[[], Any]) -> AwsSettings:
    """The settings of the stage that `LAKEGATE_STAGE` names; SSM is called only for what the environment leaves out."""
    stage = named_stage(environment)
    needed = [one.name for one in fields(AwsSettings) if one.default is MISSING and one.name != "stage"]
    complete = all(PREFIX + name.upper() in environment for name in needed)
    return read_aws_settings(stage, environment, None if complete else ssm())


def named_stage(environment: Mapping[str, str]) -> str:
    """The stage that `LAKEGATE_STAGE` names. Raises `Refused` when none is."""
    stage = environment.get(f"{PREFIX}STAGE", "")
    if not stage:
        raise _invalid("No stage is named.", f"Set {PREFIX}STAGE.")
    return stage


def _parameters(ssm: Any, path: str) -> dict[str, str]:
    found: dict[str, str] = {}
    more: dict[str, str] = {}
    try:
        while True:
            asked = {"Path": path, "WithDecryption": True, **more}
            page = persist(lambda asked=asked: ssm.get_parameters_by_path(**asked), patience=Patience())  # type: ignore[misc]
            found |= {one["Name"].removeprefix(path): one["Value"] for one in page["Parameters"]}
            if not page.get("NextToken"):
                return found
            more = {"NextToken": page["NextToken"]}
    except (Failed, OutcomeUnknown) as error:
        raise Failed(error.message, error.remedy, code="settings-unavailable") from error
    except ClientError as error:
        raise Failed(
            f"The parameters under {path} cannot be read ({error_code(error)}).",
            "Check that the role may read and decrypt them.",
            code="settings-unavailable",
        ) from error


def _typed(name: str, default: object, text: str) -> object:
    if not isinstance(default, (int, float)):
        return text
    try:
        return type(default)(text)
    except ValueError as error:
        raise _invalid(f"{name} is {text!r}, expected a number.", f"The default is {default!r}.") from error


def _checked(settings: AwsSettings) -> AwsSettings:
    try:
        secret = bytes.fromhex(settings.secret)
    except ValueError as error:
        raise _invalid("The secret is not written in hex digits.", "Make one: `openssl rand -hex 32`.") from error
    if settings.secret and len(secret) < _LEAST_SECRET_BYTES:
        raise _invalid("The secret is too short to sign with.", "Make one: `openssl rand -hex 32`.")
    for word in settings.scan_workgroups.split():
        if not re.fullmatch(r"[0-9]+=[\w.-]{1,128}", word, re.ASCII):
            raise _invalid(f"scan_workgroups holds {word!r}.", "Write <bytes>=<work group>, with spaces between.")
    for name in ("results", "owners", "tables"):
        location = getattr(settings, name)
        if (location or name == "results") and not (location.startswith("s3://") and location.endswith("/")):
            raise _invalid(f"{name} is {location!r}.", "Write it as s3://bucket/prefix/, with the last slash.")
    return settings


def _invalid(message: str, remedy: str) -> Refused:
    return Refused(message, remedy, code="settings-invalid")
