"""Athena's CSV, read exactly: every value stands in quotes, NULL is an empty field, an empty string is `""`. Pure.

https://docs.aws.amazon.com/athena/latest/ug/querying-finding-output-files.html
A reader that drops the quotes first, as most do, cannot tell NULL from the empty string.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

Record = list[str | None]

_FIELD = re.compile(rb'(?:"([^"]*(?:""[^"]*)*)"|([^",\r\n]*))(,|\r?\n)')
_MARK = re.compile(rb'["\n]')
_STRUCTURE = bytes(byte for byte in range(256) if byte not in b'"\n')


def records(content: bytes) -> Iterator[tuple[Record, int]]:
    r"""Each whole record of `content`, which begins at one, and the offset behind it. What is left over is cut short.

    >>> list(records(b'"a","","b ""c"" d"\n,"1",\n"cut'))
    [(['a', '', 'b "c" d'], 19), ([None, '1', None], 25)]
    """
    record: Record = []
    position = 0
    while match := _FIELD.match(content, position):
        quoted, bare, separator = match.groups()
        if quoted is not None:
            record.append(quoted.replace(b'""', b'"').decode())
        else:
            record.append(bare.decode() or None)
        position = match.end()
        if separator != b",":
            yield record, position
            record = []


@dataclass(slots=True)
class Counter:
    """Counts the records of a CSV whose chunks are fed to it in order, at the speed of memory.

    Only quotes and line ends matter: without the rest, the quotes of a record without line ends inside are pairs.
    """

    count: int = 0
    size_bytes: int = 0
    _inside: bool = False

    def feed_up_to(self, chunk: bytes, record: int) -> int | None:
        r"""Count on; where in the file record number `record` (1-based) ends, if it does so in this chunk.

        >>> Counter().feed_up_to(b'"h"\n"two\nlines"\n"3"\n', 2)
        16
        """
        begin, before, inside = self.size_bytes, self.count, self._inside
        self.feed(chunk)
        if not before < record <= self.count:
            return None
        left = record - before
        for mark in _MARK.finditer(chunk):
            if mark[0] == b'"':
                inside = not inside
            elif not inside:
                left -= 1
                if left == 0:
                    return begin + mark.end()
        raise AssertionError("what was counted is not there")

    def feed(self, chunk: bytes) -> None:
        r"""Count on.

        >>> counter = Counter()
        >>> for chunk in (b'"a","b"\n"two\n', b'lines",\n"c"'): counter.feed(chunk)
        >>> counter.count
        2
        """
        self.size_bytes += len(chunk)
        marks = chunk.translate(None, _STRUCTURE)
        if self._inside:
            marks = b'"' + marks
        marks = marks.replace(b'""', b"")
        outside = marks.split(b'"')[::2]
        self.count += sum(part.count(b"\n") for part in outside)
        self._inside = marks.count(b'"') % 2 == 1
