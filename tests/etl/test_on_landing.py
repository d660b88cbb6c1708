"""Events become job runs: nothing that landed is forgotten, and a full house is no failure."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from athena.errors import Busy, Failed, OutcomeUnknown
from etl.aws.jobs import GlueJobs, LandingQueue
from etl.landing_event import Arrived, Deferred, deferred_body, hear
from etl.manifest import Manifest, read_manifest
from etl.on_landing import Dispatcher, on_landing, reconcile_landing
from tests.cloud import AT_ONCE, Cloud, Faults, request_lost, server_error, throttled
from tests.trigger import Trigger


@dataclass
class House:
    """Glue, as full as it is told to be."""

    says: list[Exception] = field(default_factory=list)
    started: list[str] = field(default_factory=list)

    def start(self, manifest: str) -> str:
        if self.says:
            raise self.says.pop(0)
        self.started.append(manifest)
        return "run"


@dataclass
class Sent:
    """A queue that remembers."""

    broken: bool = False
    messages: list[tuple[str, int]] = field(default_factory=list)

    def send(self, body: str, *, delay_seconds: int) -> None:
        if self.broken:
            raise Failed("The queue is away.", "Wait.", code="queue-unavailable")
        self.messages.append((body, delay_seconds))


@dataclass
class Place:
    """A dispatcher between real stores and a house of our own."""

    trigger: Trigger
    house: House
    queue: Sent
    dispatcher: Dispatcher

    def hear(self, *bodies: object) -> list[str]:
        """Hand over messages called m0, m1, …; those that have to come again."""
        texts = [one if isinstance(one, str) else json.dumps(one) for one in bodies]
        records = [{"messageId": f"m{number}", "body": text} for number, text in enumerate(texts)]
        answer = on_landing({"Records": records}, self.dispatcher)
        return [one["itemIdentifier"] for one in answer["batchItemFailures"]]

    def wanted(self) -> list[Manifest]:
        """What the started runs were told to load."""
        return [read_manifest(self.trigger.manifests().get(one.rpartition("/")[2])) for one in self.house.started]


@pytest.fixture
def place(cloud: Cloud) -> Iterator[Place]:
    trigger, house, queue = Trigger(cloud, cloud.writing()), House(), Sent()
    yield Place(trigger, house, queue, replace(trigger.dispatcher(), jobs=house, queue=queue))


def record(place: Place, key: str, *, name: str = "ObjectCreated:Put") -> dict[str, Any]:
    """One of S3's own records; its key is URL-encoded."""
    return {"eventName": name, "s3": {"bucket": {"name": place.dispatcher.bucket}, "object": {"key": key}}}


def event(place: Place, key: str, kind: str = "Object Created") -> dict[str, Any]:
    """EventBridge's event; its key is as it is."""
    detail = {"bucket": {"name": place.dispatcher.bucket}, "object": {"key": key}}
    return {"source": "aws.s3", "detail-type": kind, "detail": detail}


def test_every_record_of_every_message_is_in_one_manifest_per_dataset(place: Place) -> None:
    failed = place.hear(
        {"Records": [record(place, "landing/t/a+b%2B.csv"), record(place, "landing/u/x.csv"),
                     record(place, "landing/t/c.csv", name="ObjectCreated:CompleteMultipartUpload")]},
        event(place, "landing/t/a+b.csv"),
        {"Type": "Notification", "Message": json.dumps({"Records": [record(place, "landing/t/s/d.csv")]})},
        event(place, "landing/t/c.csv"),
    )  # fmt: skip
    assert failed == []
    assert place.wanted() == [
        Manifest("t", ("t/a b+.csv", "t/a+b.csv", "t/c.csv", "t/s/d.csv")),
        Manifest("u", ("u/x.csv",)),
    ]


