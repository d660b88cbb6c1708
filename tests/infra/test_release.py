"""What a deployment is made of, without building it."""

import pytest

from athena.errors import Refused
from infra.deployment.release import Release
from infra.deployment.stage import check_stage


def test_digest_changes_with_whatever_is_deployed() -> None:
    same = Release("x86_64", {"a": b""}, {"k": "v"}, {"root.yaml": "x"}, "")
    others = [
        Release("x86_64", {"b": b""}, {"k": "v"}, {"root.yaml": "x"}, ""),
        Release("x86_64", {"a": b""}, {"k": "w"}, {"root.yaml": "x"}, ""),
        Release("x86_64", {"a": b""}, {"k": "v"}, {"root.yaml": "y"}, ""),
    ]
    assert len({same.digest, *(one.digest for one in others)}) == 4


@pytest.mark.parametrize("name", ["", "x", "Prod", "a-b", "1st", "thirteenlong1"])
def test_stage_names_that_cannot_be_are_refused(name: str) -> None:
    with pytest.raises(Refused, match="cannot name a stage") as refused:
        check_stage(name)
    assert "lower-case" in refused.value.remedy
