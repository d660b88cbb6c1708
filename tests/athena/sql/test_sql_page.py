"""docs/sql.md names exactly the functions that may be called."""

import re
from pathlib import Path

from athena.sql.functions import FUNCTIONS

PAGE = Path(__file__).parents[3] / "docs" / "sql.md"


def test_the_page_lists_every_function_and_no_other() -> None:
    listed = PAGE.read_text(encoding="utf-8").partition("<!-- functions -->")[2]
    assert sorted(re.findall(r"`([a-z0-9_]+)`", listed)) == sorted(
        {*FUNCTIONS, "trim", "listagg", "position", "substring"}
    )
