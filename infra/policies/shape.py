"""Rules of the templates themselves: nothing unused, nothing unwired, tags, names by stage. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from infra.policies.template import Fault, Stacks, at, names_used, resources

STACK = "AWS::CloudFormation::Stack"
TAGS = {"lakegate:stage", "lakegate:part"}
# CloudFormation takes no tags for these.
UNTAGGED = frozenset(
    [
        "AWS::ApiGateway::Account",
        "AWS::ApiGateway::Deployment",
        "AWS::Athena::NamedQuery",
        "AWS::CloudWatch::Dashboard",
        "AWS::Cognito::IdentityPoolRoleAttachment",
        "AWS::Cognito::UserPoolClient",
        "AWS::Cognito::UserPoolDomain",
        "AWS::Cognito::UserPoolGroup",
        "AWS::Cognito::UserPoolResourceServer",
        "AWS::Glue::Database",
        "AWS::IAM::ManagedPolicy",
        "AWS::Lambda::Alias",
        "AWS::Lambda::Permission",
        "AWS::Lambda::Version",
        "AWS::Logs::QueryDefinition",
        "AWS::S3::BucketPolicy",
        "AWS::SNS::Subscription",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::QueuePolicy",
        "AWS::Scheduler::Schedule",
    ]
)
# Where a physical name is written down.
_NAMES = (
    *("AlarmName", "ApplicationName", "BucketName", "ClientName", "DashboardName", "DeploymentGroupName", "Domain"),
    *("FunctionName", "IdentityPoolName", "LogGroupName", "Name", "QueueName", "RoleName", "TableName", "TopicName"),
    *("UsagePlanName", "UserPoolName"),
)
# Named for what they are to somebody who holds a reference to one: no two stages can meet in them.
_LOCAL = frozenset(["AWS::Cognito::UserPoolResourceServer", "AWS::Lambda::Alias", "AWS::Lambda::Permission"])


def parameters(stacks: Stacks) -> Iterator[Fault]:
    """Every parameter and condition is used."""
    for file, content in stacks.items():
        places = [content.get(part, {}) for part in ("Resources", "Outputs", "Conditions", "Rules")]
        used = {name for place in places for name in names_used(place)}
        for name in content.get("Parameters", {}):
            if name not in used:
                yield Fault("parameter-used", f"{file}/{name}", "nobody uses it")
        for name in content.get("Conditions", {}):
            if not _names_condition(places[:2], name):
                yield Fault("condition-used", f"{file}/{name}", "nobody uses it")


def _names_condition(value: Any, name: str) -> bool:
    if isinstance(value, list):
        return any(_names_condition(one, name) for one in value)
    if not isinstance(value, Mapping):
        return False
    if value.get("Condition") == name or (value.get("Fn::If") or [None])[0] == name:
        return True
    return any(_names_condition(one, name) for one in value.values())


def wired(stacks: Stacks) -> Iterator[Fault]:
    """The root gives each nested stack what it asks for, no more, and takes outputs that are there."""
    files = {}
    for one in resources(stacks, STACK):
        file = str(at(one.properties, "TemplateURL.Fn::Sub")).removeprefix("${Templates}").removesuffix(".yaml")
        files[one.name] = file
        asked = stacks.get(file, {}).get("Parameters", {})
        given = one.properties.get("Parameters", {})
        needed = {name for name, told in asked.items() if "Default" not in told}
        if file not in stacks or not needed <= set(given) <= set(asked):
            wrong = sorted(needed ^ set(given)) if file in stacks else "no such file"
            yield Fault("stack-wired", one.where, f"{file}: {wrong}")
    for stack, output in _outputs_used(stacks["root"]):
        if output not in stacks.get(files.get(stack, ""), {}).get("Outputs", {}):
            yield Fault("stack-wired", f"root/{stack}", f"there is no output {output}")


def _outputs_used(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, list):
        for one in value:
            yield from _outputs_used(one)
    elif isinstance(value, Mapping):
        found = value.get("Fn::GetAtt")
        if found and found[1].startswith("Outputs."):
            yield found[0], found[1].removeprefix("Outputs.")
        for one in value.values():
            yield from _outputs_used(one)


def tagged(stacks: Stacks) -> Iterator[Fault]:
    """Everything that can be tagged says of which stage and which part it is."""
    for one in resources(stacks):
        if one.kind in UNTAGGED:
            continue
        told: Any = next((one.properties[key] for key in one.properties if key.endswith("Tags")), {})
        keys = set(told) if isinstance(told, Mapping) else {tag["Key"] for tag in told}
        if not keys >= TAGS:
            yield Fault("tagged", one.where, f"it lacks {sorted(TAGS - keys)}")


def named_by_stage(stacks: Stacks) -> Iterator[Fault]:
    """Every name in AWS holds the stage: two of them share nothing."""
    for one in resources(stacks):
        for key in _NAMES:
            name = one.properties.get(key)
            if name is None or one.kind in _LOCAL or (isinstance(name, Mapping) and "Ref" in name):
                continue
            if "${Stage}" not in str(name):
                yield Fault("named-by-stage", one.where, f"{key} is {name}")
    for file, content in stacks.items():
        for name, output in content.get("Outputs", {}).items():
            if "Export" in output and "${Stage}" not in str(output["Export"]["Name"]):
                yield Fault("named-by-stage", f"{file}/{name}", f"it is exported as {output['Export']['Name']}")


RULES = (parameters, wired, tagged, named_by_stage)
