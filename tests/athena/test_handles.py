"""Ids and tokens that only we can make."""

import string
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from athena.errors import NotFound
from athena.handles import Handle, read_handle, read_offset, sign_handle, sign_offset
from athena.question import OWNER, Caller

SECRET = b"s" * 32
HANDLE = Handle("ab" * 32, 3, "cd" * 8, datetime(2026, 3, 1, 12, 0, 0, 123456, UTC), "joined", "12" * 8, alone=True)
UA = Caller("ua")
ID = sign_handle(HANDLE, UA, secret=SECRET)


def test_an_id_says_what_was_put_into_it() -> None:
    assert read_handle(ID, UA, secret=SECRET) == HANDLE


def test_an_id_fits_into_a_url() -> None:
    assert set(ID) <= set(string.ascii_letters + string.digits + "_-")
    assert len(ID) < 128


@pytest.mark.parametrize("caller", [Caller("dl"), Caller(""), Caller("owner"), Caller("partner:ua"), OWNER])
def test_for_anybody_else_it_does_not_exist(caller: Caller) -> None:
    with pytest.raises(NotFound):
        read_handle(ID, caller, secret=SECRET)


def test_another_homes_id_does_not_exist() -> None:
    with pytest.raises(NotFound):
        read_handle(ID, UA, secret=b"t" * 32)


@given(st.integers(0, len(ID) - 1), st.sampled_from(string.ascii_letters + string.digits + "_-="))
def test_a_changed_id_does_not_exist(place: int, letter: str) -> None:
    changed = ID[:place] + letter + ID[place + 1 :]
    try:
        assert read_handle(changed, UA, secret=SECRET) == HANDLE
    except NotFound:
        assert changed != ID


@given(st.text())
def test_rubbish_is_no_id_and_no_token(text: str) -> None:
    for tried in (text, "q_" + text):
        with pytest.raises(NotFound):
            read_handle(tried, UA, secret=SECRET)
    with pytest.raises(NotFound):
        read_offset(text, ID, secret=SECRET)


def test_a_page_token_belongs_to_its_answer() -> None:
    token = sign_offset(1000, ID, secret=SECRET)
    assert read_offset(token, ID, secret=SECRET) == 1000
    with pytest.raises(NotFound):
        read_offset(token, sign_handle(HANDLE, OWNER, secret=SECRET), secret=SECRET)
