"""What a guide tells its reader to type, taken out of its Markdown. Pure.

Commands stand in blocks of `sh`. A block of `text` right behind one is what it prints: `…` is anything within a line,
and alone on a line any lines. A question at whose end an answer stands is asked on the terminal and answered so. A
block behind `<!-- not run: reason -->` is not run here. What stands in angle brackets is the reader's to fill in.
"""

import re
from dataclasses import dataclass

_BLOCK = re.compile(
    r"(?:^<!-- not run: (?P<reason>[^>]+) -->\n)?^```sh\n(?P<commands>.*?)^```\n"
    r"(?:\n?^```text\n(?P<printed>.*?)^```\n)?",
    re.MULTILINE | re.DOTALL,
)
_ANY = "…"
_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
_PLACEHOLDER = re.compile(r"<[a-z][a-z ]*>")
_QUESTION = re.compile(r"to go on: (\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """Commands of one section, in order; `printed` is empty where the guide does not say. `reason` is why they are not
    run here."""

    section: str
    commands: tuple[str, ...]
    printed: str = ""
    reason: str = ""

    @property
    def answers(self) -> tuple[str, ...]:
        """What the reader writes where the block's commands ask."""
        return tuple(_QUESTION.findall(self.printed))


def blocks_of(page: str) -> tuple[Block, ...]:
    r"""All blocks of commands.

    >>> page = "## A\n\n```sh\none \\\n  --two\nthree\n```\n\n```text\nsaid …\n```\n"
    >>> page += "<!-- not run: no -->\n```sh\nfour\n```\n"
    >>> [(one.section, one.commands, one.printed, one.reason) for one in blocks_of(page)]
    [('A', ('one \\\n  --two', 'three'), 'said …\n', ''), ('A', ('four',), '', 'no')]
    """
    return tuple(
        Block(
            _section(page, found.start()), commands_of(found["commands"]), found["printed"] or "", found["reason"] or ""
        )
        for found in _BLOCK.finditer(page)
    )


def _section(page: str, at: int) -> str:
    headings: list[str] = _HEADING.findall(page, 0, at)
    return headings[-1] if headings else ""


def commands_of(text: str) -> tuple[str, ...]:
    """Lines, those that end in a backslash with the next; comments left out."""
    joined = re.sub(r"\\\n", "\0", text)
    lines = (line.replace("\0", "\\\n") for line in joined.splitlines())
    return tuple(line for line in lines if line.strip() and not line.lstrip().startswith("#"))


def filled(text: str, values: dict[str, str]) -> str:
    """A command with its placeholders filled in. Raises `KeyError` for one that nobody knows.

    >>> filled("ask <api url>/v1", {"<api url>": "http://x"})
    'ask http://x/v1'
    """
    return _PLACEHOLDER.sub(lambda found: values[found[0]], text)


def placeholders(blocks: tuple[Block, ...]) -> set[str]:
    """All that the reader has to fill in."""
    return {name for block in blocks for command in block.commands for name in _PLACEHOLDER.findall(command)}


def told_of_guide(blocks: tuple[Block, ...], values: dict[str, str]) -> str:
    """What of the guide is not run and why, and what its placeholders stood for when the rest was run."""
    run = sum(len(one.commands) for one in blocks if not one.reason)
    left = [one for one in blocks if one.reason]
    lines = [f"The operations guide: {run} commands are run, {sum(len(one.commands) for one in left)} are not:"]
    lines += [f"  not run: {one.commands[0].splitlines()[0]} ({one.section}): {one.reason}" for one in left]
    lines += [
        f"  filled in: {name} by {'(not shown)' if 'secret' in name else values[name]}"
        for name in sorted(placeholders(blocks) & values.keys())
    ]
    return "\n".join(lines)


def says(printed: str, output: str) -> bool:
    r"""Whether the output is what the guide says that it is.

    >>> says("a …\n…\nz\n", "a b\nc\nd\nz\n"), says("a\n", "b\n"), says("a\n", "a\nb\n"), says("…\nb\n", "b\n")
    (True, False, False, True)
    """
    lines = output.rstrip("\n").splitlines()
    # After how many lines of the output what was looked at so far may have ended.
    reached = {0}
    for wanted in printed.strip("\n").splitlines():
        if wanted.strip() == _ANY:
            reached = set(range(min(reached), len(lines) + 1)) if reached else set()
        else:
            pattern = re.compile(re.escape(wanted.rstrip()).replace(_ANY, ".*") + " *")
            reached = {at + 1 for at in reached if at < len(lines) and pattern.fullmatch(lines[at])}
    return len(lines) in reached
