"""A home's life: made, served, examined."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lakegate.commands import EXIT_REFUSED, HomeOption, JsonOption, OptionalDataset
from lakegate.home import HOME_VARIABLE, current_home, init_home
from lakegate.screen import print_json, print_note, print_text

if TYPE_CHECKING:
    from etl.backup import Backup

NEXT_STEPS = """\
{home} is a Lakegate home now. Next:

  cd {home}
  lakegate up                                     watch landing/, load, serve on 127.0.0.1:8787
  lakegate load flights.csv --dataset flights     or drop it: a file in landing/flights/ is loaded by `lakegate up`
  lakegate query "SELECT count(*) FROM flights"   ask as the owner
  lakegate partner add NAME --dataset flights     let somebody else ask"""


def init(
    folder: Annotated[Path, typer.Argument(metavar="HOME", help="A folder, new or empty.", show_default=False)],
) -> None:
    """Make a home in a new or empty folder.

    It will hold settings, landing files, tables, contracts and grants: all there is of a lake.
    """
    settings = init_home(folder)
    print_text(NEXT_STEPS.format(home=_short(settings.home)))


def up(
    home: HomeOption = None,
    host: Annotated[str, typer.Option(help="The address to listen on; everybody's is 0.0.0.0.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port; 0 takes a free one.", min=0, max=65535)] = 8787,
    watch: Annotated[bool, typer.Option("--watch/--no-watch", help="Load what lands, beside serving.")] = True,
) -> None:
    """Watch landing, load, and serve over HTTP.

    Runs until Ctrl-C or SIGTERM; questions that run are finished first.
    """
    from lakegate.serve import Listening, serve

    found = current_home(home)

    def ready(listening: Listening) -> None:
        print_note(f"Lakegate serves {found} on {listening.url} (to be tried out at /docs). Ctrl-C stops it.")
        if watch:
            print_note(f"Files dropped into {found / 'landing'}/DATASET/ are loaded as they settle.")

    serve(found, host=host, port=port, watch=watch, ready=ready)


def maintain(dataset: OptionalDataset = None, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Merge small data files and forget old states.

    Old snapshots go, and files that nobody has needed for a day. Rows stay as they are, and so do answers.
    `lakegate up` does it by itself; loads and questions may go on meanwhile.
    """
    from dataclasses import asdict

    from athena.lake import Lake
    from etl import maintain as maintenance
    from etl.intake import Intake

    with Lake.embedded(current_home(home)) as lake:
        done = maintenance.maintain(Intake.embedded(lake), dataset)
    if as_json:
        print_json([asdict(one) for one in done])
        return
    for one in done:
        files, gone = one.compacted, one.collected
        made = f"{files.before} data files became {files.after}" if files.before else "no data file was too small"
        print_text(
            f"{one.dataset}: {made}; {one.expired} snapshots forgotten; {gone.files} files removed "
            f"({gone.size_bytes / 1024**2:.1f} MB), {gone.waiting} wait for their day to end."
        )


def backup(
    file: Annotated[
        Path, typer.Argument(metavar="F", help="The file to write; it must not exist.", show_default=False)
    ],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a home to one file, while it runs.

    Landing files, tables, contracts, grants, keys and state; answers are left out. Keep it secret: keys are in it.
    """
    from athena.lake import utc_now
    from athena.settings import read_settings
    from etl import backup as backups

    _show_backup("holds", backups.backup(read_settings(current_home(home)), file, clock=utc_now), as_json=as_json)


def restore(
    file: Annotated[Path, typer.Argument(metavar="F", help="A backup.", show_default=False)],
    home: Annotated[
        Path | None, typer.Option("--home", help="The home to make; else LAKEGATE_HOME.", show_default=False)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a home from a backup; overwrites nothing.

    Every file is compared with its digest before any of them is in its place.
    """
    import os

    from etl import restore as restoring

    named = os.environ.get(HOME_VARIABLE)
    if home is None and not named:
        raise typer.BadParameter("Name the home to make with --home.")
    done = restoring.restore(file, home or Path(named or ""))
    _show_backup("was restored with", done, as_json=as_json)


def _show_backup(verb: str, done: "Backup", *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "file": str(done.file),
                "home": done.home,
                "made_at": done.made_at,
                "files": done.files,
                "size_bytes": done.size_bytes,
            }
        )
    elif verb == "holds":
        print_text(f"{done.file} {verb} {done.home}: {done.files} files, {done.size_bytes / 1024**2:.1f} MB.")
    else:
        print_text(f"{done.home} {verb} {done.files} files, as it was at {done.made_at}.")


def doctor(
    home: HomeOption = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Mend what can be mended without a choice of yours.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Examine a home and say what is wrong.

    Looks at settings, disk, state, catalog, and at the tables against their ledger. Exit code 1 when something is
    wrong. Needs no running server and survives damaged files.
    """
    from dataclasses import asdict

    from etl.doctor import examine

    findings = examine(_home_to_examine(home), repair=repair)
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            mark = {"ok": "ok     ", "warning": "warning", "error": "ERROR  "}[finding.level]
            mended = " (mended)" if finding.repaired else ""
            print_text(f"{mark}  {finding.check}: {finding.subject}: {finding.message}{mended}")
            if finding.remedy and finding.level != "ok" and not finding.repaired:
                print_text(f"         → {finding.remedy}")
    if any(finding.level == "error" and not finding.repaired for finding in findings):
        raise typer.Exit(EXIT_REFUSED)


def _home_to_examine(home: Path | None) -> Path:
    # A home whose settings cannot be read is what the doctor is for: it is named, so it is taken as it is.
    return home if home is not None and home.is_dir() else current_home(home)


def _short(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
