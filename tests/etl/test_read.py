"""Blocks: whole records with their place in the file, wherever blocks end."""

import io
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import etl._chunks
from etl.contract import SourceRules
from etl.dialect import Dialect, detect
from etl.read import Block, count_lines, count_units, read_blocks

PLAIN = Dialect("utf-8", ",", '"', None, False, ("a", "b"))
PIECES = st.sampled_from(
    ["1,2\n", "x,y\r\n", '"a\nb",c\n', '"d ""e""",f\n', "g,h\r", "\n", '"i,j\n', "k,l,m\n", "ä,€\n", 'n"o,p\n']
)


def blocks(data: bytes, dialect: Dialect, size: int) -> list[Block]:
    """The blocks of some bytes."""
    return list(read_blocks(io.BytesIO(data), dialect, block_bytes=size))


@settings(max_examples=200)
@given(
    st.lists(PIECES, min_size=1, max_size=30).map("".join),
    st.integers(1, 80),
    st.sampled_from(["utf-8", "utf-16-le", "cp1252"]),
)
def test_blocks_join_to_the_file_and_know_their_places(text: str, size: int, encoding: str) -> None:
    data = text.encode(encoding)
    dialect = Dialect(encoding, ",", '"', None, False, ("a", "b"))
    found = blocks(data, dialect, size * 2)
    assert b"".join(block.raw for block in found) == data
    line, byte = 1, 0
    for block in found:
        assert (block.first_line, block.first_byte) == (line, byte)
        assert block.text.decode() == block.raw.decode(encoding)
        assert block.line_count == count_lines(block.text)
        line, byte = line + block.line_count, byte + len(block.raw)


@settings(max_examples=200)
@given(st.lists(PIECES, min_size=1, max_size=30).map("".join), st.integers(1, 80))
def test_where_blocks_end_does_not_change_the_records(text: str, size: int) -> None:
    def records(size: int) -> list[tuple[int, bytes]]:
        found = []
        for block in blocks(text.encode(), PLAIN, size):
            if block.split is None:
                lines = re.findall(rb"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+", block.text)
                found += [(block.first_line + place, line) for place, line in enumerate(lines) if line.count(b",") == 1]
            else:
                pieces = zip(block.split.starts, block.split.ends, block.split.lines, strict=True)
                found += [(block.first_line + int(line), block.text[start:end]) for start, end, line in pieces]
        return found

    assert records(size) == records(10_000)


def test_lines_above_the_first_record_are_told_with_their_text() -> None:
    data = b"\xef\xbb\xbfA report\r\n\r\na,b\r\n1,2\r\n"
    dialect = detect(data, whole=True, rules=SourceRules())
    (block,) = blocks(data, dialect, 100)
    assert [(one.kind, one.first_line, one.first_byte, one.raw) for one in block.lead] == [
        ("preamble", 1, 3, "A report"),
        ("blank", 2, 13, ""),
        ("header", 3, 15, "a,b"),
    ]
    assert (block.first_line, block.first_byte, block.text) == (4, 20, b"1,2\r\n")


def test_the_last_block_is_not_small() -> None:
    data = b"".join(b"%d,x\n" % number for number in range(100_000))
    found = blocks(data, PLAIN, 128 * 1024)
    assert len(found) > 3
    assert len(found[-1].raw) >= 64 * 1024
    assert found[-1].split is not None
    assert found[0].split is None


def test_a_line_beyond_all_measure_is_rejected_and_not_kept_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(etl._chunks, "MAX_LINE_BYTES", 1000)
    data = b"1,2\n" + b'"3,4\n' + b"x" * 5000 + b"\n5,6\n"
    found = blocks(data, PLAIN, 256)
    (reject,) = (block.oversize for block in found if block.oversize)
    assert (reject.reason, reject.first_line, reject.first_byte, reject.last_byte) == ("too-long", 3, 9, 5009)
    assert sum(block.line_count for block in found) == 4
    assert found[-1].text == b"5,6\n"
    assert found[-1].first_line == 4


@settings(max_examples=200)
@given(st.lists(st.sampled_from(["a", "\n", "\r", "\r\n", "ä"]), max_size=30).map("".join), st.integers(0, 40))
def test_line_ends_are_counted_across_chunks(text: str, cut: int) -> None:
    for encoding, unit in (("utf-8", 1), ("utf-16-le", 2), ("utf-32-be", 4)):
        data = text.encode(encoding)
        head, tail = data[: cut * unit], data[cut * unit :]
        expected = len(re.findall(r"\r\n|\r|\n", text))
        assert count_units(b"", head, encoding) + count_units(head, tail, encoding) == expected
