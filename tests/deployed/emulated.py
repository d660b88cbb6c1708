"""ministack as a process of its own, from its own environment: its pins are not ours."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import urllib3
from botocore.config import Config

from tests.deployed.handover import HandOver
from tests.lakegate.server import free_ports

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-ministack" / "bin" / "python"
REGION, ACCOUNT = "us-east-1", "000000000000"
OWNER = {"AWS_ACCESS_KEY_ID": "owner", "AWS_SECRET_ACCESS_KEY": "an-owner-of-all", "AWS_DEFAULT_REGION": REGION}
_READY_SECONDS = 240


@dataclass
class Ministack:
    """The emulated account at `url`; `environment` turns a process's AWS clients to it, as the account's owner."""

    url: str
    handover: HandOver
    _clients: dict[str, Any] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        return {"AWS_ENDPOINT_URL": self.url, **OWNER}

    def client(self, service: str) -> Any:
        """A client as the account's owner."""
        if service not in self._clients:
            self._clients[service] = client_of(self.url, service, OWNER)
        return self._clients[service]

    def role(self, name: str) -> dict[str, str]:
        """Credentials of a role, as variables."""
        wanted = f"arn:aws:iam::{ACCOUNT}:role/{name}"
        lent = self.client("sts").assume_role(RoleArn=wanted, RoleSessionName="tests")["Credentials"]
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": lent["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": lent["SecretAccessKey"],
            "AWS_SESSION_TOKEN": lent["SessionToken"],
        }

    def client_as(self, role: str, service: str) -> Any:
        """A client with a role's rights."""
        return client_of(self.url, service, self.role(role))


def client_of(url: str, service: str, credentials: dict[str, str]) -> Any:
    return boto3.session.Session().client(
        service,
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id=credentials["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=credentials["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=credentials.get("AWS_SESSION_TOKEN"),
        config=Config(retries={"total_max_attempts": 2}, s3={"addressing_style": "path"}),
    )


@contextmanager
def ministack(folder: Path) -> Iterator[Ministack]:
    """A new account, until the end of the block; what it says goes into `folder`."""
    port = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    handover = HandOver(url, lambda service: client_of(url, service, OWNER), OWNER)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        **OWNER,
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
        "AUTH": "true",
        "TMPDIR": str(folder),
        "AWS_ENDPOINT_URL_ATHENA": handover.url,
        "AWS_ENDPOINT_URL_GLUE": handover.url,
    }
    environment.pop("PYTHONPATH", None)
    with (folder / "ministack.log").open("w") as log:
        server = subprocess.Popen(
            [str(PYTHON), "-P", str(Path(__file__).with_name("mended.py"))],
            env=environment,
            cwd=folder,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _wait(url, server)
            made = Ministack(url, handover)
            handover.job_environment = lambda stage: made.role(f"lakegate-{stage}-job")
            handover.start()
            yield made
        finally:
            handover.stop()
            server.terminate()
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _wait(url: str, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _READY_SECONDS
    with urllib3.PoolManager() as pool:
        while time.monotonic() < until:
            assert server.poll() is None, "ministack has ended: see ministack.log"
            try:
                if pool.request("GET", f"{url}/_ministack/health", retries=False, timeout=20.0).status == 200:
                    return
            except urllib3.exceptions.HTTPError:
                time.sleep(0.2)
    raise AssertionError(f"ministack was not ready within {_READY_SECONDS} s")
