"""`lakegate`: every command, and the edge where whatever goes wrong becomes a paragraph and an exit code.

Exit codes: 0 done, 1 refused or failed, 2 usage, 3 done with rejects under --strict, 130 interrupted.
"""

import logging
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated

import typer

from athena.errors import Failed, LakegateError
from lakegate import __version__
from lakegate.commands import (
    EXIT_REFUSED,
    contract,
    demo,
    emulate,
    files,
    homes,
    looking,
    partner,
    query,
    stage,
    upkeep,
)
from lakegate.quick import leave_quickly, start_quickly
from lakegate.screen import print_error

DEBUG_VARIABLE = "LAKEGATE_DEBUG"

app = typer.Typer(
    name="lakegate",
    help="CSV files in, typed tables and a safe, exactly fresh SQL API out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    # Rich's help costs 50 ms of imports: worth it for eyes, not for pipes.
    rich_markup_mode="rich" if sys.stdout.isatty() else None,
)


@app.callback(invoke_without_command=True)
def _options(version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False) -> None:
    if version:
        sys.stdout.write(f"lakegate {__version__}\n")
        raise typer.Exit


for _command in (
    demo.demo,
    homes.init,
    homes.up,
    files.load,
    files.convert,
    files.reconcile,
    files.reload,
    files.retract,
    homes.maintain,
    homes.backup,
    homes.restore,
    looking.datasets,
    looking.describe,
    looking.loads,
    looking.rejects,
    query.query,
):
    app.command()(_command)
app.add_typer(contract.app, name="contract")
app.add_typer(partner.app, name="partner")
app.command()(homes.doctor)
app.command()(emulate.emulate)
for _on_aws in (
    *(stage.deploy, stage.status, stage.destroy, stage.push),
    *(upkeep.pull, upkeep.redrive, upkeep.rollback, upkeep.recover),
):
    app.command()(_on_aws)


def run(arguments: Sequence[str]) -> int:
    """The exit code of `lakegate ARGUMENTS…`; nothing escapes but what ends the interpreter itself."""
    if not os.environ.get(DEBUG_VARIABLE):
        # Without any handler Python prints log lines on stderr, where the one paragraph of an error belongs.
        logging.getLogger().addHandler(logging.NullHandler())
    try:
        app(list(arguments), prog_name="lakegate")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except LakegateError as error:
        return _refused(error)
    except Exception as error:  # noqa: BLE001 - the edge: nobody above could say it better
        return _refused(_unexpected(error))
    return 0


def main() -> None:
    """The console script."""
    start_quickly()
    leave_quickly(run(sys.argv[1:]))


def _refused(error: LakegateError) -> int:
    if os.environ.get(DEBUG_VARIABLE):
        traceback.print_exception(error)
    print_error(error)
    return EXIT_REFUSED


def _unexpected(error: Exception) -> LakegateError:
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    wrapped = Failed(
        f"Something unexpected went wrong: {what}.",
        f"Run it again with {DEBUG_VARIABLE}=1 to see where; `lakegate doctor` examines the home.",
        code="unexpected",
    )
    wrapped.__cause__ = error
    return wrapped
