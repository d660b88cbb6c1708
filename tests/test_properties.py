"""The short form of a property test draws the same examples wherever and beside whatever it runs."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
DRAWN = """
import sys
from hypothesis import given, settings, strategies as st
from tests.properties import SHORT, draw_by
draw_by(SHORT)
if sys.argv[1] == "more":
    import athena.trino.build, etl.ingest, api.app
@settings(max_examples=300)
@given(st.tuples(st.integers(), st.text(), st.floats(), st.binary()), st.sets(st.text(max_size=3)))
def shown(drawn, also):
    print(repr(drawn), sorted(also))
shown()
"""


def drawn(script: Path, modules: str, hash_seed: int) -> str:
    """What a property draws in an interpreter of its own, with more or fewer of our modules loaded."""
    environment = {**os.environ, "PYTHONHASHSEED": str(hash_seed), "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        [sys.executable, str(script), modules], env=environment, capture_output=True, text=True, check=True, cwd=ROOT
    )
    return ran.stdout


def test_short_forms_draw_the_same_beside_any_modules(tmp_path: Path) -> None:
    script = tmp_path / "shown.py"
    script.write_text(DRAWN)
    alone = drawn(script, "few", 1)
    assert len(alone.splitlines()) >= 300 and drawn(script, "more", 2) == alone
