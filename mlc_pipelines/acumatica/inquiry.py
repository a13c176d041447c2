"""Posted lines of a period from the inquiry AccountDetailsForPeriodInquiry (GL404001): one call, one answer, no paging.

It is a built-in generic inquiry, which a site can alter or hide, so nothing about it is believed: every line must name our
ledger, the period, and that it is posted [S HT example body; C MD for the fields]. Lines carry no line number here.
"""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from mlc_pipelines.acumatica import lines, periods, wire
from mlc_pipelines.acumatica.amounts import Where, minor_column
from mlc_pipelines.acumatica.codec import Books
from mlc_pipelines.acumatica.connection import Connection
from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.ledger.fiscal import FiscalPeriod
from mlc_pipelines.transport.rows import read_rows

NAME = "AccountDetailsForPeriodInquiry"
_DECODE = msgspec.json.Decoder(list[wire.PostedLine]).decode
_BLOCK_BYTES = 128 << 10  # the objects of one block stay in the processor's cache until their columns are taken
_BATCH_LINES = 4_096


def read_lines(site: Connection, books: Books, period: FiscalPeriod) -> Iterator[pa.RecordBatch]:
    """The lines in batches of some thousands. The whole answer is on disk before the first is looked at."""
    asked = {"FromPeriod": periods.spelled(period), "ToPeriod": periods.spelled(period), "Ledger": books.ledger}
    with tempfile.TemporaryDirectory(prefix="acumatica-") as folder:
        answer = Path(folder) / "lines.json"
        call = site.download(NAME, asked, answer).call
        what = f"The answer of {NAME} for {period.key}"
        seen = 0
        rows = read_rows(answer, _decoder(books, period), member="Results", what=what, block_bytes=_BLOCK_BYTES)
        for columns in _gathered(rows, books, period):
            yield to_batch(columns, books, period)
            seen += len(columns.account)
        if not seen:
            _require_truly_empty(answer.read_bytes(), call, books, period)


class Columns:
    """Some thousand rows of the inquiry, a list per field: the objects of the wire live only as long as their block."""

    def __init__(self) -> None:
        self.module: list[str | None] = []
        self.batch_number: list[str | None] = []
        self.branch: list[str | None] = []
        self.account: list[str | None] = []
        self.subaccount: list[str | None] = []
        self.ledger: list[str | None] = []
        self.period_id: list[str | None] = []
        self.posted: list[bool | None] = []
        self.released: list[bool | None] = []
        self.ref_number: list[str | None] = []
        self.transaction_date: list[str | None] = []
        self.transaction_description: list[str | None] = []
        self.last_modified: list[str | None] = []
        self.debit: list[msgspec.Raw] = []
        self.credit: list[msgspec.Raw] = []

    def take(self, rows: Sequence[wire.PostedLine], books: Books, period: FiscalPeriod) -> None:
        self.module += [row.module.value for row in rows]
        self.batch_number += [row.batch_number.value for row in rows]
        self.branch += [row.branch.value for row in rows]
        self.account += [row.account.value for row in rows]
        self.subaccount += [row.subaccount.value for row in rows]
        if isinstance(rows[0], wire.PostedLine):
            self.ledger += [row.ledger.value for row in rows]
            self.period_id += [row.period_id.value for row in rows]
        else:  # the decoder took no other ledger and period
            self.ledger += [books.ledger] * len(rows)
            self.period_id += [periods.spelled(period)] * len(rows)
        self.posted += [row.posted.value for row in rows]
        self.released += [row.released.value for row in rows]
        self.ref_number += [row.ref_number.value for row in rows]
        self.transaction_date += [row.transaction_date.value for row in rows]
        self.transaction_description += [row.transaction_description.value for row in rows]
        self.last_modified += [row.last_modified.value for row in rows]
        self.debit += [row.debit.value for row in rows]
        self.credit += [row.credit.value for row in rows]


