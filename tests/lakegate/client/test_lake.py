"""The same lake in this process and over HTTP: datasets, answers, types."""

import json
import signal
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import polars
import pyarrow as pa
import pytest

from api.callers.credentials import Issued
from athena.errors import Gone, NotFound, Refused, SqlRefused
from lakegate import connect
from lakegate.cli import run
from lakegate.client.lake import LakeClient
from lakegate.home import init_home
from lakegate.listening import Listening
from tests.lakegate.server import PATIENCE_SECONDS

NAMES = ("id", "word", "yes", "big", "small", "wide", "fare", "day", "at", "instant")
EVERY_TYPE = f"SELECT {', '.join(NAMES)} FROM typed ORDER BY id"
FIRST = {
    "id": 1,
    "word": "",
    "yes": True,
    "big": 2**63 - 1,
    "small": 1.5,
    "wide": 0.1,
    "fare": Decimal("1234567890123456.7891"),
    "day": date(2026, 5, 1),
    "at": datetime(2026, 5, 1, 10, 0, 0, 123456),
    "instant": datetime(2026, 5, 1, 10, 0, 0, 1, tzinfo=UTC),
}
SCHEMA = pa.schema(
    [
        ("id", pa.int32()),
        ("word", pa.string()),
        ("yes", pa.bool_()),
        ("big", pa.int64()),
        ("small", pa.float32()),
        ("wide", pa.float64()),
        ("fare", pa.decimal128(20, 4)),
        ("day", pa.date32()),
        ("at", pa.timestamp("us")),
        ("instant", pa.timestamp("us", "UTC")),
    ]
)
ENDLESS = "SELECT count(*) FROM typed a, typed b" + "".join(f", typed t{at}" for at in range(40))


def test_every_type_survives_into_every_kind_of_frame(owner: LakeClient, partner: LakeClient) -> None:
    for lake in (owner, partner):
        answer = lake.sql(EVERY_TYPE + " LIMIT 1")
        table = answer.arrow()
        assert table.schema == SCHEMA
        assert table.to_pylist() == [FIRST]
        assert answer.polars().to_dicts() == [FIRST]
        assert pa.Table.from_pandas(answer.df(), schema=SCHEMA, preserve_index=False) == table
        assert answer.duckdb().project("id + 1 AS next, fare").fetchall() == [(2, FIRST["fare"])]
        assert list(answer.rows()) == [FIRST]


def test_a_null_is_no_empty_text_and_keeps_its_columns_type(owner: LakeClient, partner: LakeClient) -> None:
    for lake in (owner, partner):
        frame = lake.sql(f"SELECT {', '.join(NAMES)} FROM typed WHERE id = 3").df()
        assert frame["big"].isna().all() and str(frame["big"].dtype) == "int64[pyarrow]"
        assert lake.sql("SELECT word FROM typed WHERE word = ''").row_count == 1


def test_each_sees_what_is_theirs(owner: LakeClient, partner: LakeClient) -> None:
    assert [one.name for one in partner.datasets()] == ["typed"]
    assert {"typed", "typed__rejects"} <= {one.name for one in owner.datasets()}
    assert owner["typed"].rows == 3 and partner["typed"].rows is None
    assert "secret" in {column.name for column in owner["typed"].columns}
    assert [column.name for column in partner["typed"].columns] == list(NAMES)
    assert partner["typed"].all().row_count == 2
    assert "typed" in partner and "absent" not in partner and 7 not in partner
    with pytest.raises(NotFound):
        partner["absent"]
    with pytest.raises(NotFound):
        partner.sql("SELECT secret FROM typed").run()


def test_a_partner_in_this_process_sees_what_the_server_shows(typed_home: Path, partner: LakeClient) -> None:
    with connect(typed_home, partner="eve") as here:
        assert here.sql(EVERY_TYPE).arrow() == partner.sql(EVERY_TYPE).arrow()
        with pytest.raises(Refused, match="takes no files"):
            here.load("x.csv", dataset="typed")
        with pytest.raises(Refused, match="owner"):
            here["typed"].history()


def test_nothing_is_asked_before_it_is_used_and_then_once(owner: LakeClient) -> None:
    answer = owner.sql("SELECT 41 + 1 AS n")
    assert "not asked yet" in repr(answer)
    assert answer.value() == 42
    asked_at = answer.submitted_at
    assert answer.df()["n"].tolist() == [42] and answer.submitted_at == asked_at
    assert owner.sql("SELECT 41 + 1 AS n").run().cache == "hit"
    assert owner.sql("SELECT 41 + 1 AS n", refresh=True).run().cache == "miss"


