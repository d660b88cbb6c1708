"""One partition of a layout, taken apart. Pure. https://iceberg.apache.org/spec/#partition-transforms"""

import re
from dataclasses import dataclass

from athena.dataset import DataType
from athena.errors import Refused

_CALL = re.compile(r"\s*(\w+)\s*\(\s*(?:(\d+)\s*,\s*)?([a-z0-9_]+)\s*\)\s*\Z")
_PLAIN = re.compile(r"\s*([a-z0-9_]+)\s*\Z")
_TRANSFORMS = ("identity", "year", "month", "day", "hour", "truncate", "bucket")
_COUNTED = ("truncate", "bucket")
_INSTANTS = frozenset(["timestamp", "timestamptz"])
_DAYS = _INSTANTS | {"date"}
_CUT = frozenset(["int", "long", "decimal", "string"])
_FITTING = {
    **dict.fromkeys(("year", "month", "day"), _DAYS),
    "hour": _INSTANTS,
    "truncate": _CUT,
    "bucket": _CUT | _DAYS,
}


@dataclass(frozen=True, slots=True)
class Partition:
    """A transform over one column; `width` belongs to truncate and bucket."""

    transform: str
    column: str
    width: int | None = None

    @property
    def name(self) -> str:
        """The partition field's name in Iceberg.

        >>> parse_partition("bucket(16, id)").name
        'id_bucket_16'
        """
        if self.transform == "identity":
            return f"{self.column}_identity"
        return "_".join([self.column, self.transform, *([str(self.width)] if self.width else [])])

    def fits(self, kind: DataType) -> bool:
        """Whether a column of that type can be divided so.

        >>> parse_partition("month(day)").fits(DataType("date")), parse_partition("month(day)").fits(DataType("int"))
        (True, False)
        """
        return self.transform not in _FITTING or kind.name in _FITTING[self.transform]

    def __str__(self) -> str:
        width = f"{self.width}, " if self.width else ""
        return f"{self.transform}({width}{self.column})"


def parse_partition(text: str) -> Partition:
    """The partition that the contract's text means; `Refused` ("contract-invalid") otherwise.

    >>> parse_partition("month(day)")
    Partition(transform='month', column='day', width=None)
    >>> str(parse_partition("carrier"))
    'identity(carrier)'
    """
    if plain := _PLAIN.match(text):
        return Partition("identity", plain[1])
    call = _CALL.match(text)
    if not call or call[1] not in _TRANSFORMS or (call[1] in _COUNTED) != bool(call[2]) or call[2] == "0":
        raise Refused(
            f"{text!r} is no partition.",
            "Write a column, or year(c), month(c), day(c), hour(c), truncate(4, c) or bucket(16, c).",
            code="contract-invalid",
        )
    return Partition(call[1], call[3], int(call[2]) if call[2] else None)
