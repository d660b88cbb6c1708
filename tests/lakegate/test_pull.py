"""Contracts and grants of a stage into a folder and back."""

from pathlib import Path

import pytest

from tests.cloud import Cloud
from tests.lakegate.conftest import Command
from tests.lakegate.stages import Stage, make_stage

CONTRACT = '[columns]\nhotel = { type = "string" }\nguests = { type = "long" }\n'


@pytest.fixture
def stage(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Stage:
    for name, value in cloud.emulator.environment.items():
        monkeypatch.setenv(name, value)
    return make_stage(cloud)


def pushed(lakegate: Command, stage: Stage, folder: Path) -> None:
    done = lakegate("push", folder, "--stage", stage.name)
    assert done.code == 0, done.err


@pytest.fixture
def lake(lakegate: Command, stage: Stage, tmp_path: Path) -> Path:
    """A folder that was pushed, with one contract and one grant."""
    folder = tmp_path / "lake"
    for name, text in {"datasets/stays": CONTRACT, "partners/aurora": "[datasets.stays]\n"}.items():
        (folder / name).parent.mkdir(parents=True)
        (folder / f"{name}.toml").write_text(text)
    pushed(lakegate, stage, folder)
    return folder


def test_what_is_pulled_is_what_counts_and_may_be_pushed_again(
    lakegate: Command, stage: Stage, lake: Path, tmp_path: Path
) -> None:
    done = lakegate("pull", tmp_path / "pulled", "--stage", stage.name)
    assert done.out.splitlines() == ["pulled datasets/stays.toml", "pulled partners/aurora.toml"]
    again = lakegate("push", tmp_path / "pulled", "--stage", stage.name)
    assert (again.code, again.out) == (0, "")


def test_what_is_pulled_as_it_was_holds_nobody_who_was_revoked(
    lakegate: Command, stage: Stage, lake: Path, tmp_path: Path
) -> None:
    assert lakegate("partner", "revoke", "aurora", "--stage", stage.name).code == 0
    done = lakegate("pull", tmp_path / "then", "--stage", stage.name, "--at", "2999-01-01T00:00:00Z")
    assert done.code == 0, done.err
    pushed(lakegate, stage, tmp_path / "then")
    grant = stage.grants.get("aurora")
    assert grant is not None
    assert not grant.datasets


def test_names_that_are_no_contracts_write_nothing_outside_the_folder(
    lakegate: Command, stage: Stage, lake: Path, tmp_path: Path
) -> None:
    s3 = stage.cloud.client("s3")
    for key in ("datasets/../../outside.toml", "datasets/a/b.toml", "datasets/B.toml"):
        s3.put_object(Bucket=f"lakegate-{stage.name}-landing", Key=key, Body=b"x")
    done = lakegate("pull", tmp_path / "pulled", "--stage", stage.name)
    assert done.code == 0, done.err
    assert sorted(path.name for path in (tmp_path / "pulled").rglob("*.toml")) == ["aurora.toml", "stays.toml"]
    assert not (tmp_path / "outside.toml").exists()


def test_instant_that_is_none_is_a_matter_of_usage(lakegate: Command, stage: Stage) -> None:
    done = lakegate("pull", "--stage", stage.name, "--at", "yesterday")
    assert done.code == 2
    assert "2026-05-01T10:00:00Z" in done.err
