"""The union sentence under arbitrary interleavings, against a model of a few lines."""

import shutil
import tempfile
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from athena.errors import NotFound
from etl.contract_file import read_contract, write_contract
from etl.doctor import examine
from etl.ingest import ingest, reconcile, reload, retract
from etl.maintain import maintain
from tests.archives import gz_of, zip_of
from tests.home import drop, intake_at, reports_of, values_of
from tests.stories.steps import COMMIT

# Contents by name: what rows a file of this content gives; None for one that fails as a whole.
CONTENTS: dict[str, tuple[int, ...] | None] = {
    "empty": (),
    "one": (1,),
    "two": (2, 3),
    "three": (3, 4, 5),  # shares the value 3, but not the content, with "two"
    "bad": None,
}
TEXTS = {
    name: "n,name\n" + "1,v\n" * 8 + "1\n2\n"
    if values is None
    else "n,name\n" + "".join(f"{value},v{value}\n" for value in values)
    for name, values in CONTENTS.items()
}
PLAIN = ("t/a.csv", "t/b.csv", "t/s/c.csv.gz")
ARCHIVE = "t/all.zip"
MEMBERS = ("x.csv", "y.csv")
STEPS = ("compacted", *COMMIT)

names = st.sampled_from(sorted(CONTENTS))
files = st.one_of(
    st.tuples(st.sampled_from(PLAIN), names),
    st.tuples(st.just(ARCHIVE), st.dictionaries(st.sampled_from(MEMBERS), names, min_size=1)),
)


class Crash(Exception):
    """The process dies here: nothing behind this point happens."""


