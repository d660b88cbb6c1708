"""How the demo speaks: numbered steps, tables, remarks. Colours on a terminal, plain text in a pipe."""

import sys
from collections.abc import Sequence
from typing import Any

from lakegate.screen import print_table, print_text, visible

BOLD, DIM, PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[0m"
NUMBERS = frozenset(["int", "long", "float", "double", "decimal"])


class Teller:
    """Numbers the steps as they are told."""

    def __init__(self) -> None:
        self._step = 0

    def step(self, title: str) -> None:
        """A new step begins."""
        self._step += 1
        self._styled(BOLD, f"\n{self._step}. {title}")

    def say(self, text: str) -> None:
        """A line of the step."""
        print_text(f"   {text}")
        sys.stdout.flush()

    def remark(self, text: str) -> None:
        """Something beside the point."""
        self._styled(DIM, f"   {text}")

    def block(self, text: str) -> None:
        """Several lines as they are: SQL, commands, a file."""
        for line in text.strip("\n").splitlines():
            self._styled(DIM, f"     {line}")

    def table(self, names: Sequence[str], rows: Sequence[Sequence[object]], *, right: Sequence[bool]) -> None:
        """An aligned table."""
        print_table(names, rows, right=right)

    def answer(self, document: dict[str, Any]) -> None:
        """The rows of an answer."""
        columns = document["columns"]
        right = [column["type"].split("(")[0] in NUMBERS for column in columns]
        self.table([column["name"] for column in columns], document["rows"], right=right)

    def _styled(self, style: str, text: str) -> None:
        shown = visible(text)
        sys.stdout.write(f"{style}{shown}{PLAIN}\n" if sys.stdout.isatty() else f"{shown}\n")
        sys.stdout.flush()
