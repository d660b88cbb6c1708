"""docs/dialect.md is what the golden cases make."""

from tests.athena.trino.page import PAGE, page


def test_the_page_is_made_from_the_cases() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m tests.athena.trino.page"
