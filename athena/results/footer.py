"""The end of a Parquet file → how many rows are in it, without a Parquet library. Pure.

Thrift's compact protocol, of which FileMetaData's third field is the count:
https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
"""

import struct

# Length of the metadata and the letters that every file ends with.
TAIL_BYTES = 8
_ROWS_FIELD = 3
_STOP, _TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _STRUCT = 0, 1, 2, 3, 7, 8, 9, 10, 12
_VARINTS = frozenset([4, 5, 6])


def footer_bytes(tail: bytes) -> int:
    """How many bytes before the tail the metadata has; raises `ValueError` for what is no Parquet file.

    >>> footer_bytes((300).to_bytes(4, "little") + b"PAR1")
    300
    """
    length, magic = struct.unpack("<I4s", tail)
    if magic != b"PAR1":
        raise ValueError("no Parquet file")
    return int(length)


def rows_of(footer: bytes) -> int:
    """The rows that the metadata tells of; raises `ValueError` when it cannot be read."""
    try:
        return _Reader(footer).rows()
    except (IndexError, RecursionError) as error:
        raise ValueError("the metadata is cut short, or none") from error


class _Reader:
    def __init__(self, content: bytes) -> None:
        self._content = content
        self._place = 0

    def rows(self) -> int:
        field = 0
        while head := self._byte():
            field = field + (head >> 4) if head >> 4 else self._signed()
            if field == _ROWS_FIELD:
                return self._signed()
            self._skip(head & 15)
        raise ValueError("the metadata has no count")

    def _byte(self) -> int:
        self._place += 1
        return self._content[self._place - 1]

    def _varint(self) -> int:
        value = shift = 0
        while (byte := self._byte()) & 128:
            value |= (byte & 127) << shift
            shift += 7
        return value | byte << shift

    def _signed(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)

    def _skip(self, kind: int, *, element: bool = False) -> None:
        if self._place > len(self._content):
            raise IndexError(self._place)
        if kind in _VARINTS:
            self._varint()
        elif kind == _BINARY:
            length = self._varint()
            self._place += length
        elif kind in (_LIST, _SET):
            self._skip_list()
        elif kind == _STRUCT:
            self._skip_struct()
        elif kind == _DOUBLE:
            self._place += 8
        elif kind == _BYTE or (element and kind in (_TRUE, _FALSE)):
            self._place += 1
        elif kind not in (_TRUE, _FALSE):
            raise ValueError("the metadata holds what Parquet's does not")

    def _skip_list(self) -> None:
        head = self._byte()
        count = head >> 4 if head >> 4 < 15 else self._varint()
        for _ in range(count):
            self._skip(head & 15, element=True)

    def _skip_struct(self) -> None:
        while head := self._byte():
            if not head >> 4:
                self._signed()
            self._skip(head & 15)
