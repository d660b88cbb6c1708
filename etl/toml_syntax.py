"""What is wrong about a file that is not valid TOML: with its line, and what was probably meant. Pure."""

import re
import tomllib

from athena.errors import Refused

_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)\Z")
_TWICE = re.compile(r"Cannot declare \((.*)\) twice")
_SHOWN = 80


def syntax_refused(path: str, text: str, error: tomllib.TOMLDecodeError) -> Refused:
    """The refusal ("contract-invalid") of the text that could not be parsed.

    >>> text = "[columns]\\nday = { type = 'date', required = True }"
    >>> try:
    ...     tomllib.loads(text)
    ... except tomllib.TOMLDecodeError as error:
    ...     print(syntax_refused("rain.toml", text, error))
    rain.toml, line 2 is not valid TOML: Invalid value (column 35). Write true and false in small letters.
    """
    place = _PLACE.search(str(error))
    what = _PLACE.sub("", str(error)).rstrip(".")
    lines = text.splitlines()
    number = int(place[1]) if place and place[1] else len(lines)
    at = f" (column {place[2]})" if place and place[2] else ""
    line = lines[number - 1].strip() if 0 < number <= len(lines) else ""
    # The parser stands behind the end of a line that goes on too early.
    if not line and number > 1:
        number, line = number - 1, lines[number - 2].strip()
    twice = _TWICE.search(what)
    if twice:
        name = ".".join(re.findall(r"'([^']*)'", twice[1]))
        what, at = f"[{name}] stands there twice", ""
    elif what == "Cannot overwrite a value":
        what, at = f"this key stands there twice: {line[:_SHOWN]}", ""
    return Refused(
        f"{path}, line {number} is not valid TOML: {what}{at}.", _remedy(what, line), code="contract-invalid"
    )


def _remedy(what: str, line: str) -> str:
    plain = re.sub(r'"[^"]*"|\'[^\']*\'', "", line)
    hints = (
        ("stands there twice" in what, "Put what belongs together under the first, and take the second out."),
        ("Illegal character" in what or '"' in plain or "'" in plain, 'Close the quotes, as in type = "date".'),
        (re.search(r"\b(True|False)\b", plain) is not None, "Write true and false in small letters."),
        (plain.count("{") > plain.count("}"), 'Write what is in braces on one line: day = { type = "date" }.'),
        ("Unescaped" in what, r"Write \\ for a backslash, or use single quotes: '\\'."),
        (re.match(r"[\w.-]+\s*:", line) is not None, "Write name = value, with an equals sign."),
        (plain.count("[") > plain.count("]"), "Close the bracket ]."),
        ("Invalid value" in what, 'Write text in quotes, as in type = "date".'),
    )
    return next((remedy for fits, remedy in hints if fits), "Mend that line.")
