"""AccountDetailsForPeriodInquiry: every line of a span of periods in one ledger. Reference: acumatica 3.6, 3.7."""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mlc_pipelines.sandbox.acumatica import periods
from mlc_pipelines.sandbox.acumatica.entities import NO_PROJECT
from mlc_pipelines.sandbox.acumatica.question import Question, required_ledger, required_period, state_of
from mlc_pipelines.sandbox.acumatica.site import Site
from mlc_pipelines.sandbox.acumatica.wire import Record, Value
from mlc_pipelines.sandbox.company import Batch, Period

DEFAULTS: Mapping[str, Value] = {"IncludeUnposted": False, "IncludeUnreleased": False}
TRANSACTION_TYPES = {"GL": "GLE", "AP": "INV", "AR": "INV", "CA": "CAE"}
"""The document type behind a line, by module [I]."""


def question(site: Site, given: Mapping[str, Value]) -> Question:
    """Posted lines from FromPeriod to ToPeriod; the flags add released and unreleased ones [S Help-and-Training-Examples].

    That all three of FromPeriod, ToPeriod and Ledger must be given is ours [I].
    """
    first, last = required_period(site, given, "FromPeriod"), required_period(site, given, "ToPeriod")
    statuses = ["Posted"]
    statuses += ["Unposted"] if given["IncludeUnposted"] else []
    statuses += ["Balanced", "On Hold"] if given["IncludeUnreleased"] else []
    span = _Span(required_ledger(site, given), first, last, tuple(statuses))
    state = state_of(site, (batch for _, batch in span.batches(site)))
    return Question((span.ledger, first.key, last.key, span.statuses), state, lambda: _records(site, span))


@dataclass(frozen=True, slots=True)
class _Span:
    ledger: str
    first: Period
    last: Period
    statuses: tuple[str, ...]

    def batches(self, site: Site) -> Iterator[tuple[Period, Batch]]:
        """The batches that count, by period, module and number."""
        for key in sorted(site.books.periods):
            if self.first.key <= key <= self.last.key:
                for batch in site.books.batches_of(self.ledger, key):
                    if batch.status in self.statuses:
                        yield site.books.periods[key], batch


def _records(site: Site, span: _Span) -> Iterator[Record]:
    """One record per line, in batch and line order. Row ids are new in every working out [I]."""
    root, number = str(uuid.uuid4())[:24], 0
    for period, batch in span.batches(site):
        common = _of_batch(batch, periods.shown(site, period))
        for line in batch.lines:
            number += 1
            values: dict[str, Value] = {
                **common,
                "Account": line.account,
                "Branch": line.branch,
                "CreditAmount": line.credit_minor,
                "CreditAmountInBaseCurrency": line.credit_minor,
                "DebitAmount": line.debit_minor,
                "DebitAmountInBaseCurrency": line.debit_minor,
                "RefNumber": line.reference or None,
                "Subaccount": line.subaccount,
                "TransactionDescription": line.description or None,
            }
            yield Record(f"{root}{number:012x}", values)


def _of_batch(batch: Batch, period: str) -> dict[str, Value]:
    return {
        "BatchNumber": batch.number,
        "Currency": batch.currency,
        "LastModifiedDateTime": batch.modified_at,
        "Ledger": batch.ledger,
        "Module": batch.module,
        "PeriodID": period,
        "Posted": batch.status == "Posted",
        "Project": NO_PROJECT,
        "Released": batch.status in ("Posted", "Unposted"),
        "TransactionDate": batch.date,
        "TransactionType": TRANSACTION_TYPES.get(batch.module),
    }
