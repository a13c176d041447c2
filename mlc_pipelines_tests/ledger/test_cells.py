"""Cells as a CSV file: the same cells give the same bytes, and what was written is what is read."""

import csv
import io
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlc_pipelines.ledger.cells import CellColumns, fingerprints, read_cells, read_plan, write_cells
from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.ledger.money import LARGEST_MINOR, minor_digits

COLUMNS = CellColumns("Account", "Cost Center", "Period", "Version", "Amount")
HEADER = "Account,Cost Center,Period,Version,Amount\n"

# Texts that spreadsheets and parsers like to change. A carriage return is left out: no member name can hold one.
UNFRIENDLY = [
    "0010",
    "NA",
    "N/A",
    "null",
    "nan",
    "None",
    "",
    " ",
    '"',
    '""',
    ",",
    ";",
    "a,b",
    'say "x"',
    "two\nlines",
    "=1+2",
    "-5",
    "1E5",
    "01.02",
    "Zürich",
    "会計",
    "🙂",
    "\ufeff",
    "e\u0301",
    "TRUE",
    "\t",
]
CODES = st.sampled_from(UNFRIENDLY) | st.text(st.characters(codec="utf-8", exclude_characters="\r\x00"), max_size=8)
MINORS = st.integers(-LARGEST_MINOR - 1, LARGEST_MINOR)
CELLS = st.dictionaries(st.tuples(CODES, CODES), MINORS, max_size=10)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cells")


def frame(cells: dict[tuple[str, str], int]) -> pd.DataFrame:
    rows = [(*key, minor) for key, minor in cells.items()]
    return pd.DataFrame(rows, columns=["account", "cost_center", "amount_minor"]).astype({"amount_minor": "int64"})


def written(cells: pd.DataFrame, *, period: str = "Jul 25", version: str = "Actual", currency: str = "USD") -> bytes:
    sink = io.BytesIO()
    write_cells(sink, cells, COLUMNS, period=period, version=version, currency=currency)
    return sink.getvalue()


def amounts_of(folder: Path, *texts: str, currency: str = "USD") -> list[int]:
    path = folder / "amounts.csv"
    path.write_text(HEADER + "".join(f'A,B,Jul 25,Actual,"{text}"\n' for text in texts))
    return read_cells(path, COLUMNS, currency=currency)["amount_minor"].tolist()


@settings(deadline=None)
@given(CELLS, CODES, CODES, st.sampled_from(["USD", "JPY", "KWD"]))
def test_what_was_written_is_read(
    folder: Path, cells: dict[tuple[str, str], int], period: str, version: str, currency: str
) -> None:
    """For any codes and any amount of 64 bits, in file order: nothing is trimmed, guessed or turned into a number."""
    path = folder / "any.csv"
    path.write_bytes(written(frame(cells), period=period, version=version, currency=currency))
    expected = [(*key, period, version, minor) for key, minor in cells.items()]
    read = read_cells(path, COLUMNS, currency=currency)
    assert ["account", "cost_center", "period", "version", "amount_minor"] == list(read.columns)
    assert expected == list(read.itertuples(index=False, name=None))
    assert "int64" == read["amount_minor"].dtype


@settings(deadline=None)
@given(CELLS)
def test_another_reader_reads_the_same(cells: dict[tuple[str, str], int]) -> None:
    """The standard library's reader, which shares nothing with the writer, sees the same texts and exact amounts."""
    rows = list(csv.reader(io.StringIO(written(frame(cells)).decode(), newline="")))
    assert list(COLUMNS.header) == rows[0]
    digits = minor_digits("USD")
    assert [
        [*key, "Jul 25", "Actual", f"{Decimal(minor).scaleb(-digits):.{digits}f}"] for key, minor in cells.items()
    ] == rows[1:]


def test_the_file_looks_as_promised() -> None:
    """Text quoted, amounts plain, LF, UTF-8, no mark at the beginning."""
    content = written(frame({("0010", 'a "b"'): -120450, ("=1+2", "Zürich"): 5}))
    assert (
        b'"Account","Cost Center","Period","Version","Amount"\n"0010","a ""b""","Jul 25","Actual",-1204.50\n"=1+2","Z\xc3\xbcrich","Jul 25","Actual",0.05\n'
        == content
    )


def test_the_same_cells_give_the_same_bytes() -> None:
    """So the hash of a file is the identity of its figures."""
    cells = frame({(str(number), "DEN"): number for number in range(1000)})
    assert written(cells) == written(cells.copy().astype({"account": "category"}))


def test_a_repeated_key_is_refused() -> None:
    """P09: a planning model would add the two up."""
    cells = pd.concat([frame({("6100", "DEN"): 1}), frame({("6100", "DEN"): 2})])
    with pytest.raises(DataError, match=r"Jul 25: cell 6100 / DEN stands in the file more than once"):
        written(cells)