class Union(RuleBasedStateMachine):
    """`landing` is what lies there, `waiting` which of it was not looked into yet, `held` what every unit holds,
    `retracted` the keys that were."""

    def __init__(self) -> None:
        super().__init__()
        self.home = Path(tempfile.mkdtemp())
        self.intake = intake_at(self.home / "home")
        self.landing: dict[str, str | dict[str, str]] = {}
        self.waiting: set[str] = set()
        self.held: dict[str, str] = {}
        self.retracted: set[str] = set()
        self.last: str | None = None

    @initialize()
    def a_first_file(self) -> None:
        """So that there is a contract to edit."""
        self.drops(("t/a.csv", "one"))
        self.reconciles()

    @rule(file=files)
    def drops(self, file: tuple[str, str | dict[str, str]]) -> None:
        key, content = file
        if isinstance(content, dict):
            drop(self.intake, key, zip_of({member: TEXTS[name] for member, name in sorted(content.items())}))
        else:
            drop(self.intake, key, gz_of(TEXTS[content]) if key.endswith(".gz") else TEXTS[content])
        self.landing[key] = content
        self.waiting.add(key)

    @precondition(lambda self: self.landing)
    @rule(data=st.data())
    def an_event_comes(self, data: st.DataObject) -> None:
        """Early, late, or for the second time."""
        key = data.draw(st.sampled_from(sorted(self.landing)))
        ingest(self.intake, key)
        self._was_read(key)

    @precondition(lambda self: self.landing)
    @rule(data=st.data(), step=st.sampled_from(STEPS))
    def a_worker_dies(self, data: st.DataObject, step: str) -> None:
        key = data.draw(st.sampled_from(sorted(self.landing)))
        self._dying(step, lambda intake: ingest(intake, key))
        self.reconciles()
        ingest(self.intake, key)
        self._was_read(key)

    @precondition(lambda self: len(self.landing) > 1)
    @rule(data=st.data())
    def another_worker_is_faster(self, data: st.DataObject) -> None:
        first, second = data.draw(st.permutations(sorted(self.landing)))[:2]
        done: list[str] = []

        def overtake(step: str) -> None:
            # The files of `first` are read, the lease is not taken yet: that of the other one is.
            if step == "read" and not done:
                done.append(step)
                ingest(self.intake, second)

        ingest(replace(self.intake, step=overtake), first)
        assert done
        self._was_read(second)
        self._was_read(first)

    @rule()
    def reconciles(self) -> None:
        reports_of(reconcile(self.intake))
        for key in sorted(self.waiting):
            self._was_read(key)

    @precondition(lambda self: self.landing)
    @rule(data=st.data())
    def a_file_vanishes(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.landing)))
        (self.intake.settings.landing / key).unlink()
        del self.landing[key]
        self.waiting.discard(key)

    @precondition(lambda self: self.held)
    @rule(data=st.data(), step=st.one_of(st.none(), st.sampled_from(STEPS)))
    def retracts(self, data: st.DataObject, step: str | None) -> None:
        unit = data.draw(st.sampled_from(sorted(self.held)))
        key = unit.partition("!")[0]
        if step is not None:
            self._dying(step, lambda intake: retract(intake, key))
            self.reconciles()
        if any(one.partition("!")[0] == key for one in self.held):
            with suppress(NotFound) if step is not None else nullcontext():
                retract(self.intake, key)
        self._lets_go(key)
        self.retracted.add(key)

    @rule(step=st.one_of(st.none(), st.sampled_from((*STEPS, "expired", "noted"))))
    def is_maintained(self, step: str | None) -> None:
        """Small files become one; what nobody names goes at once, since nobody reads just now."""
        if step is not None:
            self._dying(step, lambda intake: maintain(intake, grace=timedelta(0)))
        maintain(self.intake, grace=timedelta(0))

    @precondition(lambda self: self.landing)
    @rule(data=st.data())
    def a_load_overtakes_maintenance(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.landing)))
        done: list[str] = []

        def overtake(step: str) -> None:
            if step == "compacted" and not done:
                done.append(step)
                ingest(self.intake, key)

        maintain(replace(self.intake, step=overtake), grace=timedelta(0))
        if done:
            self._was_read(key)

    @precondition(lambda self: self.landing)
    @rule(data=st.data(), to=st.sampled_from(PLAIN))
    def a_file_is_renamed(self, data: st.DataObject, to: str) -> None:
        """The rows stay whatever the name; only a content that fits the new name is moved."""
        plain = [key for key in sorted(self.landing) if key in PLAIN and key.endswith(".gz") == to.endswith(".gz")]
        if plain and (key := data.draw(st.sampled_from(plain))) != to:
            (self.intake.settings.landing / to).parent.mkdir(parents=True, exist_ok=True)
            (self.intake.settings.landing / key).rename(self.intake.settings.landing / to)
            if to in self.retracted:
                # It may be the very file that was retracted under this name: that stays so until it is written anew.
                (self.intake.settings.landing / to).touch()
            self.landing[to] = self.landing.pop(key)
            self.waiting.discard(key)
            self.waiting.add(to)

    @rule()
    def reloads(self) -> None:
        if self.landing:
            reload(self.intake, "t")
            for key in sorted(self.landing):
                self._was_read(key)

    @rule(new_columns=st.sampled_from(["add", "ignore"]))
    def the_owner_edits_the_contract(self, new_columns: str) -> None:
        path = self.intake.contract_path("t")
        if path.exists():
            write_contract(path, replace(read_contract(path), new_columns=new_columns))  # type: ignore[arg-type]
            self.reconciles()

    @invariant()
    def the_table_is_the_union(self) -> None:
        wanted = set(self.held.values())
        values = sorted(value for name in wanted for value in CONTENTS[name] or ())
        assert values_of(self.intake, "t", "n") == values
        head = self.intake.heads.get("t")
        assert head is None or (head.intent, head.rows) == (None, len(values))

    def teardown(self) -> None:
        wrong = [one for one in examine(self.home / "home") if one.level == "error"]
        shutil.rmtree(self.home)
        assert wrong == []

    def _was_read(self, key: str) -> None:
        self.waiting.discard(key)
        content = self.landing[key]
        if isinstance(content, str):
            if CONTENTS[content] is not None:
                self.held[key] = content
            return
        good = {member: name for member, name in content.items() if CONTENTS[name] is not None}
        if good:
            there = {f"{key}!{member}" for member in content}
            self.held = {u: n for u, n in self.held.items() if u.partition("!")[0] != key or u in there}
            self.held |= {f"{key}!{member}": name for member, name in good.items()}

    def _lets_go(self, key: str) -> None:
        self.held = {unit: name for unit, name in self.held.items() if unit.partition("!")[0] != key}

    def _dying(self, step: str, act: Callable[..., object]) -> None:
        def die(reached: str) -> None:
            if reached == step:
                raise Crash

        with suppress(Crash, NotFound):
            act(replace(self.intake, step=die))


QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


def test_the_union_sentence_holds_after_any_sequence() -> None:
    run_state_machine_as_test(
        Union,
        settings=settings(max_examples=12, stateful_step_count=12, suppress_health_check=QUIET),
    )


@pytest.mark.long
def test_the_union_sentence_holds_after_any_long_sequence() -> None:
    run_state_machine_as_test(
        Union,
        settings=settings(max_examples=120, stateful_step_count=30, suppress_health_check=QUIET),
    )
