import os
import signal
import time
from pathlib import Path

import pytest

from lakegate.home import init_home
from lakegate.watcher import watching


def test_a_watcher_that_dies_is_started_again_and_ends_with_the_block(tmp_path: Path) -> None:
    home = init_home(tmp_path / "home").home
    with watching(home) as pid:
        first = pid()
        os.kill(first, signal.SIGKILL)
        deadline = time.monotonic() + 120
        while pid() == first:
            assert time.monotonic() < deadline, "it was not started again"
            time.sleep(0.02)
        second = pid()
    with pytest.raises(ProcessLookupError):
        os.kill(second, 0)
