"""Partners of a deployed stage by command: every change counts on the next request, whatever tokens are out."""

import json
from pathlib import Path
from typing import Any

import pytest

from lakegate.cli import run
from tests.deployed.asking import ask, load, token_of
from tests.deployed.conftest import Stage

pytestmark = pytest.mark.deploy

COUNT = "SELECT count(*) AS n FROM flights"


def test_partner_is_added_rotated_pushed_and_revoked(
    stage: Stage, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    load(stage)

    def lakegate(*arguments: object) -> Any:
        capfd.readouterr()
        code = run([*(str(one) for one in arguments), "--stage", stage.name, "--json"])
        shown = capfd.readouterr()
        assert code == 0, shown.err
        return json.loads(shown.out)

    first = lakegate("partner", "add", "delta", "-d", "flights", "--rows", "carrier = 'AA'")
    old = token_of(stage, first["client_id"], first["client_secret"])
    assert ask(stage, old, COUNT).json()["rows"] == [["1"]]

    second = lakegate("partner", "rotate", "delta")
    assert second["clients_revoked"] == [first["client_id"]]
    new = token_of(stage, second["client_id"], second["client_secret"])
    assert [ask(stage, token, COUNT).status for token in (old, new)] == [401, 200]

    (tmp_path / "partners").mkdir()
    (tmp_path / "partners" / "delta.toml").write_text("[datasets.flights]\n", encoding="utf-8")
    assert lakegate("push", tmp_path)["grants"] == ["delta"]
    assert ask(stage, new, COUNT).json()["rows"] == [["3"]]
    shown = lakegate("partner", "show", "delta")
    assert [one["client_id"] for one in shown["clients"]] == [second["client_id"]]
    assert "delta" in [one["name"] for one in lakegate("partner", "list")]

    assert lakegate("partner", "revoke", "delta")["grant_removed"]
    assert ask(stage, new, COUNT).status == 401
    assert "delta" not in [one["name"] for one in lakegate("partner", "list")]
