"""Both readers of delimited text find the same cells, wherever the quick one dares to read."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from onboarding.errors import SheetError
from onboarding.sheets.grid import WIDEST, Cells, Grid
from onboarding.sheets.records import _even, _is_plain, _rows, cells


def rows(found: Cells) -> list[list[str]]:
    return list(Grid(found).rows(range(1, len(found.frame) + 1)))


def quickly(content: bytes, start: int = 0, delimiter: str = ",") -> list[list[str]] | None:
    """Read with the quick reader; None where it leaves a file to the exact one."""
    if not _is_plain(content, start, delimiter):
        return None
    frame = _even(content, start, delimiter)
    return None if frame is None else rows(Cells(frame))


CELLS = st.text('ab", \r\n=ö0\u2028\ufeff', max_size=4) | st.sampled_from(
    ["NA", "nan", "1e5", "#", "007"]
)


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """Files as programs write them, some with a letter changed."""
    width = draw(st.integers(2, 4))
    lines = draw(st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=5))
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    file = io.StringIO()
    csv.writer(file, lineterminator=end, quoting=quoting).writerows(lines)
    text = file.getvalue()
    if draw(st.booleans()):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(st.sampled_from(['"', ",", "\n", "\r", " ", ""])) + text[at + 1 :]
    return text.encode()


@settings(max_examples=400)
@given(files() | st.text('a,"\n\r b', max_size=16).map(str.encode))
@example(b'a,b\n"c","d,"x"\n')
@example(b'a,b\n"","c"\n')
@example(b"a,b\n,\n")
@example(b"a,b\n\nc,d")
@example(b"a,b\nc,d,\ne\n")
@example(b'a,b\n"c\nd",e\n')
@example(b' ,", "\n')
def test_the_quick_reader_finds_what_the_exact_one_does(content: bytes) -> None:
    found = quickly(content)
    assert found is None or found == list(_rows(content, 0, ","))


@given(files())
def test_cells_by_column_are_the_rows_that_were_there(content: bytes) -> None:
    try:
        exact = list(_rows(content, 0, ","))
    except SheetError:
        with pytest.raises(SheetError):
            cells(content, 0, ",")
        return
    found = cells(content, 0, ",")
    assert rows(found) == exact
    assert list(found.frame.index) == list(range(1, len(exact) + 1))


@pytest.mark.parametrize(
    ("content", "read"),
    [
        pytest.param(b"a,b\nc,d\n", [["a", "b"], ["c", "d"]], id="plain"),
        pytest.param(b"a,b\r\nc,d", [["a", "b"], ["c", "d"]], id="no end"),
        pytest.param(b'"a","b, c"\n"d",""\n', [["a", "b, c"], ["d", ""]], id="quoted cells"),
        pytest.param("a,b\nNA,ö\n".encode(), [["a", "b"], ["NA", "ö"]], id="no word is nothing"),
        pytest.param(b"a,b\nc\n", None, id="a short line"),
        pytest.param(b"a,b\nc,d,e\n", None, id="a long line"),
        pytest.param(b"a,b\n\nc,d\n", None, id="a blank line"),
        pytest.param(b'a,b\n"c ""d""",e\n', None, id="a doubled quote"),
        pytest.param(b'a,b\nc"d,e\n', None, id="a quote in a cell"),
        pytest.param(b'a,b\n"c\nd",e\n', None, id="a quoted line break"),
        pytest.param(b"a,b\rc,d\n", None, id="line ends of two kinds"),
        pytest.param(b"a,b\n\xff,d\n", None, id="no UTF-8"),
        pytest.param(b"a\nb\n", None, id="one column"),
        pytest.param(b"", None, id="nothing"),
        pytest.param(b"a," + b"b" * (1 << 18) + b"\n", None, id="a cell that csv refuses"),
    ],
)
def test_the_quick_reader_reads_even_lines_only(
    content: bytes, read: list[list[str]] | None
) -> None:
    assert quickly(content) == read


def test_a_file_is_read_from_where_its_text_begins() -> None:
    assert quickly(b'\xef\xbb\xbf"a",b\nc,d\n', 3) == [["a", "b"], ["c", "d"]]
    assert quickly(b'"sep=;"\na;b\n', 8, ";") == [["a", "b"]]


def test_rows_keep_their_widths_and_what_stands_beyond_the_others() -> None:
    lines = [["a", "b"], ["c"], [], *[["d", "e"]] * 20, ["f", "g", "", "h"]]
    found = Cells.of(lines)
    assert rows(found) == lines
    assert found.frame.shape == (24, 2)
    assert found.beyond == {24: ["", "h"]}
    grid = Grid(found)
    assert (grid.row(24), grid.row(2), len(grid)) == (lines[-1], ["c"], 24)
    assert list(grid.below(22)) == lines[22:]
    assert grid.widths(found.frame.index[[0, 1, 2, 23]]).tolist() == [2, 1, 0, 4]


def test_a_row_that_no_program_shows_is_no_table() -> None:
    with pytest.raises(SheetError, match="one of its first rows has 16,385 cells"):
        cells(b"," * WIDEST, 0, ",")
