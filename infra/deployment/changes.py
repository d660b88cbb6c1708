"""What a change set would do, as values: of a stack and of those nested in it. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

NESTED = "AWS::CloudFormation::Stack"
# What is in them cannot be had again, or its loss would be noticed.
STATEFUL = frozenset(
    ["AWS::Cognito::UserPool", "AWS::DynamoDB::Table", "AWS::Glue::Database", "AWS::Logs::LogGroup", "AWS::S3::Bucket"]
)
# Stacks that a parameter switches on and off, and that hold nothing.
SWITCHED = frozenset(["Canary", "Insight"])


@dataclass(frozen=True, slots=True)
class Change:
    """What one resource would go through. `action` is Add, Modify, Remove, Import or Dynamic; `replaced` is "yes",
    "perhaps" (AWS finds out while it does it) or empty; `within` is the nested stack, empty for the root's own."""

    action: str
    resource: str
    kind: str
    replaced: str = ""
    within: str = ""

    @property
    def where(self) -> str:
        """The resource with its nested stack.

        >>> Change("Modify", "StateTable", "AWS::DynamoDB::Table", within="Cache").where
        'Cache/StateTable'
        """
        return f"{self.within}/{self.resource}" if self.within else self.resource

    @property
    def loses(self) -> bool:
        """Whether the stage would go on without data that it has.

        >>> Change("Modify", "StateTable", "AWS::DynamoDB::Table", "yes").loses
        True
        >>> Change("Modify", "StateTable", "AWS::DynamoDB::Table").loses
        False
        >>> Change("Remove", "Cache", "AWS::CloudFormation::Stack").loses
        True
        """
        if self.kind == NESTED:
            return self.resource not in SWITCHED and (self.action == "Remove" or self.replaced == "yes")
        return self.kind in STATEFUL and (self.action == "Remove" or self.replaced != "")


@dataclass(frozen=True, slots=True)
class Plan:
    """A change set that can be carried out; `changes` is empty when there is nothing to do."""

    stack: str
    name: str
    changes: tuple[Change, ...]

    @property
    def losses(self) -> tuple[Change, ...]:
        """The changes after which the stage would lack data that it has now."""
        return tuple(change for change in self.changes if change.loses)


@dataclass(frozen=True, slots=True)
class Described:
    """The changes of one stack, and the change sets of those nested in it by their logical names."""

    changes: tuple[Change, ...]
    nested: tuple[tuple[str, str], ...]


def described(told: Iterable[Mapping[str, Any]], within: str) -> Described:
    """What `DescribeChangeSet` tells of one stack under `Changes`.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChange.html

    >>> told = {"Action": "Modify", "LogicalResourceId": "A", "ResourceType": "AWS::S3::Bucket", "Replacement": "True"}
    >>> described([{"ResourceChange": told}], "Storage").changes
    (Change(action='Modify', resource='A', kind='AWS::S3::Bucket', replaced='yes', within='Storage'),)
    """
    resources = [one["ResourceChange"] for one in told if "ResourceChange" in one]
    return Described(tuple(_changes(resources, within)), tuple(_nested(resources, within)))


def _changes(resources: Iterable[Mapping[str, Any]], within: str) -> Iterator[Change]:
    words = {"True": "yes", "Conditional": "perhaps"}
    for one in resources:
        replaced = words.get(str(one.get("Replacement")), "")
        yield Change(one["Action"], one["LogicalResourceId"], one["ResourceType"], replaced, within)


def _nested(resources: Iterable[Mapping[str, Any]], within: str) -> Iterator[tuple[str, str]]:
    for one in resources:
        if one["ResourceType"] == NESTED and one.get("ChangeSetId"):
            name = str(one["LogicalResourceId"])
            yield (f"{within}/{name}" if within else name), str(one["ChangeSetId"])
