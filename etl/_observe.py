"""A block's values → what is known of its columns, vectorised; equals looking at every value. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from athena.arrow import arrow_type
from athena.dataset import Column
from etl._apart import fields_exactly, good_text
from etl._casting import NotFast, guarded
from etl._direct import has_words, parse_text, read_columns
from etl._kinds import BOOLEAN, COMMA, DATE, EXACT_DOUBLE, INT, LONG, POINT, TIMESTAMP, TIMESTAMPTZ, type_of
from etl._marks import split
from etl._plan import Feed, Plan
from etl._record import Shape
from etl._seen import Seen
from etl._split import Positions
from etl._values import Reading
from etl.read import Block
from etl.standardise import is_plain, without_undecodable

_WHOLE = r"-?(?:0|[1-9][0-9]*)"
_REAL = (
    r"[+-]?(?:(?:0|[1-9][0-9]*)\.[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?"
    r"|[+-]?(?:0|[1-9][0-9]*)[eE][+-][0-9]{1,4}|nan|NaN|-?(?:inf|Inf|Infinity)|"
) + _WHOLE
# Short enough to be exact as doubles.
_WITH_COMMA = r"[+-]?(?:0|[1-9][0-9]{0,14}),[0-9]*|-?(?:0|[1-9][0-9]{0,14})"
_STRICTLY = {INT: _WHOLE, LONG: _WHOLE, POINT: _REAL, COMMA: _WITH_COMMA, BOOLEAN: r"(?i:true|false)"}
_CHECKED_BY_READER = frozenset([INT, LONG, POINT, BOOLEAN, DATE, TIMESTAMP, TIMESTAMPTZ])
_KINDS = {type_of(kind).name: kind for kind in _CHECKED_BY_READER}


@dataclass(frozen=True, slots=True)
class _Look:
    """One block as it is looked at: good records only, the line of each, and the columns that still matter."""

    text: bytes
    lines: Positions
    plan: Plan


def observe(block: Block, shape: Shape, places: Mapping[str, int], seen: Mapping[str, Seen]) -> dict[str, Seen]:
    """What is known of the columns (by name, at `places` in the file) with this block's values added."""
    agreed = observe_at_once(block, shape, places, seen)
    if agreed is not None:
        return agreed
    active = _active(seen)
    return {**seen, **_one_by_one(block, _plan(shape, places, active), active)}


def observe_at_once(
    block: Block, shape: Shape, places: Mapping[str, int], seen: Mapping[str, Seen]
) -> dict[str, Seen] | None:
    """The same where the values are of the likeliest types, as far as Arrow's reader checks them; None where not."""
    active = _active(seen)
    if not active:
        return dict(seen)
    plan = _plan(shape, places, active)
    if not is_plain(block, plan) or not block.line_count:
        return None
    found = block.split
    lines = np.arange(block.line_count) if found is None else found.lines
    agreed = _agreeing(_Look(block.text, lines + block.first_line, plan), active)
    return None if agreed is None else {**seen, **agreed}


def _active(seen: Mapping[str, Seen]) -> dict[str, Seen]:
    return {name: one for name, one in seen.items() if not one.is_text}


def _plan(shape: Shape, places: Mapping[str, int], active: Mapping[str, Seen]) -> Plan:
    feeds = []
    for name, one in active.items():
        kind = one.likeliest if one.likeliest in _CHECKED_BY_READER else None
        column = Column(name, type_of(kind or "text"))
        feeds.append(Feed(column, places[name], Reading(column.type, missing=one.missing)))
    return Plan(shape, tuple(feeds), ("",), ".")


def observe_exactly(block: Block, shape: Shape, places: Mapping[str, int], seen: Mapping[str, Seen]) -> dict[str, Seen]:
    """The same value by value, each distinct one once: slow, and what `observe` must agree with."""
    plan = _plan(shape, places, seen)
    look, columns = _texts(block, plan)
    return {
        feed.column.name: observe_each(seen[feed.column.name], column, look.lines)
        for feed, column in zip(plan.feeds, columns, strict=True)
    }


def first_texts(block: Block, shape: Shape, places: Mapping[str, int]) -> dict[str, pa.Array]:
    """Columns of the block's good records as text."""
    plan = _plan(shape, places, {name: Seen() for name in places})
    return dict(zip(places, _texts(block, plan)[1], strict=True))


