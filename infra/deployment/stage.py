"""What a stage and its stacks are called."""

import re

from athena.errors import Refused

_STAGE = re.compile(r"[a-z][a-z0-9]{1,11}")


def root_name(stage: str) -> str:
    """The stack that nests the others.

    >>> root_name("test")
    'lakegate-test'
    """
    return f"lakegate-{stage}"


def config_name(stage: str) -> str:
    """The stack of the config bucket."""
    return f"lakegate-{stage}-config"


def tags_of(stage: str) -> dict[str, str]:
    """What its stacks are tagged with, and they their resources."""
    return {"lakegate:stage": stage}


def check_stage(stage: str) -> None:
    """Raises `Refused` for a name that no stage can have."""
    if not _STAGE.fullmatch(stage):
        raise Refused(
            f"{stage!r} cannot name a stage.",
            "Use two to twelve lower-case letters and digits, a letter first, as in `test` or `prod`.",
            code="settings-invalid",
        )
