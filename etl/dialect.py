"""How a file's bytes are to be read: encoding, delimiter, quoting, header. Found by our own code; pure.

sample → encoding → text → delimiter, quote, escape → preamble and header → names
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from athena.errors import Refused
from etl._encoding import Encoding, find_encoding
from etl._layout import Layout, lay_out, separator_hint
from etl._names import clean_names
from etl._record import AFTER, STRAY, Shape
from etl._sniff import Sniffed, sniff
from etl.contract import SourceRules

SAMPLE_BYTES = 1024 * 1024
_SNIFFED_BYTES = 256 * 1024
# Stands for a delimiter that is no single byte in UTF-8; text hardly ever holds this one (ASCII's unit separator).
UNIT = b"\x1f"


@dataclass(frozen=True, slots=True)
class Dialect:
    """The verdict on one file, as the report shows it.

    `quote` and `escape` are None when there are none; `escape` is None too when quotes are doubled. `names` are
    the columns' names as they will be loaded (clean, unique), `headings` as they stood in the file (empty without
    a header). `mark` is the length of the byte order mark. `lead` tells the kind of each physical line above the
    first record. `single`: there is one column, and `delimiter` does not split it. `trailing`: every record ends
    in a delimiter. `spaced`: spaces behind a delimiter belong to it. `heading` is the header's line in UTF-8,
    `numeric` marks columns of numbers or dates all through the sample. `confidence` is 0 to 1; `notes` are
    sentences for the owner.
    """

    encoding: str
    delimiter: str
    quote: str | None
    escape: str | None
    header: bool
    names: tuple[str, ...]
    headings: tuple[str, ...] = ()
    mark: int = 0
    lead: tuple[str, ...] = ()
    single: bool = False
    trailing: bool = False
    spaced: bool = False
    comment: str | None = None
    heading: bytes | None = None
    numeric: tuple[bool, ...] = ()
    confidence: float = 1.0
    notes: tuple[str, ...] = ()

    @property
    def shape(self) -> Shape:
        """How the text splits once it is UTF-8, with `UNIT` for a delimiter that is longer there."""
        delimiter = self.delimiter.encode()
        return Shape(
            delimiter if len(delimiter) == 1 and not self.single else UNIT,
            len(self.names) + self.trailing,
            quote=self.quote.encode() if self.quote else None,
            escape=self.escape.encode() if self.escape else None,
            comment=self.comment.encode() if self.comment else None,
            trailing=self.trailing,
            spaced=self.spaced,
            numeric=self.numeric,
            heading=self.heading,
        )


def detect(
    sample: bytes, *, whole: bool, rules: SourceRules, expected: Sequence[str] = (), texts: Sequence[str] = ()
) -> Dialect:
    r"""The dialect of the file that begins with `sample` (`whole`: and ends with it); what `rules` pins is kept.

    `expected` are the names that a contract knows: to meet them tells a header, and a file without one is given
    them in their order; `texts` are those of columns of text. Raises `Refused` ("empty-file", "not-text",
    "contract-invalid").

    >>> found = detect("Größe;Ort\n1,5;Köln\n2,0;Ulm\n".encode("cp1252"), whole=True, rules=SourceRules())
    >>> found.encoding, found.delimiter, found.names
    ('cp1252', ';', ('grosse', 'ort'))
    """
    _check_marks(rules)
    encoding = find_encoding(sample, pinned=rules.encoding)
    text = to_text(_whole_units(sample, encoding, whole), encoding.name, rules.delimiter)
    if not text.strip(b" \t\r\n\x00\x1a"):
        raise Refused("The file is empty.", "Drop it again once it has content.", code="empty-file")
    text = text if whole and len(text) <= _SNIFFED_BYTES else _whole_lines(text[:_SNIFFED_BYTES]) or text
    hint = separator_hint(text) if rules.delimiter is None else None
    if hint is not None:
        rules, text = replace(rules, delimiter=hint[0]), text[hint[1] :]
    sniffed, notes = _sniffed(text, rules)
    layout = lay_out(text, sniffed, header=rules.header, expected=expected, texts=texts)
    return _dialect(encoding, layout, hint is not None, notes, expected, rules)


def to_text(data: bytes, encoding: str, delimiter: str | None) -> bytes:
    """The bytes as UTF-8, what cannot be decoded as U+FFFD, with `UNIT` for a delimiter that is not ASCII."""
    text = data if encoding == "utf-8" else data.decode(encoding, "replace").encode()
    if delimiter is not None and not delimiter.isascii():
        text = text.replace(delimiter.encode(), UNIT)
    return text


def _check_marks(rules: SourceRules) -> None:
    for name, mark in (("delimiter", rules.delimiter), ("quote", rules.quote), ("escape", rules.escape)):
        bad = mark is not None and (
            len(mark) > 1 or mark in ("\r", "\n") or (not mark.isascii() and name != "delimiter")
        )
        if bad or (name == "delimiter" and mark == ""):
            raise Refused(
                f"{mark!r} cannot be a {name}.",
                'Use one character, or "" for no quote and no escape.',
                code="contract-invalid",
            )


def _whole_units(sample: bytes, encoding: Encoding, whole: bool) -> bytes:
    body = sample[encoding.mark :]
    if whole:
        return body
    cut = len(body) // encoding.width * encoding.width
    if encoding.width == 1:
        # Not in the middle of a character: behind the last line end.
        cut = max(body.rfind(b"\n"), body.rfind(b"\r")) + 1 or cut
    return body[:cut]


def _whole_lines(text: bytes) -> bytes:
    return text[: max(text.rfind(b"\n"), text.rfind(b"\r")) + 1]


def _sniffed(text: bytes, rules: SourceRules) -> tuple[Sniffed, tuple[str, ...]]:
    if rules.delimiter is not None and not rules.delimiter.isascii():
        rules = replace(rules, delimiter=UNIT.decode())
    sniffed = sniff(text, rules)
    if rules.quote is not None:
        return sniffed, ()
    if sniffed.shape.quote is None:
        return sniffed, (_quotes_as_text('"'),)
    records = [placed.record for placed in sniffed.records]
    strays = sum(record.fault in (STRAY, AFTER) for record in records)
    others = any(record.fault not in (None, STRAY, AFTER) or any(record.quoted) for record in records)
    if others or strays < max(2, 0.01 * len(records)):
        return sniffed, ()
    return sniff(text, replace(rules, quote="")), (_quotes_as_text(sniffed.shape.quote.decode()),)


def _quotes_as_text(quote: str) -> str:
    return f"{quote} is read as text: it stands inside of fields or before words of them, and never around one."


def _dialect(
    encoding: Encoding,
    layout: Layout,
    hinted: bool,
    notes: tuple[str, ...],
    expected: Sequence[str],
    rules: SourceRules,
) -> Dialect:
    shape = layout.shape
    fields = shape.fields - shape.trailing
    names, about_names = _names(layout.headings, fields, expected)
    single = rules.delimiter is None and shape.fields == 1
    pinned = rules.delimiter if rules.delimiter is not None else shape.delimiter.decode()
    return Dialect(
        encoding=encoding.name,
        delimiter="," if single else pinned,
        quote=shape.quote.decode() if shape.quote else None,
        escape=shape.escape.decode() if shape.escape else None,
        header=layout.headings is not None,
        names=names,
        headings=layout.headings or (),
        mark=encoding.mark,
        lead=("separator-hint",) * hinted + layout.lead,
        single=single,
        trailing=shape.trailing,
        spaced=shape.spaced,
        comment=shape.comment.decode() if shape.comment else None,
        heading=shape.heading,
        numeric=shape.numeric[:fields],
        confidence=round(encoding.confidence * layout.confidence, 3),
        notes=(*_about(encoding), *notes, *layout.notes, *about_names),
    )


def _about(encoding: Encoding) -> tuple[str, ...]:
    # What follows from the bytes themselves is said when all of them were seen.
    return (encoding.note,) if encoding.note and encoding.width > 1 else ()


def _names(
    headings: tuple[str, ...] | None, fields: int, expected: Sequence[str]
) -> tuple[tuple[str, ...], Sequence[str]]:
    if headings is not None:
        names, notes = clean_names(headings)
        return names, notes if any(headings) else ()
    return names_without_header(fields, expected)


def names_without_header(fields: int, expected: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of that many columns that nothing in the file names, and a note: the contract's, where it has as many.

    >>> names_without_header(2, ("day", "mm"))[0], names_without_header(2, ())[0]
    (('day', 'mm'), ('column_1', 'column_2'))
    """
    if len(expected) == fields:
        return tuple(expected), ("The file has no header; its columns are named by the contract, in its order.",)
    return tuple(f"column_{place}" for place in range(1, fields + 1)), ("The file has no header.",)
