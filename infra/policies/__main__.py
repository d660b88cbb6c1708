"""Every rule over every template: `python -m infra.policies [CHECKOV]`, where CHECKOV is the policy linter's program.

What `exceptions.toml` excuses, with a reason, is no fault; an exception that excuses nothing is one.
"""

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.policies import access, data, http, shape, watch
from infra.policies.template import Fault, Stacks, template

TEMPLATES = Path(__file__).parents[1] / "templates"
EXCEPTIONS = Path(__file__).with_name("exceptions.toml")
RULES = (*data.RULES, *access.RULES, *http.RULES, *watch.RULES, *shape.RULES)
_LINTER = "CKV"


@dataclass(frozen=True, slots=True)
class Excuse:
    """Why a rule does not hold in some places."""

    rule: str
    where: frozenset[str]
    reason: str


def read_stacks(folder: Path = TEMPLATES) -> dict[str, dict[str, Any]]:
    """The templates by the names of their files."""
    return {path.stem: template(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.yaml"))}


def read_excuses(text: str) -> tuple[Excuse, ...]:
    """The exceptions; raises `ValueError` for one without a reason."""
    found = tomllib.loads(text)["exception"]
    for one in found:
        if len(one["reason"].split()) < 4 or not one["where"]:
            raise ValueError(f"{one['rule']}: a reason is a sentence, for places that it names")
    return tuple(Excuse(one["rule"], frozenset(one["where"]), one["reason"]) for one in found)


def faults(stacks: Stacks) -> list[Fault]:
    """What our own rules find."""
    return [fault for rule in RULES for fault in rule(stacks)]


def linted(program: Path, folder: Path = TEMPLATES) -> list[Fault]:
    """What the policy linter finds, by itself and without a network.

    It is run within `folder`: it searches the paths it reads for secrets too, and takes 40 letters and slashes for one.
    """
    command = [str(program.absolute()), "--directory", ".", "--framework", "cloudformation", "--quiet", "--compact"]
    command += ["--skip-download", "--output", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)  # noqa: S603 our own words
    try:
        told = json.loads(done.stdout)
        failed, summary = told["results"]["failed_checks"], told["summary"]
    except (ValueError, KeyError, TypeError) as error:
        raise SystemExit(f"{program} said nothing that can be read: {done.stderr[-500:]}") from error
    if summary["parsing_errors"] or not summary["passed"]:
        raise SystemExit(f"{program} could not read the templates: {summary}")
    return [Fault(one["check_id"], _place(one), one["check_name"]) for one in failed]


def _place(found: dict[str, Any]) -> str:
    return f"{Path(found['file_path']).stem}/{found['resource'].rpartition('.')[2]}"


def judged(found: Iterable[Fault], excuses: Iterable[Excuse], *, linter: bool) -> Iterator[Fault]:
    """What nobody has excused, and excuses for what is not there; those of the linter only when it has been run."""
    found = list(found)
    excused = {(one.rule, where) for one in excuses for where in one.where}
    yield from (one for one in found if (one.rule, one.where) not in excused)
    there = {(one.rule, one.where) for one in found}
    for rule, where in sorted(excused - there):
        if linter or not rule.startswith(_LINTER):
            yield Fault("exception-used", where, f"{rule} holds there by now: take the exception out")


def main() -> int:
    """Print what is wrong; 1 if anything is."""
    found = faults(read_stacks())
    linter = len(sys.argv) > 1
    if linter:
        found += linted(Path(sys.argv[1]))
    left = list(judged(found, read_excuses(EXCEPTIONS.read_text(encoding="utf-8")), linter=linter))
    for fault in left:
        sys.stderr.write(f"{fault.where}: {fault.rule}: {fault.message}\n")
    sys.stdout.write(f"{len(RULES)} groups of rules, {len(found)} findings, {len(left)} not excused\n")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
