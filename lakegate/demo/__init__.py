"""The demo: real flights in, partners' questions out, asked twice.

``data.py`` has the files, ``steps.py`` what happens, ``asking.py`` a partner's side of HTTP, ``telling.py`` the words.
"""

import signal
import threading
from pathlib import Path

from lakegate.demo.data import installed_files
from lakegate.demo.home import demo_home
from lakegate.demo.steps import (
    Stage,
    ask_as_other,
    ask_for_more,
    ask_twice,
    drop_correction,
    drop_damage,
    drop_files,
    say_what_next,
    write_partners,
)
from lakegate.demo.telling import Teller

__all__ = ["show"]


def show(folder: Path, *, keep: bool) -> None:
    """The whole demo in a home made anew at `folder`; with `keep` the server stays up until Ctrl-C."""
    from athena.lake import Lake
    from lakegate.serve import running

    files = installed_files()
    teller = Teller()
    with demo_home(folder) as settings:
        teller.step(f"A home: {folder}")
        teller.say("Settings, landing, tables, contracts, grants: one folder, no services.")
        with running(settings.home) as server, Lake.embedded(settings.home) as lake:
            teller.remark(f"The server answers on {server.url} and watches {folder / 'landing'}/.")
            stage = Stage(teller, lake, server.url, folder)
            drop_files(stage, files)
            united, kennedy = write_partners(stage)
            ask_twice(stage, united)
            ask_as_other(stage, kennedy)
            ask_for_more(stage, united)
            drop_correction(stage, files, united)
            drop_damage(stage, files)
            say_what_next(stage, united, kept=keep)
            if keep:
                _until_interrupted()


def _until_interrupted() -> None:
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    ended.wait()
