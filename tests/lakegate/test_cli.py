"""The edge: what goes wrong becomes a paragraph and an exit code, and pipes stay clean."""

import os
import resource
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from lakegate import __version__
from lakegate.commands import looking
from tests.lakegate.conftest import Command

COMMANDS = (
    *("demo", "init", "up", "load", "convert", "reconcile", "reload", "retract", "datasets", "describe", "loads"),
    *("rejects", "query", "partner", "doctor"),
)
# The budget is for a command that only says what it can do; a busy machine counts CPU, not waiting.
HELP_CPU_SECONDS = 0.3


def test_help_lists_every_command(lakegate: Command) -> None:
    done = lakegate("--help")
    assert done.code == 0
    assert [name for name in COMMANDS if f"\n  {name} " not in done.out] == []


def test_the_version_is_told(lakegate: Command) -> None:
    assert lakegate("--version").out == f"lakegate {__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [("fly",), ("load",), ("load", "a.csv"), ("query", "SELECT 1", "--format", "xml"), ("up", "--port", "99999")],
)
def test_wrong_usage_is_exit_code_2_on_stderr(lakegate: Command, arguments: tuple[str, ...]) -> None:
    done = lakegate(*arguments)
    assert (done.code, done.out) == (2, "")
    assert "Usage: lakegate" in done.err


def test_a_refusal_is_one_paragraph_with_remedy_and_code(
    lakegate: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = lakegate("datasets", "--json")
    assert (done.code, done.out) == (1, "")
    assert done.err.count("\n") == 1
    assert done.err.startswith("lakegate: There is no Lakegate home here")
    assert "lakegate init HOME" in done.err
    assert done.err.endswith("[no-home]\n")


def test_what_nobody_foresaw_is_a_paragraph_too(lakegate: Command, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> Path:
        raise ZeroDivisionError("an accident")

    monkeypatch.setattr(looking, "current_home", broken)
    done = lakegate("datasets", "--home", home)
    assert (done.code, done.out) == (1, "")
    assert done.err == (
        "lakegate: Something unexpected went wrong: ZeroDivisionError: an accident. "
        "Run it again with LAKEGATE_DEBUG=1 to see where; `lakegate doctor` examines the home. [unexpected]\n"
    )
    monkeypatch.setenv("LAKEGATE_DEBUG", "1")
    assert "Traceback (most recent call last)" in lakegate("datasets", "--home", home).err


def test_an_interrupt_is_exit_code_130(lakegate: Command, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: object) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(looking, "current_home", interrupted)
    assert lakegate("datasets", "--home", home).code == 130


def test_the_real_command_starts_fast_and_fails_cleanly(tmp_path: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = [sys.executable, "-m", "lakegate", "--help"]
    shown = subprocess.run(started, capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert "Usage: lakegate" in shown.stdout
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < HELP_CPU_SECONDS
    refused = subprocess.run(
        [sys.executable, "-m", "lakegate", "loads"],
        cwd=tmp_path,
        env={**os.environ, "LAKEGATE_HOME": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "[no-home]" in refused.stderr


def test_a_reader_that_goes_away_does_no_harm(stays_home: Path) -> None:
    command = f"{sys.executable} -m lakegate query 'SELECT * FROM stays' --format csv --home {stays_home} | true"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    assert done.returncode in (0, -signal.SIGPIPE)


def test_up_serves_until_interrupted_and_ends_cleanly(home: Path) -> None:
    command = [sys.executable, "-m", "lakegate", "up", "--port", "0", "--home", str(home)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        ready = next(line for line in server.stderr if "Lakegate serves" in line)
        url = ready.split(" on ")[1].split()[0]
        with urllib.request.urlopen(f"{url}/healthz", timeout=120) as answer:
            assert answer.status == 200
        server.send_signal(signal.SIGINT)
        out, err = server.communicate(timeout=120)
    assert (server.returncode, out) == (0, "")
    assert "Traceback" not in err
