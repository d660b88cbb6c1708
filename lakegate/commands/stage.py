"""A stage on AWS: deploy, status, destroy, push."""

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from athena.errors import Refused
from lakegate.commands import EXIT_REFUSED, JsonOption
from lakegate.screen import Label, print_json, print_note, print_table, print_text

if TYPE_CHECKING:
    from infra.deployment.account import Account
    from infra.deployment.changes import Plan

StageOption = Annotated[str, typer.Option("--stage", help="Which stage, such as test or prod.", show_default=False)]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def deploy(
    stage: StageOption,
    parameters: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="NAME=VALUE", help="A parameter of the stage; may be repeated.", show_default=False
        ),
    ] = None,
    arm: Annotated[bool, typer.Option("--arm", help="Functions on arm64 instead of x86_64.")] = False,
    lose: Annotated[
        bool,
        typer.Option("--lose-data", help="Also go on when buckets, tables or the user pool are replaced or removed."),
    ] = False,
    new_secret: Annotated[
        bool,
        typer.Option("--new-secret", help="Sign the ids of answers anew; those that are out there end."),
    ] = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make a stage on AWS, or bring it up to this version.

    Bundles, uploads, shows the changes, asks, carries out. May be interrupted and repeated: it goes on where it
    stopped. What is not --set stays as it is.
    """
    from infra.deployment.deploy import Teller
    from infra.deployment.deploy import deploy as make
    from infra.deployment.release import make_release
    from infra.deployment.stage import check_stage

    check_stage(stage)
    told = _parsed(parameters or [])
    account = current_account()
    with tempfile.TemporaryDirectory() as folder:
        release = make_release(Path(folder) / "release", machine="arm64" if arm else "x86_64", tell=print_note)
    teller = Teller(print_note, lambda plan: _confirmed(stage, plan, yes=yes, lose=lose))
    done = make(stage, release, account, told, teller, new_secret=new_secret)
    if as_json:
        print_json({"stage": stage, "done": done.done, "changes": done.changes, "outputs": dict(done.outputs)})
    elif done.done:
        _show_outputs(dict(done.outputs))
        print_note(f"{done.changes or 'No'} changes. Next: load a file, then ask; docs/operations.md says how:")
        print_note(f"  lakegate load flights.csv --dataset flights --stage {stage}")
        print_note(f"  lakegate partner add NAME --dataset flights --stage {stage}")
    if not done.done:
        print_note("Nothing was changed.")
        raise typer.Exit(EXIT_REFUSED)


def status(stage: StageOption, as_json: JsonOption = False) -> None:
    """Show how a stage stands: its stacks, what waits, its addresses."""
    from infra.deployment.standing import standing

    found = standing(stage, current_account())
    if as_json:
        print_json(
            {
                "stage": stage,
                "state": found.state,
                "release": found.release,
                "waiting": found.waiting,
                "dead_letters": found.dead,
                "outputs": dict(found.outputs),
            }
        )
        return
    print_text(f"{stage}: {found.state}, release {found.release}")
    print_text(f"{found.waiting} messages wait for a job, {found.dead} are dead letters")
    _show_outputs(dict(found.outputs))


def destroy(
    stage: StageOption,
    delete_data: Annotated[
        bool, typer.Option("--delete-data", help="Also delete files, tables, grants, clients and logs, for ever.")
    ] = False,
    yes: YesOption = False,
) -> None:
    """Take a stage away. Buckets, tables and the user pool stay, unless --delete-data says otherwise."""
    from infra.deployment.account import calling
    from infra.deployment.destroy import destroy as take_away
    from infra.deployment.held import held

    account = current_account()
    with calling(f"looking at stage {stage}"):
        found = held(stage, account).names()
    if not yes:
        what = f"and DELETE ALL DATA of it ({', '.join(found)})" if delete_data else "and keep its data"
        asked_for(stage, f"Destroy stage {stage} {what}? Write the stage's name to go on")
    kept = take_away(stage, account, print_note, delete_data=delete_data).names()
    if delete_data:
        print_text(f"{stage} is gone, with everything in it.")
    else:
        print_text(f"{stage} is gone. Kept: {', '.join(kept) or 'nothing'}.")
        print_note(f"`lakegate destroy --stage {stage} --delete-data` deletes that as well.")


def push(
    stage: StageOption,
    folder: Annotated[
        Path, typer.Argument(metavar="[FOLDER]", help="What holds datasets/ and partners/, such as a home.")
    ] = Path(),
    as_json: JsonOption = False,
) -> None:
    """Put contracts and grants of a folder into a stage.

    All of them are validated first; each version is kept.
    """
    from infra.deployment.push import push as put

    done = put(stage, folder, current_account())
    if as_json:
        contracts, grants = list(done.contracts), list(done.grants)
        print_json({"stage": stage, "contracts": contracts, "grants": grants, "unchanged": done.unchanged})
        return
    for kind, names in (("contract", done.contracts), ("grant", done.grants)):
        for name in names:
            print_text(f"pushed {kind} {name}")
    print_note(f"{done.unchanged} unchanged. Grants count from the next request on, contracts from the next load on.")


def current_account() -> "Account":
    """The account that the environment names; raises `Refused` when the packages for AWS are not there."""
    try:
        from infra.deployment.account import Account
    except ImportError as error:
        raise Refused(
            f"The packages for AWS are not installed: {error.name} is missing.",
            "pip install 'lakegate[aws]'",
            code="not-installed",
        ) from error
    return Account()


def _parsed(given: list[str]) -> dict[str, str]:
    pairs = [word.partition("=") for word in given]
    for name, mark, _ in pairs:
        if not mark or not name.isalnum():
            raise typer.BadParameter(f"--set {name}: write NAME=VALUE, as in --set OperatorEmail=ops@example.com.")
    return {name: value for name, _, value in pairs}


def _confirmed(stage: str, plan: "Plan", *, yes: bool, lose: bool) -> bool:
    """True, or raises `Refused`: what would leave the stage without data that it has is agreed to by itself."""
    rows = [(Label(c.action), Label(c.kind), Label(c.where), Label(c.replaced)) for c in plan.changes]
    if not yes:
        print_table(("change", "kind", "what", "replaced"), rows)
    if plan.losses and not lose:
        _ask_for_losses(stage, plan, yes=yes)
    if yes:
        print_note(f"{len(rows)} changes to {plan.stack}")
    else:
        asked_for(stage, f"Carry out {len(rows)} changes to {plan.stack}? Write the stage's name to go on")
    return True


def _ask_for_losses(stage: str, plan: "Plan", *, yes: bool) -> None:
    what = ", ".join(f"{one.where} ({'removed' if one.action == 'Remove' else 'replaced'})" for one in plan.losses)
    said = f"THE STAGE WOULD GO ON WITHOUT DATA THAT IT HAS: {what}. What it has now is kept, but no longer used"
    if yes or not sys.stdin.isatty():
        raise Refused(
            f"{said}.", "Add --lose-data if that is what you want; nothing was changed.", code="data-at-stake"
        )
    asked_for(f"lose {stage}", f"{said}. Write `lose {stage}` to go on")


def asked_for(answer: str, question: str) -> None:
    """Raises `Refused` without a person to ask, and when anything but `answer` is written."""
    if not sys.stdin.isatty():
        raise Refused(f"{question}: there is nobody to ask.", "Add --yes if you are sure.", code="not-confirmed")
    if typer.prompt(question, err=True) != answer:
        raise Refused(f"That is not `{answer}`.", "Nothing was changed.", code="not-confirmed")


def _show_outputs(outputs: dict[str, str]) -> None:
    print_table(("output", "value"), [(Label(name), Label(value)) for name, value in sorted(outputs.items())])