def test_no_cells_are_a_file_with_a_header(folder: Path) -> None:
    """Header only is zero rows, not an error."""
    path = folder / "none.csv"
    path.write_bytes(written(frame({})))
    assert b'"Account","Cost Center","Period","Version","Amount"\n' == path.read_bytes()
    assert 0 == len(read_cells(path, COLUMNS, currency="USD"))


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        ("62.25000000000001", 6225),
        ("62.249999999999993", 6225),
        ("0.30000000000000004", 30),
        ("-0.010000000000000002", -1),
        ("5.551115123125783E-17", 0),
        ("-1.7763568394002505e-15", 0),
        ("1E-7", 0),
        ("1.2345E3", 123450),
        ("", 0),
        ("-0", 0),
        ("+5", 500),
        ("007.10", 710),
        (".5", 50),
        ("1234567890123456.78", 123456789012345678),
        ("92233720368547758.07", LARGEST_MINOR),
    ],
)
def test_c04_every_digit_counts_but_the_noise_of_a_double(folder: Path, text: str, minor: int) -> None:
    """A planning model keeps doubles and prints them; a blank cell is zero."""
    assert [minor, 100] == amounts_of(folder, text, "1.00")


@pytest.mark.parametrize("text", ["62.255", "0.001", "0.0000021", "1E-3", "0.00500000000000000001"])
def test_finer_than_a_cent_is_refused_by_name(folder: Path, text: str) -> None:
    """Somebody else's figure stands in our cell: the message says in which."""
    with pytest.raises(DataError, match=r"Jul 25 Actual: cell A / B holds .*, finer than USD allows") as refusal:
        amounts_of(folder, "1.00", text)
    assert text in refusal.value.what


def test_what_is_fine_in_one_currency_is_too_fine_in_another(folder: Path) -> None:
    """Yen have no decimals, Kuwaiti dinars three."""
    assert [1234] == amounts_of(folder, "1.234", currency="KWD")
    with pytest.raises(DataError, match="finer than JPY allows"):
        amounts_of(folder, "1.5", currency="JPY")


@pytest.mark.parametrize(
    "text",
    [
        "abc",
        "1,234.50",
        " 5 ",
        "NaN",
        "Infinity",
        "1e",
        "--5",
        "1.2.3",
        "(5.00)",
        "5-",
        "92233720368547758.08",
        "99999999999999999999999.00",
        "1E40",
        "1E999999",
    ],
)
def test_c02_c05_what_is_no_amount_is_refused(folder: Path, text: str) -> None:
    """No guess at what somebody may have meant, and nothing wraps round."""
    with pytest.raises(DataError, match="no number or has too many digits"):
        amounts_of(folder, text)


def test_c13_columns_are_found_by_name(folder: Path) -> None:
    """An export may have further columns, another order, a byte-order mark and CRLF."""
    path = folder / "export.csv"
    path.write_bytes(b"\xef\xbb\xbfVersion,Amount,Note,Account,Period,Cost Center\r\nActual,1.50,x,0010,Jul 25,NA\r\n")
    assert [("0010", "NA", "Jul 25", "Actual", 150)] == list(
        read_cells(path, COLUMNS, currency="USD").itertuples(index=False, name=None)
    )


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"Account,Cost Center,Period,Version\nA,B,C,D\n",
        b"Account;Cost Center;Period;Version;Amount\nA;B;C;D;1\n",
        HEADER.encode() + b"A,B,Jul 25,Actual\n",
        HEADER.encode() + b"A,B,Jul 25,Actual,1,2\n",
        HEADER.encode() + b'A,"B,Jul 25,Actual,1\n',
        HEADER.encode() + b"A,B\xff,Jul 25,Actual,1\n",
        HEADER.encode("utf-16"),
    ],
    ids=[
        "empty",
        "blank line",
        "missing column",
        "semicolons",
        "row too short",
        "row too long",
        "open quote",
        "no UTF-8",
        "UTF-16",
    ],
)
def test_what_is_no_file_of_cells_is_refused(folder: Path, content: bytes) -> None:
    """C13: each is a DataError that names the file."""
    path = folder / "odd.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"odd\.csv cannot be read as cells"):
        read_cells(path, COLUMNS, currency="USD")


def test_any_long_file_is_read_whole(folder: Path) -> None:
    """Many blocks, with noise in the last one only."""
    path = folder / "long.csv"
    path.write_text(HEADER + "A,B,Jul 25,Actual,1.00\n" * 200_000 + "A,B,Jul 25,Actual,0.30000000000000004\n")
    read = read_cells(path, COLUMNS, currency="USD")
    assert (200_001, 20_000_030) == (len(read), int(read["amount_minor"].sum()))


