"""Rules of what is watched: alarms that somebody hears, logs that end. Pure."""

from collections.abc import Iterator

from infra.policies.template import Fault, Stacks, at, resources


def alarms(stacks: Stacks) -> Iterator[Fault]:
    """Every alarm tells somebody, says what it means, and takes silence for what it is."""
    for one in resources(stacks, "AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"):
        if not one.properties.get("AlarmActions") or one.properties.get("ActionsEnabled") is False:
            yield Fault("alarm-action", one.where, "nobody hears of it")
        if not one.properties.get("AlarmDescription"):
            yield Fault("alarm-described", one.where, "nobody knows what it means")
        if one.kind == "AWS::CloudWatch::Alarm" and not one.properties.get("TreatMissingData"):
            yield Fault("alarm-silence", one.where, "what no data means is not said")


def logs(stacks: Stacks) -> Iterator[Fault]:
    """Log groups end; every function writes into one of ours, as those that Lambda makes never end."""
    groups = {file: set[str]() for file in stacks}
    for one in resources(stacks, "AWS::Logs::LogGroup"):
        if not one.properties.get("RetentionInDays"):
            yield Fault("log-retention", one.where, "kept for ever")
        groups[one.file] |= {str(one.properties.get("LogGroupName")), str({"Ref": one.name})}
    for one in resources(stacks, "AWS::Lambda::Function"):
        name = one.properties["FunctionName"]["Fn::Sub"]
        own = {str({"Fn::Sub": f"/aws/lambda/{name}"}), str(at(one.properties, "LoggingConfig.LogGroup"))}
        if not own & groups[one.file]:
            yield Fault("log-group", one.where, "writes into a log group that never ends")


def traced(stacks: Stacks) -> Iterator[Fault]:
    """Functions are traced, so that a slow request can be followed."""
    for one in resources(stacks, "AWS::Lambda::Function"):
        if at(one.properties, "TracingConfig.Mode") != "Active":
            yield Fault("function-traced", one.where, "not traced")


RULES = (alarms, logs, traced)