def test_parameters_are_typed_by_place_and_by_name(owner: LakeClient, partner: LakeClient) -> None:
    for lake in (owner, partner):
        assert (
            lake.sql("SELECT id FROM typed WHERE id = ? AND day = CAST(? AS date)", [1, date(2026, 5, 1)]).value() == 1
        )
        assert lake.sql("SELECT :x || 'b'", {"x": "'; DROP TABLE typed"}).value() == "'; DROP TABLE typedb"
    with pytest.raises(Refused, match="Give a list"):
        owner.sql("SELECT ?", "abc")
    with pytest.raises(Refused, match="bytes"):
        owner.sql("SELECT ?", [b"x"])


def test_errors_are_those_of_the_lake_over_http_too(owner: LakeClient, partner: LakeClient) -> None:
    for lake in (owner, partner):
        with pytest.raises((SqlRefused, Refused), match="line 1") as refusal:
            lake.sql("SELEC 1").run()
        assert refusal.value.code == "sql-syntax"
        with pytest.raises(Refused) as failure:
            lake.sql("SELECT CAST(word AS integer) FROM typed").run()
        assert failure.value.code == "cast-failed"
    with pytest.raises(Refused, match="2 columns"):
        owner.sql("SELECT 1, 2").value()


def test_a_row_limit_is_told(owner: LakeClient, partner: LakeClient) -> None:
    for lake in (owner, partner):
        answer = lake.sql("SELECT id FROM typed", limit=1)
        assert (answer.row_count, answer.truncated) == (1, True)


def test_more_rows_than_a_page_come_whole_and_in_order(owner: LakeClient, partner: LakeClient) -> None:
    numbers = (
        "SELECT x * 10000 + y AS n FROM UNNEST(sequence(0, 2)) AS a (x), UNNEST(sequence(0, 9999)) AS b (y) ORDER BY n"
    )
    for lake in (owner, partner):
        answer = lake.sql(numbers)
        assert answer.row_count == 30_000
        assert answer.arrow()["n"].to_pylist() == list(range(30_000))
        assert answer.head(7).num_rows == 7


def test_not_a_number_is_not_lost_over_http(owner: LakeClient, partner: LakeClient) -> None:
    for lake in (owner, partner):
        answer = lake.sql("SELECT nan() AS a, infinity() AS b")
        assert repr(answer.arrow().to_pylist()) == "[{'a': nan, 'b': inf}]"
        assert answer.warnings


ASKER = """
import sys
from lakegate import connect
lake = connect(sys.argv[1], client_id=sys.argv[2] or None, client_secret=sys.argv[3] or None)
answer = lake.sql(sys.argv[4])
ask, asked = lake.link.ask, []

def noted(query):
    asked.append(ask(query))
    print("asked", flush=True)
    return asked[0]

lake.link.ask = noted
try:
    answer.run()
except KeyboardInterrupt:
    print(lake.link.look(asked[0], seconds=0).state, flush=True)
"""


def interrupted(target: str, issued: Issued | None, sql: str) -> tuple[str, datetime]:
    """What a process of its own says after Ctrl-C of where its question stands, and when it was interrupted."""
    given = ("", "") if issued is None else (issued.client_id, issued.secret)
    command = [sys.executable, "-c", ASKER, target, *given, sql]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as asker:
        assert asker.stdout is not None
        assert asker.stdout.readline() == "asked\n"
        time.sleep(0.5)
        asker.send_signal(signal.SIGINT)
        at = datetime.now(UTC)
        return asker.stdout.readline().strip(), at


