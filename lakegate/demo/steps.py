"""What happens in the demo, in order. Every number that is shown was measured or counted in this run."""

import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from athena.errors import Failed
from athena.lake import Lake
from lakegate.demo.asking import Client, Reply, ask
from lakegate.demo.data import DemoFile, corrected_weather, counted, damaged_flights, drop
from lakegate.demo.telling import Teller
from lakegate.screen import Label

if TYPE_CHECKING:
    from etl.ingest import Load
    from etl.report import Report

LOAD_SECONDS = 120.0
POLL_SECONDS = 0.1

QUESTION = """
SELECT a.name AS airline, f.origin, count(*) AS flights,
       round(avg(f.dep_delay), 1) AS mean_delay_min, max(w.top_wind) AS top_wind_mph
FROM flights f
JOIN airlines a ON a.carrier = f.carrier
JOIN (SELECT origin, month, day, max(wind_speed) AS top_wind FROM weather GROUP BY origin, month, day) w
  ON w.origin = f.origin AND w.month = f.month AND w.day = f.day
GROUP BY a.name, f.origin ORDER BY flights DESC LIMIT 5
"""
FORBIDDEN = ("SELECT tailnum FROM flights LIMIT 1", "SELECT * FROM planes LIMIT 1", "SELECT * FROM no_such_table")

GRANTS = {
    "united": """
description = "United Airlines: its own flights, without tail numbers"
[datasets.flights]
rows    = "carrier = 'UA'"
columns = ["*", "!tailnum"]
[datasets.airlines]
[datasets.weather]
""",
    "kennedy": """
description = "Kennedy airport: whatever departs from there"
[datasets.flights]
rows    = "origin = 'JFK'"
[datasets.airlines]
[datasets.weather]
""",
}


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the demo plays: who tells, which lake, which server, and the home as people would write it."""

    teller: Teller
    lake: Lake
    url: str
    folder: Path

    @property
    def landing(self) -> Path:
        """Where owners drop files."""
        return self.lake.settings.landing


def drop_files(stage: Stage, files: Sequence[DemoFile]) -> None:
    """Drop the five files; tell each load's report and compare its rows with an independent count."""
    stage.teller.step("Five files are dropped into landing/, as they come")
    for file in files:
        drop(file.path, stage.landing, dataset=file.dataset)
    table = []
    for file in files:
        report = _loaded(stage, file.dataset, known=frozenset())
        expected = counted(file.path)
        if report.rows_loaded != expected or report.rows_rejected:
            raise Failed(
                f"{report.file}: {report.rows_loaded:,} rows loaded, {expected:,} records counted.",
                f"Look at `{_command()} rejects {file.dataset} --home {stage.folder}`.",
                code="demo-mismatch",
            )
        table.append(_report_row(report))
    names = ("file", "rows", "rejected", "columns", "encoding", "seconds")
    stage.teller.table(names, table, right=(False, True, True, True, False, True))
    stage.teller.remark("Each number of rows equals what Python's csv module counts in the same file.")


def write_partners(stage: Stage) -> tuple[Client, Client]:
    """Write the grants of two partners and give each a client."""
    from api.callers.credentials import Credentials

    stage.teller.step("Two partners may ask; what each sees is a file")
    credentials = Credentials.embedded(stage.lake.settings)
    clients = []
    for name, text in GRANTS.items():
        (stage.lake.settings.partners / f"{name}.toml").write_text(text.lstrip(), encoding="utf-8")
        stage.teller.say(f"partners/{name}.toml")
        stage.teller.block(text)
        issued = credentials.add_client(name)
        clients.append(Client(stage.url, issued.client_id, issued.secret))
    return clients[0], clients[1]


