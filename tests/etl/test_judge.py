"""What a content that was read means for the table: the union sentence, case by case, without a table."""

from etl.union import Draft, Holdings, Slot, Verdict, judge

NOTHING = Holdings({}, {})


def held(*pairs: tuple[str, Slot], gone: str = "") -> Draft:
    draft = Draft(NOTHING)
    for unit, of in pairs:
        draft.hold(unit, of)
    draft.let_go([gone])
    return draft


def slot(name: str, unit: str, *, interpretation: str = "now", source: str = "s") -> Slot:
    return Slot(name, name, interpretation, unit, source, f"load of {unit}")


def now(_source: str) -> str:
    return "now"


def test_a_first_content_is_loaded() -> None:
    assert judge(NOTHING, "a", "c1", current=now) == Verdict("loaded", "c1", needs_rows=True)


def test_another_content_of_the_same_unit_replaces() -> None:
    draft = held(("a", slot("c1", "a")))
    assert judge(draft.now, "a", "c2", current=now) == Verdict("replaced", "c2", needs_rows=True)
    draft.hold("a", slot("c2", "a"))
    after = draft.settled()
    assert (after.units, set(after.slots)) == ({"a": "c2"}, {"c2"})


def test_the_same_content_of_the_same_unit_is_unchanged() -> None:
    state = held(("a", slot("c1", "a"))).now
    assert judge(state, "a", "c1", current=now) == Verdict("unchanged", "c1", needs_rows=False)


def test_the_same_content_of_another_unit_is_a_duplicate_of_the_first() -> None:
    state = held(("b", slot("c1", "b")), ("a", slot("c1", "b"))).now
    assert judge(state, "z", "c1", current=now) == Verdict("duplicate", "c1", needs_rows=False, duplicate_of="b")


def test_when_the_first_is_gone_a_duplicate_names_one_that_holds() -> None:
    state = held(("b", slot("c1", "b")), ("a", slot("c1", "b")), gone="b").now
    assert judge(state, "z", "c1", current=now).duplicate_of == "a"


def test_rows_stay_while_anybody_holds_them() -> None:
    draft = held(("a", slot("c1", "a")), ("b", slot("c1", "a")), gone="a")
    assert set(draft.settled().slots) == {"c1"}
    draft.let_go(["b"])
    assert set(draft.settled().slots) == set()


def test_rows_of_another_interpretation_are_loaded_again() -> None:
    state = held(("a", slot("c1", "a", interpretation="then"))).now
    assert judge(state, "a", "c1", current=now) == Verdict("replaced", "c1", needs_rows=True)


def test_what_is_current_is_decided_by_the_source_that_brought_the_rows() -> None:
    state = held(("a", slot("c1", "a", interpretation="of s", source="s"))).now
    verdict = judge(state, "b", "c1", current=lambda source: f"of {source}")
    assert verdict.status == "duplicate"


def test_holders_and_orphans_are_told() -> None:
    state = held(("a", slot("c1", "a")), ("b", slot("c2", "b")), gone="b").now
    assert (state.holders("c1"), state.holders("c2"), state.orphans()) == (("a",), (), ("c2",))
