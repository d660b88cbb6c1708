"""Whether a question could be asked at this moment, without asking it."""

from athena.lake import Lake
from athena.planning import Given, parsed, pinned, planned, standing_of
from athena.question import Question


def check(lake: Lake, question: Question) -> None:
    """Returns when `ask` would begin a run or find an answer; raises what `ask` raises otherwise."""
    standing = standing_of(lake, question.caller)
    statement = parsed(lake, question.sql)
    heads = pinned(lake, statement, question)
    planned(lake, Given(question, standing, heads, lake.clock().date()), statement)


def placeholders(lake: Lake, sql: str) -> tuple[str, ...]:
    """The names of a statement's parameters, `?0`, `?1` … for those without; raises `SqlRefused`."""
    return parsed(lake, sql).placeholders
