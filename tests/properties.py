"""How property tests draw their examples: the short forms the same ones in every run, the long forms new ones.

A short form decides whether a change may land, so it must not fail by chance: it stands for itself, not for what else
runs. New cases are what long forms are for; with `--hypothesis-seed` and the blob that a failure prints, they can be
drawn again.
"""

import re

from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants

SHORT, LONG = "lakegate-short", "lakegate-long"
# How long something takes says nothing on a machine with other work, neither of an example nor of drawing it.
_TIMELESS = [HealthCheck.too_slow]
settings.register_profile(SHORT, derandomize=True, deadline=None, database=None, suppress_health_check=_TIMELESS)
settings.register_profile(LONG, deadline=None, database=None, suppress_health_check=_TIMELESS, print_blob=True)


def profile_for(marks: str) -> str:
    """The profile for what `-m` says.

    >>> profile_for(""), profile_for("not long and not deploy"), profile_for("long and not deploy")
    ('lakegate-short', 'lakegate-short', 'lakegate-long')
    """
    return LONG if re.search(r"\blong\b", marks) and not re.search(r"\bnot long\b", marks) else SHORT


def draw_by(profile: str) -> None:
    """Let every property test that is imported from now on draw by this profile."""
    settings.load_profile(profile)
    if profile == SHORT:
        # Hypothesis mixes in the constants of every module of ours that is loaded by then, so that examples would
        # depend on which tests ran before in the same process. There is no setting for it.
        none = Constants()
        providers._get_local_constants = lambda: none
