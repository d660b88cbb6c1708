"""What the reader of workbooks does not tell of a sheet: how far its cells reach, and which have no value though they
seem to. Found in the sheet's own XML, without building it.

The reader holds all cells between the first and the last in memory: one blank typed into the last cell of a sheet would
take hundreds of gigabytes. https://learn.microsoft.com/openspecs/office_standards/ms-oi29500 (part 1, 18.3.1.4)
"""

import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from typing import BinaryIO

from etl.source import MAX_RATIO, UNSUSPICIOUS_BYTES

_PORTION_BYTES = 4 * 1024 * 1024
_MOST_CARRIED_BYTES = 64 * 1024 * 1024
_TAG = rb"(?:\w+:)?"
_FILLED = re.compile(rb"<" + _TAG + rb'c\s[^>]*?\br="([A-Z]{1,3})([0-9]{1,7})"[^>]*(?<!/)>(?!</)')
_FORMULA = rb"<" + _TAG + rb"f\b[^>]*?(?:/>|>[^<]*</" + _TAG + rb"f>)"
_NO_VALUE = rb"(?:<" + _TAG + rb"v\s*/>|<" + _TAG + rb"v></" + _TAG + rb"v>)?"
_UNCOMPUTED = re.compile(rb"<" + _TAG + rb"c\s([^>]*)>" + _FORMULA + _NO_VALUE + rb"</" + _TAG + rb"c>")
_ERROR = re.compile(rb"<" + _TAG + rb'c\s([^>]*\bt="e"[^>]*)>(?:' + _FORMULA + rb")?<" + _TAG + rb"v>([^<]*)<")
_PLACE = re.compile(rb'\br="([A-Z]+[0-9]+)"')


@dataclass(frozen=True, slots=True)
class Cells:
    """`filled` cells, and how many there are between the first and the last (`spanned`), which is called `last`.
    `uncomputed` and `errors` count formulas without a value and errors in place of one, with the first of each."""

    filled: int = 0
    spanned: int = 0
    last: str = ""
    uncomputed: int = 0
    first_uncomputed: str = ""
    errors: int = 0
    first_error: str = ""

    @property
    def notes(self) -> tuple[str, ...]:
        """What the owner must know: cells that look filled in Excel and are NULL here."""
        notes = []
        if self.uncomputed:
            what = "formula has" if self.uncomputed == 1 else "formulas have"
            notes.append(
                f"{self.uncomputed} {what} no computed value (the first is {self.first_uncomputed}): NULL. "
                "Open the file in Excel and save it: then they have one."
            )
        if self.errors:
            what = "cell holds an error" if self.errors == 1 else "cells hold errors"
            notes.append(f"{self.errors} {what} instead of a value (the first is {self.first_error}): NULL.")
        return tuple(notes)


def cells_of(stream: BinaryIO, sheet: str) -> Cells:
    """The cells of that sheet; none at all for a workbook that is not made of XML or is damaged: its reader will say.

    The stream is at its beginning again afterwards.
    """
    try:
        with zipfile.ZipFile(stream) as book:
            part = _part_of(book, sheet)
            return Cells() if part is None else _looked_at(book, part)
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError):
        return Cells()
    finally:
        stream.seek(0)


def suspicious_part(stream: BinaryIO) -> str | None:
    """The name of a part that unpacks to far more than tables do; the stream is at its beginning again afterwards."""
    try:
        with zipfile.ZipFile(stream) as book:
            parts = book.infolist()
    except zipfile.BadZipFile:
        return None
    finally:
        stream.seek(0)
    most = UNSUSPICIOUS_BYTES
    return next((one.filename for one in parts if one.file_size > max(most, MAX_RATIO * one.compress_size)), None)


def _part_of(book: zipfile.ZipFile, sheet: str) -> str | None:
    links = {
        value
        for one in _elements(book.read("xl/workbook.xml"), b"sheet")
        for key, value in one.items()
        if key.endswith(":id") and one.get("name") == sheet
    }
    parts = _elements(book.read("xl/_rels/workbook.xml.rels"), b"Relationship")
    target = next((one["Target"] for one in parts if one.get("Id") in links), None)
    if target is None:
        return None
    return target.removeprefix("/") if target.startswith("/") else f"xl/{target}"


def _elements(text: bytes, name: bytes) -> list[dict[str, str]]:
    """The attributes of the elements of that name. No XML parser: the file is a stranger's."""
    found = re.findall(rb"<" + _TAG + name + rb"\s([^>]*)>", text)
    pairs = [re.findall(rb"""([\w:]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""", one) for one in found]
    return [
        {key.decode(): unescape((one or other).decode("utf-8", "replace")) for key, one, other in some}
        for some in pairs
    ]


def _looked_at(book: zipfile.ZipFile, part: str) -> Cells:
    filled = uncomputed = errors = 0
    first_uncomputed = first_error = ""
    columns: set[bytes] = set()
    rows: list[int] = []
    for text in _portions(book, part):
        places = _FILLED.findall(text)
        if places:
            filled += len(places)
            columns.update(column for column, _ in places)
            numbers = (int(places[0][1]), int(places[-1][1]))
            rows = [min(numbers[0], *rows), max(numbers[1], *rows)] if rows else [*numbers]
        for found in _UNCOMPUTED.finditer(text) if b"f" in text else ():
            if b't="str"' not in found[1]:
                uncomputed += 1
                first_uncomputed = first_uncomputed or _place(found[1])
        for found in _ERROR.finditer(text) if b't="e"' in text else ():
            errors += 1
            first_error = first_error or f"{found[2].decode('utf-8', 'replace')} in {_place(found[1])}"
    if not columns:
        return Cells(0, 0, "", uncomputed, first_uncomputed, errors, first_error)
    ordered = sorted(columns, key=_number)
    spanned = (rows[1] - rows[0] + 1) * (_number(ordered[-1]) - _number(ordered[0]) + 1)
    last = f"{ordered[-1].decode()}{rows[1]}"
    return Cells(filled, spanned, last, uncomputed, first_uncomputed, errors, first_error)


def _portions(book: zipfile.ZipFile, part: str) -> Iterator[bytes]:
    """The part's text in pieces, none of which ends inside of a cell."""
    with book.open(part) as stream:
        carried = b""
        while some := stream.read(_PORTION_BYTES):
            text = carried + some
            cut = text.rfind(b"<", 0, max(text.rfind(b"<c "), text.rfind(b":c ")) + 1)
            if cut <= 0 and len(text) < _MOST_CARRIED_BYTES:
                carried = text
                continue
            yield text[:cut]
            carried = text[cut:]
        yield carried


def _place(attributes: bytes) -> str:
    found = _PLACE.search(attributes)
    return found[1].decode() if found else "a cell"


def _number(column: bytes) -> int:
    number = 0
    for letter in column:
        number = 26 * number + letter - 64
    return number
