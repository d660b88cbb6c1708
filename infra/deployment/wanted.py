"""What a folder wants of a stage: `datasets/<name>.toml` and `partners/<name>.toml`, all of it read and checked."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from athena.entitlement import grant_problems
from athena.errors import LakegateError, Refused
from athena.grants import Grant
from athena.grants.files import read_grant
from athena.grants.toml import PARTNER_NAME
from athena.heads import Head
from etl.contract_file import read_contract, read_text
from etl.toml_place import line_of

T = TypeVar("T")
_DATASET = re.compile(r"\[datasets\.(\w+)\]")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Contracts as texts by dataset, and grants with the files that they came from."""

    contracts: Mapping[str, str]
    grants: Mapping[Path, Grant]

    @property
    def size(self) -> int:
        """How many files."""
        return len(self.contracts) + len(self.grants)


def read_wanted(folder: Path) -> Wanted:
    """What the folder holds. Raises `Refused` with everything that is wrong in any of its files."""
    contracts, grants = sorted((folder / "datasets").glob("*.toml")), sorted((folder / "partners").glob("*.toml"))
    if not contracts and not grants:
        raise Refused(
            f"{folder} holds neither datasets/*.toml nor partners/*.toml.",
            "Name a folder that does; a home is one.",
            code="nothing-to-push",
        )
    wrong: list[LakegateError] = []
    texts = dict(_read(contracts, _contract, wrong))
    granted = dict(_read(grants, _grant, wrong))
    refuse_all(wrong)
    return Wanted({path.stem: text for path, text in texts.items()}, granted)


def check_against(heads: Mapping[str, Head], grants: Mapping[Path, Grant]) -> None:
    """Raises `Refused` with everything in the grants' files that does not fit the datasets."""
    refuse_all(
        Refused(
            f"{_place(path, problem)}: {problem.rstrip('.')}.",
            "Mend it, or load the dataset's first file before.",
            code="grant-invalid",
        )
        for path, grant in grants.items()
        for problem in grant_problems(grant, heads)
    )


def refuse_all(wrong: Iterable[LakegateError]) -> None:
    """Raises `Refused` when anything is wrong: with what and what to do, for each."""
    found = list(wrong)
    if len(found) == 1:
        raise Refused(found[0].message, f"{found[0].remedy} Nothing was pushed.", code=found[0].code) from found[0]
    if found:
        told = " ".join(f"{one.message} ({one.remedy})" for one in found)
        raise Refused(told, f"Mend all {len(found)}; nothing was pushed.", code=found[0].code)


def _read(paths: list[Path], read: Callable[[Path], T], wrong: list[LakegateError]) -> Iterator[tuple[Path, T]]:
    for path in paths:
        try:
            yield path, read(path)
        except LakegateError as error:
            wrong.append(error)


def _contract(path: Path) -> str:
    read_contract(path)
    return read_text(path)


def _grant(path: Path) -> Grant:
    if not PARTNER_NAME.match(path.stem):
        raise Refused(
            f"{path} is named for no partner.",
            "Use up to 63 lower-case letters, digits, - and _, beginning with a letter or digit.",
            code="partner-name",
        )
    return read_grant(path)


def _place(path: Path, problem: str) -> str:
    named = _DATASET.match(problem)
    line = line_of(path.read_text(encoding="utf-8"), ("datasets", named[1])) if named else None
    return f"{path}, line {line}" if line else str(path)
