"""What people and programs see: one JSON document, a table, a paragraph; nothing else reaches stdout.

Tables are for reading: NULL is told from the text "NULL", control characters of the data never reach the terminal.
"""

import json
import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from athena.errors import LakegateError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

# A pipe has no width: nothing is folded or cut there.
PIPE_WIDTH = 100_000
READABLE_WIDTH, COLUMN_GAP = 16, 3
AMBIGUOUS = frozenset(["", "NULL"])


class Label(str):
    """A text of ours, not of the data: shown as it is, also when it is empty."""

    __slots__ = ()


def print_json(value: object) -> None:
    """The one JSON document of a `--json` command, on stdout: indented for eyes, in one line for programs, which is
    made in a tenth of the time."""
    indent = 2 if sys.stdout.isatty() else None
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=indent) + "\n")


def print_text(text: str) -> None:
    """A line or paragraph of ours on stdout, at once: a program at the other end may wait for it."""
    sys.stdout.write(visible(text) + "\n")
    sys.stdout.flush()


def print_error(error: LakegateError) -> None:
    """What happened and what to do now, on stderr."""
    text = visible(f"lakegate: {error.message} {error.remedy} [{error.code}]")
    if sys.stderr.isatty():
        text = textwrap.fill(text, shutil.get_terminal_size().columns, break_on_hyphens=False, break_long_words=False)
    sys.stderr.write(text + "\n")


def error_json(error: LakegateError) -> dict[str, str]:
    """The same for a program, as a part of its one JSON document."""
    return {"code": error.code, "message": error.message, "remedy": error.remedy}


def print_note(text: str) -> None:
    """A remark beside the output proper, on stderr, so that a pipe stays clean."""
    sys.stderr.write(visible(text) + "\n")


def visible(text: str) -> str:
    """`text` with control characters other than the newline escaped: data cannot steer a terminal.

    >>> visible("a\\x1b[31mb\\tc")
    'a\\\\x1b[31mb\\\\tc'
    """
    return "".join(
        character if character.isprintable() or character == "\n" else _escaped(character) for character in text
    )


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def instant_text(instant: datetime) -> str:
    """An instant in JSON: ISO 8601 in UTC.

    >>> instant_text(datetime.fromisoformat("2026-05-01T10:00:00+02:00"))
    '2026-05-01T08:00:00Z'
    """
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def cell_text(value: object) -> str:
    """One value as a table shows it: NULL bare, a text that looks like it (or is empty) in quotes.

    >>> [cell_text(value) for value in (None, "NULL", "", "a\\nb", 1.5, True)]
    ['NULL', '"NULL"', '""', 'a\\\\nb', '1.5', 'true']
    """
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Label):
        return visible(value)
    if isinstance(value, str):
        shown = visible(value).replace("\n", "\\n")
        return f'"{shown}"' if value in AMBIGUOUS else shown
    return str(value)


def print_table(names: Sequence[str], rows: Iterable[Sequence[object]], *, right: Sequence[bool] | None = None) -> None:
    """An aligned table on stdout; `right` says which columns stand on the right (numbers).

    Where a terminal is too narrow for its columns, each row is a block of its own, one line per column.
    """
    shown = list(rows)
    screen = console()
    least = least_widths(names, [[cell_text(value) for value in row] for row in shown])
    if sum(least) + COLUMN_GAP * (len(least) - 1) > screen.width:
        _print_blocks(screen, names, shown)
    else:
        _print_grid(screen, names, shown, right or [False] * len(names), least)


def least_widths(names: Sequence[str], cells: Sequence[Sequence[str]]) -> list[int]:
    """How wide each column must be to be read: as wide as it is, but no wider than its name or 16 characters.

    >>> least_widths(["n", "some_long_name_of_it", "raw"], [["1", "2", "x" * 100]])
    [1, 20, 16]
    """
    widths = [max(map(len, column)) for column in zip(names, *cells, strict=True)]
    return [min(width, max(len(name), READABLE_WIDTH)) for name, width in zip(names, widths, strict=True)]


def _print_grid(
    screen: "Console",
    names: Sequence[str],
    rows: Sequence[Sequence[object]],
    right: Sequence[bool],
    least: Sequence[int],
) -> None:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name, is_right, width in zip(names, right, least, strict=True):
        table.add_column(_plain(name), justify="right" if is_right else "left", overflow="fold", min_width=width)
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    screen.print(table)


def _print_blocks(screen: "Console", names: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    width = max(len(visible(name)) for name in names)
    for number, row in enumerate(rows, start=1):
        screen.print(_plain(f"{'── ' + str(number) + ' ':─<{width + 6}}"))
        for name, value in zip(names, row, strict=True):
            screen.print(_plain(f"{visible(name):<{width}}  "), _cell(value), sep="", soft_wrap=True)


def console() -> "Console":
    """Rich's console on stdout; as wide as it takes when nobody's terminal is at the other end."""
    from rich.console import Console

    return Console(file=sys.stdout, width=None if sys.stdout.isatty() else PIPE_WIDTH, highlight=False, markup=False)


def _plain(text: str) -> "Text":
    from rich.text import Text

    return Text(visible(text))


def _cell(value: object) -> "Text":
    from rich.text import Text

    return Text(cell_text(value), style="dim italic" if value is None else "")
