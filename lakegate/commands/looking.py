"""What is in the lake: datasets, their columns, the history of loads, the rejects."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from athena.dataset import REJECTS_SUFFIX, check_dataset_name
from athena.errors import NotFound
from lakegate.commands import DatasetArgument, HomeOption, JsonOption, OptionalDataset
from lakegate.home import current_home
from lakegate.screen import Label, instant_text, print_json, print_note, print_table, print_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from athena.catalogue import Listing
    from athena.lake import Lake
    from etl.ingest import Load
    from etl.report import Report

# How far back is looked for loads with rejects, and how many of these one statement names.
MOST_LOADS, NAMED = 100_000, 500

LimitOption = Annotated[int, typer.Option("--limit", help="How many at most, newest first.", min=1)]


def datasets(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """List the datasets, their rows and last commits."""
    from api.response import listing_body
    from athena import catalogue
    from athena.lake import Lake
    from athena.question import OWNER

    with Lake.embedded(current_home(home)) as lake:
        found = catalogue.datasets(lake, OWNER)
    if as_json:
        print_json(json.loads(listing_body(found))["datasets"])
    elif not found:
        print_text("No dataset yet. Drop a file into landing/DATASET/, or run `lakegate load FILE --dataset DATASET`.")
    else:
        names = ("dataset", "rows", "columns", "committed at", "description")
        rows = [
            (one.name, f"{one.rows or 0:,}", len(one.columns), _when(one.committed_at), Label(one.description))
            for one in found
        ]
        print_table(names, rows, right=(False, True, True, False, False))


def describe(
    dataset: DatasetArgument,
    home: HomeOption = None,
    profile: Annotated[bool, typer.Option("--profile", help="Also what each column holds, from every row.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show a dataset's columns, types and units.

    With --profile also nulls, distinct values, least, greatest and, of numbers, a histogram.
    """
    from api.response import dataset_body
    from athena.lake import Lake

    with Lake.embedded(current_home(home)) as lake:
        found = _dataset(lake, dataset)
    if profile:
        _show_profile(current_home(home), found, as_json=as_json)
        return
    if as_json:
        print_json(json.loads(dataset_body(found)))
        return
    print_text(f"{found.name}: {found.rows or 0:,} rows, snapshot {found.snapshot_id}")
    if found.description:
        print_text(found.description)
    print_text("")
    rows = [
        tuple(map(Label, (one.name, one.type, one.unit or "", "yes" if one.required else "", one.description or "")))
        for one in found.columns
    ]
    print_table(("column", "type", "unit", "required", "description"), rows)


def _show_profile(home: Path, listing: "Listing", *, as_json: bool) -> None:
    from lakegate.commands.query import owner_records
    from lakegate.profile import bars, profiled, shown

    found = profiled(listing.name, listing.columns, lambda sql: owner_records(home, sql))
    if as_json:
        print_json(
            [
                {
                    "column": one.column.name,
                    "type": str(one.column.type),
                    "unit": one.column.unit,
                    "rows": one.rows,
                    "nulls": one.nulls,
                    "distinct": one.distinct,
                    "least": one.least,
                    "greatest": one.greatest,
                    "histogram": list(one.histogram),
                }
                for one in found
            ]
        )
        return
    rows = [
        (
            Label(one.column.name),
            Label(one.column.type),
            f"{one.nulls:,}",
            f"{one.distinct:,}",
            Label(shown(one.least)),
            Label(shown(one.greatest)),
            Label(bars(one.histogram)),
        )
        for one in found
    ]
    names = ("column", "type", "nulls", "distinct", "least", "greatest", "histogram")
    print_table(names, rows, right=(False, False, True, True, False, False, False))


def loads(
    dataset: OptionalDataset = None, home: HomeOption = None, limit: LimitOption = 100, as_json: JsonOption = False
) -> None:
    """Show what became of each load, newest first."""
    from athena.lake import Lake
    from etl import ingest
    from etl.intake import Intake

    with Lake.embedded(current_home(home)) as lake:
        found = ingest.loads(Intake.embedded(lake), dataset, limit=limit)
        if dataset is not None and not found:
            _dataset(lake, check_dataset_name(dataset))
    if as_json:
        print_json([load_json(load) for load in found])
    elif not found:
        print_text("Nothing was loaded yet.")
    else:
        print_table(
            ("made at", "dataset", "file", "status", "rows", "rejected", "in the table", "why"),
            [_load_row(load) for load in found],
            right=(False, False, False, False, True, True, False, False),
        )


