"""Whatever was loaded, replaced, retracted, compacted or widened since: an old answer that is given again equals a new
computation, in rows and in types, and tells the snapshots of now."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from athena.ask import ask, look, wait
from athena.errors import LakegateError
from athena.lake import Lake
from athena.question import OWNER, Answer, Caller, Question
from etl.ingest import ingest, retract
from etl.intake import Intake
from etl.maintain import maintain
from lakegate.home import init_home
from tests.home import drop
from tests.stories.dashboards import CONTRACT, LAYOUTS, files, grants, questions

KEYS = ("a", "b", "c")
STEPS = ("load", "load", "load", "load", "retract", "compact", "widen", "column")


@dataclass
class Seen:
    """How often an old answer was given again, over all examples."""

    asked: int = 0
    hits: int = 0
    names: Iterator[int] = field(default_factory=count)


@dataclass
class Table:
    """One random table in the lake that all examples share."""

    lake: Lake
    intake: Intake
    name: str
    layout: tuple[str, str]
    whole: str = "int"
    more: str = ""
    held: set[str] = field(default_factory=set)

    def contract(self) -> None:
        partition, sort = self.layout
        text = CONTRACT.format(whole=self.whole, more=self.more, partition=partition, sort=sort)
        (self.lake.settings.contracts / f"{self.name}.toml").write_text(text)

    def step(self, kind: str, key: str, content: str) -> None:
        if kind == "retract" and self.held:
            gone = min(self.held)
            retract(self.intake, gone)
            self.held.discard(gone)
        elif kind == "compact" and self.held:
            maintain(self.intake, self.name)
        else:
            if kind == "widen":
                self.whole = "long"
            elif kind == "column":
                self.more = 'extra = { type = "string" }'
            self.contract()
            path = f"{self.name}/{key}.csv"
            drop(self.intake, path, content)
            (report,) = ingest(self.intake, path)
            if report.status in ("loaded", "replaced"):
                self.held.add(path)


def answered(lake: Lake, question: Question) -> Answer:
    return wait(lake, question.caller, ask(lake, question).id, seconds=120)


def told(answer: Answer) -> object:
    """Columns with types, and rows in no order; or why there are none."""
    if answer.page is None:
        return answer.error_code
    page = orjson.loads(b"{" + answer.page.fragment + b"}")
    return page["columns"], sorted(page["rows"], key=repr)


def check(lake: Lake, caller: Caller, sql: str, seen: Seen) -> None:
    """Ask; what was not computed now is computed now, and compared."""
    try:
        answer = answered(lake, Question(caller, sql))
    except LakegateError:
        return  # the same for every asking: the grant does not fit
    seen.asked += 1
    if answer.cache != "hit":
        return
    seen.hits += 1
    heads = {name: lake.head(name) for name in answer.snapshots}
    assert {name: ref.snapshot_id for name, ref in answer.snapshots.items()} == {
        name: head.snapshot_id for name, head in heads.items() if head is not None
    }
    assert look(lake, caller, answer.id).snapshots == answer.snapshots
    anew = answered(lake, Question(caller, sql, cache="refresh"))
    assert (anew.cache, told(answer)) == ("miss", told(anew)), sql


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    home = init_home(tmp_path_factory.mktemp("fresh") / "home").home
    with Lake.embedded(home) as made:
        made.warm()
        yield made


def run(lake: Lake, seen: Seen, data: st.DataObject) -> None:
    """One table through a few commits, one dashboard asked after each of them."""
    number = next(seen.names)
    table = Table(lake, Intake.embedded(lake), f"t{number}", data.draw(st.sampled_from(LAYOUTS)))
    rows = data.draw(grants())
    caller = OWNER if rows is None else Caller(f"p{number}")
    if caller.partner is not None:
        grant = f'[datasets.{table.name}]\nrows = """{rows}"""\n'
        (lake.settings.partners / f"{caller.partner}.toml").write_text(grant, encoding="utf-8")
    asked = data.draw(st.lists(questions(table.name), min_size=2, max_size=5))
    table.step("load", "a", data.draw(files()))
    for sql in asked:
        check(lake, caller, sql, seen)
    for kind in data.draw(st.lists(st.sampled_from(STEPS), min_size=1, max_size=4)):
        table.step(kind, data.draw(st.sampled_from(KEYS)), data.draw(files()))
        for sql in asked:
            check(lake, caller, sql, seen)


def examples(lake: Lake, most: int) -> Seen:
    seen = Seen()

    @settings(
        max_examples=most,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def drawn(data: st.DataObject) -> None:
        run(lake, seen, data)

    drawn()
    return seen


def test_every_hit_equals_recomputation(lake: Lake) -> None:
    seen = examples(lake, 15)
    assert seen.hits > seen.asked / 10, seen


@pytest.mark.long
def test_every_hit_equals_recomputation_a_thousand_times(lake: Lake) -> None:
    seen = examples(lake, 1000)
    assert seen.hits > seen.asked / 10, seen
