"""Regular expressions: Java's syntax on RE2, no match is NULL, `$1` in replacements.

What RE2 lacks (look-around, back-references, possessive quantifiers) or reads in another way (`&&` and brackets inside
a class) is refused, which is why a pattern must be a literal. https://trino.io/docs/current/functions/regexp.html
"""

import re
from dataclasses import replace

from sqlglot import exp

from athena.trino import types
from athena.trino.build import call, lambda_of, literal_int, literal_text, name, number, once, string, to
from athena.trino.cast import coerce
from athena.trino.function import Call, Function, Value, built
from athena.trino.refusal import mistyped, unsupported

_REFUSED = {
    "(?=": "look-ahead",
    "(?!": "look-ahead",
    "(?<=": "look-behind",
    "(?<!": "look-behind",
    "(?>": "an atomic group",
}
_CLASSES = {
    "Lower": "[:lower:]",
    "Upper": "[:upper:]",
    "Alpha": "[:alpha:]",
    "Digit": "[:digit:]",
    "Alnum": "[:alnum:]",
    "Punct": "[:punct:]",
    "Space": "[:space:]",
    "XDigit": "[:xdigit:]",
    "Blank": "[:blank:]",
    "Cntrl": "[:cntrl:]",
    "Graph": "[:graph:]",
    "Print": "[:print:]",
    "ASCII": "[:ascii:]",
}
_FLAGS = re.compile(r"\(\?([a-zA-Z-]+)[:)]")
_MAX_GROUP = 9

# what Python's own module does not know, for the one question whether a pattern can match nothing
_FOR_PYTHON = re.compile(r"\\[pP]\{[^}]*\}|\\x\{[^}]*\}|\[:\^?[a-z]+:\]|\\[zQE]")

MACROS = {
    # what comes for a match may be NULL, which makes NULL of the whole
    "trino_interleaved(a, b)": "list_reduce(list_transform(list_zip(b, a[2:]), lambda trino_e: "
    "struct_extract(trino_e, 1) || struct_extract(trino_e, 2)), lambda trino_s, trino_e: trino_s || trino_e, a[1])",
    "trino_regexp_position(a, b)": "CASE WHEN regexp_matches(a, b) THEN length(regexp_extract(a, '(?s:^(.*?))(?:' || b "
    "|| ')', 1)) + 1 WHEN a IS NOT NULL THEN -1 END",
}


def java_to_re2(pattern: str) -> tuple[str, dict[str, int], int]:
    """The pattern for RE2, its named groups and the number of groups; `Refused` for what RE2 cannot do.

    >>> java_to_re2(r"(\\p{Alpha}+)\\u0041")[0]
    '([[:alpha:]]+)\\\\x{0041}'
    """
    for match in _FLAGS.finditer(pattern):
        for flag in match[1]:
            if flag not in "ims-":
                raise unsupported(f"The flag (?{flag}) in a pattern", "Use (?i), (?m) and (?s).")
    made, names, groups, index, in_class = [], {}, 0, 0, False
    quantified = False
    while index < len(pattern):
        letter = pattern[index]
        if letter == "\\":
            piece, index = _escape(pattern, index, in_class)
            made.append(piece)
            quantified = False
            continue
        if in_class:
            if letter == "[" and not pattern.startswith("[:", index):
                raise unsupported("A bracket inside a character class", r"Escape it: \[.")
            if pattern.startswith("&&", index):
                raise unsupported("&& inside a character class", "Write the class out.")
            if pattern.startswith("[:", index):
                end = pattern.find(":]", index) + 2
                made.append(pattern[index:end])
                index = end
                continue
            in_class = letter != "]"
        elif letter == "[":
            start = 2 if pattern.startswith("[^", index) else 1
            made.append(pattern[index : index + start])
            index += start
            if pattern[index : index + 1] == "]":
                raise unsupported("A character class that begins with ]", r"Escape it: \].")
            in_class = True
            continue
        elif letter == "(":
            _check_group(pattern, index)
            named = re.compile(r"\(\?P?<([a-zA-Z][a-zA-Z0-9_]*)>").match(pattern, index)
            if named is not None or not pattern.startswith("(?", index):
                groups += 1
            if named is not None:
                names[named[1]] = groups
                made.append(f"(?P<{named[1]}>")
                index = named.end()
                continue
        elif letter == "+" and quantified:
            raise unsupported("A possessive quantifier in a pattern", "Use the greedy one.")
        quantified = not in_class and letter in "*+?}"
        made.append(letter)
        index += 1
    return "".join(made), names, groups


