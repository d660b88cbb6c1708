"""A question from the command line, through the same `ask` as over HTTP."""

import json
import math
import shutil
import sys
import time
from collections.abc import Iterable
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from athena.errors import Failed, NotFound, Refused
from athena.forms import Form
from athena.question import OWNER, Answer, Caller, Page, Parameters, Question, Scalar, State
from lakegate.bar import progress_bar
from lakegate.commands import HomeOption
from lakegate.drawing import drawing
from lakegate.home import current_home
from lakegate.screen import print_note, print_table, print_text

if TYPE_CHECKING:
    from athena.lake import Lake

TABLE_ROWS = 100
ROWS_KEY = b'"rows":['
NUMBERS = frozenset(["int", "long", "float", "double", "decimal"])
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1


class Format(StrEnum):
    """What an answer is printed as."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    ARROW = "arrow"
    PARQUET = "parquet"


def query(
    sql: Annotated[str, typer.Argument(metavar="SQL", help="One SELECT in Athena's dialect; - reads it from stdin.")],
    param: Annotated[
        list[str] | None,
        typer.Option(
            help="The next ?'s value, or NAME=VALUE for :NAME: 5, 1.5, true and null are typed, all else is text.",
            show_default=False,
        ),
    ] = None,
    partner: Annotated[
        str | None, typer.Option(help="Ask as this partner; the owner asks without.", show_default=False)
    ] = None,
    form: Annotated[
        Format | None,
        typer.Option("--format", "-f", help="What is written: a table, or what --output ends in.", show_default=False),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write to this file instead.", show_default=False)
    ] = None,
    limit: Annotated[int | None, typer.Option(help="Rows at most.", min=1, show_default=False)] = None,
    refresh: Annotated[bool, typer.Option("--refresh", help="Compute anew, whatever is cached.")] = False,
    plot: Annotated[
        bool, typer.Option("--plot", help="Draw the first number by the first column, in the terminal.")
    ] = False,
    home: HomeOption = None,
) -> None:
    """Ask the lake in SQL.

    Rows go to stdout; stderr tells their number, whether the answer was a hit or a miss, and the milliseconds.
    """
    from athena import ask  # noqa: F401 - its imports are no part of the milliseconds told
    from athena.lake import Lake

    chosen = _chosen(form, output)
    if plot and (chosen is not Format.TABLE or output is not None):
        raise typer.BadParameter("--plot draws on the terminal: leave --format and --output out.")
    caller = Caller(partner)
    text = sys.stdin.read() if sql == "-" else sql
    with Lake.embedded(current_home(home)) as lake:
        if partner is not None and lake.grants.get(partner) is None:
            raise NotFound(f"There is no partner {partner!r}.", "See `lakegate partner list`.", code="no-partner")
        values = given_values(lake, text, param or [])
        question = Question(caller, text, parameters=values, limit=limit, cache="refresh" if refresh else "use")
        started = time.perf_counter()
        answer = final_answer(lake, question)
        milliseconds = (time.perf_counter() - started) * 1000
        if plot:
            _draw(lake, caller, answer)
        else:
            _write(lake, caller, answer, chosen, output)
    _tell(answer, milliseconds, None if plot else chosen, output)


def final_answer(lake: "Lake", question: Question) -> Answer:
    """The answer of a question that succeeded; raises what it failed with. Ctrl-C cancels it."""
    from athena import ask
    from athena.failures import explained
    from lakegate.client.waiting import LOOK_SECONDS, ended

    answer = ended(
        lambda: ask.ask(lake, question),
        lambda seen: ask.wait(lake, question.caller, seen.id, seconds=LOOK_SECONDS),
        lambda seen: ask.cancel(lake, question.caller, seen.id),
        where="this home",
    )
    if answer.state is not State.SUCCEEDED:
        raise explained(answer.error_code or answer.state.lower())
    return answer


def owner_records(home: Path, sql: str, parameters: tuple[Scalar, ...] = ()) -> list[dict[str, object]]:
    """The rows of the owner's question as JSON objects, whole numbers as numbers."""
    from athena.lake import Lake

    with Lake.embedded(home) as lake:
        answer = final_answer(lake, Question(OWNER, sql, parameters=parameters))
        document = json.loads(b"{" + whole_fragment(lake, OWNER, answer) + b"}")
    names = [column["name"] for column in document["columns"]]
    whole = {column["name"] for column in document["columns"] if column["type"] == "long"}
    records = [dict(zip(names, row, strict=True)) for row in document["rows"]]
    return [
        {name: int(value) if name in whole and value is not None else value for name, value in one.items()}
        for one in records
    ]


def whole_fragment(lake: "Lake", caller: Caller, answer: Answer) -> bytes:
    """The JSON of all rows, the pages put together: `"columns":…,"rows":…` without the outer braces."""
    from athena import ask

    if answer.page is None or answer.next is None:
        return b'"columns":[],"rows":[]' if answer.page is None else answer.page.fragment
    head, _, _ = answer.page.fragment.partition(ROWS_KEY)
    bodies = [_rows_of(answer.page)]
    token: str | None = answer.next
    while token is not None:
        page = ask.page(lake, caller, answer.id, token=token)
        bodies.append(_rows_of(page.page))
        token = page.next
    return head + ROWS_KEY + b",".join(body for body in bodies if body) + b"]"