def ask_twice(stage: Stage, united: Client) -> None:
    """Ask over HTTP, then ask the same again."""
    stage.teller.step("United fetches a token and asks")
    stage.teller.block(QUESTION)
    token = united.token()
    first = _expect(ask(stage.url, token, QUESTION), "miss")
    stage.teller.answer(first.document)
    _tell_outcome(stage, first)
    stage.teller.step("United asks the same again")
    second = _expect(ask(stage.url, token, QUESTION), "hit")
    if second.etag != first.etag or second.document["rows"] != first.document["rows"]:
        raise _unexpected("The second answer is not the first one.")
    _tell_outcome(stage, second)
    stage.teller.remark(
        f"The same ETag {_short(second.etag)}, and the same rows: taken from the cache, nothing computed."
    )


def ask_as_other(stage: Stage, kennedy: Client) -> None:
    """The same text from another partner: other rows, and no shared answer."""
    stage.teller.step("Kennedy asks the very same text, and sees its own rows")
    reply = _expect(ask(stage.url, kennedy.token(), QUESTION), "miss")
    stage.teller.answer(reply.document)
    _tell_outcome(stage, reply)
    stage.teller.remark(f"ETag {_short(reply.etag)}: another grant is another answer; nothing is shared.")


def ask_for_more(stage: Stage, united: Client) -> None:
    """What is denied and what does not exist are refused alike."""
    stage.teller.step("United asks for what it was not granted")
    token = united.token()
    for sql in FORBIDDEN:
        reply = ask(stage.url, token, sql)
        if reply.status != 404 or reply.document.get("code") != "not-found":
            raise _unexpected(f"{sql!r} was answered with {reply.status}.")
        stage.teller.say(f"{sql}\n     → {reply.status} {reply.document['code']}: {reply.document['detail']}")
    stage.teller.remark("A hidden column, a table of somebody else, a table that never was: one answer for all three.")


def drop_correction(stage: Stage, files: Sequence[DemoFile], united: Client) -> None:
    """Replace the weather by a corrected file under the same name; the next answer has the new numbers."""
    stage.teller.step("1,048 mph is no wind: the owner drops a corrected weather.csv over the old one")
    known = _load_ids(stage, "weather")
    with tempfile.TemporaryDirectory() as folder:
        corrected = Path(folder) / "weather.csv"
        corrected_weather(_file(files, "weather"), corrected)
        drop(corrected, stage.landing, dataset="weather")
    report = _loaded(stage, "weather", known=known)
    if report.status != "replaced":
        raise _unexpected(f"The corrected file was {report.status}.")
    stage.teller.say(f"{report.file}: {report.status}, {report.rows_loaded:,} rows, in one commit")
    reply = _expect(ask(stage.url, united.token(), QUESTION), "miss")
    stage.teller.answer(reply.document)
    _tell_outcome(stage, reply)
    stage.teller.remark("New data is a new key: no time-to-live, nothing stale.")


def drop_damage(stage: Stage, files: Sequence[DemoFile]) -> None:
    """Drop a file with four broken records; the good ones are loaded, the others are kept with line and reason."""
    from lakegate.commands.contract import confirm_contract
    from lakegate.commands.query import owner_records

    stage.teller.step("A damaged file lands: 60 flights, four of them broken")
    confirm_contract(stage.lake.settings.contracts / "flights.toml")
    stage.teller.say("First the owner confirms the contract that was inferred: a wrong value now rejects its record.")
    known = _load_ids(stage, "flights")
    with tempfile.TemporaryDirectory() as folder:
        damaged = Path(folder) / "2014-01-01.csv"
        damaged_flights(_file(files, "flights"), damaged)
        drop(damaged, stage.landing, dataset="flights")
    report = _loaded(stage, "flights", known=known)
    skipped = sum(report.lines_skipped.values())
    stage.teller.say(
        f"{report.file}: {report.lines_in} lines in = {skipped} skipped + {report.rows_loaded} loaded"
        f" + {report.rows_rejected} rejected"
    )
    sql = "SELECT first_line, reason, message, substr(raw, 1, 40) AS raw FROM flights__rejects ORDER BY first_line"
    found = owner_records(stage.lake.settings.home, sql)
    stage.teller.table(list(found[0]), [list(record.values()) for record in found], right=(True, False, False, False))
    stage.teller.remark("Rejects are a dataset too (flights__rejects), and a CSV for the owner under reports/.")