def cancelled_runs(home: Path, *, count: int) -> list[datetime]:
    """When the server's own log says that runs ended because they were cancelled."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        lines = [line for file in (home / "audit").glob("*") for line in file.read_bytes().splitlines()]
        entries = [json.loads(line) for line in lines]
        runs = [entry for entry in entries if entry["event"] == "run" and entry["outcome"] == "cancelled"]
        if len(runs) >= count or time.monotonic() > until:
            return sorted(
                datetime.fromisoformat(run["at"]) + timedelta(milliseconds=run["milliseconds"]) for run in runs
            )
        time.sleep(0.2)


def test_an_interrupt_stops_the_run_in_the_engine_long_before_its_time_is_up(
    partner: LakeClient, server: Listening, eve: Issued, typed_home: Path
) -> None:
    interrupts = []
    for number in range(2):  # as many as the engine has children
        state, at = interrupted(server.url, eve, f"{ENDLESS} WHERE a.id <> {number + 100}")
        assert state == "CANCELLED"
        interrupts.append(at)
    ended = cancelled_runs(typed_home, count=2)
    assert [(end - at).total_seconds() < PATIENCE_SECONDS for at, end in zip(interrupts, ended, strict=True)] == [
        True,
        True,
    ]
    # With the runs going on, this would wait for a child until they time out.
    assert partner.sql("SELECT count(*) FROM typed WHERE id < 7").value() == 2


def test_an_interrupt_in_the_homes_own_process_ends_it_too(typed_home: Path) -> None:
    assert interrupted(str(typed_home), None, ENDLESS)[0] == "CANCELLED"


def test_older_states_are_the_owners_to_read(tmp_path: Path) -> None:
    home = init_home(tmp_path / "home").home
    file = tmp_path / "n.csv"
    for text in ("n\n1\n", "n\n1\n2\n", "n,m\n1,a\n2,b\n3,c\n"):
        file.write_text(text)
        assert run(["load", str(file), "--dataset", "numbers", "--home", str(home)]) == 0
    with connect(home) as lake:
        past = lake["numbers"].history()
        assert [one.rows for one in past] == [1, 2, 3]
        count = "SELECT count(*) FROM numbers"
        assert [lake.sql(count, as_of=one.snapshot_id).value() for one in past] == [1, 2, 3]
        assert lake.sql(count, as_of=past[1].committed_at).value() == 2
        assert lake.sql(count, as_of=past[1].committed_at.isoformat()).run().cache == "hit"
        assert lake["numbers"].all(as_of=past[-1].snapshot_id).row_count == 3
        with pytest.raises(NotFound):  # the column came later
            lake.sql("SELECT m FROM numbers", as_of=past[0].snapshot_id).run()
        with pytest.raises(Gone, match="oldest kept"):
            lake.sql(count, as_of="2020-01-01T00:00:00Z").run()
        with pytest.raises(Refused, match="as_of is a date"):
            lake.sql(count, as_of=date(2026, 1, 1))  # type: ignore[arg-type]
        for wrong, said in (("yesterday", "neither"), ("2026-01-01T00:00:00", "no time zone")):
            with pytest.raises(Refused, match=said):
                lake.sql(count, as_of=wrong).run()


def test_a_partner_may_not_ask_for_older_states(partner: LakeClient, typed_home: Path) -> None:
    with pytest.raises(Refused, match="state of now"):
        partner.sql("SELECT 1 FROM typed", as_of="2026-01-01T00:00:00Z").run()
    with connect(typed_home, partner="eve") as here, pytest.raises(Refused, match="owner"):
        here.sql("SELECT 1 FROM typed", as_of="2026-01-01T00:00:00Z").run()


def test_frames_are_loaded_through_landing(tmp_path: Path) -> None:
    home = init_home(tmp_path / "home").home
    with connect(home) as lake:
        table = pa.table({"n": [1, None, 3], "word": ["", None, 'a "b",\nc'], "day": [date(2026, 5, 1), None, None]})
        assert lake.load(table, dataset="small")["rows_loaded"] == 3
        back = lake.sql("SELECT n, word, day FROM small").arrow()
        assert back.to_pylist() == table.to_pylist()
        grown = polars.from_arrow(table)
        assert lake.load(grown, dataset="small", name="more.csv")["status"] == "duplicate"
        assert lake.load(table.slice(0, 1).to_pandas(), dataset="small", name="upload.csv")["rows_loaded"] == 1
        with pytest.raises(Refused, match="list"):
            lake.load([1, 2], dataset="small")
        with pytest.raises(Refused, match="lists or structs"):
            lake.load(pa.table({"a": [[1]]}), dataset="small")


def test_a_profile_counts_what_is_there(owner: LakeClient) -> None:
    found = {one.column.name: one for one in owner["typed"].profile()}
    assert (found["id"].rows, found["id"].nulls, found["id"].distinct) == (3, 0, 3)
    assert (found["id"].least, found["id"].greatest) == (1, 3)
    assert sum(found["id"].histogram) == 3
    assert (found["big"].nulls, found["big"].least) == (1, -(2**63))
    assert found["word"].histogram == ()
