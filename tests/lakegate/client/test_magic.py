"""The cell magic, in a real IPython shell; what a notebook shows of lakes, datasets and answers."""

from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from athena.errors import Refused
from lakegate.client.lake import LakeClient
from lakegate.client.magic import LakeMagic


@pytest.fixture
def shell(typed_home: Path) -> Any:
    found: Any = InteractiveShell()  # type: ignore[no-untyped-call]
    found.run_line_magic("load_ext", "lakegate")
    found.run_line_magic("lake", str(typed_home))
    return found


def test_a_cell_asks_with_the_notebooks_own_variables(shell: Any) -> None:
    shell.user_ns["least"] = 2
    sql = "SELECT id, ':no' AS text FROM typed WHERE id >= :least AND id < :most ORDER BY id"
    assert shell.run_cell_magic("lake", "found << :most=3", sql) is None
    assert shell.user_ns["found"]["id"].tolist() == [2]
    shown = shell.run_cell_magic("lake", "limit=1", "SELECT id FROM typed ORDER BY id")
    assert shown.row_count == 1 and shown.truncated
    with pytest.raises(Refused, match="no variable 'absent'"):
        LakeMagic(shell).ask("", "SELECT :absent")
    with pytest.raises(Refused, match="does not know"):
        LakeMagic(shell).ask("a b", "SELECT 1")


def test_a_cell_asks_the_lake_that_the_notebook_holds(shell: Any, partner: LakeClient) -> None:
    shell.user_ns["lake"] = partner
    assert shell.run_cell_magic("lake", "", "SELECT count(*) FROM typed").value() == 2


def test_what_is_shown_is_escaped_and_says_where_it_comes_from(owner: LakeClient, typed_home: Path) -> None:
    page = owner._repr_html_()
    assert owner.where in page and typed_home.name in owner.where and "One column of every type" in page
    dataset = owner["typed"]._repr_html_()
    assert '<td style="text-align:left">km</td>' in dataset and "3 rows" in dataset
    answer = owner.sql("SELECT '<b>&' AS x, NULL AS y")._repr_mimebundle_()["text/html"]
    assert "&lt;b&gt;&amp;" in answer and "NULL" in answer and "<b>&" not in answer
    assert "typed of " in owner.sql("SELECT id FROM typed")._repr_mimebundle_()["text/html"]