def test_what_is_nobodys_starts_nothing_and_is_done(place: Place) -> None:
    failed = place.hear(
        {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"},
        event(place, "landing/t/a.csv", "Object Deleted"),
        {"Records": [record(place, "landing/t/a.csv", name="ObjectRemoved:Delete")]},
        event(place, "landing/t/.hidden"),
        event(place, "landing/t/"),
        event(place, "landing/nodataset.csv"),
        event(place, "reports/t/a.csv/l1.json"),
        {"Records": [{"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "b"}, "object": {"key": "x"}}}]},
    )  # fmt: skip
    assert (failed, place.house.started, place.queue.messages) == ([], [], [])


@pytest.mark.parametrize("body", ["no json", "[]", "null", "{}", '{"source": "aws.ec2"}', '{"Records": 5}'])
def test_a_message_that_nobody_sends_comes_again_alone(place: Place, body: str) -> None:
    assert place.hear(event(place, "landing/t/a.csv"), body) == ["m1"]
    assert [one.dataset for one in place.wanted()] == ["t"]


def test_what_there_is_no_time_for_comes_again_alone(place: Place) -> None:
    """A batch that came again as a whole would begin with the same datasets each time."""
    bodies = [json.dumps(event(place, f"landing/{dataset}/a.csv")) for dataset in "tuv"]
    records = [{"messageId": f"m{number}", "body": body} for number, body in enumerate(bodies)]
    answers = iter([True, False, False])
    answer = on_landing({"Records": records}, place.dispatcher, go_on=lambda: next(answers))
    assert [one["itemIdentifier"] for one in answer["batchItemFailures"]] == ["m1", "m2"]
    assert [one.dataset for one in place.wanted()] == ["t"]


@pytest.mark.parametrize("says", [Busy("full", "wait"), OutcomeUnknown("silence", "wait")], ids=["full", "silence"])
def test_when_there_is_no_room_the_manifest_waits_and_the_messages_are_done(place: Place, says: Exception) -> None:
    place.house.says = [says]
    assert place.hear(event(place, "landing/t/a.csv"), event(place, "landing/u/b.csv")) == []
    ((body, delay_seconds),) = place.queue.messages
    waiting = hear(body).deferred
    assert waiting is not None
    assert (waiting.dataset, waiting.times, delay_seconds) == ("t", 1, 30)
    assert [one.dataset for one in place.wanted()] == ["u"]

    place.house.says = [Busy("full", "wait")]
    assert place.hear(body) == []
    assert [(hear(text).deferred, delay) for text, delay in place.queue.messages[1:]] == [
        (replace(waiting, times=2), 60)
    ]
    assert place.hear(place.queue.messages[1][0]) == []
    assert place.wanted()[1] == Manifest("t", ("t/a.csv",))


def test_waits_grow_to_what_a_queue_can_hold_back(place: Place) -> None:
    place.house.says = [Busy("full", "wait") for _ in range(3)]
    for times in (4, 5, 1000):
        assert place.hear(deferred_body(Deferred("t", "s3://b/m.json", times))) == []
    assert [delay for _, delay in place.queue.messages] == [480, 900, 900]


def test_what_can_neither_start_nor_wait_comes_again(place: Place) -> None:
    place.house.says, place.queue.broken = [Busy("full", "wait")], True
    assert place.hear(event(place, "landing/t/a.csv"), event(place, "landing/u/a.csv")) == ["m0"]
    place.house.says = [Failed("No such job.", "Look.", code="job-refused")]
    assert place.hear(event(place, "landing/t/a.csv")) == ["m0"]
    assert [one.dataset for one in place.wanted()] == ["u"]


def test_reconciliation_finds_what_events_lost_and_nothing_else(cloud: Cloud, place: Place) -> None:
    settings = place.trigger.settings
    for key in ("t/a.csv", "t/b.csv", "u/a.csv"):
        cloud.drop(settings, key, f"n\n{len(key)}\n")
    cloud.drop(settings, "nobody.csv", "n\n1\n")
    assert reconcile_landing(place.dispatcher) == {"t": 2, "u": 1}
    for run in place.house.started:
        assert place.trigger.run(run)
    assert reconcile_landing(place.dispatcher) == {}
    cloud.drop(settings, "t/b.csv", "n\n9\n")
    assert reconcile_landing(place.dispatcher) == {"t": 1}
    assert place.wanted()[-1] == Manifest("t", ("t/b.csv",))


def test_a_contract_that_cannot_be_read_holds_up_its_own_dataset_alone(cloud: Cloud, place: Place) -> None:
    settings = place.trigger.settings
    bucket = settings.owners.removeprefix("s3://").rstrip("/")
    cloud.client("s3").put_object(Bucket=bucket, Key="datasets/t.toml", Body=b"nonsense")
    cloud.drop(settings, "t/a.csv", "n\n1\n")
    cloud.drop(settings, "u/a.csv", "n\n1\n")
    with pytest.raises(Exception, match="not valid TOML"):
        reconcile_landing(place.dispatcher)
    assert [one.dataset for one in place.wanted()] == ["u"]


def test_an_edited_contract_is_found_as_well(cloud: Cloud, place: Place) -> None:
    settings = place.trigger.settings
    cloud.drop(settings, "t/a.csv", "n\n1\n")
    place.trigger.reconcile()
    intake = cloud.intake(settings)
    text = intake.contracts.text("t")
    assert text is not None
    intake.contracts.save("t", text.replace("inferred = true", "inferred = false").replace('"int"', '"long"'))
    assert reconcile_landing(place.dispatcher) == {"t": 1}


def test_a_commit_that_somebody_left_half_done_is_finished_by_a_run_without_keys(cloud: Cloud, place: Place) -> None:
    settings = replace(place.trigger.settings, table_lease_seconds=0.3)
    cloud.drop(settings, "t/a.csv", "n\n1\n")

    def die(step: str) -> None:
        if step == "committed":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Trigger(cloud, settings, lambda: cloud.intake(settings, step=die)).reconcile()
    place.house.started.clear()
    assert reconcile_landing(place.dispatcher) == {"t": 1}
    assert place.trigger.run(place.house.started[0])
    assert cloud.rows(settings, "t").num_rows == 1
    assert reconcile_landing(place.dispatcher) == {}


def test_what_nobody_was_told_of_is_told_by_a_run_without_keys(cloud: Cloud, place: Place) -> None:
    """Its writer died, or the bus was away, after the commit was whole."""
    settings = place.trigger.settings
    cloud.drop(settings, "t/a.csv", "n\n1\n")

    def away(_: object) -> None:
        raise Failed("The bus is away.", "Wait.")

    assert Trigger(cloud, settings, lambda: cloud.intake(settings, deliver=away)).reconcile() == {"t": 1}
    assert [one.dataset for one in cloud.intake(settings).events.undelivered()] == ["t"]
    assert reconcile_landing(place.dispatcher) == {"t": 0}
    assert place.trigger.run(place.house.started[0])
    assert cloud.intake(settings).events.undelivered() == ()
    assert reconcile_landing(place.dispatcher) == {}


@pytest.mark.parametrize(
    ("fault", "error"),
    [(throttled, Busy), (request_lost, OutcomeUnknown), (server_error, OutcomeUnknown)],
    ids=["throttled", "lost", "error"],
)
def test_a_start_without_an_answer_is_not_repeated_blindly(cloud: Cloud, fault: Any, error: type[Exception]) -> None:
    settings, client = cloud.writing(), cloud.client("glue")
    faults = Faults.on(client, "StartJobRun", fault)
    with pytest.raises(error):
        GlueJobs(client, settings.job, "test").start("s3://b/m.json")
    assert faults.calls == 1
    assert GlueJobs(client, settings.job, "test").start("s3://b/m.json").startswith("jr_")
    with pytest.raises(Failed, match="refuses to start nothing") as failure:
        GlueJobs(client, "nothing", "test").start("s3://b/m.json")
    assert failure.value.code == "job-refused"


def test_a_message_goes_back_even_when_the_first_answer_is_lost(cloud: Cloud) -> None:
    settings, client = cloud.writing(), cloud.client("sqs")
    Faults.on(client, "SendMessage", request_lost, throttled)
    LandingQueue(client, settings.queue, AT_ONCE).send(deferred_body(Deferred("t", "m", 1)), delay_seconds=0)
    (message,) = Trigger(cloud, settings).messages()
    assert hear(message["Body"]).deferred == Deferred("t", "m", 1)
    with pytest.raises(Failed, match="did not take a message"):
        LandingQueue(client, settings.queue + "-gone", AT_ONCE).send("x", delay_seconds=0)


def test_a_file_that_lands_while_a_job_runs_is_picked_up(cloud: Cloud) -> None:
    trigger = Trigger(cloud, cloud.writing())
    cloud.drop(trigger.settings, "t/a.csv", "n\n1\n")
    dropped: list[str] = []

    def late(step: str) -> None:
        if step == "claimed" and not dropped:
            dropped.append(cloud.drop(trigger.settings, "t/b.csv", "n\n2\n"))

    Trigger(cloud, trigger.settings, lambda: cloud.intake(trigger.settings, step=late)).settle()
    assert (dropped, cloud.rows(trigger.settings, "t").num_rows) == (["t/b.csv"], 1)
    trigger.settle()
    assert sorted(cloud.rows(trigger.settings, "t")["n"].to_pylist()) == [1, 2]


def test_events_are_values() -> None:
    told = {"source": "aws.s3", "detail-type": "Object Created"}
    body = json.dumps({**told, "detail": {"bucket": {"name": "b"}, "object": {"key": "landing/t/100%25.csv"}}})
    assert hear(body).arrived == (Arrived("b", "landing/t/100%25.csv"),)
