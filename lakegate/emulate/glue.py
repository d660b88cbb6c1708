"""What Glue refuses and moto takes: an update of a table that another has updated since, and what is beyond its limits.

https://docs.aws.amazon.com/glue/latest/webapi/API_UpdateTable.html and the data types that it names.
"""

import re
from typing import Any

from moto.backends import get_backend
from moto.core import DEFAULT_ACCOUNT_ID

from lakegate.emulate.query import Rejected

MOST_COMMENT_BYTES = 255
MOST_NAME_BYTES = 255
MOST_VALUE_BYTES = 512_000
_SINGLE_LINE = re.compile("[\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff\t]*")


def check(operation: str, asked: dict[str, Any], region: str) -> None:
    """Raises `Rejected` for a call that Glue would not carry out."""
    if operation not in ("CreateTable", "UpdateTable"):
        return
    table = asked.get("TableInput", {})
    for column in table.get("StorageDescriptor", {}).get("Columns", ()):
        _check_name(column["Name"])
        comment = column.get("Comment", "")
        if len(comment.encode()) > MOST_COMMENT_BYTES or not _SINGLE_LINE.fullmatch(comment):
            raise _invalid(f"the comment of column {column['Name']}")
    for name, value in table.get("Parameters", {}).items():
        _check_name(name)
        if len(value.encode()) > MOST_VALUE_BYTES:
            raise _invalid(f"the value of parameter {name}")
    if operation == "UpdateTable" and "VersionId" in asked:
        _check_version(asked["DatabaseName"], table["Name"], asked["VersionId"], region)


def _check_version(database: str, name: str, version: str, region: str) -> None:
    tables = get_backend("glue")[DEFAULT_ACCOUNT_ID][region].databases.get(database)
    table = None if tables is None else tables.tables.get(name)
    if table is not None and str(table.as_dict()["VersionId"]) != version:
        raise Rejected("Update table failed due to concurrent modifications.", "ConcurrentModificationException")


def _check_name(name: str) -> None:
    if not 1 <= len(name.encode()) <= MOST_NAME_BYTES:
        raise _invalid(f"the name {name[:20]}")


def _invalid(what: str) -> Rejected:
    return Rejected(f"Validation failed: {what} is longer or other than it may be.", "InvalidInputException")
