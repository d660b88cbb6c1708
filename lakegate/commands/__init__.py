"""The commands of `lakegate`, one file per concern; `lakegate/cli.py` lists them all.

A command reads its options, calls one function of *etl*, *athena* or *api*, and shows what came back. Whatever
is heavy is imported inside of it, so that `lakegate --help` answers at once.
"""

from pathlib import Path
from typing import Annotated

import typer

HomeOption = Annotated[
    Path | None,
    typer.Option("--home", help="The home; else LAKEGATE_HOME, else this folder or one above it.", show_default=False),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else on stdout.")]
DatasetArgument = Annotated[str, typer.Argument(metavar="DATASET", help="The dataset's name.", show_default=False)]
OptionalDataset = Annotated[
    str | None, typer.Argument(metavar="[DATASET]", help="Only this dataset.", show_default=False)
]

EXIT_DONE, EXIT_REFUSED, EXIT_USAGE, EXIT_REJECTS = 0, 1, 2, 3