EXPORTED = st.lists(
    st.tuples(
        st.sampled_from(["6100", "0010", ""]),
        st.sampled_from(["DEN", "NYC"]),
        st.sampled_from(["Jul 25", "Aug 25"]),
        st.sampled_from(["Actual", "Budget"]),
        st.sampled_from(["1", "2", "2.50", "-1", "0", "-0.00", "", "no number"]),
    ),
    max_size=6,
)


def prints(folder: Path, rows: list[tuple[str, ...]]) -> dict[tuple[str, str], int]:
    path = folder / "exported.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([HEADER.strip().split(","), *rows])
    return fingerprints(path, COLUMNS, versions=["Actual"])


@settings(deadline=None, max_examples=100)
@given(before=EXPORTED, after=EXPORTED)
def test_fingerprints_differ_exactly_where_figures_do(
    folder: Path, before: list[tuple[str, ...]], after: list[tuple[str, ...]]
) -> None:
    """Period by period, whatever the order of the rows; zeros and other versions do not count."""

    def figures(rows: list[tuple[str, ...]]) -> Counter[tuple[str, ...]]:
        return Counter(row for row in rows if row[3] == "Actual" and row[4].strip("-0."))

    was, is_ = figures(before), figures(after)
    changed = {row[2:4] for row in (was - is_) + (is_ - was)}
    assert changed == {place for place, _ in {*prints(folder, before).items()} ^ {*prints(folder, after[::-1]).items()}}


def test_two_cells_that_exchange_their_figures_are_a_change(folder: Path) -> None:
    """The sum of all parts is the same, and yet two cells hold other figures."""
    before, after = (
        [("6100", "DEN", "Jul 25", "Actual", one), ("6200", "NYC", "Jul 25", "Actual", other)]
        for one, other in (("1.00", "2.00"), ("2.00", "1.00"))
    )
    assert prints(folder, before) != prints(folder, after)


def plan_of(folder: Path, *texts: str, currency: str = "USD") -> list[tuple[bool, int, int]]:
    """Blank, minor units and what is finer, of a plan's amounts."""
    path = folder / "plan.csv"
    path.write_text(HEADER + "".join(f'A,B,Jul 26,Budget,"{text}"\n' for text in texts))
    frame = read_plan(path, COLUMNS, currency=currency)
    assert ["account", "cost_center", "period", "version", "blank", "amount_minor", "stray"] == list(frame.columns)
    return list(frame[["blank", "amount_minor", "stray"]].itertuples(index=False, name=None))


def test_a_plan_tells_blanks_from_zeros(folder: Path) -> None:
    """Nothing was entered, or nought was: what that means is declared elsewhere, and must not be lost here."""
    assert [(True, 0, 0), (False, 0, 0), (False, 0, 0), (False, 0, 0)] == plan_of(folder, "", "0", "0.00", "-0")


def test_a_plan_may_be_finer_than_money(folder: Path) -> None:
    """Rounded half even, and the rest is kept in billionths; the noise of a double is no rest."""
    assert [(False, 6225, 0), (False, 6225, 0)] == plan_of(folder, "62.25000000000001", "62.2499999")
    assert [(False, 0, 5_000_000), (False, 2, -5_000_000)] == plan_of(folder, "0.005", "0.015")
    assert [(False, -3333, -3_333_333)] == plan_of(folder, "-33.3333333333333357")
    assert [(False, 0, 4_000_000)] == plan_of(folder, "4.0E-3")
    assert [(False, 2, 500_000_000), (False, 4, -500_000_000)] == plan_of(folder, "2.5", "3.5", currency="JPY")
    assert [(False, 1234, 500_000)] == plan_of(folder, "1.2345", currency="KWD")
    assert [] == plan_of(folder)


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.decimals(-(10**12), 10**12, places=9), min_size=1, max_size=8), st.sampled_from(["JPY", "USD", "KWD"])
)
def test_a_plans_figure_and_what_is_finer_make_what_was_exported(
    folder: Path, amounts: list[Decimal], currency: str
) -> None:
    """To the billionth, but for what is no more than the noise of a double; and no rest is more than half a unit."""
    digits = minor_digits(currency)
    for amount, (_, minor, stray) in zip(amounts, plan_of(folder, *map(str, amounts), currency=currency), strict=True):
        lost = amount - Decimal(minor).scaleb(-digits) - Decimal(stray).scaleb(-9)
        assert abs(lost) <= Decimal("0.000001")
        assert lost == 0 or stray == 0
        assert abs(stray) * 2 <= 10 ** (9 - digits)


@pytest.mark.parametrize("text", ["n/a", " ", "1,000.00", "12-", "1e400", "99999999999999999999", "NaN"])
def test_a_plan_of_what_is_no_amount_is_refused(folder: Path, text: str) -> None:
    """As for any other cells, however fine they may be."""
    with pytest.raises(DataError, match="no number or has too many digits"):
        plan_of(folder, "1.00", text)
