"""The checks before and after a shift of traffic, asked of what is deployed: well as it is, and ill when it is not."""

import pytest

from api.probe import CLOSED, DESCRIBED, HEALTHY, UNKNOWN, asked_at, asked_of, faults
from tests.deployed.conftest import Stage

pytestmark = pytest.mark.deploy


def test_deployed_version_passes_the_checks_before_traffic(stage: Stage) -> None:
    ask = asked_of(stage.aws.client("lambda"), stage.outputs["AliasArn"])
    assert list(faults((HEALTHY, DESCRIBED, UNKNOWN), ask)) == []


def test_gateway_passes_the_checks_after_traffic(stage: Stage) -> None:
    assert list(faults((HEALTHY, DESCRIBED, CLOSED), asked_at(stage.api))) == []


def test_version_that_is_none_of_ours_fails_the_checks(stage: Stage) -> None:
    ask = asked_of(stage.aws.client("lambda"), f"lakegate-{stage.name}-dispatcher")
    found = list(faults((HEALTHY, UNKNOWN), ask))
    assert len(found) == 2


def test_gateway_that_is_not_there_fails_the_checks(stage: Stage) -> None:
    found = list(faults((HEALTHY, CLOSED), asked_at(stage.api.replace("/api", "/elsewhere"))))
    assert len(found) == 2
