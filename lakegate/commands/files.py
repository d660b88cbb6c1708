"""Files in: loaded into the lake, or converted without one."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from athena.dataset import check_dataset_name
from lakegate.bar import progress_bar
from lakegate.commands import EXIT_REFUSED, EXIT_REJECTS, DatasetArgument, HomeOption, JsonOption, OptionalDataset
from lakegate.home import current_home
from lakegate.screen import error_json, print_error, print_json, print_note, print_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etl.ingest import Reconciled
    from etl.report import Report

OTHER_FORMS = frozenset([".csv", ".tsv", ".txt", ".json", ".jsonl", ".xlsx", ".gz", ".zip"])

StrictOption = Annotated[bool, typer.Option("--strict", help="Exit with 3 when any record was rejected.")]


def load(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE…", help="CSV, JSON Lines, Excel or Parquet, plain or packed.", show_default=False),
    ],
    dataset: Annotated[
        str, typer.Option("--dataset", "-d", help="The dataset that they belong to.", show_default=False)
    ],
    source: Annotated[
        str, typer.Option("--source", "-s", help="Who delivers them; picks the contract's rules.")
    ] = "default",
    stage: Annotated[
        str | None, typer.Option("--stage", help="Into this stage on AWS, not into a home.", show_default=False)
    ] = None,
    wait_seconds: Annotated[
        float, typer.Option("--wait", help="With --stage: wait so long for the reports; 0 only uploads.", min=0)
    ] = 900.0,
    home: HomeOption = None,
    strict: StrictOption = False,
    as_json: JsonOption = False,
) -> None:
    """Load files into a dataset.

    They are copied into landing first. The same content again adds nothing; a corrected file under the same name
    replaces the rows of the old one. A file that fails replaces nothing.
    """
    if "/" in source:
        raise typer.BadParameter("A source is one folder of landing: its name has no slash.")
    if stage is not None:
        from lakegate.commands.upkeep import load_into_stage

        check_dataset_name(dataset)
        there = load_into_stage(stage, files, dataset=dataset, source=source, wait_seconds=wait_seconds)
        _show(there, strict=strict, as_json=as_json)
        return
    from athena.lake import Lake
    from etl.ingest import load_files
    from etl.intake import Intake

    check_dataset_name(dataset)
    expected = sum(file.stat().st_size for file in files if file.is_file())
    with Lake.embedded(current_home(home)) as lake, progress_bar(expected_bytes=expected) as progress:
        reports = load_files(Intake.embedded(lake), files, dataset=dataset, source=source, progress=progress)
    _show(reports, strict=strict, as_json=as_json)


def convert(
    source: Annotated[Path, typer.Argument(metavar="SRC", help="The file to read.", show_default=False)],
    target: Annotated[Path, typer.Argument(metavar="DST.parquet", help="The file to write.", show_default=False)],
    contract: Annotated[
        Path | None, typer.Option("--contract", help="Types and rules, as in datasets/NAME.toml.", show_default=False)
    ] = None,
    text: Annotated[bool, typer.Option("--text", help="Every column stays text.")] = False,
    rejects: Annotated[
        Path | None, typer.Option("--rejects", help="Write the rejected records to this CSV.", show_default=False)
    ] = None,
    strict: StrictOption = False,
    as_json: JsonOption = False,
) -> None:
    """Turn one file into typed Parquet; needs no home."""
    from etl.contract_file import read_contract
    from etl.convert import convert as convert_file

    if text and contract is not None:
        raise typer.BadParameter("--text and --contract exclude each other.")
    if target.suffix.lower() in OTHER_FORMS:
        raise typer.BadParameter(f"What is written is Parquet, not {target.suffix.lower()}: name it DST.parquet.")
    rules = None if contract is None else read_contract(contract)
    with progress_bar() as progress:
        told = None if progress is None else partial(progress, source.name)
        report = convert_file(source, target, contract=rules, text=text, rejects=rejects, told=told)
    _show([report], strict=strict, as_json=as_json)


def reconcile(
    dataset: OptionalDataset = None,
    stage: Annotated[
        str | None, typer.Option("--stage", help="In this stage on AWS, which does all datasets.", show_default=False)
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make the tables what landing says.

    Resolves commits that a crash left open, then loads what is new, changed, or was read by an older contract. In a
    stage this starts jobs and does not wait for them.
    """
    if stage is not None:
        from lakegate.commands.upkeep import reconcile_stage

        if dataset is not None:
            raise typer.BadParameter("A stage is reconciled as a whole: name no dataset.")
        reconcile_stage(stage, as_json=as_json)
        return
    from athena.lake import Lake
    from etl import ingest
    from etl.intake import Intake

    with Lake.embedded(current_home(home)) as lake, progress_bar() as progress:
        done = ingest.reconcile(Intake.embedded(lake), dataset, progress=progress)
    _show_reconciled(done, as_json=as_json)