def _agreeing(look: _Look, active: Mapping[str, Seen]) -> dict[str, Seen] | None:
    """The columns when Arrow's reader, given the likeliest types, agrees with them; None when it does not."""
    try:
        return _at_once(look, active, with_words=False)
    except (pa.ArrowInvalid, NotFast):
        if not has_words(look.text, next(iter(active.values())).missing):
            return None
    try:
        return _at_once(look, active, with_words=True)
    except (pa.ArrowInvalid, NotFast):
        return None


def _at_once(look: _Look, active: Mapping[str, Seen], *, with_words: bool) -> dict[str, Seen]:
    text, plan = look.text, look.plan
    missing = ("", *next(iter(active.values())).missing)
    typed = [feed for feed in plan.feeds if not feed.reading.is_text]
    untyped = [feed for feed in plan.feeds if feed.reading.is_text]
    values = read_columns(text, plan, typed, missing if with_words else ("",))
    doubt = _Doubt(text, plan.shape.delimiter)
    close = [feed for feed in typed if _is_doubtful(active[feed.column.name], values[feed], doubt, with_words)]
    texts = read_columns(text, plan, [*untyped, *close], ("",), as_text=True)
    if any(len(column) != len(look.lines) for column in (*values.values(), *texts.values())):
        raise NotFast
    found = {}
    for feed in plan.feeds:
        name = feed.column.name
        if feed in texts:
            found[name] = _column(active[name], texts[feed], look.lines)
        else:
            found[name] = _agreed(active[name], guarded(values[feed], feed.reading))
    return found


def bears_out(text: bytes, plan: Plan, columns: Sequence[pa.Array]) -> bool:
    """Whether a close look at any of the records alone would find the types that `columns` (of the plan's feeds that
    have a place) were read as, or such as these hold. Columns of text are not looked at."""
    doubt = _Doubt(text, plan.shape.delimiter)
    feeds = [feed for feed in plan.feeds if feed.place is not None]
    seen = {feed: Seen(kinds=frozenset([_KINDS[feed.reading.type.name]])) for feed in feeds if not feed.reading.is_text}
    read = zip(feeds, columns, strict=True)
    close = [feed for feed, values in read if feed in seen and _is_doubtful(seen[feed], values, doubt, False)]
    try:
        for feed, column in read_columns(text, plan, close, ("",), as_text=True).items():
            _strictly(seen[feed].likeliest or "", column, seen[feed])
    except (pa.ArrowInvalid, NotFast):
        return False
    return True


def _one_by_one(block: Block, plan: Plan, active: Mapping[str, Seen]) -> dict[str, Seen]:
    look, columns = _texts(block, plan)
    names = [feed.column.name for feed in plan.feeds]
    return {name: _column(active[name], column, look.lines) for name, column in zip(names, columns, strict=True)}


def _texts(block: Block, plan: Plan) -> tuple[_Look, list[pa.Array]]:
    """The good records of a block, as columns of text."""
    found = block.split or split(block.text, plan.shape, complete=True)
    found = without_undecodable(block, found)
    records = len(found.starts)
    look = _Look(good_text(block.text, found), found.lines + block.first_line, plan)
    columns = parse_text(look.text, plan, records) if records else None
    return look, fields_exactly(block.text, plan, found, plan.feeds) if columns is None else columns


class _Doubt:
    """What in a block's text Arrow's reader may have taken that a type is not inferred from; each looked for once."""

    def __init__(self, text: bytes, delimiter: bytes) -> None:
        self.text, self.delimiter = text, delimiter

    @cached_property
    def whole(self) -> bool:
        """Whether a whole number may be written as none should be."""
        text = self.text
        return (
            _has_leading_zeros(text, self.delimiter)
            or (b"x" in text and b"0x" in text)
            or (b"X" in text and b"0X" in text)
        )

    @cached_property
    def real(self) -> bool:
        """The same for a number with decimals."""
        return b"+" in self.text or self.whole or _has_exponents(self.text)


def _is_doubtful(seen: Seen, values: pa.Array, doubt: _Doubt, with_words: bool) -> bool:
    """Whether the column's text must be looked at."""
    if with_words and values.null_count and not seen.words:
        return True
    if values.null_count == len(values):
        return False
    kind = seen.likeliest
    if kind in (INT, LONG):
        return doubt.whole
    if kind == POINT:
        span = pc.min_max(values).as_py()
        finite = pc.all(pc.is_finite(values)).as_py()
        return not finite or not (span["min"] > -EXACT_DOUBLE and span["max"] < EXACT_DOUBLE) or doubt.real
    return kind == BOOLEAN


