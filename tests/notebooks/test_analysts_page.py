"""The examples of docs/analysts.md, run in their order: on the demo's home, on its server, and on an emulated stage."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pytest

from lakegate.emulate import Emulator
from lakegate.emulate.stack import create_lake
from tests.lakegate.server import credentials, serving
from tests.notebooks.execute import ROOT, make_demo

_EXAMPLE = re.compile(r"<!-- tested(?:: (\w+))? -->\n```python\n(.*?)```", re.DOTALL)


def examples(where: str) -> list[str]:
    """The page's examples for one way to connect."""
    found = _EXAMPLE.findall((ROOT / "docs" / "analysts.md").read_text(encoding="utf-8"))
    return [code for name, code in found if name == where]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder, with the demo's lake in it."""
    make_demo(tmp_path)
    monkeypatch.chdir(tmp_path)
    plt.switch_backend("Agg")
    yield tmp_path
    plt.close("all")


def test_the_page_for_analysts(folder: Path) -> None:
    known: dict[str, Any] = {}
    for code in examples(""):
        exec(compile(code, "docs/analysts.md", "exec"), known)
    assert known["rows"] == known["flights"].rows
    assert known["report"]["rows_loaded"] == 2
    assert known["united"].sql("SELECT DISTINCT carrier FROM flights").value() == "UA"
    assert (folder / "delays.png").stat().st_size > 10_000
    assert len(examples("")) == 11

    issued = credentials(folder / "demo-lake", "kennedy")
    with serving(folder / "demo-lake") as at:
        known.update(URL=at.url, CLIENT_ID=issued.client_id, CLIENT_SECRET=issued.secret)
        for code in examples("server"):
            exec(compile(code, "docs/analysts.md", "exec"), known)
        assert known["remote"].sql("SELECT DISTINCT origin FROM flights").value() == "JFK"
        known["remote"].close()
    for name in ("lake", "united"):
        known[name].close()


def test_the_page_for_analysts_on_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    known: dict[str, Any] = {}
    with Emulator(port=0) as emulator:
        for name, value in emulator.environment.items():
            monkeypatch.setenv(name, value)
        create_lake(emulator.client, "local")
        exec("import lakegate", known)
        for code in examples("stage"):
            exec(compile(code, "docs/analysts.md", "exec"), known)
        assert list(known["cloud"].datasets()) == []
        assert known["cloud"].where == "stage local on AWS"
        known["cloud"].close()
