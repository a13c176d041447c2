"""Posted lines of a period from the inquiry AccountDetailsForPeriodInquiry (GL404001): one call, one answer, no paging.

It is a built-in generic inquiry, which a site can alter or hide, so nothing about it is believed: every line must name our
ledger, the period, and that it is posted [S HT example body; C MD for the fields]. Lines carry no line number here.
"""

import tempfile
from collections.abc import Iterator, Sequence
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


def read_lines(site: Connection, books: Books, period: FiscalPeriod) -> Iterator[pa.RecordBatch]:
    """The lines in batches of some thousands. The whole answer is on disk before the first is looked at."""
    asked = {"FromPeriod": periods.spelled(period), "ToPeriod": periods.spelled(period), "Ledger": books.ledger}
    with tempfile.TemporaryDirectory(prefix="acumatica-") as folder:
        answer = Path(folder) / "lines.json"
        call = site.download(NAME, asked, answer).call
        what = f"The answer of {NAME} for {period.key}"
        seen = 0
        for rows in read_rows(answer, _decoded, member="Results", what=what):
            if rows:
                yield to_batch(rows, books, period)
            seen += len(rows)
        if not seen:
            _require_truly_empty(answer.read_bytes(), call, books, period)


def to_batch(rows: Sequence[wire.PostedLine], books: Books, period: FiscalPeriod) -> pa.RecordBatch:
    """Some rows of the inquiry as lines. Raises DataError naming the first one that is not a posted line of these books and this period."""

    def where(row: int) -> str:
        line = rows[row]
        return (
            f"{NAME} of {period.key}, batch {line.module.value} {line.batch_number.value}, account {line.account.value}"
        )

    module, number = (
        lines.texts([row.module.value for row in rows]),
        lines.texts([row.batch_number.value for row in rows]),
    )
    lines.require_filled(module, "Module", where)
    lines.require_filled(number, "BatchNumber", where)
    branch, account = [row.branch.value for row in rows], lines.codes([row.account.value for row in rows])
    lines.require_filled(account, "Account", where)
    lines.require_only(branch, books.branches, "Branch", where)
    _require_posted(rows, books, period, where)
    return lines.batch_of(
        {
            "batch": pc.binary_join_element_wise(module, number, " ").dictionary_encode(),
            "line": pa.nulls(len(rows), pa.int32()),
            "branch": lines.codes(branch),
            "account": account,
            "subaccount": lines.subaccount_column([row.subaccount.value for row in rows], books, where),
            "reference": lines.texts([row.ref_number.value for row in rows]),
            "transaction_on": lines.days([row.transaction_date.value for row in rows]),
            "description": lines.texts([row.transaction_description.value for row in rows]),
            "modified_at": lines.texts([row.last_modified.value for row in rows]),
            "debit_minor": minor_column(
                [row.debit.value for row in rows], books.currency, "DebitAmountInBaseCurrency", where
            ),
            "credit_minor": minor_column(
                [row.credit.value for row in rows], books.currency, "CreditAmountInBaseCurrency", where
            ),
        }
    )


def _require_posted(rows: Sequence[wire.PostedLine], books: Books, period: FiscalPeriod, where: Where) -> None:
    lines.require_only([row.ledger.value for row in rows], {books.ledger}, "Ledger", where)
    lines.require_only([row.period_id.value for row in rows], periods.spellings(period), "PeriodID", where)
    lines.require_only([row.posted.value for row in rows], {True}, "Posted", where)
    lines.require_only([row.released.value for row in rows], {True}, "Released", where)


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
