"""Every golden case is right in value and type, fails as Trino does, or is refused by name."""

import re
from datetime import date

import duckdb
import pytest

from athena.engines.duckdb.fault import code_of
from athena.entitlement import entitle
from athena.errors import Refused
from athena.statement import parse
from athena.trino.translation import read, result_types, to_duckdb, write
from tests.athena.trino.golden import Golden, engine, golden_cases, run, unbounded

CASES = golden_cases()
FEWEST = 450


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= FEWEST


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.sql[:60])
def test_a_case_has_trinos_value_and_type_or_is_refused_by_name(case: Golden) -> None:
    if case.kind == "refused":
        with pytest.raises(Refused, match=re.escape(case.value)) as refusal:
            to_duckdb(case.query)
        assert refusal.value.remedy
    elif case.kind == "error":
        with pytest.raises(duckdb.Error) as failure:
            engine().execute(to_duckdb(case.query)).fetchall()
        assert code_of(failure.value) == case.value
    else:
        kinds, rows = run(to_duckdb(case.query))
        assert rows == case.value
        assert ", ".join(map(unbounded, result_types(case.query))) == unbounded(case.kind)
        assert kinds == _stored(case.query)


@pytest.mark.parametrize("case", [case for case in CASES if case.kind != "refused"], ids=lambda case: case.sql[:60])
def test_a_case_is_read_written_and_read_again_as_one_tree(case: Golden) -> None:
    tree = read(case.query)
    assert read(write(tree)) == tree


# What a statement may not hold though the engine can do it: the type TIME, a row inside of a row, t.r.field.
NOT_ASKED = re.compile(r"""['"](TIME|a row value|t)['"] is not supported""")


@pytest.mark.parametrize("case", [case for case in CASES if case.kind != "refused"], ids=lambda case: case.sql[:60])
def test_a_case_that_the_engine_can_do_may_be_asked(case: Golden) -> None:
    try:
        statement = parse(case.query)
    except Refused as refusal:
        assert NOT_ASKED.search(refusal.message)
        return
    entitled = entitle(statement, None, {}, lake="lake", parameters=(), today=date(2026, 1, 1), salt="")
    if case.kind == "error" or statement.volatile:
        assert to_duckdb(entitled.sql)
        return
    assert run(to_duckdb(entitled.sql))[1] == case.value
    assert result_types(entitled.sql) == result_types(case.query)


def _stored(query: str) -> list[str]:
    """What DuckDB stores Trino's types as, in DuckDB's own spelling."""
    from athena.trino.translation import result_storage

    return [str(engine().sql(f"SELECT CAST(NULL AS {storage})").types[0]) for storage in result_storage(query)]
