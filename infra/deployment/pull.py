"""Contracts and grants of a stage into a folder, as they are or as they were: what `push` takes back."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from athena.dynamodb import Table
from athena.errors import Refused
from athena.grants.dynamodb import DynamoGrants
from athena.grants.toml import grant_text
from athena.s3 import Bucket
from infra.deployment.account import Account, calling
from infra.deployment.push import config_bucket, settings_of
from infra.deployment.recover import Objects

# Whoever may write to a bucket names no other file of this machine.
_OURS = re.compile(r"(?:datasets/[a-z][a-z0-9_]*|partners/[a-z0-9][a-z0-9_-]*)\.toml")


@dataclass(frozen=True, slots=True)
class Pulled:
    """Files that were written, and how many were the same already."""

    written: tuple[str, ...]
    unchanged: int


def pull(stage: str, folder: Path, account: Account, *, at: datetime | None = None, overwrite: bool = False) -> Pulled:
    """Write `datasets/<name>.toml` and `partners/<name>.toml`: those that count, or those that had been pushed by `at`.

    Raises `Refused` (`pull-conflict`) when a file says something else, unless `overwrite`.
    """
    with calling(f"pulling from stage {stage}"):
        texts = _now(stage, account) if at is None else _then(stage, at, account)
    return write(texts, folder, overwrite=overwrite)


def write(texts: Mapping[str, str], folder: Path, *, overwrite: bool) -> Pulled:
    """The texts as files of the folder. Raises `Refused` (`pull-conflict`) before anything is written."""
    differing = {name: text for name, text in sorted(texts.items()) if _text(folder / name) != text}
    known = [name for name in differing if (folder / name).exists()]
    if known and not overwrite:
        raise Refused(
            f"{', '.join(known)} in {folder} say something else than the stage.",
            "Push them, pull into another folder, or add --overwrite.",
            code="pull-conflict",
        )
    for name, text in differing.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return Pulled(tuple(differing), len(texts) - len(differing))


def _now(stage: str, account: Account) -> dict[str, str]:
    settings = settings_of(stage, account)
    name, _, prefix = settings.owners.removeprefix("s3://").partition("/")
    owned = Bucket(account.client("s3"), name, prefix=prefix, code="storage-unavailable")
    contracts = [one.key for one in owned.listing("datasets/") if _OURS.fullmatch(one.key)]
    grants = DynamoGrants(Table(account.client("dynamodb"), settings.state_table))
    granted = ((partner, grants.get(partner)) for partner in grants.partners())
    return {
        **{key: _decoded(key, owned.get(key)) for key in contracts},
        **{f"partners/{partner}.toml": grant_text(grant) for partner, grant in granted if grant is not None},
    }


def _then(stage: str, at: datetime, account: Account) -> dict[str, str]:
    config = config_bucket(stage, account)
    pushed = Objects(account.client("s3"), config.name, config.prefix)
    there = {key.removeprefix(config.prefix): one for key, one in pushed.at(at).items()}
    return {key: pushed.text(one) for key, one in there.items() if _OURS.fullmatch(key)}


def _decoded(key: str, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused(
            f"{key} of the stage is not UTF-8: {error}.", "Push it again.", code="contract-invalid"
        ) from error


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8-sig") if path.is_file() else None
