"""Which error codes the code can raise, found by reading it."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("athena", "etl", "api", "infra", "lakegate")


def codes_in_code() -> dict[str, set[str]]:
    """Every code, with the files that know it: `code="…"` in calls, `code = "…"` in classes, `Broken("…")`, and
    the tables of `athena.failures`."""
    from athena.failures import CODES

    found = {code: {"athena/failures.py"} for code in CODES}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            for code in _codes(ast.parse(path.read_text(encoding="utf-8"))):
                found.setdefault(code, set()).add(str(path.relative_to(ROOT)))
    return found


def _codes(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "code":
            yield from _texts(node.value)
        elif isinstance(node, ast.ClassDef):
            for line in node.body:
                if isinstance(line, ast.Assign) and [getattr(one, "id", "") for one in line.targets] == ["code"]:
                    yield from _texts(line.value)
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Broken":
            yield from (text for argument in node.args for text in _texts(argument))


def _texts(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from (*_texts(node.body), *_texts(node.orelse))
