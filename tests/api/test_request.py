import pytest

from api.problem import WrongRequest
from api.request import Incoming, Paged, accepted, read_page

OFFERED = ("application/json", "text/csv")


def got(**query: tuple[str, ...]) -> Incoming:
    return Incoming("GET", "/v1/queries/{id}/rows", query, b"")


def test_a_page_is_named_by_token_and_limit() -> None:
    assert read_page(got()) == Paged(None, None)
    assert read_page(got(page=("abc",), limit=("10",))) == Paged("abc", 10)


@pytest.mark.parametrize("limit", ["0", "-1", "1.5", "ten", "", "99999999999", "٣", "1_0", " 1", "+1"])
def test_a_limit_is_a_whole_number_of_at_least_one(limit: str) -> None:
    with pytest.raises(WrongRequest) as refused:
        read_page(got(limit=(limit,)))
    assert refused.value.pointer == "/limit"


def test_unknown_and_repeated_fields_are_refused() -> None:
    with pytest.raises(WrongRequest, match="'offset' is no query field") as unknown:
        read_page(got(offset=("1",)))
    assert unknown.value.remedy == "Known here: page, limit, shape, guard."
    with pytest.raises(WrongRequest, match="2 times"):
        read_page(got(limit=("1", "2")))


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, "application/json"),
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/csv", "text/csv"),
        ("TEXT/CSV; charset=utf-8", "text/csv"),
        ("text/*", "text/csv"),
        ("text/html, */*;q=0.1", "application/json"),
        ("application/json;q=0, */*", "text/csv"),
        ("application/json;q=0.5, text/csv;q=0.6", "text/csv"),
        ("application/json;q=x, text/csv;q=0.1", "text/csv"),
    ],
)
def test_the_best_liked_media_type_is_chosen(accept: str | None, chosen: str) -> None:
    assert accepted(accept, OFFERED) == chosen


@pytest.mark.parametrize("accept", ["text/html", "application/json;q=0", "application/x-json"])
def test_what_takes_none_is_406(accept: str) -> None:
    with pytest.raises(WrongRequest) as refused:
        accepted(accept, OFFERED)
    assert (refused.value.status, refused.value.remedy) == (406, "Use application/json or text/csv.")
