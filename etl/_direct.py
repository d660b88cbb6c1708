"""A block's bytes → typed columns in one step of Arrow's CSV reader, or None when a closer look is needed.

The reader is given exact types and a text whose structure is known or can be checked by counting. What it accepts
and the exact reading does not is looked for first; whatever it refuses, it refuses for the whole block.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pyarrow as pa
import pyarrow.csv as pacsv

from athena.arrow import arrow_type
from etl._casting import NotFast, guarded, holds_decimals
from etl._column import check_column, convert_column
from etl._decimals import exact_decimals, has_long_numbers, is_short
from etl._plan import Feed, Plan
from etl._values import FALSE, TRUE, Reading

_FEW = 512
_PIECE = 256 * 1024
_BOM = b"\xef\xbb\xbf"
_FLOATS = frozenset(["float", "double"])
_NUMBERS = _FLOATS | {"int", "long", "decimal"}


def parse_typed(text: bytes, plan: Plan, records: int, *, tokens: bool) -> list[pa.Array] | None:
    """The fed columns of `text`, which must hold `records` records, all of them good; None when it is not so simple.

    `tokens` says that words for missing values are expected among numbers and dates: it costs a little more.
    """
    if _is_suspect(text, plan):
        return None
    return _checked(lambda: _read(text, plan, tokens=tokens), [(feed, feed.reading) for feed in _fed(plan)], records)


def parse_without(text: bytes, plan: Plan, records: int, words: tuple[str, ...]) -> list[pa.Array] | None:
    """The same, but null wherever one of the words stands outside of quotes or a value may be missing, in whichever
    column: what is meant there has yet to be looked at."""
    if _is_suspect(text, plan):
        return None
    missing = tuple(dict.fromkeys((*plan.text_missing, *plan.words, *words)))
    short = _has_short(plan) and _are_short(text, plan)
    wanted = [(feed, replace(feed.reading, required=False)) for feed in _fed(plan)]
    return _checked(lambda: read_columns(text, plan, _fed(plan), missing, short=short), wanted, records)


def _checked(
    read: Callable[[], dict[Feed, pa.Array]], wanted: Sequence[tuple[Feed, Reading]], records: int
) -> list[pa.Array] | None:
    try:
        columns = read()
        if any(len(column) != records for column in columns.values()):
            return None
        return [_finished(columns[feed], reading) for feed, reading in wanted]
    except (pa.ArrowInvalid, NotFast):
        return None


def parse_text(text: bytes, plan: Plan, records: int) -> list[pa.Array] | None:
    """The same columns as text; null where a value is missing text that stands outside of quotes."""
    if text.startswith(_BOM) or not splits_alike(text, plan):
        return None
    try:
        columns = read_columns(text, plan, _fed(plan), plan.text_missing, as_text=True)
    except pa.ArrowInvalid:
        return None
    return None if any(len(column) != records for column in columns.values()) else list(columns.values())


def has_words(text: bytes, missing: Sequence[str]) -> bool:
    """Whether one of the words for missing values may stand in the text."""
    return any(word.encode() in text for word in missing if word)


def splits_alike(text: bytes, plan: Plan) -> bool:
    """Whether Arrow's reader takes these bytes apart as the exact one does."""
    shape = plan.shape
    if shape.spaced:
        return False
    if shape.escape is None or shape.escape not in text:
        return True
    # Arrow drops every escape; the exact reading only those before something that has a meaning.
    special = (shape.quote or b"") + shape.escape + shape.delimiter
    place = text.find(shape.escape)
    while place >= 0:
        if text[place + 1 : place + 2] not in [bytes([one]) for one in special]:
            return False
        place = text.find(shape.escape, place + 2)
    return True


def is_simple(text: bytes, plan: Plan) -> bool:
    """Whether Arrow's casts can be trusted with the text's numbers, short decimals as doubles included."""
    return not _is_suspect(text, plan) and (_are_short(text, plan) or not _has_short(plan))


def _has_short(plan: Plan) -> bool:
    return any(is_short(feed.reading.type) for feed in _fed(plan))


def _are_short(text: bytes, plan: Plan) -> bool:
    return not has_long_numbers(text, plan.decimal)


def _is_suspect(text: bytes, plan: Plan) -> bool:
    if text.startswith(_BOM) or not splits_alike(text, plan):
        return True
    # Arrow reads hexadecimal numbers, and takes 1e-61 for zero in a decimal.
    types = {feed.reading.type.name for feed in plan.feeds}
    whole, decimal = bool(types & {"int", "long"}), "decimal" in types
    found = _present(text, (b"xX" if whole else b"") + (b"eE" if decimal else b""))
    if any(_holds(text, b"0" + letter, 1) for letter in (b"x", b"X") if letter in found):
        return True
    if any(_holds(text, letter + b"-", 0) for letter in (b"e", b"E") if letter in found):
        return True
    # Bytes of columns that are not loaded are looked at by nobody else.
    return len(_fed(plan)) < plan.shape.fields and not text.isascii() and not _is_utf8(text)