def _has_leading_zeros(text: bytes, delimiter: bytes = b",") -> bool:
    r"""Whether a zero with a digit behind it stands where a number may begin; the hours of a time do not count.

    >>> _has_leading_zeros(b"007,x"), _has_leading_zeros(b"a,-05"), _has_leading_zeros(b"2024-01-02 05:00,10\n0.5")
    (True, True, False)
    """
    block = np.frombuffer(b"\n\n" + text + b"\n\n", np.uint8)
    leading = block[:-1] == 48
    leading &= (block[1:] - np.uint8(48)) < 10
    # Blanks, quotes and line ends are below the digits; a hyphen is a sign or stands inside of a date.
    apart = block < 45
    apart |= block == delimiter[0]
    zeros = np.flatnonzero(apart[:-2] & leading[1:])
    if (block[zeros + 3] != 58).any():
        return True
    signed = block[1:-2] == 45
    signed &= apart[:-3]
    signed &= leading[2:]
    return bool(signed.any())


def _has_exponents(text: bytes) -> bool:
    """Whether an E stands between digits, as in 12E4, which is rather a name than a number."""
    if b"e" not in text and b"E" not in text:
        return False
    block = np.frombuffer(b"\n" + text + b"\n", np.uint8)
    letters = np.flatnonzero((block | 32) == 101)
    before, behind = block[letters - 1], block[letters + 1]
    digits = ((before - np.uint8(48)) < 10) | (before == 46)
    return bool((digits & ((behind - np.uint8(48)) < 10)).any())


def _column(seen: Seen, text: pa.Array, lines: Positions) -> Seen:
    kind = seen.likeliest
    if kind is not None and (kind in _CHECKED_BY_READER or kind == COMMA):
        try:
            return _agreed(seen, _strictly(kind, text, seen))
        except (pa.ArrowInvalid, NotFast):
            pass
    return observe_each(seen, text, lines)


def _strictly(kind: str, text: pa.Array, seen: Seen) -> pa.Array:
    """The values of a column all of whose values have the kind; raises when one has not."""
    trimmed = pc.ascii_trim(text, " \t")
    missing = pc.is_in(trimmed, value_set=pa.array(["", *seen.words], pa.string()))
    trimmed = pc.if_else(missing, pa.scalar(None, pa.string()), trimmed)
    if kind in _STRICTLY:
        fitting = pc.match_substring_regex(trimmed, rf"^(?:{_STRICTLY[kind]})$")
        if pc.all(fitting).as_py() is False:
            raise NotFast
    if kind == COMMA:
        return trimmed
    if kind == BOOLEAN:
        return pc.equal(pc.ascii_lower(trimmed), "true")
    values = pc.cast(trimmed, arrow_type(type_of(kind)))
    if kind == POINT and pc.all(pc.less(pc.abs(values), float(EXACT_DOUBLE))).as_py() is False:
        _check_specials(trimmed, values)
        return values
    return values if kind == POINT else guarded(values, Reading(type_of(kind)))


def _check_specials(text: pa.Array, values: pa.Array) -> None:
    """Raises unless every large value is one that is spelled out as infinite or as no number."""
    large = pc.invert(pc.less(pc.abs(values), float(EXACT_DOUBLE)))
    spelled = pc.match_substring_regex(text, r"^-?[niNI]")
    if pc.all(pc.or_(pc.invert(large), spelled)).as_py() is False:
        raise NotFast


def _agreed(seen: Seen, values: pa.Array) -> Seen:
    kind = seen.likeliest or ""
    exact = kind != LONG or pc.all(pc.less(pc.abs(pc.cast(values, pa.float64(), safe=False)), EXACT_DOUBLE)).as_py()
    return seen.and_block_of(kind, len(values) - values.null_count, exact_as_double=exact is not False)


def observe_each(seen: Seen, text: pa.Array, lines: Positions) -> Seen:
    """What is known of a column with every distinct value of `text` looked at; `lines` are those of its rows."""
    encoded = pc.dictionary_encode(text)
    if not len(encoded.dictionary):
        return seen
    valid = encoded.indices.drop_null().to_numpy()
    rows = np.flatnonzero(pc.is_valid(encoded.indices).to_numpy(zero_copy_only=False))
    _, first = np.unique(valid, return_index=True)
    return seen.and_values(_until_text(encoded.dictionary, lines[rows[first]]), len(rows))


def _until_text(words: pa.Array, lines: Positions) -> Iterator[tuple[str, int]]:
    for word, line in zip(words, lines.tolist(), strict=True):
        yield word.as_py(), line
