"""Records: what the exact reading finds in damaged text, and that the vectorised one finds the same."""

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from etl._marks import split
from etl._places import per_line
from etl._record import MAX_RECORD_BYTES, Shape, read_simply, read_step_by_step
from etl._split import Split, split_exact

COMMA = Shape(b",", 3)
SHAPES = [
    COMMA,
    Shape(b",", 1),
    Shape(b",", 2, numeric=(True, False)),
    Shape(b",", 3, escape=b"\\"),
    Shape(b";", 2, quote=b"'"),
    Shape(b",", 3, quote=None),
    Shape(b",", 3, trailing=True),
    Shape(b",", 2, trailing=True, escape=b"\\"),
    Shape(b",", 2, comment=b"#"),
    Shape(b"\t", 2),
    Shape(b",", 2, spaced=True),
    Shape(b",", 1, numeric=(True,)),
    Shape(b",", 2, heading=b"1,a"),
    Shape(b",", 3, heading=b"1,a"),
]


def told(found: Split) -> tuple[object, ...]:
    """Everything in it, comparable."""
    places = [array.tolist() for array in (found.starts, found.ends, found.lines)]
    return (*places, found.faults, found.skips, found.consumed, found.line_count)


def lines_of(found: Split) -> dict[int, str]:
    """What became of each first line, and of each that was skipped."""
    kinds = dict.fromkeys(found.lines.tolist(), "good")
    kinds |= {fault.line: fault.reason for fault in found.faults}
    return kinds | {skip.line + at: skip.kind for skip in found.skips for at in range(skip.height)}


# Pieces rather than letters, so that records of the right shape come about.
RECORDS = [
    b"1,2,3\n",
    b"1,a\n",
    b'1,"a\nb",3\n',
    b'"x,y",2\n',
    b"\n1,2\n3,4\n5,6\n",
    b'"a""b",2,3\r\n',
    b"1;2\n",
    b"a,b,\n",
]
PIECES = st.sampled_from([*(bytes([one]) for one in b"12a,,\"'\n\n\r\\# ;\t"), b'"x"', b'""', b"\r\n", *RECORDS])


@settings(max_examples=400)
@given(st.lists(PIECES, max_size=40).map(b"".join), st.sampled_from(SHAPES))
@example(b'1,"a,3\n4,b,6\n7,c",9\n', COMMA)
@example(b'x,"\n', Shape(b",", 2))
def test_the_vectorised_split_equals_the_exact_one(data: bytes, shape: Shape) -> None:
    assert told(split(data, shape, complete=True)) == told(split_exact(data, shape, complete=True))
    whole_lines = data[: max(data.rfind(b"\n") + 1, 0)]
    assert told(split(whole_lines, shape, complete=False)) == told(split_exact(whole_lines, shape, complete=False))


@settings(max_examples=200)
@given(st.lists(PIECES, max_size=40).map(b"".join), st.sampled_from(SHAPES), st.integers(0, 60))
def test_where_a_block_ends_does_not_change_what_is_found(data: bytes, shape: Shape, cut: int) -> None:
    whole = split_exact(data, shape, complete=True)
    cut = data.rfind(b"\n", 0, cut) + 1
    head = split(data[:cut], shape, complete=False)
    tail = split(data[head.consumed :], shape, complete=True)
    lines = head.lines.tolist() + [line + head.line_count for line in tail.lines.tolist()]
    assert lines == whole.lines.tolist()
    assert head.line_count + tail.line_count == whole.line_count


@settings(max_examples=200)
@given(st.lists(PIECES, max_size=40).map(b"".join), st.sampled_from(SHAPES))
def test_every_line_is_accounted_for_once(data: bytes, shape: Shape) -> None:
    found = split(data, shape, complete=True)
    pieces = sorted(
        [*zip(found.starts.tolist(), found.ends.tolist(), strict=True)]
        + [(one.start, one.end) for one in found.faults]
        + [(one.start, one.end) for one in found.skips]
    )
    assert b"".join(data[start:end] for start, end in pieces) == data
    assert found.consumed == len(data)


def test_an_unclosed_quote_costs_its_own_line() -> None:
    data = b'1,a,x\n2,"b,x\n' + b"".join(b"%d,c,x\n" % n for n in range(3, 9)) + b'9,"d ""e"" f",x\n'
    assert lines_of(split(data, COMMA, complete=True)) == {
        1: "unclosed-quote",
        **dict.fromkeys((0, 2, 3, 4, 5, 6, 7, 8), "good"),
    }


