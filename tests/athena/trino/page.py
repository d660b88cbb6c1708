"""docs/dialect.md, made of the golden cases: `python -m tests.athena.trino.page` writes it."""

from itertools import groupby
from pathlib import Path

from tests.athena.trino.golden import Golden, golden_cases

PAGE = Path(__file__).parents[3] / "docs" / "dialect.md"

_HEAD = """\
# Athena's SQL on a laptop

The dialect is Athena's (Trino's) in both homes. On a laptop DuckDB runs it: each query is translated, so that
values and types are Trino's, and what DuckDB cannot do exactly is refused by name. This page is made from the tests
(`python -m tests.athena.trino.page`): every line below is run. [sql.md](sql.md) says which of it a question may
use.

## What differs

- `approx_distinct` counts exactly, `approx_percentile` gives a value that occurs: both within Athena's error,
  seldom Athena's own number.
- `array_agg` without ORDER BY, `arbitrary` and `any_value` may choose another order or value; so may Athena from
  run to run.
- In regular expressions `\\d`, `\\w`, `\\s` and `\\b` know ASCII alone, and `$` does not match before a line break
  at the very end.
- JSON keeps the value of a number, not its spelling: `1.50` inside an object is written `1.5`.
  `json_extract_scalar` keeps the spelling. `json_parse` of a column puts the keys of four levels in order and
  refuses deeper objects.
- A timestamp with time zone is shown in UTC. Its own zone counts in `hour`, `date_trunc`, `CAST` and the like as
  long as the text of the query names it.
- `varchar(n)` is kept by CAST; functions give `varchar`.
- Sums of doubles may differ in the last digit, as they do between two runs of Athena.
- `from_utf8` fails on bytes that are no UTF-8, where Athena puts U+FFFD in their place.
- `width_bucket` fails on every list of bins that is out of order; Athena does not notice each of them.
- `combinations` takes up to 16 elements, shifts take no negative counts.
- `levenshtein_distance` fails on text beyond ASCII; `stddev` and its kin may differ in the last digits.

## What works and what is refused

A case that is marked *fails* fails when it runs, in both homes; one that is marked *refused* is refused before it
runs. Values are written bare: lists as `[1, 2]`, maps and rows as `{k=v}`, rows of a result apart by ` / `.
"""


def page() -> str:
    """The page's text."""
    parts = [_HEAD]
    for title, of_page in groupby(golden_cases(), key=lambda case: case.page):
        parts.append(f"\n### {title}\n")
        for (group, source), cases in groupby(of_page, key=lambda case: (case.title, case.source)):
            parts.append(f"\n**{group}** (Trino, {source})\n\n| SQL | value | type |\n|---|---|---|\n")
            parts += [_line(case) for case in cases]
    return "".join(parts)


def _line(case: Golden) -> str:
    special = {"refused": "*refused*", "error": f"*fails*: {case.value}"}.get(case.kind)
    value = special or (_code(case.value) if case.value else "`''`")
    kind = "" if special else _code(case.kind)
    return f"| {_code(case.sql)} | {value} | {kind} |\n"


def _code(text: str) -> str:
    flat = text.replace("\n", "\\n").replace("|", "\\|")
    return f"`` {flat} ``" if "`" in flat else f"`{flat}`"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
