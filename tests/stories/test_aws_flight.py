"""Many processes ask the same at once, on the DynamoDB store: one engine run, and one heir when the leader dies."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

import pytest

from athena.question import State
from athena.settings_aws import AwsSettings
from tests.cloud import Cloud
from tests.lakes import FLIGHTS

PROCESSES = 4
SQL = "SELECT count(*) AS n FROM flights"
ANSWER = json.dumps(["SUCCEEDED", [["3"]]])
Asker = subprocess.Popen[str]


@pytest.fixture
def settings(cloud: Cloud) -> Iterator[AwsSettings]:
    made = cloud.settings(flight_lease_seconds=2.0)
    with cloud.lake(made) as lake:
        lake.heads.publish(cloud.tables().append("flights", FLIGHTS))
    yield made
    cloud.emulator.athena.seconds = 0.0


@contextmanager
def askers(cloud: Cloud, settings: AwsSettings, *, each: int) -> Iterator[list[Asker]]:
    """Processes that are ready to ask."""
    command = [sys.executable, "-W", "error", "-m", "tests.stories.aws_asker"]
    environment = {**os.environ, **cloud.emulator.environment}
    made = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        for _ in range(PROCESSES)
    ]
    try:
        for process in made:
            tell(process, {"settings": asdict(settings), "sql": SQL, "askers": each})
        for process in made:
            assert heard(process) == "ready"
        yield made
    finally:
        for process in made:
            process.kill()
            with process:
                pass


def tell(process: Asker, what: object) -> None:
    assert process.stdin is not None
    process.stdin.write(json.dumps(what) + "\n")
    process.stdin.flush()


def heard(process: Asker) -> str:
    assert process.stdout is not None
    told = (line.removeprefix("told ").strip() for line in process.stdout if line.startswith("told "))
    return next(told)


def answers(processes: list[Asker]) -> Counter[str]:
    found: Counter[str] = Counter()
    for process in processes:
        found.update(json.loads(heard(process)))
    return found


def leaders_process(cloud: Cloud, settings: AwsSettings) -> int:
    """The number of the process that leads, once Athena runs what it started."""
    ends = time.monotonic() + 120
    while True:
        assert time.monotonic() < ends
        started = cloud.started(settings)
        if started and started[0].state == "RUNNING":
            items = cloud.items(settings.cache_table)
            leading = [item for item in items if item["state"]["S"] == State.RUNNING and "execution" in item]
            if leading:
                return int(leading[0]["leader"]["S"].split("/")[1])
        time.sleep(0.01)


def ask_at_once(cloud: Cloud, settings: AwsSettings, *, each: int) -> None:
    cloud.emulator.athena.seconds = 1.0
    with askers(cloud, settings, each=each) as processes:
        for process in processes:
            tell(process, "go")
        assert answers(processes) == {ANSWER: PROCESSES * each}
    assert len(cloud.started(settings)) == 1


def kill_the_leader(cloud: Cloud, settings: AwsSettings, *, each: int) -> None:
    # Long enough to be seen running, also where so many askers hold up the one who writes the execution down.
    cloud.emulator.athena.seconds = 4.0 + each / 5
    with askers(cloud, settings, each=each) as processes:
        for process in processes:
            tell(process, "go")
        dead = leaders_process(cloud, settings)
        os.kill(dead, signal.SIGKILL)
        living = [process for process in processes if process.pid != dead]
        assert len(living) == PROCESSES - 1
        assert answers(living) == {ANSWER: (PROCESSES - 1) * each}
    # Athena goes on without its leader; the heir starts with the same token and so adopts what runs.
    assert len(cloud.started(settings)) == 1


def test_forty_identical_questions_of_four_processes_are_one_run(cloud: Cloud, settings: AwsSettings) -> None:
    ask_at_once(cloud, settings, each=10)


def test_when_the_leading_process_is_killed_an_heir_brings_its_run_home(cloud: Cloud, settings: AwsSettings) -> None:
    kill_the_leader(cloud, settings, each=5)


@pytest.mark.long
def test_two_hundred_identical_questions_of_four_processes_are_one_run(cloud: Cloud, settings: AwsSettings) -> None:
    ask_at_once(cloud, settings, each=50)


@pytest.mark.long
def test_of_two_hundred_all_but_the_killed_leaders_are_answered(cloud: Cloud, settings: AwsSettings) -> None:
    kill_the_leader(cloud, settings, each=50)
