"""Runs a notebook from top to bottom beside the demo's lake; `python -m tests.notebooks.execute` stores the outputs."""

import os
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from nbclient import NotebookClient

from lakegate.cli import run

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
CELL_SECONDS = 240


def execute(path: Path, folder: Path) -> nbformat.NotebookNode:
    """The notebook with the outputs of now; raises what the first failing cell raised. `folder` holds `demo-lake`."""
    found: nbformat.NotebookNode = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    client = NotebookClient(
        found, timeout=CELL_SECONDS, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    paths = f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    client.execute(env={**os.environ, "LAKEGATE_HOME": "demo-lake", "PATH": programs, "PYTHONPATH": paths})
    return found


def make_demo(folder: Path) -> Path:
    """The demo's home, made in `folder`."""
    home = folder / "demo-lake"
    if run(["demo", "--home", str(home)]) != 0:
        raise RuntimeError("the demo failed: its output says why")
    return home


def store() -> None:
    """Run every notebook and write it back with its outputs, without the times of its cells."""
    with TemporaryDirectory() as place:
        folder = Path(place)
        home = make_demo(folder)
        for path in NOTEBOOKS:
            copy = folder / path.stem
            copy.mkdir()
            shutil.copytree(home, copy / home.name)
            found = execute(path, copy)
            for cell in found.cells:
                cell.metadata.pop("execution", None)
            nbformat.write(found, path)  # type: ignore[no-untyped-call]
            sys.stdout.write(f"{path.name}: stored\n")


if __name__ == "__main__":
    store()
