"""CloudFormation's stacks: where one stands, what a change would do, doing it, and what happens meanwhile."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from athena.errors import Failed, Refused
from infra.deployment.account import code_of
from infra.deployment.changes import NESTED, Change, Plan, described

_LOOK_SECONDS = 2.0
# What a first creation leaves behind when it fails: it can only be removed.
UNUSABLE = frozenset(["ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"])
GOOD = frozenset(["CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"])
_NOT_YET = frozenset(["", "REVIEW_IN_PROGRESS", "DELETE_COMPLETE"])
_GOING = frozenset(["DELETE_PENDING", "DELETE_IN_PROGRESS"])
_UNCHANGED = ("didn't contain changes", "no updates are to be performed", "no changes")


@dataclass(frozen=True, slots=True)
class Stack:
    """How a stack stands; `state` is empty when there is none."""

    name: str
    state: str = ""
    outputs: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""

    @property
    def exists(self) -> bool:
        """Whether there is anything to update."""
        return self.state not in _NOT_YET

    @property
    def busy(self) -> bool:
        """Whether something is under way."""
        return self.state.endswith("_IN_PROGRESS") and self.state not in _NOT_YET


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a stack shall be: where its template lies or its text, and its parameters."""

    stack: str
    parameters: Mapping[str, str]
    tags: Mapping[str, str]
    template_url: str = ""
    template: str = ""
    adopt: bool = False


