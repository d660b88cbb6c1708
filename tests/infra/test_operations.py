"""The operations guide knows every alarm, every parameter it names, and shows what the cost model says; the roles know
every kind of item that the page about stores does."""

import re
from pathlib import Path

from infra import cost, cost_loading
from infra.policies.__main__ import read_stacks
from infra.policies.access import statements
from infra.policies.template import at, resources
from tests.deployed.guide import blocks_of

PAGE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
STACKS = read_stacks()
# Written like parameters of ours, but CloudFormation's own.
THEIRS = frozenset(["ImportExistingResources"])


def test_every_alarm_is_explained_and_no_other() -> None:
    named = [one.properties["AlarmName"] for one in resources(STACKS, "AWS::CloudWatch::Alarm")]
    named += [one.properties["AlarmName"] for one in resources(STACKS, "AWS::CloudWatch::CompositeAlarm")]
    there = {name["Fn::Sub"].removeprefix("lakegate-${Stage}-") for name in named}
    section = PAGE.partition("## When an alarm goes off")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    explained = {name for row in rows for name in re.findall(r"`([a-z-]+)`", row)}
    assert explained == there | {"job-failed"}


def test_every_block_is_run_or_says_why_not_and_ten_commands_are_a_deployment() -> None:
    blocks = blocks_of(PAGE)
    fences = re.findall(r"^```(\w*)$", PAGE, re.MULTILINE)
    assert fences.count("sh") == len(blocks)
    assert fences.count("text") == sum(bool(one.printed) for one in blocks)
    assert set(fences) == {"sh", "text", ""}
    first = [one for one in blocks if one.section == "The first deployment"]
    assert sum(len(one.commands) for one in first) == 10
    assert sum(len(one.commands) for one in blocks if one.reason) <= 5


def test_every_parameter_that_it_names_is_one() -> None:
    known = {name for content in STACKS.values() for name in content.get("Parameters", {})}
    known |= {name for content in STACKS.values() for name in content.get("Outputs", {})}
    named = set(re.findall(r"`([A-Z][a-z]+[A-Z]\w+)`", PAGE))
    assert named - THEIRS <= known
    assert len(named) > 10


def test_the_page_shows_what_the_models_say() -> None:
    assert cost_loading.table() in PAGE, "run `python -m infra.cost_loading`"
    assert all(line in PAGE for line in cost.table().splitlines() if line.startswith("| 1,000,000")), "infra.cost"
    for share in (0.0, 0.9):
        assert f"${cost.cost(cost.Month(1_000_000, share, 200 * cost.MB)).total:,.0f} " in PAGE


def test_every_kind_of_item_in_the_state_can_be_used_by_somebody_and_no_other() -> None:
    stores = (Path(__file__).parents[2] / "docs" / "aws-stores.md").read_text(encoding="utf-8")
    section = stores.partition("## The state table")[2].partition("\n## ")[0]
    kept = {re.sub(r"<\w+>", "*", name) for name in re.findall(r"^\| `([a-z#<>]+)` \|", section, re.MULTILINE)}
    lent: set[str] = set()
    for _, statement in statements(STACKS):
        keys = at(statement, "Condition.ForAllValues:StringLike")
        lent |= set(keys["dynamodb:LeadingKeys"]) if keys else set()
    assert len(kept) > 8
    assert lent - {"pk"} == kept - {"pk"}
