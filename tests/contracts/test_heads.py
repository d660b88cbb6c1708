"""What every store of heads promises."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from athena.dataset import Column, DataType
from athena.errors import Failed
from athena.heads import Head, Heads
from athena.heads.dynamodb import DynamoHeads
from athena.heads.sqlite import SqliteHeads
from tests.cloud import Cloud

HEAD = Head(
    dataset="flights",
    snapshot_id="9007199254740993",
    data_version="9007199254740992",
    metadata_location="/somewhere/00001.metadata.json",
    committed_at=datetime(2026, 3, 1, 12, 30, 0, 250_000, tzinfo=UTC),
    rows=336_776,
    columns=(
        Column("fare", DataType("decimal", 12, 2), unit="€", description='in "euro"', field_id=1),
        Column("pilot", DataType("string"), required=True, sensitive=True, allowed=("A", ""), field_id=7),
    ),
    description="Flüge",
)


@pytest.fixture(params=["sqlite", "dynamodb"])
def heads(request: pytest.FixtureRequest, tmp_path: Path) -> Heads:
    if request.param == "sqlite":
        return SqliteHeads(tmp_path / "state.sqlite")
    cloud: Cloud = request.getfixturevalue("cloud")
    return DynamoHeads(cloud.table())


def test_a_head_comes_back_as_it_was_published(heads: Heads) -> None:
    heads.publish(HEAD)
    assert heads.get("flights") == HEAD
    assert heads.pending("flights") is None


def test_a_dataset_that_was_never_committed_has_no_head(heads: Heads) -> None:
    assert heads.get("flights") is None
    assert heads.all() == ()


def test_heads_are_listed_by_name(heads: Heads) -> None:
    for name in ("weather", "flights", "flights__rejects"):
        heads.publish(replace(HEAD, dataset=name))
    assert [head.dataset for head in heads.all()] == ["flights", "flights__rejects", "weather"]


def test_several_are_read_together_and_what_has_none_is_left_out(heads: Heads) -> None:
    for name in ("weather", "flights", "airports"):
        heads.publish(replace(HEAD, dataset=name))
    heads.intend("weather", "c2")
    heads.intend("planes", "c1")
    wanted = {"weather": replace(HEAD, dataset="weather", intent="c2"), "flights": HEAD}
    assert heads.some(["weather", "planes", "flights", "nowhere"]) == wanted
    assert heads.some(["flights"]) == {"flights": HEAD}
    assert heads.some(["nowhere"]) == heads.some([]) == {}


def test_an_intent_stands_before_there_is_a_head(heads: Heads) -> None:
    heads.intend("flights", "c1")
    assert heads.pending("flights") == "c1"
    assert heads.get("flights") is None


def test_an_open_intent_is_told_with_the_old_head(heads: Heads) -> None:
    heads.publish(HEAD)
    heads.intend("flights", "c2")
    assert heads.get("flights") == replace(HEAD, intent="c2")
    assert heads.all() == (replace(HEAD, intent="c2"),)


def test_publishing_clears_the_intent(heads: Heads) -> None:
    heads.intend("flights", "c1")
    heads.publish(replace(HEAD, intent="c1"))
    assert heads.pending("flights") is None
    assert heads.get("flights") == HEAD


def test_publishing_without_a_named_intent_clears_any(heads: Heads) -> None:
    heads.intend("flights", "c1")
    heads.publish(HEAD)
    assert (heads.pending("flights"), heads.get("flights")) == (None, HEAD)


def test_a_late_finisher_changes_nothing(heads: Heads) -> None:
    heads.intend("flights", "c1")
    heads.publish(replace(HEAD, snapshot_id="2", intent="c1"))
    heads.publish(replace(HEAD, snapshot_id="1", intent="c1"))
    assert heads.get("flights") == replace(HEAD, snapshot_id="2")
    heads.intend("flights", "c2")
    heads.publish(replace(HEAD, snapshot_id="1", intent="c1"))
    assert heads.get("flights") == replace(HEAD, snapshot_id="2", intent="c2")


def test_an_intent_is_forgotten_by_its_own_name_only(heads: Heads) -> None:
    heads.intend("flights", "c2")
    heads.abandon("flights", "c1")
    assert heads.pending("flights") == "c2"
    heads.abandon("flights", "c2")
    assert heads.pending("flights") is None


def test_an_intent_waits_until_another_one_is_resolved(heads: Heads) -> None:
    heads.intend("flights", "c1")
    heads.intend("flights", "c1")
    with pytest.raises(Failed, match="half done") as failure:
        heads.intend("flights", "c2")
    assert failure.value.code == "commit-conflict"
    assert heads.pending("flights") == "c1"


def test_intents_of_different_tables_are_apart(heads: Heads) -> None:
    heads.intend("flights", "c1")
    heads.publish(replace(HEAD, dataset="weather"))
    assert heads.pending("flights") == "c1"
    assert heads.pending("weather") is None


def test_changes_are_kept_beside_the_head(heads: Heads) -> None:
    assert heads.changes("flights") == ""
    heads.publish(replace(HEAD, changes='[1,"ü"]'))
    found = heads.get("flights")
    assert (heads.changes("flights"), found and found.changes) == ('[1,"ü"]', "")


def test_a_late_finisher_changes_no_changes(heads: Heads) -> None:
    heads.intend("flights", "c1")
    heads.publish(replace(HEAD, changes="new", intent="c1"))
    heads.publish(replace(HEAD, changes="old", intent="c1"))
    assert heads.changes("flights") == "new"
