"""THE STORY of a deployment, one function: release → config bucket → secrets → upload → plan → confirm → carry out.

Every step looks first whether it is done already, so that the same command after an interruption goes on, and without
a change changes nothing.
"""

import difflib
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from botocore.exceptions import ClientError

from athena.errors import Refused
from infra.deployment.account import Account, calling, code_of
from infra.deployment.release import Release, digest_of
from infra.deployment.stacks import UNUSABLE, Plan, Stack, Stacks, Wanted, check_usable

_STAGE = re.compile(r"[a-z][a-z0-9]{1,11}")
# Hex digits made here are the stage's own; CloudFormation cannot make a SecureString.
_SECRETS = {"secret": 32, "salt": 16}


@dataclass(frozen=True, slots=True)
class Teller:
    """Who hears of it: `say` a line of progress, `confirm` the plan, which is carried out when it says yes."""

    say: Callable[[str], None]
    confirm: Callable[[Plan], bool]


@dataclass(frozen=True, slots=True)
class Deployed:
    """How a deployment ended: `done` is false when nobody confirmed. `changes` is how many there were."""

    done: bool
    changes: int
    outputs: Mapping[str, str]


def deploy(stage: str, release: Release, account: Account, told: Mapping[str, str], teller: Teller) -> Deployed:
    """Make the stage what the release and the parameters `told` say; those not told stay as they are.

    Raises `Refused` for names that cannot be and for a stack that is stuck, `Failed` when AWS cannot do it.
    """
    check_stage(stage)
    with calling(f"deploying stage {stage}"):
        stacks = Stacks(account.client("cloudformation"), teller.say)
        kept = _kept(account, stage)
        bucket = _config_bucket(stage, release, stacks, adopt=kept)
        _make_secrets(stage, account)
        _upload(release, bucket, account, teller.say)
        before = _at_rest(root_name(stage), stacks)
        wanted = _wanted(stage, release, bucket, account, before.parameters, told)
        plan = stacks.plan(replace(wanted, adopt=kept and not before.exists), f"lakegate-{release.digest}")
        if plan.changes and not teller.confirm(plan):
            stacks.discard(plan)
            return Deployed(False, len(plan.changes), before.outputs or {})
        stack = stacks.carry_out(plan) if plan.changes else stacks.look(root_name(stage))
        return Deployed(True, len(plan.changes), stack.outputs)


def root_name(stage: str) -> str:
    """The stack that nests the others.

    >>> root_name("test")
    'lakegate-test'
    """
    return f"lakegate-{stage}"


def config_name(stage: str) -> str:
    """The stack of the config bucket."""
    return f"lakegate-{stage}-config"


def check_stage(stage: str) -> None:
    """Raises `Refused` for a name that no stage can have."""
    if not _STAGE.fullmatch(stage):
        raise Refused(
            f"{stage!r} cannot name a stage.",
            "Use two to twelve lower-case letters and digits, a letter first, as in `test` or `prod`.",
            code="settings-invalid",
        )


def _kept(account: Account, stage: str) -> bool:
    """Whether an earlier stage of this name has left its buckets: its resources are taken over then, not made."""
    owned = {one["Name"] for one in account.client("s3").list_buckets().get("Buckets", ())}
    return any(name.startswith(f"lakegate-{stage}-landing-") for name in owned)


def _config_bucket(stage: str, release: Release, stacks: Stacks, *, adopt: bool) -> str:
    name = config_name(stage)
    stack = _at_rest(name, stacks)
    wanted = Wanted(
        name,
        {"Stage": stage},
        _tags(stage),
        template=release.config_template,
        adopt=adopt and not stack.exists,
    )
    plan = stacks.plan(wanted, f"config-{digest_of(release.config_template.encode())}")
    stack = stacks.carry_out(plan) if plan.changes else stacks.look(name)
    return stack.outputs["ConfigBucket"]


def _at_rest(name: str, stacks: Stacks) -> Stack:
    """The stack once what an earlier run began has ended; what a failed first creation left is removed."""
    stack = stacks.look(name)
    if stack.busy:
        stacks.tell(f"waiting for {name}, which is {stack.state}")
        while (stack := stacks.look(name)).busy:
            stacks.sleep(2.0)
    check_usable(stack)
    if stack.state in UNUSABLE:
        stacks.tell(f"removing {name}, which is {stack.state}")
        stacks.remove(name)
        stack = stacks.look(name)
    return stack


def _make_secrets(stage: str, account: Account) -> None:
    ssm = account.client("ssm")
    for name, size_bytes in _SECRETS.items():
        try:
            ssm.put_parameter(
                Name=f"/lakegate/{stage}/{name}",
                Value=secrets.token_hex(size_bytes),
                Type="SecureString",
                Tags=[{"Key": key, "Value": value} for key, value in _tags(stage).items()],
            )
        except ClientError as error:
            if code_of(error) != "ParameterAlreadyExists":
                raise


def _upload(release: Release, bucket: str, account: Account, say: Callable[[str], None]) -> None:
    s3 = account.client("s3")
    for key, content in sorted(release.objects().items()):
        if not _is_there(s3, bucket, key, len(content)):
            say(f"uploading {key} ({len(content):,} bytes)")
            s3.put_object(Bucket=bucket, Key=key, Body=content)


def _is_there(s3: object, bucket: str, key: str, size_bytes: int) -> bool:
    try:
        found = s3.head_object(Bucket=bucket, Key=key)  # type: ignore[attr-defined]
    except ClientError as error:
        if code_of(error) in ("404", "NoSuchKey", "NotFound"):
            return False
        raise
    return bool(found["ContentLength"] == size_bytes)


def _wanted(
    stage: str, release: Release, bucket: str, account: Account, before: Mapping[str, str], told: Mapping[str, str]
) -> Wanted:
    where = _address(account, bucket) + release.templates_prefix
    ours = {**release.parameters, "Stage": stage, "Templates": where, "ConfigBucket": bucket}
    root = f"{where}root.yaml"
    # With the defaults in it, the digest is the same before and after they are first told.
    known = account.client("cloudformation").get_template_summary(TemplateURL=root)["Parameters"]
    defaults = {one["ParameterKey"]: one["DefaultValue"] for one in known if "DefaultValue" in one}
    _check_names(told, {one["ParameterKey"] for one in known})
    asked = {**defaults, **before, **told, **ours}
    asked = {key: asked[key] for key in (one["ParameterKey"] for one in known) if key in asked and key != "Release"}
    words = "\0".join(f"{key}={value}" for key, value in sorted(asked.items()))
    asked["Release"] = digest_of(f"{release.digest}\0{words}".encode())
    return Wanted(root_name(stage), asked, _tags(stage), template_url=root)


def _check_names(told: Mapping[str, str], known: set[str]) -> None:
    for name in told:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"Did you mean {near[0]}?" if near else "infra/templates/root.yaml lists them."
            raise Refused(f"A stage has no parameter {name}.", hint, code="settings-invalid")


def _address(account: Account, bucket: str) -> str:
    """Where the bucket's objects are read from, with the last slash."""
    endpoint = str(account.client("s3").meta.endpoint_url).rstrip("/")
    if ".amazonaws.com" in endpoint:
        suffix = ".cn" if endpoint.endswith(".cn") else ""
        return f"https://{bucket}.s3.{account.region}.amazonaws.com{suffix}/"
    return f"{endpoint}/{bucket}/"


def _tags(stage: str) -> dict[str, str]:
    return {"lakegate:stage": stage}
