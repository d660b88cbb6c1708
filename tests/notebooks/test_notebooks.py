"""Every notebook runs as it stands, and fails when one of its own checks does."""

import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError

from tests.notebooks.execute import NOTEBOOKS, execute, make_demo

FOREIGN = re.compile(r"/(?:tmp|root|home|Users|work)/")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the demo's lake."""
    place = tmp_path_factory.mktemp("notebooks")
    make_demo(place)
    yield place


def test_there_are_the_six_notebooks() -> None:
    assert [path.name[0] for path in NOTEBOOKS] == list("123456")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
@pytest.mark.filterwarnings("ignore::RuntimeWarning:zmq")
def test_it_runs_and_its_checks_hold(path: Path, folder: Path) -> None:
    done = execute(path, folder)
    assert all(cell.execution_count for cell in done.cells if cell.cell_type == "code")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_says_its_purpose_and_is_stored_with_its_outputs(path: Path) -> None:
    stored = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    assert "**Purpose:**" in stored.cells[0].source
    assert any("Checked" in cell.source for cell in stored.cells if cell.cell_type == "markdown")
    code = [cell for cell in stored.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert any("image/png" in output.get("data", {}) for cell in code for output in cell.outputs)
    assert not any("error" in output.output_type for cell in code for output in cell.outputs)
    assert FOREIGN.findall(path.read_text(encoding="utf-8")) == []


def test_a_wrong_figure_fails_the_notebook(folder: Path, tmp_path: Path) -> None:
    first = nbformat.read(NOTEBOOKS[0], as_version=4)  # type: ignore[no-untyped-call]
    wrong = first.cells[-1].source.replace("336_776", "336_777")
    assert wrong != first.cells[-1].source
    first.cells = [first.cells[1], *first.cells[-1:]]
    first.cells[-1].source = wrong
    broken = tmp_path / "broken.ipynb"
    nbformat.write(first, broken)  # type: ignore[no-untyped-call]
    with pytest.raises(CellExecutionError, match="AssertionError"):
        execute(broken, folder)