def rejects(
    dataset: DatasetArgument,
    home: HomeOption = None,
    limit: LimitOption = 100,
    every: Annotated[bool, typer.Option("--all", help="Also of files that were replaced or retracted since.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show the rejected records of a dataset.

    With file, physical lines, reason and raw text. In SQL they are the dataset DATASET__rejects, with those of files
    that were replaced or retracted since.
    """
    found, failed = _rejects_of(current_home(home), check_dataset_name(dataset), limit, every=every)
    for load in failed:
        print_note(f"{load.file} failed; its rejects are in reports/{load.file.partition('!')[0]}/.")
    if as_json:
        print_json(found)
    elif not found:
        print_text(f"{dataset} has no rejects.")
    else:
        names = ("file", "first_line", "last_line", "column", "reason", "message", "raw")
        right = [name.endswith("_line") for name in names]
        print_table(names, [[record[name] for name in names] for record in found], right=right)
        if len(found) == limit:
            print_note(f"The first {limit}; more with --limit, all with SELECT … FROM {dataset}__rejects.")


def load_json(load: "Load") -> dict[str, object]:
    """One line of the history, with the load's report inside."""
    return {
        "load_id": load.load_id,
        "dataset": load.dataset,
        "file": load.file,
        "status": load.status,
        "made_at": instant_text(load.made_at),
        "current": load.current,
        "report": None if load.report is None else load.report.as_json(),
    }


def _dataset(lake: "Lake", name: str) -> "Listing":
    """The dataset as its owner sees it, who may be told that there is none."""
    from athena import catalogue
    from athena.question import OWNER

    try:
        return catalogue.dataset(lake, OWNER, name)
    except NotFound as error:
        remedy = "`lakegate datasets` lists them; a file under landing/DATASET/ makes one."
        raise NotFound(f"There is no dataset {name!r}.", remedy, code="no-such-dataset") from error


def _rejects_of(home: Path, dataset: str, limit: int, *, every: bool) -> "tuple[list[dict[str, object]], list[Load]]":
    """The records, and the loads that failed for having too many: theirs are in no table."""
    from athena.lake import Lake
    from etl import ingest
    from etl.intake import Intake
    from lakegate.commands.query import owner_records

    rejects_of_it, order = f"{dataset}{REJECTS_SUFFIX}", "ORDER BY load_id DESC, file, first_line LIMIT"
    with Lake.embedded(home) as lake:
        history = ingest.loads(Intake.embedded(lake), dataset, limit=MOST_LOADS)
        listing = None if history else _dataset(lake, dataset)
        is_there = lake.head(rejects_of_it) is not None
    # A ledger that had to be rebuilt knows tables, and nothing of how they came about.
    whole = every or listing is not None
    latest = {load.file: load for load in reversed(history)}
    failed = [load for load in latest.values() if load.status == "failed" and _rejected(load)]
    if is_there and whole:
        return owner_records(home, f"SELECT * FROM {rejects_of_it} {order} {limit}"), failed
    named, found = _with_rejects(history, limit), list[dict[str, object]]()
    for start in range(0, len(named), NAMED):
        ids = tuple(named[start : start + NAMED])
        among = f"WHERE load_id IN ({', '.join('?' * len(ids))})"
        found += owner_records(home, f"SELECT * FROM {rejects_of_it} {among} {order} {limit - len(found)}", ids)
        if len(found) == limit:
            break
    return found, failed


def _with_rejects(history: "Iterable[Load]", limit: int) -> list[str]:
    """The newest loads in the table that rejected records, as many as it takes for `limit` of these."""
    found: list[str] = []
    for load in history:
        if limit > 0 and load.current and _rejected(load):
            found.append(load.load_id)
            limit -= _rejected(load)
    return found


def _rejected(load: "Load") -> int:
    return 0 if load.report is None else load.report.rows_rejected


def _load_row(load: "Load") -> tuple[object, ...]:
    report = load.report
    loaded = "" if report is None else f"{report.rows_loaded:,}"
    rejected = "" if report is None else f"{report.rows_rejected:,}"
    shown = (
        _when(load.made_at),
        load.dataset,
        load.file,
        load.status,
        loaded,
        rejected,
        "yes" if load.current else "no",
        "" if report is None else _why(report),
    )
    return tuple(map(Label, shown))


def _why(report: "Report") -> str:
    if report.error is not None:
        return f"{report.error.message} {report.error.remedy}"
    return f"the same content as {report.duplicate_of}" if report.status == "duplicate" else ""


def _when(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