def test_two_stray_quotes_do_not_make_one_long_record_of_what_lies_between() -> None:
    data = b'1,"a,x\n' + b"".join(b"%d,c,x\n" % n for n in range(2, 9)) + b'9,b",x\n10,c,x\n'
    kinds = lines_of(split(data, COMMA, complete=True))
    assert kinds == {0: "unclosed-quote", 8: "unclosed-quote"} | dict.fromkeys([1, 2, 3, 4, 5, 6, 7, 9], "good")


def test_a_text_of_many_lines_in_quotes_is_one_record() -> None:
    letter = b'1,"Dear Tom,\nwe met, as you know, in Ulm.\n\nYours, Ann",x\n'
    found = split(letter + b"2,b,x\n", COMMA, complete=True)
    assert lines_of(found) == {0: "good", 4: "good"}


def test_prose_of_two_fields_per_line_is_told_from_records_by_its_numbers() -> None:
    data = b'1,"Hello\nDear Tom, how are you\nwell, thanks\nso, so\nBye"\n2,b\n'
    assert lines_of(split(data, Shape(b",", 2, numeric=(True, False)), complete=True)) == {0: "good", 5: "good"}


def test_a_short_record_of_two_lines_is_one_fault() -> None:
    found = split(b'1,"a\nb"\n2,b,c\n', COMMA, complete=True)
    assert [(one.line, one.height, one.reason) for one in found.faults] == [(0, 2, "field-count")]


def test_a_pair_of_quotes_inside_a_plain_field_is_text_and_a_single_one_is_not() -> None:
    found = split(b'1,the "big" one,x\n2,5" pipe,x\n3,"a"b,x\n', COMMA, complete=True)
    assert lines_of(found) == {0: "good", 1: "unclosed-quote", 2: "unclosed-quote"}


def test_what_is_skipped_is_told_by_kind() -> None:
    shape = Shape(b",", 3, comment=b"#")
    data = b"# it's \"so\n1,b,c\n\n   \r\n#1,b,c\n# end\n"
    kinds = lines_of(split(data, shape, complete=True))
    assert kinds == {0: "comment", 1: "good", 2: "blank", 3: "blank", 4: "good", 5: "comment"}


def test_millions_of_blank_lines_are_a_few_runs() -> None:
    data = b"1,a\n" + b"\n" * 1000 + b" \n\r\n" + b"2,b\n" + b"\r\n" * 500
    for found in (split(data, COMMA, complete=True), split_exact(data, COMMA, complete=True)):
        assert [(skip.line, skip.height, skip.kind) for skip in found.skips] == [
            (1, 1002, "blank"),
            (1004, 500, "blank"),
        ]


def test_an_unclosed_quote_is_given_up_after_a_bounded_distance() -> None:
    data = b'1,"a,x\n' + b"z" * 99 * 1 + b"\n" + b"some words\n" * (MAX_RECORD_BYTES // 11 + 10) + b'2,b",x\n'
    for complete in (True, False):
        found = split(data, COMMA, complete=complete)
        assert found.faults[0].height == 1
        assert found.consumed == len(data)


def test_a_record_that_may_go_on_behind_the_block_is_left_for_the_next() -> None:
    found = split(b'1,b,c\n2,"b\n', COMMA, complete=False)
    assert (found.consumed, found.line_count) == (6, 1)


@settings(max_examples=400)
@given(st.lists(PIECES, min_size=1, max_size=12).map(b"".join), st.sampled_from(SHAPES), st.booleans())
def test_a_record_without_quotes_reads_simply_as_it_does_step_by_step(
    data: bytes, shape: Shape, complete: bool
) -> None:
    simple = read_simply(data, 0, shape)
    assert simple is None or simple == read_step_by_step(data, 0, shape, complete=complete)


def test_delimiters_are_counted_per_line_however_long_the_lines_are() -> None:
    for lengths in ([3, 300, 1, 255, 256, 700], [300] * 600):
        lines = [b"," * (length - 1) + b"\n" for length in lengths]
        starts = np.cumsum([0, *lengths[:-1]])
        flags = np.frombuffer(b"".join(lines), np.uint8) == ord(",")
        assert per_line(flags, starts).tolist() == [length - 1 for length in lengths]