def _check_group(pattern: str, index: int) -> None:
    for beginning, what in _REFUSED.items():
        if pattern.startswith(beginning, index):
            raise unsupported(f"{beginning} … ({what}) in a pattern", "Write the pattern without it.")


def _escape(pattern: str, index: int, in_class: bool) -> tuple[str, int]:
    letter = pattern[index + 1 : index + 2]
    if letter == "u" and re.fullmatch(r"[0-9a-fA-F]{4}", pattern[index + 2 : index + 6]):
        return f"\\x{{{pattern[index + 2 : index + 6]}}}", index + 6
    if letter in "pP" and pattern[index + 2 : index + 3] == "{":
        end = pattern.index("}", index)
        named = pattern[index + 3 : end]
        posix = _CLASSES.get(named)
        if posix is not None:
            inside = posix.replace("[:", "[:^") if letter == "P" else posix
            return (inside if in_class else f"[{inside}]"), end + 1
        return f"\\{letter}{{{named.removeprefix('Is')}}}", end + 1
    if letter == "e":
        return "\\x1b", index + 2
    if letter.isdigit() and letter != "0":
        raise unsupported(f"The back-reference \\{letter} in a pattern", "Write the pattern without it.")
    if not letter or letter in "0kcRXGZKhHvVNyYmM":
        raise unsupported(f"\\{letter} in a pattern", "Write the characters out.")
    return pattern[index : index + 2], index + 2


def java_replacement(text: str, names: dict[str, int], groups: int) -> str:
    r"""`$1` and `${name}` as RE2's `\1`.

    >>> java_replacement("$1-\\$", {}, 1)
    '\\1-$'
    """
    made, index = [], 0
    while index < len(text):
        letter = text[index]
        if letter == "\\":
            following = text[index + 1 : index + 2]
            if not following:
                raise mistyped("A replacement ends in a backslash.", "Write two of them.")
            made.append("\\\\" if following == "\\" else following)
            index += 2
        elif letter == "$":
            match = re.compile(r"\$(?:\{(\w+)\}|(\d+))").match(text, index)
            if match is None:
                raise mistyped("$ in a replacement stands before a group.", r"Escape it: \$.")
            if match[1]:
                group, used = names.get(match[1], -1), match.end()
            else:
                group, length = _group_number(match[2], groups)
                used = index + 1 + length
            if not 0 <= group <= min(groups, _MAX_GROUP):
                raise mistyped(f"The pattern has no group {match[1] or match[2]}.", "Check the replacement.")
            made.append(f"\\{group}")
            index = used
        else:
            made.append(letter)
            index += 1
    return "".join(made)


def _group_number(digits: str, groups: int) -> tuple[int, int]:
    """The group and how many digits name it, as Java reads them: as many as still name a group."""
    number_, length = int(digits[0]), 1
    for digit in digits[1:]:
        if number_ * 10 + int(digit) > groups:
            break
        number_, length = number_ * 10 + int(digit), length + 1
    return number_, length


def _pattern(made: Call, most: int) -> tuple[list[Value], exp.Expr, dict[str, int], int]:
    if not 2 <= len(made.arguments) <= most:
        raise mistyped(f"{made.name} takes a text and a pattern.", "Check the call.")
    if any(isinstance(argument, exp.Lambda) for argument in made.arguments):
        raise unsupported(f"{made.name} with a lambda", "Replace by a text with $1.")
    values = made.values()
    if values[0].type.name not in ("varchar", "unknown"):
        raise mistyped(f"{made.name}({values[0].type}) does not exist.", "Cast it to varchar.")
    text = literal_text(values[1].node)
    if text is None:
        raise unsupported(f"{made.name} with a pattern that is no literal", "Write the pattern as a literal.")
    translated, names, groups = java_to_re2(text)
    values[0] = coerce(values[0], types.VARCHAR)
    return values, string(translated), names, groups


def _check_not_empty(made: Call, pattern: exp.Expr, *, bare: bool) -> None:
    """Behind a match Java finds an empty one, RE2 does not: refuse a pattern that can match either way."""
    text = str(pattern.this)
    if (bare and not text.strip("^$()")) or text in (r"\b", r"\B"):
        return
    try:
        found = re.compile(_FOR_PYTHON.sub("x", text))
    except re.error:
        return
    if any(match.start() == match.end() for probe in ("", "x", "1 x", "\n") for match in found.finditer(probe)):
        raise unsupported(f"{made.name} with a pattern that can match nothing", "Use + in the place of *.")


