"""One emulated account with one deployed stage, which the tests of this folder share."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from infra.deployment.account import Account
from infra.deployment.deploy import Deployed, Teller, deploy
from infra.deployment.release import Release, make_release
from infra.wheelhouse import our_wheel
from tests.deployed.emulated import PYTHON, ROOT, Ministack, ministack
from tests.deployed.guide import blocks_of, told_of_guide
from tests.deployed.stripped import stripped, told

STAGE = "test"
GUIDE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
FILLED = pytest.StashKey[dict[str, str]]()
PARAMETERS = {"Protected": "false", "GatherSeconds": "1", "Insights": "false"}


@dataclass(frozen=True)
class Stage:
    """A deployed stage."""

    name: str
    aws: Ministack
    release: Release
    deployed: Deployed

    @property
    def outputs(self) -> dict[str, str]:
        return dict(self.deployed.outputs)

    @property
    def api(self) -> str:
        """The API's address as the emulator serves it."""
        api_id = self.outputs["ApiUrl"].removeprefix("https://").partition(".")[0]
        return f"{self.aws.url}/_aws/execute-api/{api_id}/api"


def yes(_plan: object) -> bool:
    return True


def deployed_to(aws: Ministack, name: str, release: Release) -> Deployed:
    """Our own story, against the emulator."""
    return deploy(name, release, Account(), PARAMETERS, Teller(lambda _: None, yes))


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ministack]:
    assert PYTHON.exists(), "ministack is not installed: run `make test-deploy`"
    with ministack(tmp_path_factory.mktemp("ministack")) as made:
        before = dict(os.environ)
        os.environ.update(made.environment)
        yield made
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    """The release of this checkout, without what the emulator cannot do."""
    folder = tmp_path_factory.mktemp("release")
    made = stripped(make_release(folder / "made", wheels=our_wheel))
    shutil.rmtree(folder)
    return made


@pytest.fixture(scope="session")
def stage(aws: Ministack, release: Release) -> Stage:
    return Stage(STAGE, aws, release, deployed_to(aws, STAGE, release))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    terminalreporter.write_line(told())
    terminalreporter.write_line(told_of_guide(blocks_of(GUIDE), config.stash.get(FILLED, {})))
