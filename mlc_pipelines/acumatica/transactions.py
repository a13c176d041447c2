"""Posted lines of a period from its batches (JournalTransaction): for sites that hide or altered the inquiry. The recipe is that of `records`."""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager

import pyarrow as pa

from mlc_pipelines.acumatica import lines, periods, wire
from mlc_pipelines.acumatica.codec import Books
from mlc_pipelines.acumatica.connection import Connection
from mlc_pipelines.acumatica.records import Key, Reading, Source, any_of, quoted, within
from mlc_pipelines.ledger.amounts import minor_column
from mlc_pipelines.ledger.errors import DataError, SetupError
from mlc_pipelines.ledger.fiscal import FiscalPeriod
from mlc_pipelines.transport.caller import AnswerTooLargeError

NAME = "JournalTransaction"

_KEYS = ("Module", "BatchNbr")
_HEADER = "Module,BatchNbr,LedgerID,PostPeriod,Status,CurrencyID,TransactionDate,LastModifiedDateTime"
_LINE = "LineNbr,BranchID,Account,Subaccount,ReferenceNbr,TransactionDescription,DebitAmount,CreditAmount"
_WHOLE = ",".join([_HEADER, *(f"Details/{name}" for name in _LINE.split(","))])


def read_lines(
    site: Connection, books: Books, period: FiscalPeriod, say: Callable[[str], None]
) -> Generator[pa.RecordBatch]:
    """The lines, some batches at a time, in the order of their keys; ranges of them are read side by side in as many sessions as declared.

    say: is told when there were fewer sessions to be had.

    Raises DataError, naming them, for announced batches that do not come or come twice, and TransientError when the period
    is being posted to faster than it can be read, or a batch changed after it was read.
    """

    @contextmanager
    def others(most: int) -> Iterator[list[_Batches]]:
        wanted = min(site.config.parallel - 1, most)
        with site.others(wanted) as sites:
            if len(sites) < wanted:
                say(
                    f"{period.key} was read in {_sessions(1 + len(sites))} at once, not in {site.config.parallel} (erp.parallel): the others were "
                    "in use by other runs (erp.sessions) or refused by the licence (SM604000)."
                )
            yield [_Batches(one, books, period) for one in sites]

    with closing(Reading(_Batches(site, books, period), books.page_batches, others).pages()) as pages:
        for batches in pages:
            yield to_batch(batches, books, period)


class _Batches(Source[wire.Batch]):
    """The posted batches of one period. One that changes while we read makes the reading void: its lines may be with the flow already."""

    one, many, busy, changes_void = "Batch", "Batches", "posted to", True

    def __init__(self, site: Connection, books: Books, period: FiscalPeriod) -> None:
        self._site, self._books, self._period = site, books, period
        self.scope = period.key

    def headers(self) -> Iterator[wire.Batch]:
        for batches in self._site.stream(NAME, wire.Batch, select=_HEADER, where=self._posted()):
            for batch in batches:
                self._require_ours(batch, with_lines=False)
                yield batch

    def between(self, first: Key, last: Key) -> list[wire.Batch]:
        return self._fetch(within(_KEYS, _literals(first), _literals(last)))

    def named(self, keys: Sequence[Key]) -> list[wire.Batch]:
        return self._fetch(f"({any_of(_KEYS, [_literals(key) for key in keys])})")

    def key(self, record: wire.Batch) -> Key:
        return _key(record)

    def stamp(self, record: wire.Batch) -> str:
        return record.last_modified.value or ""

    def _fetch(self, which: str) -> list[wire.Batch]:
        where = f"{self._posted()} and {which}"
        try:
            batches = self._site.list(NAME, wire.Batch, select=_WHOLE, expand="Details", where=where)
        except AnswerTooLargeError as error:
            raise SetupError(
                error.what,
                holds=error.holds,
                next_step=f"Write less than {self._books.page_batches} into `erp.page_batches` of the connection file, so that fewer batches "
                "come in one answer.",
            ) from None
        for batch in batches:
            self._require_ours(batch, with_lines=True)
        return batches

    def _posted(self) -> str:
        """How a stored period is shown to filters was only seen indirectly, so both spellings are asked for [I]."""
        of_period = " or ".join(f"PostPeriod eq {quoted(text)}" for text in periods.spellings(self._period))
        return f"({of_period}) and LedgerID eq {quoted(self._books.ledger)} and Status eq 'Posted'"

    def _require_ours(self, batch: wire.Batch, *, with_lines: bool) -> None:
        """What the filter asked for is what must have come, in the ledger's currency: there are no base amounts here."""
        where = f"{NAME} {batch.module.value} {batch.number.value}"
        said = {
            "LedgerID": (batch.ledger.value, {self._books.ledger}),
            "Status": (batch.status.value, {"Posted"}),
            "PostPeriod": (batch.period.value, set(periods.spellings(self._period))),
            "CurrencyID": (batch.currency.value, {self._books.currency}),
        }
        for name, (value, allowed) in said.items():
            if value not in allowed:
                raise DataError(
                    f"{where}: {name} is {value!r}, expected was {' or '.join(sorted(allowed))}.",
                    holds="Nothing was loaded.",
                    next_step="Read this company's lines with `lines_from: inquiry`, which shows them in the ledger's currency."
                    if name == "CurrencyID"
                    else lines.NEXT_STEP,
                )
        if not batch.module.value or not batch.number.value or (with_lines and batch.details is None):
            raise DataError(f"{where} came without its key or its lines.", next_step=lines.NEXT_STEP)


