"""Rules of who may do what: no wildcard, a role for each function, secrets for nobody else. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from infra.policies.template import Fault, Stacks, at, listed, resources

Statement = Mapping[str, Any]

_POLICIES = ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy")


def statements(stacks: Stacks) -> Iterator[tuple[str, Statement]]:
    """Every statement of every policy of an identity, with its place `<file>/<logical id>/<Sid>`."""
    for one in resources(stacks, "AWS::IAM::Role", *_POLICIES):
        documents = [policy["PolicyDocument"] for policy in one.properties.get("Policies", [])]
        if one.kind in _POLICIES:
            documents.append(one.properties["PolicyDocument"])
        for document in documents:
            for number, statement in enumerate(document["Statement"]):
                yield f"{one.where}/{statement.get('Sid', number)}", statement


def wildcards(stacks: Stacks) -> Iterator[Fault]:
    """No right to every action, to all actions of a service, or to every resource."""
    for where, statement in statements(stacks):
        if statement["Effect"] != "Allow":
            continue
        if "NotAction" in statement or "NotResource" in statement:
            yield Fault("no-wildcard-action", where, "everything but what is named")
        for action in listed(statement.get("Action", [])):
            if "*" in action:
                yield Fault("no-wildcard-action", where, f"{action} is more than one action")
        for resource in listed(statement.get("Resource", [])):
            if resource == "*":
                yield Fault("no-wildcard-resource", where, f"{listed(statement.get('Action'))} of everything")


def open_doors(stacks: Stacks) -> Iterator[Fault]:
    """No policy of a resource lets everybody in, and services only on behalf of this account."""
    kinds = ("AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy", "AWS::KMS::Key")
    for one in resources(stacks, *kinds):
        document = one.properties.get("PolicyDocument") or one.properties["KeyPolicy"]
        for number, statement in enumerate(document["Statement"]):
            where = f"{one.where}/{statement.get('Sid', number)}"
            if statement["Effect"] != "Allow":
                continue
            principal = statement["Principal"]
            if principal == "*" or "*" in listed(at(principal, "AWS")):
                yield Fault("no-open-door", where, "anybody may")
            if at(principal, "Service") and not any("aws:Source" in text for text in _conditions(statement)):
                yield Fault("own-account", where, f"{at(principal, 'Service')} may for any account")


def _conditions(statement: Statement) -> Iterator[str]:
    for operator in statement.get("Condition", {}).values():
        yield from operator


def roles(stacks: Stacks) -> Iterator[Fault]:
    """Every function and job has a role that nobody else has."""
    found = list(resources(stacks, "AWS::Lambda::Function", "AWS::Glue::Job"))
    used = Counter(f"{one.file}/{one.properties['Role']}" for one in found)
    for one in found:
        if used[f"{one.file}/{one.properties['Role']}"] > 1:
            yield Fault("role-of-its-own", one.where, "shares its role")


def state_by_key(stacks: Stacks) -> Iterator[Fault]:
    """Rights on the table of state are bounded to keys: whoever loads gets no grants, whoever asks writes no heads."""
    for where, statement in statements(stacks):
        if "${StateTable}" in str(statement.get("Resource")) and not at(statement, "Condition.ForAllValues:StringLike"):
            yield Fault("state-by-key", where, "may use every item of the table of state")


RULES = (wildcards, open_doors, roles, state_by_key)
