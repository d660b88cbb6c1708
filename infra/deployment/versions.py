"""Which version of the function answers, and the way back to an earlier one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from athena.errors import NotFound, Refused
from infra.deployment.account import Account, calling
from infra.deployment.standing import standing


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the function; `release` is the digest it was published for, `live` says that all ask it."""

    number: int
    release: str
    made_at: str
    live: bool


def versions(stage: str, account: Account) -> tuple[Version, ...]:
    """All that there are, the newest first."""
    with calling(f"listing the versions of stage {stage}"):
        return _versions(*_alias(stage, account))


def roll_back(stage: str, account: Account, to: int | None, confirm: Callable[[Version, Version], bool]) -> Version:
    """Point the alias at version `to`, or at the one before the live one, once `confirm`ed (from, to); the live
    version afterwards. Raises `NotFound` when there is no such version, `Refused` while traffic is being shifted."""
    with calling(f"rolling back stage {stage}"):
        client, alias = _alias(stage, account)
        known = _versions(client, alias)
        live = next(one for one in known if one.live)
        if (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights"):
            raise Refused(
                f"Traffic of stage {stage} is being shifted away from version {live.number}.",
                f"Stop that deployment of the application lakegate-{stage} in CodeDeploy: it goes back by itself.",
                code="stack-stuck",
            )
        wanted = wanted_version(stage, known, to)
        if wanted.live or not confirm(live, wanted):
            return live
        client.update_alias(
            FunctionName=alias["function"],
            Name=alias["Name"],
            FunctionVersion=str(wanted.number),
            RevisionId=alias["RevisionId"],
        )
        return wanted


def wanted_version(stage: str, known: Sequence[Version], to: int | None) -> Version:
    """Which of the `known` ones `to` means; without it the last one before that which is live. Raises `NotFound`."""
    live = next(one for one in known if one.live)
    wanted = next((one for one in known if (one.number == to if to else one.number < live.number)), None)
    if wanted is None:
        raise NotFound(
            f"Stage {stage} has no version {to or f'before {live.number}'}.",
            f"`lakegate rollback --stage {stage} --list` shows which there are.",
            code="no-version",
        )
    return wanted


def _alias(stage: str, account: Account) -> tuple[Any, dict[str, Any]]:
    function, _, name = standing(stage, account).outputs["AliasArn"].rpartition(":")
    client = account.client("lambda")
    return client, {**client.get_alias(FunctionName=function, Name=name), "function": function}


def _versions(client: Any, alias: dict[str, Any]) -> tuple[Version, ...]:
    pages = client.get_paginator("list_versions_by_function").paginate(FunctionName=alias["function"])
    found = [one for page in pages for one in page["Versions"] if one["Version"].isdecimal()]
    made = [
        Version(
            int(one["Version"]),
            one.get("Description", ""),
            one["LastModified"],
            one["Version"] == alias["FunctionVersion"],
        )
        for one in found
    ]
    return tuple(sorted(made, key=lambda one: -one.number))
