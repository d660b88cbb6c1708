"""The keys of a contract, and what was probably meant by one that stands in the wrong place. Pure."""

from dataclasses import fields
from typing import Literal

from etl.contract import SourceRules

Where = Literal["top", "columns", "layout", "sources"]

TOP = ("description", "inferred", "same_content", "new_columns", "max_rejected", "columns", "layout", "sources")
COLUMN = ("type", "required", "unit", "description", "sensitive", "allowed")
LAYOUT = ("partition", "sort")
RULES = tuple(field.name for field in fields(SourceRules))
# As other tools call them.
_OTHERWISE = {
    "enum": "allowed",
    "nullable": "required",
    "not_null": "required",
    "format": "formats",
    "na": "null",
    "nulls": "null",
    "sep": "delimiter",
    "separator": "delimiter",
    "partition_by": "partition",
    "partitions": "partition",
}


def key_hint(key: str, where: Where) -> str | None:
    """The remedy for a key that is not known at `where`; None when nothing like it is known elsewhere.

    >>> key_hint("max_rejected", "columns"), key_hint("enum", "columns")
    ('It belongs above the first [table] of the file.', "Did you mean 'allowed'?")
    >>> key_hint("delimiter", "top")
    'Write it below [sources.default], or the source whose files are so: delimiter = …'
    """
    meant = _OTHERWISE.get(key, key)
    if where != "top" and meant in TOP:
        return "It belongs above the first [table] of the file."
    own = {"top": TOP, "columns": COLUMN, "layout": LAYOUT, "sources": RULES}[where]
    if meant in own:
        return None if meant == key else f"Did you mean {meant!r}?"
    if meant in RULES:
        return f"Write it below [sources.default], or the source whose files are so: {meant} = …"
    if meant in LAYOUT:
        return f"Write it below [layout]: {meant} = …"
    if meant in COLUMN:
        return f'Write it in a column: name = {{ type = "string", {meant} = … }}'
    return None
