"""Whatever call goes wrong between a file that lands and its rows: none is lost, none is there twice."""

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from athena.errors import LakegateError
from etl.ingest import reconcile
from tests.cloud import Cloud
from tests.disturbed import APART, ENDING, KINDS, PASSING, Application, Disturbance, Kind, between, disturbed
from tests.home import reports_of
from tests.trigger import Trigger

FIRST = {"t/a.csv": "n,name\n1,x\nbroken\n" + "".join(f"{n},y\n" for n in range(100, 120)), "t/b.csv": "n,name\n2,x\n"}
THEN = {"t/a.csv": "n,name\n7,x\n8,x\n", "t/c.csv": "n,name,more\n3,x,1\n", "t/d.csv": "n,name\n2,x\n"}
EXPECTED = Counter([2, 3, 7, 8])
LEASE_SECONDS = 0.6


def place(cloud: Cloud) -> Trigger:
    return Trigger(cloud, replace(cloud.writing(), table_lease_seconds=LEASE_SECONDS))


def numbers(cloud: Cloud, trigger: Trigger) -> Counter[int]:
    table = cloud.rows(trigger.settings, "t")
    return Counter(table["n"].to_pylist()) if table.num_columns else Counter()


def drop(cloud: Cloud, trigger: Trigger, files: dict[str, str]) -> None:
    for key, text in files.items():
        cloud.drop(trigger.settings, key, text)


def write_story(trigger: Trigger) -> None:
    """What is in the queue is dispatched, and every run that was started is run; what fails, fails."""
    try:
        trigger.dispatch()
        runs = trigger.started()
    except (ClientError, LakegateError):
        return  # the poller's own calls are AWS's affair
    for manifest in runs:
        trigger.run(manifest)


def check(cloud: Cloud, trigger: Trigger) -> None:
    """After the next messages and the next reconciliation the table is what its files say, and stays so."""
    write_story(trigger)
    trigger.reconcile()
    assert numbers(cloud, trigger) == EXPECTED
    intake = cloud.intake(trigger.settings)
    assert reports_of(reconcile(intake)) == ()
    assert intake.ledger.rows("t") == sum(EXPECTED.values())
    head, settled = intake.heads.get("t"), intake.settled("t")
    assert head is not None and settled is not None
    assert (head.snapshot_id, head.intent) == (settled.snapshot_id, None)
    assert intake.ledger.open_plans("t") == ()
    assert cloud.rows(trigger.settings, "t__rejects").num_rows == 1
    assert intake.events.undelivered() == ()


def begun(cloud: Cloud) -> Trigger:
    """A table with two files; one of them was replaced since, two others landed."""
    trigger = place(cloud)
    drop(cloud, trigger, FIRST)
    trigger.settle()
    drop(cloud, trigger, THEN)
    return trigger


def calls_of_the_story(cloud: Cloud) -> int:
    trigger = begun(cloud)
    before = sum(cloud.emulator.calls.values())
    write_story(trigger)
    calls = sum(cloud.emulator.calls.values()) - before
    check(cloud, trigger)
    return calls


def go_wrong(cloud: Cloud, kind: Kind, at: int, every: int | None = None) -> None:
    trigger = begun(cloud)
    with disturbed(cloud, kind, at, every):
        write_story(trigger)
    check(cloud, trigger)


# The story makes some 120 calls; every twentieth of them, each time another kind of fault.
@pytest.mark.parametrize(("kind", "at"), [(KINDS[at // 19 % len(KINDS)], at) for at in range(4, 118, 19)])
def test_a_fault_at_some_call_loses_and_doubles_nothing(cloud: Cloud, kind: Kind, at: int) -> None:
    go_wrong(cloud, kind, at)


@pytest.mark.long
@pytest.mark.parametrize("kind", PASSING)
def test_a_fault_at_any_call_loses_and_doubles_nothing(cloud: Cloud, kind: Kind) -> None:
    for at in range(1, APART + 1):
        go_wrong(cloud, kind, at, APART)


@pytest.mark.long
@pytest.mark.parametrize("kind", ENDING)
def test_an_end_at_any_call_loses_and_doubles_nothing(cloud: Cloud, kind: Kind) -> None:
    for at in range(1, calls_of_the_story(cloud) + 1):
        go_wrong(cloud, kind, at)


def test_the_commit_whose_answer_is_lost_is_found_and_its_manifests_stay(cloud: Cloud) -> None:
    """A client that repeats by itself would be told of a conflict, and pyiceberg would remove what the table needs."""
    trigger = begun(cloud)
    intake = cloud.intake(trigger.settings)
    seen: list[str] = []

    def lose(environ: dict[str, Any], start: Callable[..., Any], answer: Application) -> Iterable[bytes]:
        target = str(environ.get("HTTP_X_AMZ_TARGET", ""))
        if target.endswith(".UpdateTable") and not seen:
            seen.append(target)
            return Disturbance("after", 1)(environ, start, answer)
        return answer(environ, start)

    with between(cloud, lose):
        reports = reports_of(reconcile(intake))
    assert (len(seen), {report.status for report in reports}) == (1, {"loaded", "replaced", "duplicate"})
    check(cloud, trigger)


def test_dispatchers_jobs_and_a_reconciliation_at_once(cloud: Cloud) -> None:
    """Two dispatchers get every message, in different orders; three jobs run beside a reconciliation, and files are
    replaced meanwhile."""
    trigger = place(cloud)
    files = {f"t/{n}.csv": f"n,name\n{n},x\n{n + 50},y\n" for n in range(8)}
    drop(cloud, trigger, files)
    messages = trigger.messages()
    trigger.dispatch(messages[::-1] + messages[:3])
    trigger.dispatch(messages[2:] + messages[:4])
    runs = trigger.started()
    assert len(runs) == 2
    failures: list[Exception] = []

    def tried(work: object, *given: object) -> None:
        try:
            work(*given)  # type: ignore[operator]
        except LakegateError:
            pass  # the next one finishes it
        except Exception as error:  # noqa: BLE001 - a thread's error would be lost
            failures.append(error)

    def replaced() -> None:
        for n in range(3):
            cloud.drop(trigger.settings, f"t/{n}.csv", f"n,name\n{1000 + n},x\n")

    jobs = [threading.Thread(target=tried, args=(trigger.run, run)) for run in (*runs, runs[0])]
    others = [
        threading.Thread(target=tried, args=(lambda: reconcile(cloud.intake(trigger.settings)),)),
        threading.Thread(target=tried, args=(replaced,)),
    ]
    for thread in (*jobs, *others):
        thread.start()
    for thread in (*jobs, *others):
        thread.join(120)
    assert failures == []
    trigger.settle()
    trigger.reconcile()
    expected = Counter([1000, 1001, 1002, *(n for k in range(3, 8) for n in (k, k + 50))])
    assert numbers(cloud, trigger) == expected
    assert reports_of(reconcile(cloud.intake(trigger.settings))) == ()
