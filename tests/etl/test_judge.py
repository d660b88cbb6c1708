"""What a content that was read means for the table: the union sentence, case by case, without a table."""

from etl.union import Holdings, Slot, Verdict, hold, judge, let_go, settle

NOTHING = Holdings({}, {})


def slot(name: str, unit: str, *, interpretation: str = "now", source: str = "s") -> Slot:
    return Slot(name, name, interpretation, unit, source, f"load of {unit}")


def now(_source: str) -> str:
    return "now"


def test_a_first_content_is_loaded() -> None:
    assert judge(NOTHING, "a", "c1", current=now) == Verdict("loaded", "c1", needs_rows=True)


def test_another_content_of_the_same_unit_replaces() -> None:
    state = hold(NOTHING, "a", slot("c1", "a"))
    assert judge(state, "a", "c2", current=now) == Verdict("replaced", "c2", needs_rows=True)
    after = settle(hold(state, "a", slot("c2", "a")))
    assert (after.units, set(after.slots)) == ({"a": "c2"}, {"c2"})


def test_the_same_content_of_the_same_unit_is_unchanged() -> None:
    state = hold(NOTHING, "a", slot("c1", "a"))
    assert judge(state, "a", "c1", current=now) == Verdict("unchanged", "c1", needs_rows=False)


def test_the_same_content_of_another_unit_is_a_duplicate_of_the_first() -> None:
    state = hold(hold(NOTHING, "b", slot("c1", "b")), "a", slot("c1", "b"))
    assert judge(state, "z", "c1", current=now) == Verdict("duplicate", "c1", needs_rows=False, duplicate_of="b")


def test_when_the_first_is_gone_a_duplicate_names_one_that_holds() -> None:
    state = let_go(hold(hold(NOTHING, "b", slot("c1", "b")), "a", slot("c1", "b")), ["b"])
    assert judge(state, "z", "c1", current=now).duplicate_of == "a"


def test_rows_stay_while_anybody_holds_them() -> None:
    state = hold(hold(NOTHING, "a", slot("c1", "a")), "b", slot("c1", "a"))
    assert set(settle(let_go(state, ["a"])).slots) == {"c1"}
    assert set(settle(let_go(state, ["a", "b"])).slots) == set()


def test_rows_of_another_interpretation_are_loaded_again() -> None:
    state = hold(NOTHING, "a", slot("c1", "a", interpretation="then"))
    assert judge(state, "a", "c1", current=now) == Verdict("replaced", "c1", needs_rows=True)


def test_what_is_current_is_decided_by_the_source_that_brought_the_rows() -> None:
    state = hold(NOTHING, "a", slot("c1", "a", interpretation="of s", source="s"))
    verdict = judge(state, "b", "c1", current=lambda source: f"of {source}")
    assert verdict.status == "duplicate"


def test_holders_and_orphans_are_told() -> None:
    state = let_go(hold(hold(NOTHING, "a", slot("c1", "a")), "b", slot("c2", "b")), ["b"])
    assert (state.holders("c1"), state.holders("c2"), state.orphans()) == (("a",), (), ("c2",))
