"""What AWS does by itself between a file that lands and its rows: the queue's poller, and Glue."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from athena.errors import LakegateError
from athena.s3 import Bucket
from athena.settings_aws import AwsSettings
from etl.aws.intake import Places
from etl.fanout import FanOut
from etl.intake import Intake
from etl.job import load_manifest
from etl.on_landing import Dispatcher, dispatcher_of, on_landing, reconcile_landing
from tests.cloud import AT_ONCE, Cloud, in_environment
from tests.fanned import InTurn


@dataclass
class Trigger:
    """One stage's. `opener` is how a job opens the home; `dispatch` may be called by several threads."""

    cloud: Cloud
    settings: AwsSettings
    opener: Callable[[], Intake] | None = None
    ran: set[str] = field(default_factory=set)

    def dispatcher(self) -> Dispatcher:
        """The function's parts, in an instance of its own."""
        with in_environment(self.cloud.emulator.environment):
            return dispatcher_of(self.settings)

    def messages(self) -> list[dict[str, Any]]:
        """What lies in the queue now, as the poller hands it over."""
        sqs = self.cloud.client("sqs")
        found: list[dict[str, Any]] = []
        while some := sqs.receive_message(QueueUrl=self.settings.queue, MaxNumberOfMessages=10).get("Messages"):
            found += some
        return found

    def dispatch(self, messages: list[dict[str, Any]] | None = None, dispatcher: Dispatcher | None = None) -> set[str]:
        """Hand the messages over and delete those that did not fail; the ids of those that did."""
        messages = self.messages() if messages is None else messages
        records = [{"messageId": one["MessageId"], "body": one["Body"]} for one in messages]
        try:
            answer = on_landing({"Records": records}, dispatcher or self.dispatcher())
        except LakegateError:
            return {one["MessageId"] for one in messages}  # the function failed as a whole
        failed = {one["itemIdentifier"] for one in json.loads(json.dumps(answer))["batchItemFailures"]}
        sqs = self.cloud.client("sqs")
        for one in messages:
            if one["MessageId"] not in failed:
                sqs.delete_message(QueueUrl=self.settings.queue, ReceiptHandle=one["ReceiptHandle"])
        return failed

    def started(self) -> list[str]:
        """Manifests of the runs that were started and not run yet."""
        runs = self.cloud.client("glue").get_job_runs(JobName=self.settings.job)["JobRuns"]
        new = [run for run in runs if run["Id"] not in self.ran]
        self.ran |= {run["Id"] for run in new}
        assert {run["Arguments"]["--stage"] for run in new} <= {self.settings.stage}
        return [run["Arguments"]["--manifest"] for run in new]

    def run(self, manifest: str) -> bool:
        """What the job does; whether it came to its end."""
        opener = self.opener or (lambda: self.cloud.intake(self.settings))
        try:
            intake = replace(opener(), spread=FanOut(opener, InTurn()))
            load_manifest(intake, self.manifests(), manifest.rpartition("/")[2])
        except LakegateError:
            return False
        return True

    def manifests(self) -> Bucket:
        """Where manifests lie."""
        return Places(self.settings, self.cloud.client("s3"), AT_ONCE).tables("manifests/")

    def settle(self) -> None:
        """Until the queue is empty and every run has ended."""
        self.dispatch()
        for manifest in self.started():
            assert self.run(manifest)

    def reconcile(self) -> dict[str, int]:
        """The schedule fires; what it started is run."""
        found = reconcile_landing(self.dispatcher())
        for manifest in self.started():
            assert self.run(manifest)
        return found
