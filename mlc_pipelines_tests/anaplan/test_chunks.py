"""A file is cut where a record ends, and together the pieces are the file; a file that fits no thousand chunks is refused first."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlc_pipelines.anaplan.chunks import count_records, cut, fitting
from mlc_pipelines.ledger.errors import DataError

# What turns up in names and codes: line ends, quotes, marks that show nothing, twins of one letter, digits, formulas.
NASTY = ["a\nb", "x\r\ny", 'say "so"', ",", "0012", "NA", "=1+2", "-5", "\ufeffBOM", "\u200b", "\u202eright to left", "é", "e\u0301", "旅費", "🧾", " blank ", "\x00", "\t", "long" * 30, ""]  # fmt: skip
rows = st.lists(
    st.lists(st.sampled_from(NASTY) | st.text(max_size=8, alphabet='ab",\n\r é旅'), min_size=2, max_size=3),
    min_size=1,
    max_size=30,
)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("chunks") / "any.csv"


def written(path: Path, table: list[list[str]]) -> bytes:
    """As a careful writer does it: every text in quotes."""
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows(table)
    path.write_bytes(text.getvalue().encode("utf-8"))
    return path.read_bytes()


@settings(max_examples=60, deadline=None)
@given(table=rows, chunk_bytes=st.integers(2, 700))
def test_C10_C13_the_pieces_are_the_file_whatever_stands_in_it(
    file: Path, table: list[list[str]], chunk_bytes: int
) -> None:
    """Byte for byte, no piece larger than asked for; a piece with a whole record in reach of its end ends with one."""
    content = written(file, table)
    pieces = [bytes(piece) for piece in cut(file, chunk_bytes)]
    assert content == b"".join(pieces)
    assert max(map(len, pieces)) <= chunk_bytes
    longest = max(len(row) for row in content.split(b'"\r\n'))
    if chunk_bytes // 2 > longest + 3:
        assert all(piece.endswith(b'"\r\n') for piece in pieces)
        assert table == [row for piece in pieces for row in csv.reader(io.StringIO(piece.decode(), newline=""))]


@settings(max_examples=60, deadline=None)
@given(table=rows, ending=st.sampled_from(["", "\n", "\r\n\r\n"]))
def test_F04_records_are_counted_not_lines(file: Path, table: list[list[str]], ending: str) -> None:
    """A line end inside a quoted text is none; whether the last record has one makes no difference."""
    content = written(file, table).rstrip(b"\r\n") + ending.encode()
    file.write_bytes(content)
    assert len(table) == count_records(file)


def test_C13_a_line_end_inside_a_quoted_text_is_no_place_to_cut(tmp_path: Path) -> None:
    """The cut goes back to the end of the record before."""
    path = tmp_path / "names.csv"
    path.write_bytes(b'a long first record,1\n"two\nof",2\nthree,3\n')
    assert [b"a long first record,1\n", b'"two\nof",2\nthree,3\n'] == [bytes(piece) for piece in cut(path, 28)]


@pytest.mark.parametrize(
    ("text", "line"), [('a,b\n"x",1\n"open,2\nz,3\n', 3), ('a,b\n1,"', 2), ('"a\nb",c\n"d\n', 3), ('a\n"x""y\n', 2)]
)
def test_C13_a_text_that_is_never_closed_is_named_by_its_line(tmp_path: Path, text: str, line: int) -> None:
    """Half the file would be read as one name."""
    path = tmp_path / "open.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=f"begins in line {line} is never closed"):
        list(cut(path, 1000))


@pytest.mark.parametrize(
    ("size", "asked", "chunk"),
    [
        (100, 10_000_000, 10_000_000),
        (9_900_000_000, 10_000_000, 10_000_000),
        (10_000_000_000, 10_000_000, 10_065_536),
        (20_000_000_001, 25_000_000, 25_000_000),
        (49_934_464_000, 1_000_000, 50_000_000),
    ],
)
def test_C17_the_chunks_of_a_large_file_grow_as_far_as_they_must(
    tmp_path: Path, size: int, asked: int, chunk: int
) -> None:
    """So that a thousand are enough even if each ends 64 kB early; not above 50 MB."""
    path = tmp_path / "vast.csv"
    with path.open("wb") as file:
        file.truncate(size)  # sparse: takes no room
    assert chunk == fitting(path, asked)
    assert chunk == asked or -(-size // (chunk - 65_536)) <= 1000


def test_C17_one_byte_more_is_too_large(tmp_path: Path) -> None:
    """A thousand chunks of 50 MB, each perhaps ending 64 kB early."""
    path = tmp_path / "vast.csv"
    with path.open("wb") as file:
        file.truncate(49_934_464_001)
    with pytest.raises(DataError, match="49,934,464,001 bytes"):
        fitting(path, 10_000_000)
