"""The documents say what the code does: generated pages, error codes, links, examples marked as tested."""

import json
import re
from dataclasses import MISSING, fields
from pathlib import Path

import pytest

from api.explained import TEXTS
from athena.settings import Settings
from athena.settings_aws import AwsSettings
from etl.contract import SourceRules
from lakegate.pages import AWS_MEANINGS, MEANINGS, cli_page, problem_texts, settings_page
from tests.codes import codes_in_code

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
REASONS_PAGE = DOCS / "data-owners.md"
MAX_DECISION_LINES = 40


def test_the_page_of_commands_is_up_to_date() -> None:
    assert (DOCS / "cli.md").read_text(encoding="utf-8") == cli_page(), "run `make docs`"


def test_the_page_of_settings_is_up_to_date() -> None:
    assert (DOCS / "settings.md").read_text(encoding="utf-8") == settings_page(), "run `make docs`"


def test_the_server_explains_every_documented_code() -> None:
    texts = problem_texts((DOCS / "problems.md").read_text(encoding="utf-8"))
    assert TEXTS.read_text(encoding="utf-8") == texts, "run `make docs`"
    assert list(json.loads(texts)) == documented_codes()


def test_every_setting_has_a_meaning_and_every_meaning_a_setting() -> None:
    assert set(MEANINGS) == {field.name for field in fields(Settings) if field.default is not MISSING}
    assert set(AWS_MEANINGS) == {field.name for field in fields(AwsSettings)}


def documented_codes() -> list[str]:
    text = (DOCS / "problems.md").read_text(encoding="utf-8")
    return re.findall(r"^### `([a-z0-9-]+)`$", text, flags=re.MULTILINE)


def test_every_error_code_is_documented() -> None:
    known = documented_codes()
    missing = {code: files for code, files in codes_in_code().items() if code not in known}
    assert missing == {}


def test_every_documented_error_code_exists_and_stands_there_once_in_order() -> None:
    known, raised = documented_codes(), codes_in_code()
    assert [code for code in known if code not in raised] == []
    assert len(set(known)) == len(known)


def test_owners_are_told_of_every_key_of_a_source_and_every_example_of_their_page_runs() -> None:
    page = (DOCS / "data-owners.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`.*?) \|", page, flags=re.MULTILINE)
    told = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert {field.name for field in fields(SourceRules)} - told == set()
    blocks = re.findall(r"^(.*)\n```\w+$", page, flags=re.MULTILINE)
    assert set(blocks) == {"<!-- tested -->"}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    prose = re.sub(r"`[^`\n]*`", "", page.read_text(encoding="utf-8"))
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", prose)
    local = [link for link in links if not link.startswith(("http://", "https://", "mailto:"))]
    assert [link for link in local if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", sorted((DOCS / "decisions").glob("*.md")), ids=lambda path: path.name)
def test_a_decision_is_short_and_says_what_was_refused(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", page.name)
    assert text.startswith(f"# {int(page.name[:4])}. ")
    assert len(text.splitlines()) <= MAX_DECISION_LINES
    assert re.search(r"refused|rejected|instead", text, flags=re.IGNORECASE)


def test_decisions_have_numbers_of_their_own() -> None:
    numbers = [page.name[:4] for page in (DOCS / "decisions").glob("*.md")]
    assert sorted(set(numbers)) == sorted(numbers)


def test_the_readme_names_both_stories_on_its_first_screen() -> None:
    first_screen = "\n".join((ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:45])
    for shown in ("etl/ingest.py", "athena/ask.py", "make demo", "make test"):
        assert shown in first_screen


def test_words_that_the_design_fixes_are_listed() -> None:
    listed = set(re.findall(r"\*\*([a-z, ]+)\*\*", (DOCS / "words.md").read_text(encoding="utf-8")))
    fixed = {
        *("landing file", "dataset", "contract", "source", "block", "load", "reject", "snapshot", "data version"),
        *("head", "partner", "grant", "question", "answer", "fingerprint"),
    }
    assert fixed <= listed