@dataclass(frozen=True, slots=True)
class Stacks:
    """All of this may be done again at any time. `tell` gets a line for every step; `sleep` is between two looks."""

    client: Any
    tell: Callable[[str], None]
    sleep: Callable[[float], None] = time.sleep

    def look(self, name: str) -> Stack:
        """How it stands now."""
        try:
            found = self.client.describe_stacks(StackName=name)["Stacks"][0]
        except ClientError as error:
            if code_of(error) == "ValidationError" and "does not exist" in str(error):
                return Stack(name)
            raise
        return Stack(
            name,
            found["StackStatus"],
            {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", ())},
            {one["ParameterKey"]: one.get("ParameterValue", "") for one in found.get("Parameters", ())},
            found.get("StackStatusReason", ""),
        )

    def plan(self, wanted: Wanted, name: str) -> Plan:
        """What it would take; a change set of this name from an interrupted run is made anew. Raises `Failed`."""
        exists = self.look(wanted.stack).exists
        self.discard(Plan(wanted.stack, name, ()))
        source = {"TemplateURL": wanted.template_url} if wanted.template_url else {"TemplateBody": wanted.template}
        self.client.create_change_set(
            StackName=wanted.stack,
            ChangeSetName=name,
            ChangeSetType="UPDATE" if exists else "CREATE",
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in wanted.parameters.items()],
            Tags=[{"Key": key, "Value": value} for key, value in wanted.tags.items()],
            Capabilities=["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
            **({"ImportExistingResources": True} if wanted.adopt else {}),
            **({"IncludeNestedStacks": True} if wanted.template_url else {}),
            **source,
        )
        while True:
            found = self.client.describe_change_set(StackName=wanted.stack, ChangeSetName=name)
            if found["Status"] == "CREATE_COMPLETE":
                return Plan(wanted.stack, name, tuple(self._changes(found)))
            if found["Status"] == "FAILED":
                return self._empty(wanted, name, found.get("StatusReason", ""))
            self.sleep(_LOOK_SECONDS)

    def _empty(self, wanted: Wanted, name: str, reason: str) -> Plan:
        self.discard(Plan(wanted.stack, name, ()))
        if any(words in reason.lower() for words in _UNCHANGED):
            return Plan(wanted.stack, name, ())
        raise Failed(
            f"CloudFormation cannot plan {wanted.stack}: {reason}",
            "Nothing was changed. Mend what it names, then run the same command again.",
            code="deployment-failed",
        )

    def _changes(self, found: dict[str, Any], within: str = "") -> Iterator[Change]:
        """Those of the stack, page by page, each nested stack's after them."""
        told = list(found.get("Changes", ()))
        while found.get("NextToken"):
            found = self.client.describe_change_set(ChangeSetName=found["ChangeSetId"], NextToken=found["NextToken"])
            told += found.get("Changes", ())
        here = described(told, within)
        yield from here.changes
        for name, change_set in here.nested:
            yield from self._changes(self.client.describe_change_set(ChangeSetName=change_set), name)

    def discard(self, plan: Plan) -> None:
        """Forget a change set, with those of nested stacks; one that is not there is forgotten already."""
        try:
            self.client.delete_change_set(StackName=plan.stack, ChangeSetName=plan.name)
            # With nested stacks it goes on after the answer.
            while self.client.describe_change_set(StackName=plan.stack, ChangeSetName=plan.name)["Status"] in _GOING:
                self.sleep(_LOOK_SECONDS)
        except ClientError as error:
            if code_of(error) not in ("ChangeSetNotFound", "ChangeSetNotFoundException", "ValidationError"):
                raise

    def carry_out(self, plan: Plan) -> Stack:
        """The stack once the plan is carried out and everything is at rest. Raises `Failed` with the first reason."""
        seen = self._seen(plan.stack)
        self.client.execute_change_set(StackName=plan.stack, ChangeSetName=plan.name)
        return self.settled(plan.stack, seen)

    def settled(self, name: str, seen: set[str] | None = None) -> Stack:
        """The stack as soon as nothing is under way, every event told meanwhile. Raises `Failed` when that is no good
        end."""
        seen, failures = self._seen(name) if seen is None else seen, list[str]()
        while True:
            stack = self.look(name)
            # Asked for before: what happens between the two is told by the next look.
            for event in self._news(name, seen):
                self._told(event, failures)
            if not stack.busy and stack.state != "REVIEW_IN_PROGRESS":
                break
            self.sleep(_LOOK_SECONDS)
        if stack.state in GOOD or not stack.exists:
            return stack
        raise Failed(
            f"The stack {name} is {stack.state}: {'; '.join(failures[:3]) or stack.reason or 'no reason was given'}.",
            "What was there before is there again. Mend what is named, then run the same command again.",
            code="deployment-failed",
        )

    def remove(self, name: str) -> None:
        """Delete the stack and wait for it; its retained resources stay. Raises `Failed`."""
        if self.look(name).state in ("", "DELETE_COMPLETE"):
            return
        seen = self._seen(name)
        self.client.delete_stack(StackName=name)
        stack = self.settled(name, seen)
        if stack.exists:
            raise Failed(
                f"The stack {name} is not being deleted: it is {stack.state}.",
                "Run the same command again in a minute; CloudFormation's console shows what holds it.",
                code="deployment-failed",
            )

    def _told(self, event: dict[str, Any], failures: list[str]) -> None:
        state, what = event["ResourceStatus"], event["LogicalResourceId"]
        reason = event.get("ResourceStatusReason", "")
        if state.endswith("_FAILED") and "ancelled" not in reason:
            failures.append(f"{what}: {reason}")
        if not state.endswith("_IN_PROGRESS"):
            self.tell(f"{state.lower().replace('_', ' '):24} {event['ResourceType'].removeprefix('AWS::'):28} {what}")

    def _seen(self, name: str) -> set[str]:
        return {event["EventId"] for event in self._events(name)}

    def _news(self, name: str, seen: set[str]) -> Iterator[dict[str, Any]]:
        fresh = [event for event in self._events(name) if event["EventId"] not in seen]
        for event in sorted(fresh, key=lambda one: one["Timestamp"]):
            seen.add(event["EventId"])
            yield event

    def _events(self, name: str) -> list[dict[str, Any]]:
        """The stack's own and those of the stacks nested in it."""
        own = self._own_events(name)
        nested = {
            event["PhysicalResourceId"]
            for event in own
            if event["ResourceType"] == NESTED and event.get("PhysicalResourceId", event["StackId"]) != event["StackId"]
        }
        return own + [event for one in sorted(nested - {""}) for event in self._own_events(one)]

    def _own_events(self, name: str) -> list[dict[str, Any]]:
        try:
            return list(self.client.describe_stack_events(StackName=name)["StackEvents"])
        except ClientError as error:
            if code_of(error) == "ValidationError":
                return []
            raise


def check_usable(stack: Stack) -> None:
    """Raises `Refused` when only a person can get the stack out of where it is stuck."""
    if stack.state == "UPDATE_ROLLBACK_FAILED":
        raise Refused(
            f"The stack {stack.name} is stuck: {stack.state} {stack.reason}".rstrip(),
            f"Run `aws cloudformation continue-update-rollback --stack-name {stack.name}`, then this command again.",
            code="stack-stuck",
        )
