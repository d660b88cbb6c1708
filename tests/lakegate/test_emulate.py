"""`lakegate emulate`: an AWS in another process."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import boto3
import pytest

from athena.lake import Lake
from athena.settings_aws import read_aws_settings


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    """What the command prints, while it runs."""
    command = [sys.executable, "-m", "lakegate", "emulate", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(4)]
        yield dict(line.removeprefix("export ").strip().split("=", maxsplit=1) for line in lines)
        process.send_signal(signal.SIGTERM)
        assert process.wait(120) == 0


def test_another_program_finds_a_lakes_parts_there(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings = read_aws_settings("local", os.environ, boto3.session.Session().client("ssm"))
    assert settings.workgroup == "lakegate-local"
    with Lake.aws(settings) as lake:
        assert lake.heads.all() == ()
        assert lake.grants.get("nobody") is None
        assert lake.head("flights") is None
        assert lake.flights.get("ab" * 32) is None


def test_a_taken_port_is_told_with_a_remedy(environment: dict[str, str]) -> None:
    port = environment["AWS_ENDPOINT_URL"].rpartition(":")[2]
    done = subprocess.run(
        [sys.executable, "-m", "lakegate", "emulate", "--port", port], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert f"Port {port} on 127.0.0.1 is in use" in done.stderr
    assert "--port" in done.stderr
