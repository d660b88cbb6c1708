"""What every store of saved questions promises."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random

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


def test_versions_of_long_statements_are_kept_and_the_latest_in_any_case(saved: Saved) -> None:
    """A list of numbers packs badly, and DynamoDB's items end at 400 KB."""
    chance = Random(1)
    versions = tuple(
        replace(FIRST, version=number, sql=f"SELECT '{chance.randbytes(30_000).hex()}'") for number in range(1, 11)
    )
    long = replace(QUESTION, versions=versions)
    for latest in range(1, 11):
        before = None if latest == 1 else latest - 1
        assert saved.put(replace(long, versions=versions[:latest]), before=before)
    found = saved.get("united", "leaving")
    assert found is not None
    assert found.versions == versions[-len(found.versions) :]
    assert len(found.versions) > 2


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
