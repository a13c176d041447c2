"""Posted lines of a period from its batches (JournalTransaction): for sites that hide or altered the inquiry.

No order is promised and pages may shift while somebody posts [S Parameter_top], so nothing is paged by position. The keys of
all posted batches are read first, then their lines in closed ranges of keys; what comes back must be what was announced. Then
the keys are read again: batches posted meanwhile are read too, and only when two readings of the keys agree is the period
whole. No clock decides what is new, neither ours nor theirs.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from mlc_pipelines.acumatica import lines, periods, wire
from mlc_pipelines.acumatica.amounts import minor_column
from mlc_pipelines.acumatica.codec import Books
from mlc_pipelines.acumatica.connection import Connection
from mlc_pipelines.ledger.errors import DataError, TransientError
from mlc_pipelines.ledger.fiscal import FiscalPeriod

NAME = "JournalTransaction"
ROUNDS_MAX = 3
_NAMED = 5
_NAMED_AT_ONCE = 10

Key = tuple[str, str]
"""Module and batch number."""

_HEADER = "Module,BatchNbr,LedgerID,PostPeriod,Status,CurrencyID,TransactionDate,LastModifiedDateTime"
_LINE = "LineNbr,BranchID,Account,Subaccount,ReferenceNbr,TransactionDescription,DebitAmount,CreditAmount"
_WHOLE = ",".join([_HEADER, *(f"Details/{name}" for name in _LINE.split(","))])


def read_lines(site: Connection, books: Books, period: FiscalPeriod) -> Iterator[pa.RecordBatch]:
    """The lines, some batches at a time.

    Raises DataError, naming them, for announced batches that do not come or come twice, and TransientError when the period
    is being posted to faster than it can be read, or a batch changed after it was read.
    """
    reading = _Reading(site, books, period)
    for _ in range(ROUNDS_MAX):
        fresh = reading.fresh_keys()
        if not fresh:
            reading.require_nobody_else()
            return
        for keys in _ranges(fresh, books.page_batches):
            yield to_batch(reading.batches(keys), books, period)
    if reading.fresh_keys():
        raise TransientError(
            f"{period.key} was still being posted to after {ROUNDS_MAX} readings.",
            holds="Nothing was loaded.",
            next_step="Load the period again when posting has ended.",
        )
    reading.require_nobody_else()


@dataclass
class _Reading:
    """One reading of a period: which batches have been read, as of which change, and which came without being announced."""

    site: Connection
    books: Books
    period: FiscalPeriod
    read: dict[Key, str] = field(default_factory=dict)
    announced: dict[Key, str] = field(default_factory=dict)
    unannounced: set[Key] = field(default_factory=set)

    def fresh_keys(self) -> list[Key]:
        """Keys of posted batches not read yet, in order. Raises TransientError when one that was read has changed or gone since."""
        listed = self._fetch(_HEADER, self._posted())
        if twice := _twice(listed):
            listed = self._fetch(_HEADER, self._posted())
            twice = _twice(listed)
        if twice:
            raise self._broken("stand twice in the list of batches", twice)
        self.announced = {_key(batch): _changed(batch) for batch in listed}
        moved = [key for key, changed in self.read.items() if self.announced.get(key) != changed]
        if moved:
            raise TransientError(
                f"{_some(moved)} of {self.period.key} changed while the period was read.",
                holds="Nothing was loaded.",
                next_step="Load the period again.",
            )
        return sorted(self.announced.keys() - self.read.keys())

    def batches(self, keys: Sequence[Key]) -> list[wire.Batch]:
        """These batches with their lines, each exactly once; asked for once more, by name, where they did not come so."""
        first, last = keys[0][1], keys[-1][1]
        between = f"Module eq {_quoted(keys[0][0])} and BatchNbr ge {_quoted(first)} and BatchNbr le {_quoted(last)}"
        came = self._fetch(_WHOLE, f"{self._posted()} and {between}", expand="Details")
        self.unannounced |= {_key(batch) for batch in came} - self.announced.keys()
        found = {_key(batch): batch for batch in came}
        amiss = [key for key in keys if key not in found or key in _twice(came)]
        found |= {_key(batch): batch for batch in self._by_name(amiss)}
        self.read |= {key: _changed(found[key]) for key in keys}
        return [found[key] for key in keys]

    def require_nobody_else(self) -> None:
        """What came unannounced must have been announced by now: else the list of batches cannot be relied on."""
        if strangers := self.unannounced - self.announced.keys():
            raise self._broken("came with the lines but never stood in the list of batches", strangers)

    def _by_name(self, keys: Sequence[Key]) -> list[wire.Batch]:
        """These batches asked for by their keys, a few in one call: web servers limit the length of an address."""
        came: list[wire.Batch] = []
        for at in range(0, len(keys), _NAMED_AT_ONCE):
            some = keys[at : at + _NAMED_AT_ONCE]
            named = " or ".join(f"(Module eq {_quoted(one[0])} and BatchNbr eq {_quoted(one[1])})" for one in some)
            came += self._fetch(_WHOLE, f"{self._posted()} and ({named})", expand="Details")
        if twice := _twice(came):
            raise self._broken("came twice, also when asked for by name", twice)
        if missing := set(keys) - set(map(_key, came)):
            raise self._broken("are in the list of batches but did not come, also when asked for by name", missing)
        return came

    def _fetch(self, select: str, where: str, *, expand: str = "") -> list[wire.Batch]:
        batches = self.site.list(NAME, wire.Batch, select=select, expand=expand, where=where)
        for batch in batches:
            self._require_ours(batch, with_lines=bool(expand))
        return batches

    def _posted(self) -> str:
        """How a stored period is shown to filters was only seen indirectly, so both spellings are asked for [I]."""
        of_period = " or ".join(f"PostPeriod eq {_quoted(text)}" for text in periods.spellings(self.period))
        return f"({of_period}) and LedgerID eq {_quoted(self.books.ledger)} and Status eq 'Posted'"

    def _require_ours(self, batch: wire.Batch, *, with_lines: bool) -> None:
        """What the filter asked for is what must have come, in the ledger's currency: there are no base amounts here."""
        where = f"{NAME} {batch.module.value} {batch.number.value}"
        said = {
            "LedgerID": (batch.ledger.value, {self.books.ledger}),
            "Status": (batch.status.value, {"Posted"}),
            "PostPeriod": (batch.period.value, set(periods.spellings(self.period))),
            "CurrencyID": (batch.currency.value, {self.books.currency}),
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

    def _broken(self, complaint: str, keys: Collection[Key]) -> DataError:
        return DataError(
            f"{_some(keys)} of {self.period.key} {complaint}.",
            holds="Nothing was loaded.",
            next_step="Load the period again; if it stays so, ask the Acumatica administrator about these batches.",
        )


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


def _ranges(keys: Sequence[Key], size: int) -> Iterator[list[Key]]:
    """Neighbouring keys of one module, at most so many together."""
    for module in dict.fromkeys(module for module, _ in keys):
        of_module = [key for key in keys if key[0] == module]
        yield from (of_module[at : at + size] for at in range(0, len(of_module), size))


def _key(batch: wire.Batch) -> Key:
    return batch.module.value or "", batch.number.value or ""


def _changed(batch: wire.Batch) -> str:
    return batch.last_modified.value or ""


def _twice(batches: Sequence[wire.Batch]) -> set[Key]:
    return {key for key, times in Counter(map(_key, batches)).items() if times > 1}


def _quoted(text: str) -> str:
    """A text in a filter; a quote inside is doubled [I]."""
    return "'" + text.replace("'", "''") + "'"


def _some(keys: Collection[Key]) -> str:
    named = [" ".join(key) for key in sorted(keys)[:_NAMED]]
    more = f" and {len(keys) - _NAMED} more" if len(keys) > _NAMED else ""
    return f"{'Batch' if len(keys) == 1 else 'Batches'} {', '.join(named)}{more}"
