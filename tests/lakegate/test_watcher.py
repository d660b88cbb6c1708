import multiprocessing
import os
import signal
import time
from pathlib import Path

from lakegate.home import init_home
from lakegate.watcher import watching


def watcher_pid(*, other_than: int = 0) -> int:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        pids = [child.pid for child in multiprocessing.active_children() if child.name == "lakegate-watch"]
        if pids and pids[0] is not None and pids[0] != other_than:
            return pids[0]
        time.sleep(0.02)
    raise AssertionError("there is no watcher")


def test_a_watcher_that_dies_is_started_again_and_ends_with_the_block(tmp_path: Path) -> None:
    home = init_home(tmp_path / "home").home
    with watching(home):
        first = watcher_pid()
        os.kill(first, signal.SIGKILL)
        second = watcher_pid(other_than=first)
        assert second != first
    assert [child for child in multiprocessing.active_children() if child.name == "lakegate-watch"] == []