def given_values(lake: "Lake", sql: str, given: list[str]) -> Parameters:
    """The values of `--param`: by name when the statement has names, in their order otherwise."""
    from athena.check import placeholders

    names = placeholders(lake, sql) if given else ()
    if not names or names[0].startswith("?"):
        return tuple(parse_parameter(text) for text in given)
    pairs = [text.partition("=") for text in given]
    if not all(equals for _, equals, _ in pairs) or len({name for name, _, _ in pairs}) != len(pairs):
        named = ", ".join(f"--param {name}=…" for name in names)
        raise Refused("The statement's values have names.", f"Give each once: {named}.", code="parameters-invalid")
    return {name: parse_parameter(value) for name, _, value in pairs}


def parse_parameter(text: str) -> Scalar:
    """A value as JSON would read it (numbers, true, false, null, "text" in quotes), else the text itself.

    >>> [parse_parameter(text) for text in ("5", "1.5", "true", "null", "UA", '"5"', "007", "[1]")]
    [5, 1.5, True, None, 'UA', '5', '007', '[1]']
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if isinstance(value, float) and not math.isfinite(value):
        return text
    if isinstance(value, int) and not INT64_MIN <= value <= INT64_MAX:
        return text
    return text if isinstance(value, list | dict) else value


def _rows_of(page: Page) -> bytes:
    # A text of the data cannot look like the key: its quotes are escaped.
    return page.fragment.partition(ROWS_KEY)[2][:-1]


def _chosen(form: Format | None, output: Path | None) -> Format:
    """What `--format` says, else the file's suffix, else a table.

    >>> _chosen(None, Path("may.parquet")).value, _chosen(None, None).value
    ('parquet', 'table')
    """
    suffixes = {f".{one}": one for one in Format if one is not Format.TABLE}
    chosen = form or (suffixes.get(output.suffix.lower()) if output is not None else Format.TABLE)
    if chosen is None or (chosen is Format.TABLE and output is not None):
        raise typer.BadParameter("With --output, name --format csv, json, arrow or parquet.")
    if chosen in (Format.ARROW, Format.PARQUET) and output is None and sys.stdout.isatty():
        raise typer.BadParameter(f"{chosen} is binary: name a file with --output, or pipe it.")
    return chosen


def _draw(lake: "Lake", caller: Caller, answer: Answer) -> None:
    document = json.loads(b"{" + whole_fragment(lake, caller, answer) + b"}")
    columns = document["columns"]
    numeric = [column["type"].split("(")[0] in NUMBERS for column in columns]
    width = shutil.get_terminal_size().columns
    print_text(drawing([column["name"] for column in columns], document["rows"], numeric, width=width))


def _write(lake: "Lake", caller: Caller, answer: Answer, form: Format, output: Path | None) -> None:
    if form is Format.TABLE:
        _print_answer(answer)
        return
    try:
        if output is None:
            sys.stdout.buffer.writelines(_written(lake, caller, answer, form))
            sys.stdout.buffer.flush()
        else:
            _write_file(output, _written(lake, caller, answer, form), _size(answer, form))
    except BrokenPipeError:
        raise
    except OSError as error:
        where = "stdout" if output is None else str(output)
        remedy = "Name a file that you may write to, on a disk with room."
        raise Failed(f"{where} cannot be written: {error.strerror}.", remedy, code="output-unwritable") from error


def _write_file(file: Path, chunks: Iterable[bytes], size_bytes: int) -> None:
    with file.open("wb") as opened, progress_bar(passes=1) as told:
        done = 0
        for chunk in chunks:
            done += opened.write(chunk)
            if told is not None:
                told(file.name, done, size_bytes, 0)


def _size(answer: Answer, form: Format) -> int:
    """How long the file will be; 0 where only its end will tell."""
    return answer.receipt.size_bytes if answer.receipt is not None and form is Format.PARQUET else 0


def _written(lake: "Lake", caller: Caller, answer: Answer, form: Format) -> Iterable[bytes]:
    from api.response import envelope
    from athena import ask

    if form is Format.JSON:
        whole = Page(whole_fragment(lake, caller, answer), answer.receipt.row_count if answer.receipt else 0, None)
        return (envelope(replace(answer, page=whole, next=None)), b"\n")
    flow = ask.stream(lake, caller, answer.id, form=Form(form.value))
    return () if flow is None else flow.chunks


def _print_answer(answer: Answer) -> None:
    if answer.page is None:
        return
    document = json.loads(b"{" + answer.page.fragment + b"}")
    columns = document["columns"]
    right = [column["type"].split("(")[0] in NUMBERS for column in columns]
    print_table([column["name"] for column in columns], document["rows"][:TABLE_ROWS], right=right)


def _tell(answer: Answer, milliseconds: float, form: Format | None, output: Path | None) -> None:
    count = answer.receipt.row_count if answer.receipt is not None else 0
    shown = f"first {TABLE_ROWS} of " if form is Format.TABLE and count > TABLE_ROWS else ""
    written = f" → {output}" if output is not None else ""
    print_note(f"{shown}{count:,} row{'' if count == 1 else 's'}, {answer.cache}, {milliseconds:.0f} ms{written}")
    if shown:
        print_note("All rows with --format csv or json.")
    if answer.receipt is not None and answer.receipt.truncated:
        print_note("The answer was cut at its row limit: there is more.")
    for warning in answer.warnings:
        print_note(f"Warning: {warning}")
