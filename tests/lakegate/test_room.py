import pytest

from athena.errors import Busy
from lakegate.room import MOST_BODY_BYTES, Room, available_bytes


def test_requests_are_refused_while_memory_is_short_and_taken_again_after() -> None:
    left = [50]
    room = Room(100, lambda: left[0])
    room.check()
    room.look()
    with pytest.raises(Busy, match="too little memory") as busy:
        room.check()
    assert busy.value.retry_after_seconds == 5
    left[0] = 200
    room.look()
    room.check()


def test_nothing_is_refused_where_nobody_knows_or_nobody_cares() -> None:
    for room in (Room(100, lambda: None), Room(0, lambda: 0)):
        room.look()
        room.check()


def test_large_bodies_share_what_there_is_and_give_it_back() -> None:
    room = Room(0)
    with room.held() as first, room.held() as second:
        first.take(MOST_BODY_BYTES - 10)
        second.take(10)
        with pytest.raises(Busy, match="too many large bodies"):
            second.take(1)
    assert room.body_bytes == 0
    with room.held() as held:
        held.take(MOST_BODY_BYTES)


def test_this_machine_tells_what_it_has_left() -> None:
    left = available_bytes()
    assert left is None or left > 0