def _present(text: bytes, wanted: bytes) -> bytes:
    """Those of some bytes that the text holds; searched piece by piece, which then are in the processor's cache."""
    found = b""
    for start in range(0, len(text), _PIECE):
        found += bytes(one for one in wanted if one not in found and text.find(one, start, start + _PIECE) >= 0)
    return found


def _holds(text: bytes, mark: bytes, rare: int) -> bool:
    """Whether two bytes stand together; `rare` is the place of the one to look for, which is faster than both."""
    one = mark[rare : rare + 1]
    place = text.find(one)
    for _ in range(_FEW):
        if place < 0:
            return False
        if text.startswith(mark, max(place - rare, 0)):
            return True
        place = text.find(one, place + 1)
    return mark in text


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _fed(plan: Plan) -> list[Feed]:
    return [feed for feed in plan.feeds if feed.place is not None]


def is_direct(reading: Reading) -> bool:
    """Whether Arrow's reader can make the values by itself, but for checks afterwards."""
    if reading.is_text:
        return not reading.words
    if reading.form is not None or reading.words:
        return False
    name = reading.type.name
    if name == "timestamptz":
        return reading.zone is None
    if not holds_decimals(reading.type):
        return False
    # What is grouped, Arrow refuses.
    return name not in _NUMBERS or reading.factor is None or name in _FLOATS


def _finished(column: pa.Array, reading: Reading) -> pa.Array:
    if not is_direct(reading):
        values, bad = (converted := convert_column(column, reading)).values, converted.bad
    else:
        short = pa.types.is_floating(column.type) and is_short(reading.type)
        values = exact_decimals(column, reading.type) if short else guarded(column, reading)
        # Arrow can look for few types in a list of allowed values.
        values = values.cast(arrow_type(reading.type)) if reading.allowed is not None else values
        bad = check_column(None, values, reading, {})
    if bad:
        raise NotFast
    return values


def _read(text: bytes, plan: Plan, *, tokens: bool) -> dict[Feed, pa.Array]:
    """Empty alone is missing in text, words are too elsewhere, but the reader knows one list: so it reads twice."""
    fed = _fed(plan)
    short = _has_short(plan) and _are_short(text, plan)
    if not tokens:
        return read_columns(text, plan, fed, plan.text_missing, short=short)
    typed = [feed for feed in fed if is_direct(feed.reading) and not feed.reading.is_text]
    others = [feed for feed in fed if feed not in typed]
    return read_columns(text, plan, typed, plan.words, short=short) | read_columns(
        text, plan, others, plan.text_missing
    )


def read_columns(
    text: bytes,
    plan: Plan,
    feeds: list[Feed],
    missing: tuple[str, ...],
    *,
    as_text: bool = False,
    short: bool = False,
) -> dict[Feed, pa.Array]:
    """The columns of `feeds` as Arrow's reader makes them of these bytes; raises `pa.ArrowInvalid`.

    `short` says that no number of the text is long, so that short decimals may come as doubles.
    """
    if not feeds:
        return {}
    if not text.endswith((b"\n", b"\r")):
        text += b"\n"  # an empty field at the very end would count as quoted when the one before is
    shape = plan.shape
    types = {f"f{feed.place}": pa.string() if as_text else _reader_type(feed.reading, short) for feed in feeds}
    quoted = shape.quote is not None and shape.quote in text
    table = pacsv.read_csv(
        pa.BufferReader(text),
        pacsv.ReadOptions(
            use_threads=False,
            block_size=len(text) + 1,
            column_names=[f"f{place}" for place in range(shape.fields)],
        ),
        pacsv.ParseOptions(
            delimiter=shape.delimiter.decode(),
            quote_char=shape.quote.decode() if shape.quote is not None and quoted else False,
            double_quote=True,
            escape_char=shape.escape.decode() if shape.escape else False,
            newlines_in_values=quoted or shape.escape is not None,
        ),
        pacsv.ConvertOptions(
            column_types=types,
            include_columns=list(types),
            null_values=list(missing),
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            true_values=_TRUE,
            false_values=_FALSE,
            decimal_point=plan.decimal,
            timestamp_parsers=[pacsv.ISO8601],
        ),
    )
    return {feed: _one_chunk(column) for feed, column in zip(feeds, table.columns, strict=True)}


def _reader_type(reading: Reading, short: bool) -> pa.DataType:
    if not is_direct(reading):
        return pa.string()
    if short and is_short(reading.type):
        return pa.float64()
    # Rounded to double first, as the exact way does it.
    return pa.float64() if reading.type.name == "float" else arrow_type(reading.type)


def _one_chunk(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _spellings(words: tuple[str, ...]) -> list[str]:
    return sorted({spelled for word in words for spelled in (word, word.upper(), word.title())})


_TRUE, _FALSE = _spellings(TRUE), _spellings(FALSE)
