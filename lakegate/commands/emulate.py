"""An AWS on this machine, to try things on."""

from typing import Annotated

import typer

from athena.errors import Refused
from lakegate.screen import print_note, print_text

STAGE = "local"


def emulate(
    port: Annotated[int, typer.Option(help="The port of all services; 0 takes a free one.", min=0, max=65535)] = 8788,
) -> None:
    """Serve an AWS on this machine, to try a stage on.

    S3, DynamoDB, Glue and the rest by moto, and an Athena that runs SQL. It holds what the stage `local` of a lake
    needs, keeps everything in memory, believes every credential and listens on 127.0.0.1 alone. Prints what other
    programs' environment must say; runs until Ctrl-C or SIGTERM.
    """
    import signal
    import threading

    try:
        from lakegate.emulate import Emulator
        from lakegate.emulate.stack import create_lake
    except ImportError as error:
        raise Refused(
            f"The emulated AWS is not installed: {error.name} is missing.",
            "pip install 'lakegate[emulate]'",
            code="not-installed",
        ) from error

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with Emulator(port=port) as emulator:
        create_lake(emulator.client, STAGE)
        for name, value in emulator.environment.items():
            print_text(f"export {name}={value}")
        print_note(f"An AWS for stage {STAGE!r} is served on {emulator.url}. Ctrl-C stops it and forgets everything.")
        stop.wait()
