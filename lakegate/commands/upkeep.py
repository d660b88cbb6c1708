"""A stage on AWS in daily use: pull, redrive, rollback, recover; and files that are loaded into it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from athena.errors import Failed
from lakegate.commands import JsonOption
from lakegate.commands.stage import StageOption, YesOption, asked_for, current_account
from lakegate.screen import Label, print_json, print_note, print_table, print_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etl.report import Report
    from infra.deployment.again import Letter
    from infra.deployment.versions import Version

ListOption = Annotated[bool, typer.Option("--list", help="Only show what there is.")]


def _instant(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no instant: write it as in 2026-05-01T10:00:00Z.") from error
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found


AT_HELP = "As it was then, such as 2026-05-01T10:00:00Z; UTC unless it says otherwise."


def pull(
    stage: StageOption,
    folder: Annotated[
        Path, typer.Argument(metavar="[FOLDER]", help="Where datasets/ and partners/ are written to.")
    ] = Path(),
    at: Annotated[
        datetime | None, typer.Option(parser=_instant, metavar="INSTANT", help=AT_HELP, show_default=False)
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Also over files that say something else.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Write a stage's contracts and grants into a folder.

    As they are, or as they had been pushed by an instant.
    """
    from infra.deployment.pull import pull as get

    done = get(stage, folder, current_account(), at=at, overwrite=overwrite)
    if as_json:
        print_json({"stage": stage, "written": list(done.written), "unchanged": done.unchanged})
        return
    for name in done.written:
        print_text(f"pulled {name}")
    print_note(f"{done.unchanged} unchanged.")


def redrive(stage: StageOption, only_list: ListOption = False, as_json: JsonOption = False) -> None:
    """Send a stage's dead letters back to where they came from.

    Files that events have lost are looked for too.
    """
    from infra.deployment.again import letters, reconcile
    from infra.deployment.again import redrive as send_back

    account = current_account()
    if only_list:
        found = letters(stage, account)
        if as_json:
            print_json([{"says": one.what, "goes_back": one.goes_back} for one in found])
        else:
            print_table(("letter", "goes back"), [(Label(one.what), Label(_yes(one.goes_back))) for one in found])
        return
    sent = send_back(stage, account, lambda letter: print_note(_told(letter)))
    started = reconcile(stage, account)
    if as_json:
        print_json({"stage": stage, "sent_back": sent, "started": started})
        return
    print_text(f"{sent} letter{'' if sent == 1 else 's'} sent back.")
    print_text(started_text(started))


def reconcile_stage(stage: str, *, as_json: bool) -> None:
    """`lakegate reconcile --stage`."""
    from infra.deployment.again import reconcile

    started = reconcile(stage, current_account())
    if as_json:
        print_json({"stage": stage, "started": started})
    else:
        print_text(started_text(started))


def started_text(started: dict[str, int]) -> str:
    """For how much the reconciler has started jobs.

    >>> started_text({})
    'Landing and tables agree: no job was started.'
    >>> started_text({"flights": 2})
    'Jobs were started: flights (2 files).'
    """
    if not started:
        return "Landing and tables agree: no job was started."
    named = ", ".join(f"{name} ({count} file{'' if count == 1 else 's'})" for name, count in sorted(started.items()))
    return f"Jobs were started: {named}."


def rollback(
    stage: StageOption,
    to: Annotated[
        int | None, typer.Option("--to", help="This version; else the one before.", show_default=False)
    ] = None,
    only_list: ListOption = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Let an earlier version of the function answer, at once.

    The next deployment of a change sets it right.
    """
    from infra.deployment.versions import roll_back, versions

    account = current_account()
    if only_list:
        _show_versions(versions(stage, account), as_json=as_json)
        return

    def confirm(live: "Version", wanted: "Version") -> bool:
        if not yes:
            question = f"Let version {wanted.number} answer instead of {live.number}?"
            asked_for(stage, f"{question} Write the stage's name to go on")
        return True

    live = roll_back(stage, account, to, confirm)
    if as_json:
        print_json({"stage": stage, "version": live.number, "release": live.release})
    else:
        print_text(f"Version {live.number} answers (release {live.release}).")


def recover(
    what: Annotated[
        Literal["files", "contracts", "tables", "state"],
        typer.Argument(help="Landing files, contracts, the files of tables, or the state table.", show_default=False),
    ],
    stage: StageOption,
    at: Annotated[datetime, typer.Option(parser=_instant, metavar="INSTANT", help=AT_HELP, show_default=False)],
    prefix: Annotated[
        str, typer.Option(help="Only what begins so, such as flights/; not with state.", show_default=False)
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Bring back what was deleted or written over. What came later and was not there then stays."""
    from infra.deployment.recover import recover as bring_back
    from infra.deployment.recover import recover_state

    if what == "state":
        if prefix:
            raise typer.BadParameter("--prefix does not go with state.")
        restored = recover_state(stage, at, current_account(), print_note)
        if as_json:
            print_json({"stage": stage, "items": restored.items, "table": restored.table})
            return
        print_text(f"{restored.items} items were missing and are back.")
        print_note(f"The table {restored.table} stays beside; delete it once nothing is missing.")
        return
    keys = bring_back(stage, what, prefix, at, current_account(), print_note)
    if as_json:
        print_json({"stage": stage, "recovered": list(keys)})
        return
    print_text(f"{len(keys)} object{' is' if len(keys) == 1 else 's are'} as it was.")


def load_into_stage(
    stage: str, files: "Sequence[Path]", *, dataset: str, source: str, wait_seconds: float
) -> "tuple[Report, ...]":
    """`lakegate load --stage`: the reports. Raises `Failed` (`load-waits`) when there is none in time."""
    from infra.deployment.landing import Order, load_into

    done = load_into(stage, Order(files, dataset, source, wait_seconds), current_account(), print_note)
    if done.waiting and wait_seconds:
        raise Failed(
            f"{', '.join(done.waiting)}: no report after {wait_seconds:g} s.",
            f"Nothing is lost: it is in landing. `lakegate status --stage {stage}` counts what waits; "
            "the job's log says why.",
            code="load-waits",
        )
    for key in done.waiting:
        print_note(f"{key} is in landing; its report will be below reports/{key}/.")
    return done.reports


def _show_versions(found: "Sequence[Version]", *, as_json: bool) -> None:
    if as_json:
        fields = ("number", "release", "made_at", "live")
        print_json([{name: getattr(one, name) for name in fields} for one in found])
        return
    rows = [(one.number, Label(one.release), Label(one.made_at), Label("live" if one.live else "")) for one in found]
    print_table(("version", "release", "made at", ""), rows, right=(True, False, False, False))


def _told(letter: "Letter") -> str:
    return f"sent back: {letter.what}" if letter.goes_back else f"taken away, it comes by itself: {letter.what}"


def _yes(value: bool) -> str:
    return "yes" if value else "no"