def say_what_next(stage: Stage, united: Client, *, kept: bool) -> None:
    """Where things lie, and commands to go on with."""
    home, command = stage.folder, _command()
    stage.teller.step("Where things lie, and what to try next")
    stage.teller.block(
        f"""
{home}/landing/     the files as they were dropped        {home}/tables/    Iceberg, zstd Parquet
{home}/datasets/    contracts, inferred and written down  {home}/partners/  grants
{home}/reports/     what became of each load              {home}/results/   answers, kept while fresh

{command} query "SELECT * FROM flights LIMIT 5" --home {home}
{command} query "SELECT count(*) FROM flights" --partner united --home {home}
{command} loads --home {home}
{command} doctor --home {home}
"""
    )
    if kept:
        stage.teller.say(f"The server stays on {stage.url} until Ctrl-C. As United:")
        stage.teller.block(
            f"""
TOKEN=$(curl -s -u {united.client_id}:{united.secret} -d grant_type=client_credentials \\
  {stage.url}/oauth2/token | python3 -c 'import json, sys; print(json.load(sys.stdin)["access_token"])')
curl -s {stage.url}/v1/queries -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\
  -d '{{"sql": "SELECT origin, count(*) FROM flights GROUP BY origin"}}'
"""
        )
    else:
        stage.teller.block(f"{command} up --home {home}     serve it again")


def _loaded(stage: Stage, dataset: str, *, known: frozenset[str]) -> "Report":
    deadline = time.monotonic() + LOAD_SECONDS
    while time.monotonic() < deadline:
        for load in _loads(stage, dataset):
            if load.load_id not in known and load.report is not None:
                if load.report.error is not None:
                    problem = load.report.error
                    raise Failed(problem.message, problem.remedy, code=problem.code)
                return load.report
        time.sleep(POLL_SECONDS)
    raise _unexpected(f"Nothing was loaded into {dataset} within {LOAD_SECONDS:.0f} s.")


def _load_ids(stage: Stage, dataset: str) -> frozenset[str]:
    return frozenset(load.load_id for load in _loads(stage, dataset))


def _loads(stage: Stage, dataset: str) -> "tuple[Load, ...]":
    from etl.ingest import loads
    from etl.intake import Intake

    return loads(Intake.embedded(stage.lake), dataset)


def _expect(reply: Reply, outcome: str) -> Reply:
    found = reply.document.get("cache") if reply.document.get("state") == "SUCCEEDED" else reply.document
    if found != outcome:
        raise _unexpected(f"The answer should have been a {outcome}, and was: {found}.")
    return reply


def _unexpected(message: str) -> Failed:
    return Failed(message, "This is a fault of Lakegate: please report it.", code="demo-mismatch")


def _tell_outcome(stage: Stage, reply: Reply) -> None:
    stage.teller.say(f"cache: {reply.document['cache']}, {reply.milliseconds:.1f} ms over HTTP")


def _report_row(report: "Report") -> tuple[Label, ...]:
    shown = (report.file, f"{report.rows_loaded:,}", report.rows_rejected, len(report.columns), report.encoding)
    return tuple(map(Label, (*shown, f"{report.seconds:.1f}")))


def _file(files: Sequence[DemoFile], dataset: str) -> Path:
    return next(file.path for file in files if file.dataset == dataset)


def _short(etag: str | None) -> str:
    return f"{(etag or '').strip(chr(34))[:12]}…"


def _command() -> str:
    called = Path(sys.argv[0])
    if called.name != "lakegate":
        return "lakegate"
    return str(called.relative_to(Path.cwd())) if called.is_relative_to(Path.cwd()) else str(called)
