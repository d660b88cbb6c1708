"""What is wrong about a contract whose keys are right one by one, told with file, line, key and remedy. Pure."""

import math
from collections.abc import Mapping
from dataclasses import replace

from athena.dataset import Column
from athena.errors import Refused
from etl._form import NUMERIC, check_form
from etl._reading import reading_of
from etl._values import Bad, Reading
from etl.contract import SourceRules
from etl.partition import Partition
from etl.toml_place import Document

Place = tuple[str, ...]


def check_allowed(document: Document, place: Place, column: Column) -> None:
    """Raises `Refused` ("contract-invalid") for a list of allowed values that allows nothing of the column's type."""
    if column.allowed is None:
        return
    if not column.allowed:
        document.refuse((*place, "allowed"), "is empty", "List what may stand there, or take the key out.")
    plain = Reading(column.type)
    for text in column.allowed:
        try:
            plain.value(text)
        except Bad as error:
            document.refuse(
                (*place, "allowed"),
                f"has {text!r}, which can never stand there",
                f"Write values of {column.type}: {error}",
            )


def check_partition(document: Document, place: Place, partition: Partition, columns: Mapping[str, Column]) -> None:
    """The same for a partition that is none of its column's type."""
    column = columns.get(partition.column)
    if column is not None and not partition.fits(column.type):
        document.refuse(
            place,
            f"has {partition}, but {column.name} is {column.type}",
            "Partition by year, month, day of a date or timestamp; by bucket, truncate or the value of others.",
        )


def check_rules(document: Document, place: Place, rules: SourceRules, columns: Mapping[str, Column]) -> None:
    """The same for marks that mean two things, and for formats and factors that are none for their columns."""
    _check_marks(document, place, rules)
    for name, form in rules.formats.items():
        if name in columns:
            try:
                check_form(columns[name], form)
            except Refused as error:
                document.refuse((*place, "formats", name), f"is wrong: {error.message.rstrip('.')}", error.remedy)
    for name, factor in rules.scale.items():
        if not math.isfinite(factor):
            document.refuse((*place, "scale", name), f"is {factor}", "Write a number that can be multiplied by.")
        if name in columns and columns[name].type.name not in NUMERIC:
            document.refuse(
                (*place, "scale", name), f"is a factor, but {name} is {columns[name].type}", "Take it out of scale."
            )
    _check_values(document, place, rules, columns)


def _check_values(document: Document, place: Place, rules: SourceRules, columns: Mapping[str, Column]) -> None:
    """What a spelling stands for must be a value of the column, written as the source writes them, or missing."""
    for name, words in rules.values.items():
        if name not in columns:
            continue
        reading = replace(reading_of(columns[name], rules), words=(), required=False, allowed=None)
        for spelling, text in words.items():
            try:
                reading.value(text)
            except Bad as error:
                at = (*place, "values", name, spelling)
                document.refuse(at, f"is {text!r}, which can never stand there", f"Write a value of {name}: {error}")


def _check_marks(document: Document, place: Place, rules: SourceRules) -> None:
    for one, other in (("quote", "delimiter"), ("escape", "delimiter"), ("thousands", "decimal")):
        mark = getattr(rules, one)
        if mark and mark == getattr(rules, other):
            document.refuse((*place, one), f"is {mark!r}, and so is {other}", "Each needs a character of its own.")
    for one in ("decimal", "thousands"):
        mark = getattr(rules, one)
        if mark and (mark.isalnum() or mark in "+-"):
            document.refuse((*place, one), f"is {mark!r}, which belongs to a number", 'Write for example ",".')
