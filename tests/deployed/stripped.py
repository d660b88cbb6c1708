"""What is taken out of the templates for the emulator, and why; everything else is deployed as it is."""

import re
from dataclasses import replace

from infra.deployment.release import Release

# A resource of a template, from its name up to the next one.
_RESOURCE = re.compile(r"^  (\w+):\n    Type: (\S+)\n(?:(?:    .*)?\n)*", re.MULTILINE)

TAKEN_OUT = (
    "alarms that reckon with several metrics",
    "the stack of saved queries and of the one alarm over the others (Insights is false)",
    "the condition of the policies' statement TlsOnly: the emulator is spoken to in plain HTTP",
)
# What the other tests set by parameters; the operations guide names none of them.
DEFAULTS = {"Insights": '"false"', "GatherSeconds": "1"}
NOT_COVERED = (
    "Glue: a run is one process of ours with the job's role, not Spark",
    "Athena: the engine is our own emulation of its SQL, beside ministack",
    "CodeDeploy (Traffic is none), alarms, dashboards, X-Ray, schedules: made or left out, never triggered",
    "time to live, point-in-time recovery, lifecycle rules, encryption at rest: ministack ignores them",
    "VPCs, service quotas, throttling, cold starts, real time",
    "nested stacks' attributes after an update, retention and import: tests/deployed/mended.py does what AWS documents",
    "change sets of nested stacks: ministack plans the root alone (tests/infra/test_changes.py has AWS's own shape)",
)


def stripped(release: Release) -> Release:
    """The release without what the emulator cannot do."""
    return replace(
        release,
        templates={name: strip(text) for name, text in release.templates.items()},
        config_template=strip(release.config_template),
    )


def strip(template: str) -> str:
    """A template whose condition on TLS never holds, without alarms over several metrics."""
    without = _RESOURCE.sub(lambda found: "" if _reckons(found) else found[0], template)
    return without.replace('aws:SecureTransport: "false"', 'aws:SecureTransport: "neither"')


def with_defaults(template: str) -> str:
    """The template with other defaults where the emulator cannot do what the default asks for, or not soon."""
    for name, value in DEFAULTS.items():
        template = re.sub(
            rf"(^  {name}:\n(?:    .*\n)*?    Default: ).*", rf"\g<1>{value}", template, flags=re.MULTILINE
        )
    return template


def _reckons(found: re.Match[str]) -> bool:
    return found[2] == "AWS::CloudWatch::Alarm" and "      Metrics:\n" in found[0]


def told() -> str:
    """What the test prints."""
    lines = [f"  taken out: {what}" for what in TAKEN_OUT] + [f"  not covered: {what}" for what in NOT_COVERED]
    return "\n".join(["What this deployment could not show:", *lines])
