"""Posted lines of a period from the inquiry AccountDetailsForPeriodInquiry (GL404001): one call, one answer, no paging.

It is a built-in generic inquiry, which a site can alter or hide, so nothing about it is believed: every line must name our
ledger, the period, and that it is posted [S HT example body; C MD for the fields]. Lines carry no line number here.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from mlc_pipelines.acumatica import lines, periods, wire
from mlc_pipelines.acumatica.codec import Books
from mlc_pipelines.acumatica.columns import UsualRows
from mlc_pipelines.acumatica.connection import Connection
from mlc_pipelines.acumatica.layout import UnusualError
from mlc_pipelines.ledger.amounts import Where, minor_column
from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.ledger.fiscal import FiscalPeriod
from mlc_pipelines.transport.rows import read_rows

NAME = "AccountDetailsForPeriodInquiry"
_DECODE = msgspec.json.Decoder(list[wire.PostedLine]).decode


def read_lines(site: Connection, books: Books, period: FiscalPeriod) -> Iterator[pa.RecordBatch]:
    """The lines in batches of some thousands. The whole answer is on disk before the first is looked at."""
    asked = {"FromPeriod": periods.spelled(period), "ToPeriod": periods.spelled(period), "Ledger": books.ledger}
    with tempfile.TemporaryDirectory(prefix="acumatica-") as folder:
        answer = Path(folder) / "lines.json"
        call = site.download(NAME, asked, answer).call
        what = f"The answer of {NAME} for {period.key}"
        seen = 0
        for batch in read_rows(answer, to_lines(books, period), member="Results", what=what):
            seen += len(batch)
            if len(batch):
                yield batch
        if not seen:
            _require_truly_empty(answer.read_bytes(), call, books, period)


def to_lines(books: Books, period: FiscalPeriod) -> Callable[[bytes], pa.RecordBatch]:
    """Turns blocks of rows into lines: as they usually come in bulk, a block with anything unusual in it row by row, with all checks and names."""
    usual = UsualRows(books, period)

    def lines_of(block: bytes) -> pa.RecordBatch:
        try:
            return usual.batch(block)
        except UnusualError:
            return to_batch(Columns(decoded(block)), books, period)

    return lines_of


class Columns:
    """Some thousand rows of the inquiry, a list per field."""

    def __init__(self, rows: Sequence[wire.PostedLine]) -> None:
        self.module = [row.module.value for row in rows]
        self.batch_number = [row.batch_number.value for row in rows]
        self.branch = [row.branch.value for row in rows]
        self.account = [row.account.value for row in rows]
        self.subaccount = [row.subaccount.value for row in rows]
        self.ledger = [row.ledger.value for row in rows]
        self.period_id = [row.period_id.value for row in rows]
        self.posted = [row.posted.value for row in rows]
        self.released = [row.released.value for row in rows]
        self.ref_number = [row.ref_number.value for row in rows]
        self.transaction_date = [row.transaction_date.value for row in rows]
        self.transaction_description = [row.transaction_description.value for row in rows]
        self.last_modified = [row.last_modified.value for row in rows]
        self.debit = [row.debit.value for row in rows]
        self.credit = [row.credit.value for row in rows]


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


def decoded(block: bytes) -> list[wire.PostedLine]:
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
