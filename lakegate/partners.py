"""A partner's grant from a few options, checked against the datasets before it is written."""

from dataclasses import dataclass
from pathlib import Path

from athena.errors import Refused
from athena.grants import DatasetGrant, Grant, Limits
from athena.settings import read_settings


@dataclass(frozen=True, slots=True)
class Wish:
    """What `lakegate partner add` was told. `rows` and `columns` belong to the one dataset that there is then."""

    name: str
    description: str = ""
    datasets: tuple[str, ...] = ()
    rows: str | None = None
    columns: tuple[str, ...] = ("*",)


def add_grant(home: Path, wish: Wish) -> Path:
    """The partner's grant file: the one that is there, or one written as wished.

    Raises `Refused`: `partner-exists` when there is a file and the wish would change it, `grant-invalid` when the
    wish does not fit the datasets, `no-grant` when there is neither file nor wish.
    """
    from athena.grants.files import FileGrants, write_grant

    folder = read_settings(home).partners
    path = folder / f"{wish.name}.toml"
    if wish.name in FileGrants(folder).partners():
        if wish.datasets or wish.description:
            raise Refused(
                f"{path} is there already.",
                "Edit that file to change the grant; without --dataset and --description this makes one more client.",
                code="partner-exists",
            )
        return path
    if not wish.datasets:
        raise Refused(
            f"{wish.name} has no grant, and none was asked for.",
            f"Name what they may see with --dataset DATASET, or write {path} first.",
            code="no-grant",
        )
    grant = grant_of(wish)
    _check(home, grant)
    return write_grant(folder, grant)


def grant_of(wish: Wish) -> Grant:
    """The grant that was wished for."""
    given = DatasetGrant(rows=wish.rows, columns=wish.columns)
    return Grant(wish.name, wish.description, dict.fromkeys(wish.datasets, given), Limits(), digest="")


def _check(home: Path, grant: Grant) -> None:
    from athena.entitlement import grant_problems
    from athena.lake import Lake

    with Lake.embedded(home) as lake:
        heads = {head.dataset: head for head in lake.heads.all()}
    problems = grant_problems(grant, heads)
    if problems:
        raise Refused(
            f"The grant of {grant.partner} does not fit the lake: {'; '.join(one.rstrip('.') for one in problems)}.",
            "See `lakegate datasets` and `lakegate describe DATASET`; nothing was written.",
            code="grant-invalid",
        )
