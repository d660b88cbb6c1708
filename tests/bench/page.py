"""The part of docs/performance.md that `make bench-ask` writes: the figures as they were printed, between two marks."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"
BEGIN, END = "<!-- written by make bench-ask -->", "<!-- end of make bench-ask -->"
HEAD = """# Performance

Figures of one machine, written by the benchmarks themselves: compare the ratios, not the numbers.
"""


def written(page: str, figures: str) -> str:
    """The page with the figures in the place of the last ones; at its end when it has none.

    >>> written(f"a {BEGIN} old {END} b", "new") == f"a {BEGIN}\\nnew\\n{END} b"
    True
    """
    block = f"{BEGIN}\n{figures}\n{END}"
    if BEGIN not in page:
        return f"{page.rstrip()}\n\n{block}\n"
    return re.sub(re.escape(BEGIN) + ".*?" + re.escape(END), lambda _: block, page, flags=re.DOTALL)


def write(figures: str) -> None:
    """Write them."""
    page = PAGE.read_text(encoding="utf-8") if PAGE.exists() else HEAD
    PAGE.write_text(written(page, figures), encoding="utf-8")
