"""Cells as a CSV file, in bulk: the same cells give the same bytes; amounts leave and arrive as exact decimals."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.ledger.money import minor_digits

# A planning model keeps numbers as IEEE doubles and may print 62.25000000000001 [S anaplan.md 11.6]. What strays less than
# this from a whole minor unit is that minor unit; what strays more is a figure finer than money and is refused by name.
DOUBLE_NOISE = "0.000001"
_ROWS_AT_ONCE = 1 << 15
_SPREAD, _HALF = np.uint64(0x9E3779B97F4A7C15), np.uint64(32)  # an odd number whose bits are well mixed
_EXACT = pa.decimal128(36, 16)
_NOISE, _NONE = (pa.scalar(Decimal(text)).cast(_EXACT) for text in (DOUBLE_NOISE, "0"))
_BEYOND_EXACT = r"^[+-]?\d*\.\d{17,}$|[eE]"  # 0.30000000000000004, 5.55E-17: more decimals than the exact type has
_LARGEST_EXPONENT = 20


@dataclass(frozen=True, slots=True)
class CellColumns:
    """Header names of the file. company, currency and vendor: "" where the file has no such column."""

    account: str
    cost_center: str
    period: str
    version: str
    amount: str
    company: str = ""
    currency: str = ""
    vendor: str = ""

    @property
    def named(self) -> dict[str, str]:
        """Our name -> header name of the texts, in file order; the amount stands after them."""
        every = ("vendor", "account", "cost_center", "company", "currency", "period", "version")
        return {name: header for name in every if (header := getattr(self, name))}

    @property
    def keys(self) -> list[str]:
        """What makes a cell, within its period and version."""
        return [name for name in self.named if name not in {"period", "version"}]

    @property
    def header(self) -> tuple[str, ...]:
        return (*self.named.values(), self.amount)


def write_cells(
    sink: BinaryIO, cells: pd.DataFrame, columns: CellColumns, *, period: str, version: str, currency: str
) -> None:
    """One row per cell, in the order given: text quoted, amounts plain (`-1234.50`), LF line ends, UTF-8.

    cells: the keys of the columns (account, cost_center as member codes), amount_minor. period and version are the member names all rows carry.
    Raises DataError on a repeated cell key: a planning model would add the two up without a word.
    """
    texts = {key: pa.array(cells[key], pa.string()) for key in columns.keys}
    if len(texts) > 2 or not _ascending(texts["account"], texts["cost_center"]):
        _require_distinct(cells, period, columns.keys)
    rows = len(cells)
    texts |= {"period": pa.repeat(pa.scalar(period), rows), "version": pa.repeat(pa.scalar(version), rows)}
    amounts = decimals(cells["amount_minor"].to_numpy("int64"), minor_digits(currency))
    table = pa.table({header: texts[name] for name, header in columns.named.items()} | {columns.amount: amounts})
    pa_csv.write_csv(table, sink, pa_csv.WriteOptions(batch_size=_ROWS_AT_ONCE))


def _ascending(first: pa.Array, second: pa.Array) -> bool:
    """Whether the key pairs stand in strictly rising order, as the mapping gives them: then none is repeated, at a tenth of the cost of a search."""
    rises = pc.less(first[:-1], first[1:])
    same = pc.equal(first[:-1], first[1:])
    return bool(pc.all(pc.or_(rises, pc.and_(same, pc.less(second[:-1], second[1:]))), min_count=0).as_py())


def _require_distinct(cells: pd.DataFrame, period: str, keys: Sequence[str]) -> None:
    repeated = cells[cells.duplicated(list(keys))]
    if not repeated.empty:
        first = repeated.iloc[0]
        raise DataError(
            f"{period}: cell {' / '.join(first[key] for key in keys)} stands in the file more than once ({len(repeated)} repeated keys).",
            holds="Nothing was sent.",
            next_step="This is a defect of the mapping step: report it with the member map.",
        )


def decimals(minor: npt.NDArray[np.int64], digits: int) -> pa.Array:
    """Minor units as exact decimals of that many digits. Arrow keeps a decimal as a 128-bit integer, so the 64 bits are only widened."""
    wide = np.empty((len(minor), 2), "<i8")
    wide[:, 0] = minor
    wide[:, 1] = minor >> 63
    return pa.Array.from_buffers(pa.decimal128(38, digits), len(minor), [None, pa.py_buffer(wide)])


def read_cells(path: Path, columns: CellColumns, *, currency: str, only: tuple[str, str] | None = None) -> pd.DataFrame:
    """Cells of a CSV file (ours, or one the planning model exported): the named columns (account, cost_center, period, version ...), amount_minor.

    only: the period and version wanted; other rows are left aside unread, for planners keep figures there that are finer than money.
    Further columns are left aside. Raises DataError when a column is missing, a row is malformed, or an amount is no number
    or finer than the currency. A blank amount is zero.
    """
    table = _read_texts(path, columns)
    if only is not None:
        table = table.filter(
            pc.and_(pc.equal(table.column(columns.period), only[0]), pc.equal(table.column(columns.version), only[1]))
        )
    named = table.select(list(columns.named.values())).rename_columns(list(columns.named))
    frame: pd.DataFrame = named.to_pandas()
    frame["amount_minor"] = _minor(table.column(columns.amount), currency, frame)
    return frame


def fingerprints(path: Path, columns: CellColumns, *, versions: Collection[str]) -> dict[tuple[str, str], int]:
    """One number per period and version of an exported file that changes when any figure there does; zeros do not count.

    Amounts stay the texts they are: other periods may hold what is no money of ours.
    """
    table = _read_texts(path, columns)
    figures = pc.not_equal(pc.utf8_trim(table[columns.amount], "-0."), "")
    kept = table.filter(pc.and_(figures, pc.is_in(table[columns.version], pa.array([*versions], pa.string()))))
    rows = np.zeros(len(kept), np.uint64)
    for header in (*(columns.named[key] for key in columns.keys), columns.amount):
        which, texts = _coded(kept[header])
        rows = (rows ^ pd.util.hash_array(texts, categorize=False)[which]) * _SPREAD
        rows ^= rows >> _HALF  # no sum of parts: two cells that exchange their figures are no longer the same rows
    (period_of, periods), (version_of, named) = _coded(kept[columns.period]), _coded(kept[columns.version])
    place_of = period_of.astype(np.int64) * len(named) + version_of
    sums = np.zeros(len(periods) * len(named), np.uint64)
    np.add.at(sums, place_of, rows)
    return {(periods[at // len(named)], named[at % len(named)]): int(sums[at]) for at in np.unique(place_of)}


def _coded(texts: pa.ChunkedArray) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.object_]]:
    """Which of the distinct texts each row has, and those texts."""
    coded = texts.combine_chunks().dictionary_encode()
    return coded.indices.to_numpy(), coded.dictionary.to_numpy(zero_copy_only=False)


def _read_texts(path: Path, columns: CellColumns) -> pa.Table:
    """The declared columns of a CSV file, every field as the text it is."""
    try:
        return pa_csv.read_csv(
            path,
            convert_options=pa_csv.ConvertOptions(
                include_columns=list(columns.header),
                column_types=dict.fromkeys(columns.header, pa.string()),
                strings_can_be_null=False,
            ),
            parse_options=pa_csv.ParseOptions(newlines_in_values=True),
        )
    except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
        raise DataError(
            f"The file {path.name} cannot be read as cells ({error}).",
            next_step="Compare its header and separator with the connection file.",
        ) from None


def read_plan(path: Path, columns: CellColumns, *, currency: str) -> pd.DataFrame:
    """Cells of a plan as exported: the named columns, blank (nothing was entered), amount_minor, and stray, in billionths of the currency's unit.

    stray is what the figure is more than amount_minor: a plan may be finer than money, and what becomes of that is a decision of its own.
    Raises DataError as read_cells does, but not for fineness.
    """
    table = _read_texts(path, columns)
    frame: pd.DataFrame = table.select(list(columns.named.values())).rename_columns(list(columns.named)).to_pandas()
    texts = table.column(columns.amount)
    rounded, stray = _rounded(texts, minor_digits(currency))
    billionths = pc.cast(pc.round(stray, ndigits=9).cast(pa.decimal128(18, 9)), pa.decimal128(28, 9))
    frame["blank"] = pc.equal(texts, "").to_numpy()
    frame["amount_minor"] = _in_minor(rounded, minor_digits(currency))
    frame["stray"] = _in_minor(billionths, 9)
    return frame


def _minor(texts: pa.ChunkedArray, currency: str, rows: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Amount texts to minor units, exactly but for the noise of a double."""
    rounded, stray = _rounded(texts, minor_digits(currency))
    if (at := pc.index(pc.not_equal(stray, _NONE), True).as_py()) >= 0:
        row = rows.iloc[at]
        raise DataError(
            f"{row['period']} {row['version']}: cell {row['account']} / {row['cost_center']} holds {texts[at]}, finer than {currency} allows.",
            next_step="A figure was entered or calculated there by somebody else; correct it in the model.",
        )
    return _in_minor(rounded, minor_digits(currency))


