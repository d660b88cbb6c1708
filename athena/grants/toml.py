"""The text of a grant, `partners/<name>.toml`: read, checked, written. Pure.

Whatever is not understood is an error, never left out: a misspelt `rows` must not show every row.
"""

import difflib
import hashlib
import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from typing import Any

from athena.dataset import NAME
from athena.errors import Refused
from athena.grants import DatasetGrant, Grant, Limits

PARTNER_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}\Z", re.ASCII)

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?i?B)\Z")
_UNITS = {
    "B": 1,
    **{f"{letter}B": 1000**power for power, letter in enumerate("KMGT", 1)},
    **{f"{letter}iB": 1024**power for power, letter in enumerate("KMGT", 1)},
}
_LIMITS = tuple(each.name for each in fields(Limits))


def parse_grant(text: str, *, partner: str, where: str) -> Grant:
    """The grant in `text`; `Refused` (code `grant-invalid`) with the key and what to do, `where` naming the file.

    >>> parse_grant("[datasets.flights]", partner="united", where="united.toml").datasets
    {'flights': DatasetGrant(rows=None, columns=('*',), mask={})}
    """
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _invalid(where, f"not valid TOML: {error}", "Mend that line.") from error
    _known_keys(where, "", given, ("description", "datasets", "limits"))
    datasets = {
        name: _dataset(f"{where}: [datasets.{name}]", name, value)
        for name, value in _table(where, "datasets", given.get("datasets", {})).items()
    }
    limits = _limits(f"{where}: [limits]", _table(where, "limits", given.get("limits", {})))
    description = given.get("description", "")
    if not isinstance(description, str):
        raise _invalid(where, f"description is {description!r}", "Write a text.")
    return Grant(partner, description, datasets, limits, grant_digest(datasets, limits))


def grant_digest(datasets: Mapping[str, DatasetGrant], limits: Limits) -> str:
    """sha256 over what is granted; the same for equal grants, whoever holds them."""
    content = {
        "datasets": {
            name: {"rows": each.rows, "columns": sorted(set(each.columns)), "mask": dict(each.mask)}
            for name, each in datasets.items()
        },
        "limits": asdict(limits),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def grant_text(grant: Grant) -> str:
    """The grant as the text that `parse_grant` reads back as the same.

    >>> print(grant_text(Grant("u", "United", {"flights": DatasetGrant("carrier = 'UA'")}, Limits(), "")), end="")
    description = "United"
    <BLANKLINE>
    [datasets.flights]
    rows = "carrier = 'UA'"
    columns = ["*"]
    """
    lines = [f"description = {_quoted(grant.description)}"]
    for name, each in grant.datasets.items():
        lines += ["", f"[datasets.{name}]"]
        if each.rows is not None:
            lines.append(f"rows = {_quoted(each.rows)}")
        lines.append(f"columns = [{', '.join(map(_quoted, each.columns))}]")
        if each.mask:
            lines.append(f"mask = {{ {', '.join(f'{key} = {_quoted(value)}' for key, value in each.mask.items())} }}")
    changed = [(name, getattr(grant.limits, name)) for name in _LIMITS]
    changed = [(name, value) for name, value in changed if value != getattr(Limits(), name)]
    if changed:
        lines += ["", "[limits]", *(f"{name} = {value}" for name, value in changed)]
    return "\n".join(lines) + "\n"


def _dataset(where: str, name: str, value: object) -> DatasetGrant:
    if not NAME.match(name):
        raise _invalid(where, "no dataset name", "Names are lower-case letters, digits and _.")
    given = _table(where, name, value)
    _known_keys(where, "", given, ("rows", "columns", "mask"))
    rows = given.get("rows")
    if rows is not None and (not isinstance(rows, str) or not rows.strip()):
        raise _invalid(where, f"rows is {rows!r}", "Write a condition, as \"carrier = 'UA'\", or leave the key out.")
    mask = _table(where, "mask", given.get("mask", {}))
    for column, how in mask.items():
        if not isinstance(how, str) or not how.strip():
            raise _invalid(where, f"mask.{column} is {how!r}", "Write NULL, hash, first(n) or an expression.")
    return DatasetGrant(rows, _columns(where, given.get("columns", ["*"])), dict(mask))


def _columns(where: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise _invalid(where, f"columns is {value!r}", 'Write a list of names, as ["*", "!tailnum"].')
    return tuple(value)


def _limits(where: str, given: Mapping[str, Any]) -> Limits:
    _known_keys(where, "", given, _LIMITS)
    return Limits(**{key: _limit(where, key, value) for key, value in given.items()})


def _limit(where: str, key: str, value: object) -> int:
    if isinstance(value, str) and key.startswith("bytes_"):
        match = _SIZE.match(value.strip())
        if match:
            return int(float(match[1]) * _UNITS[match[2]])
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        example = '"2 GB" or a number of bytes' if key.startswith("bytes_") else "a whole number, 0 or more"
        raise _invalid(where, f"{key} is {value!r}", f"Write {example}.")
    return value


def _table(where: str, key: str, value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _invalid(where, f"{key} is {value!r}", f"Write a table, as [{key}].")
    return value


def _known_keys(where: str, prefix: str, given: Mapping[str, object], known: Iterable[str]) -> None:
    for key in given:
        if key not in known:
            near = difflib.get_close_matches(key, list(known), n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(known)}."
            raise _invalid(where, f"unknown key {prefix + key!r}", hint)


def _quoted(text: str) -> str:
    # JSON's escapes are TOML's, but for DEL, which TOML wants escaped.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _invalid(where: str, what: str, remedy: str) -> Refused:
    return Refused(f"{where}: {what}.", remedy, code="grant-invalid")
