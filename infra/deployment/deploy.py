"""THE STORY of a deployment, one function: release → config bucket → secrets → upload → plan → confirm → carry out.

Every step looks first whether it is done already, so that the same command after an interruption goes on, and without
a change changes nothing.
"""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from botocore.exceptions import ClientError

from athena.errors import Refused
from infra.deployment.account import Account, calling, code_of
from infra.deployment.adopt import adopting, plainly_named, unlock
from infra.deployment.changes import Plan
from infra.deployment.held import Held, held
from infra.deployment.release import Release, digest_of
from infra.deployment.signing import make_secrets, renew_secret, secret_version
from infra.deployment.stacks import UNUSABLE, Stack, Stacks, Wanted, check_usable
from infra.deployment.stage import check_stage, config_name, root_name, tags_of

_CONFIG = "-config-"


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


def deploy(
    stage: str,
    release: Release,
    account: Account,
    told: Mapping[str, str],
    teller: Teller,
    *,
    new_secret: bool = False,
) -> Deployed:
    """Make the stage what the release and the parameters `told` say; those not told stay as they are.

    What an earlier stage of the name has left is taken over. `new_secret` signs the ids of answers anew. Raises
    `Refused` for names that cannot be and for a stack that is stuck, `Failed` when AWS cannot do it.
    """
    check_stage(stage)
    with calling(f"deploying stage {stage}"):
        stacks = Stacks(account.client("cloudformation"), teller.say)
        before = _at_rest(root_name(stage), stacks)
        left = Held() if before.exists else _left(stage, account, teller.say)
        release = adopting(release, left)
        bucket = _config_bucket(stage, release, stacks, account)
        make_secrets(stage, account)
        _upload(release, bucket, account, teller.say)
        wanted = _wanted(stage, release, bucket, account, before.parameters, told)
        wanted = _signing_with(wanted, secret_version(stage, account) + new_secret)
        plan = stacks.plan(replace(wanted, adopt=bool(left.names())), f"lakegate-{release.digest}")
        if plan.changes and not _agreed(plan, teller, stacks):
            return Deployed(False, len(plan.changes), before.outputs or {})
        if new_secret:
            renew_secret(stage, account)
        unlock(left.buckets, account)
        stack = stacks.carry_out(plan) if plan.changes else stacks.look(root_name(stage))
        return Deployed(True, len(plan.changes), stack.outputs)


def _agreed(plan: Plan, teller: Teller, stacks: Stacks) -> bool:
    """Whether it is to be carried out; what is not leaves no change set behind."""
    agreed = False
    try:
        agreed = teller.confirm(plan)
    finally:
        if not agreed:
            stacks.discard(plan)
    return agreed


def _left(stage: str, account: Account, say: Callable[[str], None]) -> Held:
    """What an earlier stage of the name has left, without the config bucket, whose stack stays."""
    found = held(stage, account)
    left = replace(found, buckets=tuple(name for name in found.buckets if _CONFIG not in name))
    if left.names():
        say(f"taking over what an earlier stage {stage} has left: {', '.join(left.names())}")
    if left.pools:
        say(f"its user pool ({', '.join(left.pools)}) stays beside a new one: `lakegate partner rotate` each partner")
    return left


def _config_bucket(stage: str, release: Release, stacks: Stacks, account: Account) -> str:
    name = config_name(stage)
    buckets = () if _at_rest(name, stacks).exists else held(stage, account).buckets
    there = tuple(bucket for bucket in buckets if _CONFIG in bucket)
    unlock(there, account)
    template = plainly_named(release.config_template, there)
    wanted = Wanted(name, {"Stage": stage}, tags_of(stage), template=template, adopt=bool(there))
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
    return Wanted(root_name(stage), asked, tags_of(stage), template_url=root)


def _signing_with(wanted: Wanted, version: int) -> Wanted:
    """With another secret, another release: running instances read it once, and only new ones read it anew."""
    release = digest_of(f"{wanted.parameters['Release']}\0{version}".encode())
    return replace(wanted, parameters={**wanted.parameters, "Release": release})


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
