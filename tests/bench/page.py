"""The parts of docs/performance.md that the benchmarks write: the figures as they were printed, between two marks."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"
BEGIN, END = "<!-- written by make {0} -->", "<!-- end of make {0} -->"
HEAD = """# Performance

Figures of one machine, written by the benchmarks themselves: compare the ratios, not the numbers.
"""


def written(page: str, figures: str, by: str = "bench-ask") -> str:
    """The page with the figures in the place of the last ones; at its end when it has none.

    >>> begin, end = BEGIN.format("bench-ask"), END.format("bench-ask")
    >>> written(f"a {begin} old {end} b", "new") == f"a {begin}\\nnew\\n{end} b"
    True
    """
    begin, end = BEGIN.format(by), END.format(by)
    block = f"{begin}\n{figures}\n{end}"
    if begin not in page:
        return f"{page.rstrip()}\n\n{block}\n"
    return re.sub(re.escape(begin) + ".*?" + re.escape(end), lambda _: block, page, flags=re.DOTALL)


def write(figures: str, by: str = "bench-ask") -> None:
    """Write the figures of the target `by`."""
    page = PAGE.read_text(encoding="utf-8") if PAGE.exists() else HEAD
    PAGE.write_text(written(page, figures, by), encoding="utf-8")
