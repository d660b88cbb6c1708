"""A row filter costs no pruning: a partner's question reads no more files, row groups and bytes than the same question
without one, and Athena's planner finds its conditions where they prune."""

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import duckdb
import pyarrow as pa
import pytest
import sqlglot
from sqlglot import exp

from athena.engines import Job
from athena.engines.duckdb.plan import Plan, planned
from athena.entitlement import Entitled, entitle
from athena.grants import DatasetGrant, Grant, Limits
from athena.heads import Head
from athena.statement import parse
from tests.tables import Tables

ROWS_PER_FILE, ROWS_PER_GROUP = 8_192, 2_048
UNFILTERED = None
FILTERS = ("carrier = 'UA'", "carrier IN ('UA', 'DL')", "carrier = 'UA' OR t = '7'", "n >= 0 AND carrier <> 'XX'")
# Each with the conditions on the partition column (day) and on the sorted one (n) that must reach the table.
QUESTIONS = {
    "SELECT min(carrier), sum(n) FROM flights WHERE n BETWEEN 9000 AND 9100": ("n",),
    "SELECT min(carrier), sum(CAST(t AS integer)) FROM flights WHERE n < 9000": ("n",),
    "SELECT min(carrier), max(1 / n) FROM flights WHERE day = DATE '2024-02-01' AND n > 14000": ("day", "n"),
    "SELECT carrier, x FROM (SELECT carrier, day, n, CAST(t AS integer) AS x FROM flights) AS s"
    " WHERE s.day >= DATE '2024-03-01' AND s.n IN (16400, 16500)": ("day", "n"),
    "WITH f AS (SELECT * FROM flights WHERE day = DATE '2024-01-01') SELECT min(carrier), sum(CAST(t AS integer))"
    " FROM f WHERE f.n < 100": ("day", "n"),
}


@pytest.fixture(scope="module")
def head(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Head]:
    """Three files, one a month, each sorted by n in row groups of their own."""
    tables = Tables(tmp_path_factory.mktemp("pruned"))
    for month in range(3):
        first = month * ROWS_PER_FILE
        rows = pa.table(
            {
                "day": pa.array([date(2024, month + 1, 1)] * ROWS_PER_FILE),
                "carrier": ["UA", "DL"] * (ROWS_PER_FILE // 2),
                "n": pa.array(range(first + 1, first + ROWS_PER_FILE + 1), pa.int32()),
                "t": [str(number) for number in range(ROWS_PER_FILE)],
            }
        )
        head = tables.append("flights", rows, row_group_rows=ROWS_PER_GROUP)
    yield head
    tables.close()


def _entitled(sql: str, rows: str | None, head: Head) -> Entitled:
    grant = Grant("united", "", {"flights": DatasetGrant(rows, ("*",))}, Limits(), "")
    today = date(2026, 1, 1)
    return entitle(parse(sql, lake="lake"), grant, {"flights": head}, lake="lake", parameters=(), today=today, salt="s")


def _plan(sql: str, rows: str | None, head: Head) -> Plan:
    entitled = _entitled(sql, rows, head)
    return planned(Job(entitled.sql, entitled.output, {"flights": head}, entitled.guarded, 10, "token", 1.0))


def _bytes_read(plan: Plan) -> int:
    """What DuckDB reads of the files when it runs the plan: row groups that are pruned are not read."""
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA lake")
        for statement in plan.setup:
            connection.execute(statement)
        for view in plan.views:
            connection.execute(f'CREATE VIEW lake."{view.name}" AS {view.select}')
        rows = connection.execute(f"EXPLAIN (ANALYZE, FORMAT json) {plan.sql}").fetchall()
    told: dict[str, Any] = json.loads(rows[0][1])
    return int(told["io"]["total_bytes_read"])


@pytest.mark.parametrize("sql", QUESTIONS, ids=[f"question{at}" for at in range(len(QUESTIONS))])
@pytest.mark.parametrize("rows", FILTERS)
def test_a_filtered_partner_reads_no_more_files_and_row_groups(head: Head, sql: str, rows: str) -> None:
    free, filtered = _plan(sql, UNFILTERED, head), _plan(sql, rows, head)
    assert set(filtered.files) <= set(free.files)
    assert len(filtered.files) < 3
    # The filter's own column t is the only one that the question may not read anyway.
    assert _bytes_read(filtered) <= _bytes_read(free) or " OR " in rows
    assert _bytes_read(filtered) < _bytes_read(_plan("SELECT * FROM flights", rows, head)) / 2


@pytest.mark.parametrize("sql", QUESTIONS, ids=[f"question{at}" for at in range(len(QUESTIONS))])
@pytest.mark.parametrize("rows", [UNFILTERED, *FILTERS])
def test_athena_finds_the_conditions_beside_the_table(head: Head, sql: str, rows: str | None) -> None:
    tree = sqlglot.parse_one(_entitled(sql, rows, head).sql, read="athena")
    scans = [scan for scan in tree.find_all(exp.Select) if isinstance(_scanned(scan), exp.Table)]
    assert scans
    for scan in scans:
        assert set(QUESTIONS[sql]) <= _compared(scan), scan.sql("athena")


def _scanned(scan: exp.Select) -> exp.Expr | None:
    source = scan.args.get("from_") or scan.args.get("from")
    found: exp.Expr | None = None if source is None else source.this
    return found if isinstance(found, exp.Table) and found.db == "lake" else None


def _compared(scan: exp.Select) -> set[str]:
    """The bare columns that top-level conjuncts of a WHERE compare with literals: what a planner prunes by."""
    where = scan.args.get("where")
    conjuncts = [] if where is None else list(where.this.flatten() if isinstance(where.this, exp.And) else [where.this])
    found = set[str]()
    for one in conjuncts:
        plain = one.unnest()
        if isinstance(plain, exp.EQ | exp.GT | exp.GTE | exp.LT | exp.LTE | exp.Between | exp.In):
            others = [part for name, part in plain.args.items() if name != "this" and isinstance(part, exp.Expr)]
            if isinstance(plain.this, exp.Column) and not any(part.find(exp.Column) for part in others):
                found.add(plain.this.name)
    return found