def _rounded(texts: pa.ChunkedArray, digits: int) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """Amount texts as exact amounts of so many digits, and what each was more than that: nothing where it is but the noise of a double."""
    try:
        exact = pc.cast(_within_exact(pc.if_else(pc.equal(texts, ""), "0", texts)), _EXACT)
        rounded = pc.round(exact, ndigits=digits, round_mode="half_to_even")
    except pa.ArrowInvalid as error:
        raise _no_amount(error) from None
    stray = pc.subtract(exact, rounded).cast(_EXACT, safe=False)
    return rounded, pc.if_else(pc.greater(pc.abs(stray), _NOISE), stray, _NONE)


def _in_minor(amounts: pa.ChunkedArray, digits: int) -> npt.NDArray[np.int64]:
    """Exact amounts that have no more than so many digits, as whole numbers of the last one."""
    try:
        scaled = pc.multiply(amounts.cast(pa.decimal128(24, digits)), pa.scalar(Decimal(10**digits)))
        minor: npt.NDArray[np.int64] = pc.cast(scaled, pa.int64()).to_numpy()
    except pa.ArrowInvalid as error:
        raise _no_amount(error) from None
    return minor


def _no_amount(error: pa.ArrowInvalid) -> DataError:
    return DataError(f"The file holds an amount that is no number or has too many digits ({error}).")


def _within_exact(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Texts with an exponent or more decimals than the exact type has, rewritten to sixteen decimals; what is cut off is far below the noise of a double."""
    long = pc.match_substring_regex(texts, _BEYOND_EXACT)
    if not pc.any(long).as_py():
        return texts
    shorter = pa.array([_sixteen_decimals(text) for text in texts.filter(long).to_pylist()], pa.string())
    return pa.chunked_array([pc.replace_with_mask(texts.combine_chunks(), long.combine_chunks(), shorter)])


def _sixteen_decimals(text: str) -> str:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return text
    return f"{amount:.16f}" if amount.adjusted() < _LARGEST_EXPONENT else text