def _gathered(blocks: Iterable[Sequence[wire.PostedLine]], books: Books, period: FiscalPeriod) -> Iterator[Columns]:
    """The rows in few large groups, for Arrow works best on long columns; none is empty."""
    columns = Columns()
    for rows in filter(None, blocks):
        columns.take(rows, books, period)
        if len(columns.account) >= _BATCH_LINES:
            yield columns
            columns = Columns()
    if columns.account:
        yield columns


def to_batch(rows: Columns, books: Books, period: FiscalPeriod) -> pa.RecordBatch:
    """Some rows of the inquiry as lines. Raises DataError naming the first one that is not a posted line of these books and this period."""

    def where(row: int) -> str:
        return f"{NAME} of {period.key}, batch {rows.module[row]} {rows.batch_number[row]}, account {rows.account[row]}"

    module, number = (
        lines.texts(rows.module),
        lines.texts(rows.batch_number),
    )
    lines.require_filled(module, "Module", where)
    lines.require_filled(number, "BatchNumber", where)
    branch, account = rows.branch, lines.codes(rows.account)
    lines.require_filled(account, "Account", where)
    lines.require_only(branch, books.branches, "Branch", where)
    _require_posted(rows, books, period, where)
    return lines.batch_of(
        {
            "batch": pc.binary_join_element_wise(module, number, " ").dictionary_encode(),
            "line": pa.nulls(len(rows.account), pa.int32()),
            "branch": lines.codes(branch),
            "account": account,
            "subaccount": lines.subaccount_column(rows.subaccount, books, where),
            "reference": lines.texts(rows.ref_number),
            "transaction_on": lines.days(rows.transaction_date),
            "description": lines.texts(rows.transaction_description),
            "modified_at": lines.texts(rows.last_modified),
            "debit_minor": minor_column(rows.debit, books.currency, "DebitAmountInBaseCurrency", where),
            "credit_minor": minor_column(rows.credit, books.currency, "CreditAmountInBaseCurrency", where),
        }
    )


def _require_posted(rows: Columns, books: Books, period: FiscalPeriod, where: Where) -> None:
    lines.require_only(rows.ledger, {books.ledger}, "Ledger", where)
    lines.require_only(rows.period_id, periods.spellings(period), "PeriodID", where)
    lines.require_only(rows.posted, {True}, "Posted", where)
    lines.require_only(rows.released, {True}, "Released", where)


def _decoder(books: Books, period: FiscalPeriod) -> Callable[[bytes], list[wire.PostedLine]]:
    """Decodes rows as they usually come; a block with anything unusual in it is decoded once more by the type that takes everything."""
    line = wire.usual_line(books.ledger, periods.spellings(period))
    usual: Callable[[bytes], list[wire.PostedLine]] = msgspec.json.Decoder(list[line]).decode  # type: ignore[valid-type]

    def decoded(block: bytes) -> list[wire.PostedLine]:
        try:
            return usual(block)
        except msgspec.ValidationError:
            return _decoded(block)

    return decoded


def _decoded(block: bytes) -> list[wire.PostedLine]:
    try:
        return _DECODE(block)
    except msgspec.ValidationError:
        wire.require_no_refusal(NAME, block)
        raise


def _require_truly_empty(body: bytes, call: str, books: Books, period: FiscalPeriod) -> None:
    """An answer without a line must at least be the answer to what was asked."""
    wire.require_no_refusal(call, body)
    said = msgspec.json.decode(body, type=wire.PostedLines)
    asked = {*periods.spellings(period)}
    if said.ledger.value != books.ledger or {said.from_period.value, said.to_period.value} - asked:
        raise DataError(
            f"{NAME} was asked for ledger {books.ledger}, {period.key}, and answered without lines for ledger "
            f"{said.ledger.value}, periods {said.from_period.value} to {said.to_period.value}.",
            holds="Nothing was loaded.",
            next_step="Load the period again.",
        )
