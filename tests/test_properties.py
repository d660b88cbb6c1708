"""The short form of a property test draws the same examples wherever and beside whatever it runs."""

import ast
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
# What the profiles of `tests/properties.py` decide for all.
DECIDED = {"derandomize", "deadline", "database", "print_blob", "backend"}
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


def settings_in(path: Path) -> list[ast.Call]:
    """Every `settings(...)` of Hypothesis in a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    theirs = any(isinstance(node, ast.ImportFrom) and node.module == "hypothesis" for node in ast.walk(tree))
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call)) if theirs else ()
    return [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "settings"]


def test_no_property_decides_for_itself_what_the_profiles_decide() -> None:
    found = 0
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        for call in settings_in(path):
            named = {keyword.arg for keyword in call.keywords}
            assert None not in named and not named & DECIDED, f"{path}:{call.lineno}: leave {named & DECIDED} out"
            # Naming some replaces the profile's.
            told = path.read_text(encoding="utf-8")
            assert "suppress_health_check" not in named or "too_slow" in told or "list(HealthCheck)" in told, path
            found += 1
    assert found > 20


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