def to_batch(batches: Sequence[wire.Batch], books: Books, period: FiscalPeriod) -> pa.RecordBatch:
    """Batches as lines. Raises DataError naming the first line without account, outside the company, or standing twice."""
    of = [batch for batch in batches for _ in batch.details or ()]
    rows = [line for batch in batches for line in batch.details or ()]

    def where(row: int) -> str:
        return f"{period.key}, batch {' '.join(_key(of[row]))}, line {rows[row].line_number.value}, account {rows[row].account.value}"

    branch, account = [row.branch.value for row in rows], lines.codes([row.account.value for row in rows])
    number = pa.array([row.line_number.value for row in rows], pa.int32())
    lines.require_filled(account, "Account", where)
    lines.require_filled(number, "LineNbr", where)
    lines.require_only(branch, books.branches, "BranchID", where)
    for batch in batches:
        _require_each_line_once(batch)
    return lines.batch_of(
        {
            "batch": lines.codes([" ".join(_key(batch)) for batch in of]),
            "line": number,
            "branch": lines.codes(branch),
            "account": account,
            "subaccount": lines.subaccount_column([row.subaccount.value for row in rows], books, where),
            "reference": lines.texts([row.reference.value for row in rows]),
            "transaction_on": lines.days([batch.transaction_date.value for batch in of]),
            "description": lines.texts([row.transaction_description.value for row in rows]),
            "modified_at": lines.texts([batch.last_modified.value for batch in of]),
            "debit_minor": minor_column([row.debit.value for row in rows], books.currency, "DebitAmount", where),
            "credit_minor": minor_column([row.credit.value for row in rows], books.currency, "CreditAmount", where),
        }
    )


def _require_each_line_once(batch: wire.Batch) -> None:
    numbers = [line.line_number.value for line in batch.details or ()]
    if len(set(numbers)) < len(numbers):
        twice = next(number for number in numbers if numbers.count(number) > 1)
        raise DataError(
            f"Batch {' '.join(_key(batch))} holds line {twice} twice.",
            holds="Nothing was loaded.",
            next_step=lines.NEXT_STEP,
        )


def _key(batch: wire.Batch) -> tuple[str, str]:
    return batch.module.value or "", batch.number.value or ""


def _sessions(number: int) -> str:
    return "one session" if number == 1 else f"{number} sessions"


def _literals(key: Key) -> list[str]:
    return [quoted(str(part)) for part in key]