def reload(
    dataset: DatasetArgument,
    key: Annotated[str | None, typer.Option("--key", help="Only this landing key.", show_default=False)] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Load again by the contract as it is now.

    Files that are no longer in landing keep their rows and are named.
    """
    from athena.lake import Lake
    from etl import ingest
    from etl.intake import Intake

    with Lake.embedded(current_home(home)) as lake, progress_bar() as progress:
        done = ingest.reload(Intake.embedded(lake), dataset, key=key, progress=progress)
    _show_reconciled(done, as_json=as_json)


def retract(
    key: Annotated[
        str, typer.Argument(metavar="KEY", help="A landing key such as flights/may.csv.", show_default=False)
    ],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a landing key's rows out of its table.

    Rows whose content another key holds stay, and so does the file itself.
    """
    from athena.lake import Lake
    from etl import ingest
    from etl.intake import Intake
    from etl.retract import held_beside
    from lakegate.commands.looking import load_json

    with Lake.embedded(current_home(home)) as lake:
        intake = Intake.embedded(lake)
        beside = held_beside(intake, key)
        ended = ingest.retract(intake, key)
    if as_json:
        print_json([load_json(load) for load in ended])
        return
    for load in ended:
        print_text(f"{load.file} holds nothing in {load.dataset} any more (load {load.load_id}).")
        if load.file in beside:
            print_text(f"Its rows stay: {beside[load.file]} holds the same content.")


def report_text(report: "Report") -> str:
    """A report as a paragraph: what became of the file, and what its owner should look at."""
    head = f"{report.status:9}  {report.file}"
    if report.error is not None:
        return f"{head}: {report.error.message} {report.error.remedy} [{report.error.code}]"
    if report.status == "duplicate":
        return f"{head}: the same content as {report.duplicate_of}, nothing added"
    if report.status == "unchanged":
        return f"{head}: loaded before, as it is now"
    counts = f"{report.rows_loaded:,} rows in {report.seconds:.1f} s"
    lines = [f"{head}: {counts}{_rejected_text(report)}{_skipped_text(report)}"]
    lines.extend(f"           ! {warning}" for warning in report.warnings)
    return "\n".join(lines)


def _rejected_text(report: "Report") -> str:
    if not report.rows_rejected:
        return ""
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in sorted(report.reasons.items()))
    return f", {report.rows_rejected:,} rejected ({reasons})"


def _skipped_text(report: "Report") -> str:
    """What was left out beyond what every file has: a line of text above or below the data is no reject."""
    kinds = {kind: count for kind, count in report.lines_skipped.items() if kind not in ("header", "blank") and count}
    counts = ", ".join(f"{kind} {count:,}" for kind, count in sorted(kinds.items()))
    return f", lines skipped ({counts})" if counts else ""


def _show(reports: "Sequence[Report]", *, strict: bool, as_json: bool) -> None:
    if as_json:
        documents = [report.as_json() for report in reports]
        print_json(documents[0] if len(documents) == 1 else documents)
    else:
        for report in reports:
            print_text(report_text(report))
    if any(report.status == "failed" for report in reports):
        raise typer.Exit(EXIT_REFUSED)
    if strict and any(report.rows_rejected for report in reports):
        raise typer.Exit(EXIT_REJECTS)


def _show_reconciled(done: "Reconciled", *, as_json: bool) -> None:
    refused = (*done.refused, *done.unread)
    if as_json:
        reports = [report.as_json() for report in done.reports]
        counts = {"vanished": list(done.vanished), "unchanged": done.unchanged}
        told = {"misplaced": [*map(error_json, done.misplaced)], "refused": [*map(error_json, refused)]}
        print_json({"reports": reports, **counts, **told})
    else:
        for report in done.reports:
            print_text(report_text(report))
        print_text(f"{len(done.reports)} read, {done.unchanged} unchanged.")
        for key in done.vanished:
            print_note(f"{key} is no longer in landing; its rows stay as they were loaded.")
        for error in (*done.misplaced, *refused):
            print_error(error)
    if refused or any(report.status == "failed" for report in done.reports):
        raise typer.Exit(EXIT_REFUSED)
