"""Contracts: what a file would promise, whether a promise can be kept, and the owner's word that it counts."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from athena.errors import Failed, Refused
from athena.settings import read_settings
from lakegate.commands import DatasetArgument, HomeOption, JsonOption
from lakegate.home import current_home
from lakegate.screen import Label, print_json, print_note, print_table, print_text, progress_bar

if TYPE_CHECKING:
    from athena.dataset import Column

INFERRED = re.compile(r"^(\s*inferred\s*=\s*)true\b", flags=re.MULTILINE)

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
    from etl.source import sources_of
    from etl.transform import study

    with progress_bar() as progress:
        source = sources_of(file, file.name)[0]
        studied = study(
            source,
            contract=None,
            rules=SourceRules(),
            advance=(lambda _: None) if progress is None else (lambda done: progress(file.name, done, 0)),
        )
    name = dataset or re.sub(r"[^a-z0-9_]+", "_", file.name.split(".")[0].lower()).strip("_") or "dataset"
    print_text(format_contract(Contract(name, studied.columns, sources={"default": studied.rules})).rstrip("\n"))
    for warning in studied.warnings:
        print_note(f"Warning: {warning}")


@app.command()
def check(dataset: DatasetArgument, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Say whether a contract is valid and fits its table.

    Lists what differs: columns that the next load adds, types that it widens. Exit code 1 when it cannot be.
    """
    from athena.lake import Lake
    from etl.contract_file import read_contract
    from etl.evolve import evolve

    settings = read_settings(current_home(home))
    contract = read_contract(settings.contracts / f"{dataset}.toml")
    with Lake.embedded(settings.home) as lake:
        head = lake.heads.get(dataset)
    table = () if head is None else head.columns
    evolution = evolve(dataset, table, contract.columns, last_id=len(table))
    added = () if head is None else evolution.added
    if as_json:
        document = {"dataset": dataset, "inferred": contract.inferred, "table": head is not None}
        print_json({**document, "adds": _typed(added), "widens": _typed(evolution.promoted)})
        return
    word = "inferred, not confirmed" if contract.inferred else "confirmed"
    where = "there is no table yet" if head is None else "it fits the table"
    print_text(f"datasets/{dataset}.toml is valid ({word}); {where}.")
    changes = [("adds", column) for column in added] + [("widens", column) for column in evolution.promoted]
    if changes:
        rows = [(Label(what), Label(column.name), Label(column.type)) for what, column in changes]
        print_table(("next load", "column", "type"), rows)


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
    from etl.contract_file import parse_contract, read_text

    text = read_text(path)
    if not parse_contract(text, dataset=path.stem, path=str(path)).inferred:
        return False
    # A contract that does not mention it is inferred too.
    confirmed = INFERRED.sub(r"\1false", text, count=1) if INFERRED.search(text) else f"inferred = false\n{text}"
    if parse_contract(confirmed, dataset=path.stem, path=str(path)).inferred:
        remedy = "Write `inferred = false` as its first line."
        raise Refused(f"{path} could not be confirmed as it is written.", remedy, code="contract-invalid")
    _replace(path, confirmed)
    return True


def _typed(columns: "tuple[Column, ...]") -> dict[str, str]:
    return {column.name: str(column.type) for column in columns}


def _replace(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        remedy = "Check that the disk is writable and has room."
        raise Failed(f"{path} could not be written: {error.strerror}.", remedy, code="disk") from error
