"""What was given up is tried again: dead letters go back to the landing queue, the reconciler looks for the rest."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from athena.errors import Failed, Refused
from etl.landing_event import hear
from infra.deployment.account import Account, calling
from infra.deployment.standing import standing

# Long enough for a look at ten letters, short enough for the next attempt.
_HIDDEN_SECONDS = 30
_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter: `what` it says, and whether it is one of the landing queue's, which can go back."""

    what: str
    goes_back: bool


def letters(stage: str, account: Account) -> tuple[Letter, ...]:
    """What the dead letters say, of a hundred at most; they stay where they are."""
    with calling(f"reading the dead letters of stage {stage}"):
        sqs, dead, _ = _queues(stage, account)
        received = list(islice(_received(sqs, dead), _SHOWN))
        for message in received:
            sqs.change_message_visibility(QueueUrl=dead, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
        return tuple(letter_of(str(message["Body"])) for message in received)


def redrive(stage: str, account: Account, told: Callable[[Letter], None]) -> int:
    """Send back what came from the landing queue and tell of each letter; how many were sent back. A letter that
    cannot go back was a schedule's, which comes by itself: it is taken away. An interrupted run sends some twice,
    which does no harm."""
    with calling(f"sending back the dead letters of stage {stage}"):
        sqs, dead, landing = _queues(stage, account)
        sent = 0
        for message in _received(sqs, dead):
            letter = letter_of(str(message["Body"]))
            if letter.goes_back:
                sqs.send_message(QueueUrl=landing, MessageBody=message["Body"])
                sent += 1
            told(letter)
            sqs.delete_message(QueueUrl=dead, ReceiptHandle=message["ReceiptHandle"])
        return sent


def reconcile(stage: str, account: Account) -> dict[str, int]:
    """Have the reconciler compare landing with the tables now; of how many keys it has started jobs, by dataset.
    Raises `Failed` when it fails."""
    with calling(f"reconciling stage {stage}"):
        name = standing(stage, account).outputs["Reconciler"]
        answer = account.client("lambda", patient=True).invoke(FunctionName=name)
        said = json.loads(answer["Payload"].read() or b"null")
        if answer.get("FunctionError"):
            raise Failed(
                f"The reconciler of stage {stage} failed: {_reason(said)}",
                f"Its log is /aws/lambda/{name}; often one contract cannot be read. Then run it again.",
                code="reconcile-failed",
            )
        return {str(dataset): int(count) for dataset, count in (said or {}).items()}


def _queues(stage: str, account: Account) -> tuple[Any, str, str]:
    outputs = standing(stage, account).outputs
    sqs = account.client("sqs")
    dead, landing = (sqs.get_queue_url(QueueName=outputs[name])["QueueUrl"] for name in ("DeadLetters", "LandingQueue"))
    return sqs, dead, landing


def _received(sqs: Any, queue: str) -> Iterator[dict[str, Any]]:
    """Each message that lies there, once."""
    seen: set[str] = set()
    while True:
        found = sqs.receive_message(
            QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=_HIDDEN_SECONDS, WaitTimeSeconds=1
        )
        fresh = [message for message in found.get("Messages", ()) if message["MessageId"] not in seen]
        if not fresh:
            return
        for message in fresh:
            seen.add(message["MessageId"])
            yield message


def letter_of(body: str) -> Letter:
    """A message's body as a letter.

    >>> letter_of('{"JobName": "lakegate-test"}')
    Letter(what='{"JobName": "lakegate-test"}', goes_back=False)
    """
    try:
        heard = hear(body)
    except Refused:
        return Letter(body[:200] or "an empty message", goes_back=False)
    if heard.deferred is not None:
        return Letter(f"{heard.deferred.manifest} ({heard.deferred.dataset})", goes_back=True)
    return Letter(", ".join(f"s3://{one.bucket}/{one.key}" for one in heard.arrived) or "nothing", goes_back=True)


def _reason(said: Any) -> str:
    return str(said.get("errorMessage", said)) if isinstance(said, dict) else str(said)
