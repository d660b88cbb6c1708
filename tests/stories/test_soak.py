"""The short form of `make soak`."""

from pathlib import Path

import pytest

from tests.lakegate.server import Got
from tests.stories.soak import judged, soak


def test_mixed_load_gives_no_wrong_answer(tmp_path: Path) -> None:
    happened = soak(20, tmp_path, clients=16)
    assert happened["wrong"] == []
    assert happened["hit"] > 0 and happened["miss"] > 0 and happened["edits"] > 0 and happened["kills"] > 0


@pytest.mark.long
def test_ten_minutes_of_mixed_load_give_no_wrong_answer_and_memory_stays(tmp_path: Path) -> None:
    happened = soak(600, tmp_path)
    assert happened["wrong"] == []
    memory = happened["memory_mb"]
    assert memory[-1] < memory[len(memory) // 4] * 1.3 + 50, memory


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (["20", "30", "a", "a"], None),
        (["10", "10", "a", "a"], "not the rows of any state in between"),
        (["20", "30", "b", "b"], "somebody else's rows"),
        (["40", "60", "a", "b"], "somebody else's rows"),
    ],
    ids=["right", "too-few", "foreign", "both"],
)
def test_the_judge_tells_wrong_answers(row: list[str], fault: str | None) -> None:
    import json

    got = Got(200, {}, json.dumps({"state": "SUCCEEDED", "rows": [row]}).encode())
    assert judged(got, least=0, loaded=2, dropped=3, seen={"a"}) == fault
