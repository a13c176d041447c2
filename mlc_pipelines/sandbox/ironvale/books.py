"""The books of Ironvale, the second sample company, as others use them: the tables, the truth of a period, and a copy to change.

How they are changed: `post`, `recode`, `touch`, `take_up`, `close`, `reopen`, `put`, `drop` (entries), `post_invoice`,
`cancel_invoice`, `draft_invoice` (payables), `alter` (holdings).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from mlc_pipelines.sandbox.ironvale import chart, rows
from mlc_pipelines.sandbox.ironvale.payables import Payables
from mlc_pipelines.sandbox.ironvale.shapes import SpendRow, TruthRow
from mlc_pipelines.sandbox.ironvale.tables import TABLES

Row = Mapping[str, Any]


class Ironvale(Payables):
    """All that the companies of the instance have booked. `company` is the one that is meant where none is named.

    Periods are named "FY2026-P03", "FY2024T-P02", and mean those of the calendar of the book.
    """

    def __init__(self, *, weeks_53: bool = False, balance_segments: str = "1~2") -> None:
        """Before the first entry. Raises ValueError on an unknown format of balances."""
        super().__init__(weeks_53=weeks_53, balance_segments=balance_segments)
        self._rows: dict[Any, Sequence[Row]] = {}
        self._rows_of = self.revision
        self._original: Ironvale | None = None

    def copy(self) -> "Ironvale":
        """The same books, free to be changed; what is immutable is shared."""
        other = Ironvale.__new__(Ironvale)
        other.__dict__.update(self.__dict__)
        other.journals = {key: list(found) for key, found in self.journals.items()}
        other.values = {segment: dict(values) for segment, values in self.values.items()}
        other.kept = {table: dict(found) for table, found in self.kept.items()}
        for name in ("ledgers", "vendors", "invoices", "orders", "periods_closed", "openings", "accounts_used"):
            setattr(other, name, dict(getattr(self, name)))
        other._numbers, other._stamps, other._rows = dict(self._numbers), dict(self._stamps), {}
        other._original = self._original or self
        return other

    # -- the tables ---------------------------------------------------------------------------------------------------

    def rows(self, table: str, where: Mapping[str, Any] | None = None) -> Sequence[Row]:
        """The rows of a table by their real column names, all columns; `where`: only those in which these columns have these values.

        Rows are made when asked for: a slice of a million lines makes that slice only. Naming Company, BookID, FiscalYear,
        FiscalYearSuffix, FiscalPeriod, JournalCode, JournalNum, Posted, SourceModule or GroupID (journal lines; the first five
        for balances), or Company, VendorNum, InvoiceNum, FiscalYear, FiscalPeriod, Posted (invoices) spares looking at the
        rest. Journal lines come by rising SysRevID. Raises KeyError on a table or column that does not exist.
        """
        columns = TABLES[table].columns
        if unknown := sorted(set(where or ()) - set(columns)):
            raise KeyError(f"{table} has no column {unknown}")
        if self._rows_of != self.revision:
            self._rows, self._rows_of = {}, self.revision
        if self._original is not None and self._original.revision == self.revision:
            return self._original.rows(
                table, where
            )  # nothing was changed yet: what others have asked for is there already
        key = (table, frozenset((where or {}).items()))
        if key not in self._rows:
            self._rows[key] = rows.make(self, table, dict(where or {}))
        return self._rows[key]

    # -- the truth ----------------------------------------------------------------------------------------------------

    def truth(self, book: str, period_key: str, company: str = chart.COMPANY) -> list[TruthRow]:
        """What was posted in one period, summed by account, department and plant, in that order; statistical lines left out.

        The two sides as booked: a red entry makes them smaller.
        """
        sums: defaultdict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0])
        self.period(period_key, book, company)
        for journal in self.journals_of(book, period_key, company):
            if journal.posted:
                for line in journal.lines:
                    if not line.units:
                        row = sums[line.account, line.dept, line.plant]
                        row[0] += line.debit_minor
                        row[1] += line.credit_minor
        return [TruthRow(*keys, *row) for keys, row in sorted(sums.items())]

    def spend_truth(
        self, period_key: str, company: str = chart.COMPANY, *, expense_only: bool = False
    ) -> list[SpendRow]:
        """What the invoices posted in one period of MAIN were distributed to, by vendor, account and department; debit positive.

        Every account, prepayments and machines too, unless `expense_only`. Not in it: tax, what clears a receipt, payments.
        """
        sums: defaultdict[tuple[str, str, str], int] = defaultdict(int)
        self.period(period_key, "MAIN", company)
        for invoice in self.invoices.values():
            if invoice.posted and invoice.company == company and invoice.period.key == period_key:
                vendor = self.vendors[company, invoice.vendor].code
                for expense in (expense for line in invoice.lines for expense in line.expenses):
                    if not expense_only or self.is_income(expense.account):
                        sums[vendor, expense.account, expense.dept] += expense.minor
        return [SpendRow(*keys, minor) for keys, minor in sorted(sums.items())]