def _like(made: Call) -> Value:
    values, pattern, _, _ = _pattern(made, 2)
    return Value(call("regexp_matches", values[0].node, pattern), types.BOOLEAN)


def _group(made: Call, values: list[Value], groups: int) -> exp.Expr:
    if len(values) < 3:
        return number(0)
    group = literal_int(values[2].node)
    if group is None:
        raise unsupported(f"{made.name} with a computed group", "Write the group's number as a literal.")
    if not 0 <= group <= groups:
        raise mistyped(f"The pattern has no group {group}.", "Count its parentheses.")
    return number(group)


def _extract(made: Call) -> Value:
    values, pattern, _, groups = _pattern(made, 3)
    found = call("regexp_extract_all", values[0].node, pattern, _group(made, values, groups))
    return Value(call("list_extract", found, number(1)), types.VARCHAR)


def _extract_all(made: Call) -> Value:
    values, pattern, _, groups = _pattern(made, 3)
    _check_not_empty(made, pattern, bare=True)
    found = call("regexp_extract_all", values[0].node, pattern, _group(made, values, groups))
    return Value(found, types.array(types.VARCHAR))


def _replaced_by(made: Call, function_: exp.Lambda) -> Value:
    """regexp_replace(text, pattern, groups -> text): what is between the matches, and what comes for them, in turn."""
    plain = replace(made, arguments=made.arguments[:2])
    values, pattern, _, groups = _pattern(plain, 2)
    _check_not_empty(made, pattern, bare=False)
    wrap, body = made.translator.lambda_(function_, [types.array(types.VARCHAR)])
    if body.type.name not in ("varchar", "unknown"):
        raise mistyped(f"The lambda of regexp_replace gives {body.type}.", "Cast it to varchar.")

    def whole(text: exp.Expr) -> exp.Expr:
        found = [call("regexp_extract_all", text.copy(), pattern.copy(), number(g)) for g in range(1, groups + 1)]
        parts = [call("struct_extract", name("trino_m"), number(place)) for place in range(1, groups + 1)]
        matches = call("list_zip", *found) if found else call("regexp_extract_all", text.copy(), pattern.copy())
        listed = to(exp.Array(expressions=parts), types.array(types.VARCHAR))
        each = call("list_transform", matches, lambda_of(listed, "trino_m"))
        made_of = call("list_transform", each, wrap(coerce(body, types.VARCHAR).node))
        return call("trino_interleaved", call("string_split_regex", text, pattern.copy()), made_of)

    return Value(once(values[0].node, "trino_r", whole), types.VARCHAR)


def _replace(made: Call) -> Value:
    if len(made.arguments) == 3 and isinstance(made.arguments[2], exp.Lambda):
        return _replaced_by(made, made.arguments[2])
    values, pattern, names, groups = _pattern(made, 3)
    text = literal_text(values[2].node) if len(values) == 3 else ""
    if text is None:
        raise unsupported("regexp_replace with a replacement that is no literal", "Write it as a literal.")
    _check_not_empty(made, pattern, bare=True)
    replacement = string(java_replacement(text, names, groups))
    return Value(call("regexp_replace", values[0].node, pattern, replacement, string("g")), types.VARCHAR)


def _split(made: Call) -> Value:
    values, pattern, _, _ = _pattern(made, 2)
    _check_not_empty(made, pattern, bare=False)
    return Value(call("string_split_regex", values[0].node, pattern), types.array(types.VARCHAR))


def _count(made: Call) -> Value:
    values, pattern, _, _ = _pattern(made, 2)
    _check_not_empty(made, pattern, bare=True)
    found = call("len", call("regexp_extract_all", values[0].node, pattern))
    return Value(to(found, types.BIGINT), types.BIGINT)


def _position(made: Call) -> Value:
    values, pattern, _, _ = _pattern(made, 2)
    return Value(to(call("trino_regexp_position", values[0].node, pattern), types.INTEGER), types.INTEGER)


FUNCTIONS: tuple[Function, ...] = (
    built("regexp_like", _like, total=True, strict=True),
    built("regexp_extract", _extract, total=True),
    built("regexp_extract_all", _extract_all, total=True, strict=True),
    built("regexp_replace", _replace, total=True, strict=True),
    built("regexp_split", _split, total=True, strict=True),
    built("regexp_count", _count, total=True, strict=True),
    built("regexp_position", _position, total=True, strict=True),
)
