"""What every store of saved questions promises."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from athena.saved import Saved, SavedParameter, SavedQuestion, SavedVersion
from athena.saved.dynamodb import DynamoSaved
from athena.saved.sqlite import SqliteSaved
from tests.cloud import Cloud

FIRST = SavedVersion(
    version=1,
    sql="SELECT 'ü' FROM flights WHERE origin = :origin",
    description='who "leaves"',
    parameters=(SavedParameter("origin", "string", "", True), SavedParameter("day", "date")),
    limit=None,
    saved_at=datetime(2026, 11, 21, 7, 0, 0, 5, tzinfo=UTC),
)
SECOND = replace(FIRST, version=2, limit=5)
QUESTION = SavedQuestion("united", "leaving", (FIRST,))


@pytest.fixture(params=["sqlite", "dynamodb"])
def saved(request: pytest.FixtureRequest, tmp_path: Path) -> Saved:
    if request.param == "sqlite":
        return SqliteSaved(tmp_path / "state.sqlite")
    cloud: Cloud = request.getfixturevalue("cloud")
    return DynamoSaved(cloud.table())


def test_a_question_comes_back_as_it_was_saved(saved: Saved) -> None:
    assert saved.get("united", "leaving") is None
    assert saved.put(QUESTION, before=None)
    assert saved.get("united", "leaving") == QUESTION


def test_only_who_knows_the_latest_version_may_add_one(saved: Saved) -> None:
    newer = replace(QUESTION, versions=(FIRST, SECOND))
    assert not saved.put(newer, before=1)
    assert saved.put(QUESTION, before=None)
    assert not saved.put(QUESTION, before=None)
    assert saved.put(newer, before=1)
    assert not saved.put(newer, before=1)
    assert saved.get("united", "leaving") == newer


def test_each_partner_has_questions_of_their_own(saved: Saved) -> None:
    for partner, name in (("united", "b"), ("united", "a"), ("other", "c")):
        assert saved.put(SavedQuestion(partner, name, (FIRST,)), before=None)
    assert [question.name for question in saved.all("united")] == ["a", "b"]
    assert saved.get("united", "c") is None
    assert saved.all("nobody") == ()


def test_what_is_forgotten_is_gone_once(saved: Saved) -> None:
    assert saved.put(QUESTION, before=None)
    assert not saved.remove("other", "leaving")
    assert saved.remove("united", "leaving")
    assert not saved.remove("united", "leaving")
    assert saved.get("united", "leaving") is None
    assert saved.put(QUESTION, before=None)
