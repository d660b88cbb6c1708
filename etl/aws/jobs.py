"""Starting Glue jobs, and sending to the landing queue."""

from typing import Any

from botocore.exceptions import ClientError

from athena.aws import Patience, Unreachable, error_code, persist
from athena.errors import Busy, Failed, OutcomeUnknown

RETRY_AFTER_SECONDS = 30
MOST_DELAY_SECONDS = 900  # SQS keeps no message back for longer
# No job was started, and later there may be room.
_NO_ROOM = frozenset(["ConcurrentRunsExceededException", "ResourceNumberLimitExceededException"])


class GlueJobs:
    """Runs of one job. A run costs money, so that a call without an answer is not repeated here."""

    def __init__(self, client: Any, job: str, stage: str) -> None:
        self._client = client
        self._job = job
        self._stage = stage

    def start(self, manifest: str) -> str:
        """The run's id. Raises `Busy` when there is no room for another run, `OutcomeUnknown` when it may have been
        started, and `Failed`."""
        asked = {"JobName": self._job, "Arguments": {"--stage": self._stage, "--manifest": manifest}}
        try:
            done = persist(lambda: self._client.start_job_run(**asked), patience=Patience(tries=1))
        except ClientError as error:
            if error_code(error) in _NO_ROOM:
                raise Busy(
                    f"Glue runs as many jobs {self._job} as it may ({error_code(error)}).",
                    "It is tried again; raise MaxConcurrentRuns, or the account's quota, if it stays so.",
                    retry_after_seconds=RETRY_AFTER_SECONDS,
                ) from error
            raise Failed(
                f"Glue refuses to start {self._job} ({error_code(error)}).",
                "Check the job's name, and that the role may start it.",
                code="job-refused",
            ) from error
        return str(done["JobRunId"])


class LandingQueue:
    """The queue that the dispatcher reads, to send to."""

    def __init__(self, client: Any, url: str, patience: Patience | None = None) -> None:
        self._client = client
        self._url = url
        self._patience = patience or Patience()

    def send(self, body: str, *, delay_seconds: int) -> None:
        """One message, to be seen after the delay; perhaps twice. Raises `Failed`."""
        asked = {"QueueUrl": self._url, "MessageBody": body, "DelaySeconds": min(delay_seconds, MOST_DELAY_SECONDS)}
        try:
            persist(lambda: self._client.send_message(**asked), patience=self._patience)
        except (ClientError, OutcomeUnknown, Unreachable) as error:
            raise Failed(
                f"The landing queue did not take a message ({type(error).__name__}).",
                "The messages it stood for come again; check the queue and the role if it stays so.",
                code="queue-unavailable",
            ) from error
