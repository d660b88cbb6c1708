"""What a change set would do, read from what CloudFormation tells of a stack and of those nested in it."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from athena.errors import Refused
from infra.deployment.changes import Plan
from infra.deployment.stacks import Stacks, Wanted
from lakegate.commands.stage import _confirmed


def change(action: str, name: str, kind: str, **more: str) -> dict[str, Any]:
    return {"ResourceChange": {"Action": action, "LogicalResourceId": name, "ResourceType": kind, **more}}


NESTED = "AWS::CloudFormation::Stack"
ROOT = [
    change("Modify", "Cache", NESTED, Replacement="False", ChangeSetId="arn:cache"),
    change("Modify", "Api", NESTED, Replacement="False", ChangeSetId="arn:api"),
    change("Remove", "Canary", NESTED),
]
CACHE = [change("Modify", "StateTable", "AWS::DynamoDB::Table", Replacement="Conditional")]
API = [change("Add", "Version1", "AWS::Lambda::Version"), change("Modify", "Function", "AWS::Lambda::Function")]
LAST = [change("Remove", "Log", "AWS::Logs::LogGroup")]


@dataclass
class CloudFormation:
    """Answers as `DescribeChangeSet` does, in pages, for one root with two nested stacks."""

    asked: list[dict[str, Any]] = field(default_factory=list)

    def describe_stacks(self, **_: Any) -> dict[str, Any]:
        return {"Stacks": [{"StackStatus": "UPDATE_COMPLETE"}]}

    def create_change_set(self, **asked: Any) -> None:
        self.asked.append(asked)

    def delete_change_set(self, **_: Any) -> None:
        """Nothing is there."""

    def describe_change_set(self, **asked: str) -> dict[str, Any]:
        name, page = asked["ChangeSetName"], asked.get("NextToken")
        told = {"arn:cache": CACHE, "arn:api": LAST if page else API}.get(name, ROOT)
        more = {"NextToken": "2"} if name == "arn:api" and not page else {}
        return {"Status": "CREATE_COMPLETE", "ChangeSetId": name, "Changes": told, **more}


@pytest.fixture
def plan() -> Plan:
    client = CloudFormation()
    made = Stacks(client, lambda _: None, lambda _: None).plan(Wanted("s", {}, {}, template_url="u"), "n")
    assert client.asked[0]["IncludeNestedStacks"] is True
    return made


def test_plan_tells_of_nested_stacks_and_of_every_page(plan: Plan) -> None:
    told = [(one.action, one.where, one.replaced) for one in plan.changes]
    assert told == [
        ("Modify", "Cache", ""),
        ("Modify", "Api", ""),
        ("Remove", "Canary", ""),
        ("Modify", "Cache/StateTable", "perhaps"),
        ("Add", "Api/Version1", ""),
        ("Modify", "Api/Function", ""),
        ("Remove", "Api/Log", ""),
    ]
    assert [one.where for one in plan.losses] == ["Cache/StateTable", "Api/Log"]


def test_data_at_stake_is_agreed_to_by_itself(plan: Plan) -> None:
    with pytest.raises(Refused, match=r"WITHOUT DATA .* Cache/StateTable \(replaced\), Api/Log \(removed\)") as refused:
        _confirmed("test", plan, yes=True, lose=False)
    assert (refused.value.code, "--lose-data" in refused.value.remedy) == ("data-at-stake", True)
    assert _confirmed("test", plan, yes=True, lose=True)


def test_plan_that_loses_nothing_needs_no_more_than_yes(plan: Plan) -> None:
    harmless = Plan(plan.stack, plan.name, tuple(one for one in plan.changes if not one.loses))
    assert _confirmed("test", harmless, yes=True, lose=False)
    with pytest.raises(Refused, match="nobody to ask"):
        _confirmed("test", harmless, yes=False, lose=False)
