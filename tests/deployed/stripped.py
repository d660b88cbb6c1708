"""What is taken out of the templates for the emulator, and why; everything else is deployed as it is."""

from dataclasses import replace

from infra.deployment.release import Release

TAKEN_OUT = ("the condition of the policies' statement TlsOnly: the emulator is spoken to in plain HTTP",)
NOT_COVERED = (
    "Glue: a run is one process of ours with the job's role, not Spark",
    "Athena: the engine is our own emulation of its SQL, beside ministack",
    "CodeDeploy (Traffic is none), alarms, dashboards, X-Ray, schedules: made or left out, never triggered",
    "time to live, point-in-time recovery, lifecycle rules, encryption at rest: ministack ignores them",
    "VPCs, service quotas, throttling, cold starts, real time",
    "nested stacks: ministack forgets attributes of what an update leaves alone; tests/deployed/mended.py remembers them",
)


def stripped(release: Release) -> Release:
    """The release without what the emulator cannot do."""
    return replace(
        release,
        templates={name: strip(text) for name, text in release.templates.items()},
        config_template=strip(release.config_template),
    )


def strip(template: str) -> str:
    """A template whose condition on TLS never holds."""
    return template.replace('aws:SecureTransport: "false"', 'aws:SecureTransport: "neither"')


def told() -> str:
    """What the test prints."""
    lines = [f"  taken out: {what}" for what in TAKEN_OUT] + [f"  not covered: {what}" for what in NOT_COVERED]
    return "\n".join(["What this deployment could not show:", *lines])
