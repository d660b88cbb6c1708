"""What every store of webhooks and notices promises."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from athena.dynamodb import Key
from athena.events import DatasetUpdated
from athena.notices import Notice, Notices, Webhook
from athena.notices.dynamodb import DynamoNotices
from athena.notices.sqlite import SqliteNotices
from tests.clock import SetClock
from tests.cloud import Cloud

NOW = datetime(2026, 11, 21, 7, 0, 0, 5, tzinfo=UTC)
HOOK = Webhook("w_1", "united", "https://a.example/", "flights", None, "whsec_c2VjcmV0", NOW)
OTHER = replace(HOOK, id="w_2", partner="other", created_at=NOW + timedelta(seconds=1))
EVENT = DatasetUpdated("c1", "flights", "12", "11", NOW, 100, 3)
NOTICE = Notice("n_1", "w_1", "flights", '{"ü": 1}', 0, NOW)
SOON = NOW + timedelta(seconds=120)


@pytest.fixture(params=["sqlite", "dynamodb"])
def notices(request: pytest.FixtureRequest, tmp_path: Path) -> Notices:
    if request.param == "sqlite":
        return SqliteNotices(tmp_path / "state.sqlite")
    cloud: Cloud = request.getfixturevalue("cloud")
    return DynamoNotices(cloud.table(), SetClock(NOW))


def told(notices: Notices, *given: Notice) -> None:
    notices.register(HOOK)
    notices.heard(EVENT)
    notices.spread(EVENT, given or (NOTICE,))


def test_webhooks_are_their_partners_alone(notices: Notices) -> None:
    notices.register(HOOK)
    notices.register(OTHER)
    second = replace(HOOK, id="w_3", created_at=NOW + timedelta(seconds=2))
    notices.register(second)
    assert notices.webhooks() == (HOOK, OTHER, second)
    assert (notices.webhooks("united"), notices.webhooks("nobody")) == ((HOOK, second), ())
    assert not notices.remove("other", "w_1")
    assert notices.remove("united", "w_1")
    assert not notices.remove("united", "w_1")
    assert notices.webhooks() == (OTHER, second)


def test_an_event_is_heard_once_and_only_where_somebody_listens(notices: Notices) -> None:
    notices.heard(EVENT)
    assert notices.events() == ()
    notices.register(HOOK)
    notices.heard(EVENT)
    notices.heard(EVENT)
    later = replace(EVENT, id="c0", committed_at=SOON)
    notices.heard(later)
    assert notices.events() == (EVENT, later)
    notices.spread(EVENT, ())
    notices.heard(EVENT)
    assert notices.events() == (later,)


def test_a_notice_is_claimed_by_one_until_its_time_is_up(notices: Notices) -> None:
    told(notices)
    assert notices.claim(NOW - timedelta(seconds=1), SOON) is None
    assert notices.claim(NOW, SOON) == NOTICE
    assert notices.claim(NOW + timedelta(seconds=119), SOON) is None
    assert notices.claim(SOON, SOON + timedelta(seconds=120)) == NOTICE
    notices.done(NOTICE)
    assert notices.claim(SOON + timedelta(days=9), SOON + timedelta(days=10)) is None


def test_an_event_that_is_spread_again_brings_nothing_back(notices: Notices) -> None:
    told(notices)
    notices.done(NOTICE)
    notices.heard(EVENT)
    notices.spread(EVENT, (NOTICE,))
    assert notices.claim(SOON, SOON + timedelta(seconds=9)) is None


def test_what_is_due_for_longest_comes_first(notices: Notices) -> None:
    later, latest = (
        replace(NOTICE, id=name, due_at=NOW + timedelta(hours=at)) for name, at in (("n_0", 1), ("n_2", 9))
    )
    told(notices, latest, later, NOTICE)
    claimed = [notices.claim(SOON + timedelta(hours=2), SOON + timedelta(hours=3)) for _ in range(3)]
    assert claimed == [NOTICE, later, None]


def test_what_is_settled_comes_again_when_it_is_due(notices: Notices) -> None:
    told(notices)
    claimed = notices.claim(NOW, SOON)
    assert claimed is not None
    tried = replace(claimed, attempts=1, error="no", due_at=NOW + timedelta(minutes=30))
    notices.settle(tried)
    assert notices.claim(NOW + timedelta(minutes=29), SOON) is None
    assert notices.claim(NOW + timedelta(minutes=30), NOW + timedelta(hours=1)) == tried
    assert notices.claim(NOW + timedelta(minutes=31), NOW + timedelta(hours=1)) is None


def test_what_is_dead_stays_to_be_read_until_it_is_revived(notices: Notices) -> None:
    told(notices)
    dead = replace(NOTICE, attempts=7, error="no", dead=True)
    notices.settle(dead)
    assert notices.claim(SOON + timedelta(days=1), SOON + timedelta(days=2)) is None
    assert (notices.dead("w_1"), notices.dead("w_2")) == ((dead,), ())
    assert notices.revive("w_1", SOON) == 1
    assert (notices.dead("w_1"), notices.revive("w_1", SOON)) == ((), 0)
    assert notices.claim(SOON, SOON + timedelta(seconds=9)) == replace(NOTICE, due_at=SOON)


def test_a_webhook_that_goes_takes_its_notices_along(notices: Notices) -> None:
    told(notices)
    notices.settle(replace(NOTICE, dead=True))
    assert notices.remove("united", "w_1")
    assert notices.dead("w_1") == ()
    notices.settle(replace(NOTICE, attempts=2))
    notices.register(OTHER)
    notices.heard(replace(EVENT, id="c2"))
    notices.spread(replace(EVENT, id="c2"), (NOTICE,))
    assert notices.claim(SOON, SOON + timedelta(seconds=9)) is None


def test_a_crash_between_entry_and_notice_leaves_an_entry_that_is_cleared_away(cloud: Cloud) -> None:
    table = cloud.table()
    notices = DynamoNotices(table, SetClock(NOW))
    told(notices)
    moved = replace(NOTICE, due_at=SOON, attempts=1)
    notices.settle(moved)
    (entry,) = table.each("line")
    told(DynamoNotices(table, SetClock(NOW)))
    notices.settle(replace(moved, due_at=SOON + timedelta(seconds=1)))
    assert table.change(Key("line", str(entry["sk"])), "SET webhook_id = :w, notice_id = :n", w="w_1", n="n_1").won
    later = SOON + timedelta(minutes=1)
    assert [notices.claim(later, later + timedelta(hours=1)) for _ in range(2)] == [
        replace(moved, due_at=SOON + timedelta(seconds=1)),
        None,
    ]
    assert len(table.each("line")) == 1
