"""Contracts: what a file would promise, whether a promise can be kept, and the owner's word that it counts."""

import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from athena.dataset import check_dataset_name
from athena.errors import Refused
from athena.settings import read_settings
from lakegate.bar import progress_bar
from lakegate.commands import EXIT_REFUSED, DatasetArgument, HomeOption, JsonOption
from lakegate.home import current_home
from lakegate.screen import Label, error_json, print_json, print_note, print_table, print_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from athena.heads import Head
    from etl.contract import Contract
    from etl.trial import Difference, Tried

INFERRED = re.compile(r"^(\s*inferred\s*=\s*)true\b", flags=re.MULTILINE)
_SAMPLES = 5

app = typer.Typer(no_args_is_help=True, help="What a dataset's files promise: infer, check, confirm.")


@app.command()
def infer(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to look at.", show_default=False)],
    dataset: Annotated[
        str | None, typer.Option("--dataset", "-d", help="Its dataset; else named by the file.", show_default=False)
    ] = None,
) -> None:
    """Print the contract that a first load of a file would write.

    Every value is looked at. Needs no home; warnings go to stderr.
    """
    from etl.contract import Contract, SourceRules
    from etl.contract_file import format_contract
    from etl.ingest import silent
    from etl.source import sources_of
    from etl.transform import study

    if not file.is_file():
        raise Refused(f"{file} is no file.", "Name a file that exists.", code="no-such-file")
    with progress_bar(passes=1) as progress:
        source, *others = sources_of(file, file.name)
        told = progress or silent
        studied = study(
            source,
            contract=None,
            rules=SourceRules(),
            advance=lambda done: told(file.name, done, source.size_bytes or 0, 0),
        )
    name = dataset or re.sub(r"[^a-z0-9_]+", "_", file.name.split(".")[0].lower()).strip("_") or "dataset"
    sources = {} if studied.rules == SourceRules() else {"default": studied.rules}
    print_text(format_contract(Contract(name, studied.columns, sources=sources)).rstrip("\n"))
    if others:
        member = source.name.partition("!")[2]
        print_note(f"{file.name} holds {len(others) + 1} files: this is the contract of the first, {member}.")
    for warning in studied.warnings:
        print_note(f"Warning: {warning}")


@app.command()
def check(
    dataset: DatasetArgument,
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FILE]…", help="Try these instead of what lies in landing.", show_default=False),
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what a contract would change, before it does.

    Columns that the next load adds, widens or leaves, and for every file in landing how many records would be
    rejected once the contract is confirmed, with the first of each kind. Nothing is loaded. Exit code 1 when the
    contract is invalid, a file would fail by it, or a column's type is another than in the table: that takes a reload.
    """
    from athena.lake import Lake
    from etl.contract_file import parse_contract, read_text
    from etl.ingest import silent
    from etl.intake import Intake
    from etl.trial import try_files, try_landing

    path = read_settings(current_home(home)).contracts / f"{check_dataset_name(dataset)}.toml"
    text = read_text(path)
    contract = parse_contract(text, dataset=dataset, path=str(path))
    with Lake.embedded(current_home(home)) as lake, progress_bar() as progress:
        intake, told = Intake.embedded(lake), progress or silent
        head = lake.heads.get(dataset)
        changes, conflict = _differences(contract, head, path=str(path), text=text)
        tried = try_files(files, contract, told) if files else try_landing(intake, contract, told)
    if as_json:
        print_json(
            {**_checked(contract, head is not None, changes, tried), "conflict": conflict and error_json(conflict)}
        )
    else:
        fits = "it fits the table" if head is not None else "there is no table yet"
        _show_check(contract, fits if conflict is None else "the table is to follow", changes, tried)
    if conflict is not None:
        raise conflict
    if any(one.problem for one in tried):
        raise typer.Exit(EXIT_REFUSED)


def _differences(
    contract: "Contract", head: "Head | None", *, path: str, text: str
) -> "tuple[Sequence[Difference], Refused | None]":
    """What the next load changes; or why it cannot, though a reload may."""
    from etl.trial import differences

    try:
        return differences(contract, head.columns if head else (), path=path, text=text), None
    except Refused as conflict:
        if conflict.code != "schema-conflict":
            raise
        return (), conflict


def _checked(
    contract: "Contract", table: bool, changes: "Sequence[Difference]", tried: "Sequence[Tried]"
) -> dict[str, object]:
    files = [asdict(one) for one in tried]
    of = {what: [one for one in changes if one.what == what] for what in ("adds", "widens", "leaves")}
    return {
        "dataset": contract.dataset,
        "inferred": contract.inferred,
        "table": table,
        "adds": {one.column: one.then for one in of["adds"]},
        "widens": {one.column: one.then for one in of["widens"]},
        "leaves": {one.column: one.now for one in of["leaves"]},
        "files": files,
    }


def _show_check(contract: "Contract", where: str, changes: "Sequence[Difference]", tried: "Sequence[Tried]") -> None:
    word = "inferred, not confirmed" if contract.inferred else "confirmed"
    print_text(f"datasets/{contract.dataset}.toml is valid ({word}); {where}.")
    if changes:
        rows = [[Label(text or "-") for text in (one.what, one.column, one.now, one.then)] for one in changes]
        print_table(("next load", "column", "now", "then"), rows)
    if tried:
        print_text("\nBy this contract, once it is confirmed:" if contract.inferred else "\nBy this contract:")
        counts = [(Label(one.file), one.rows, _known(one.rejected_now), one.rejected) for one in tried]
        print_table(("file", "records", "rejected now", "rejected then"), counts, right=(False, True, True, True))
    for one in tried:
        if one.problem:
            print_text(f"{one.file} would fail: {one.problem.message} {one.problem.remedy} [{one.problem.code}]")
        for sample in one.samples[:_SAMPLES]:
            column = f"{sample.column}, " if sample.column else ""
            print_text(f"{one.file}, {column}{sample.reason} x {sample.count}: line {sample.line}, {sample.message}")


def _known(count: int | None) -> "Label | int":
    return Label("-") if count is None else count


@app.command()
def confirm(dataset: DatasetArgument, home: HomeOption = None) -> None:
    """Declare that a contract holds.

    From then on a value that does not fit rejects its record, and types no longer widen by themselves.
    """
    path = read_settings(current_home(home)).contracts / f"{dataset}.toml"
    if confirm_contract(path):
        print_text(f"{path.name} is confirmed: from now on a value that does not fit rejects its record.")
    else:
        print_text(f"{path.name} is confirmed already.")


def confirm_contract(path: Path) -> bool:
    """Set `inferred = false` in the contract at `path`, comments and order kept; False when it was so already.

    Raises `NotFound` (`no-contract`) and what reading a wrong contract raises.
    """
    from etl.contract_file import parse_contract, read_text, write_text

    text = read_text(path)
    if not parse_contract(text, dataset=path.stem, path=str(path)).inferred:
        return False
    # A contract that does not mention it is inferred too.
    confirmed = INFERRED.sub(r"\1false", text, count=1) if INFERRED.search(text) else f"inferred = false\n{text}"
    if parse_contract(confirmed, dataset=path.stem, path=str(path)).inferred:
        remedy = "Write `inferred = false` as its first line."
        raise Refused(f"{path} could not be confirmed as it is written.", remedy, code="contract-invalid")
    write_text(path, confirmed)
    return True
