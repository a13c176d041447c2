"""Changing the books of the second sample company: journals, closes, and the tables that people write to."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from mlc_pipelines.sandbox.ironvale import chart
from mlc_pipelines.sandbox.ironvale.holdings import Holdings
from mlc_pipelines.sandbox.ironvale.shapes import LINE_REVS, FiscalPeriod, Journal, Line
from mlc_pipelines.sandbox.ironvale.tables import TABLES, row_id

OPENING_REVS = 8_000
"""Row versions that the opening balances of a year use up."""

CLOSE_REVS = 4
"""And a close: the period's own, and those of the earliest dates that follow from it."""

KEPT = (
    "BudgetCode",
    "GLBudgetHd",
    "GLBudgetDtl",
    "GLJrnGrp",
    "GLJrnHed",
    "GLJrnDtlMnl",
    "RvJrn",
    "RvJrnTr",
    "RvJrnTrDtl",
)
"""Tables that are kept as rows, and written with `put` and `drop`."""


class Entries(Holdings):
    """Books that can be changed."""

    # -- journals -----------------------------------------------------------------------------------------------------

    def post(
        self,
        book: str,
        period_key: str,
        lines: Sequence[Line],
        *,
        now: datetime,
        description: str = "Journal entry",
        source: str = "GL",
        posted: bool = True,
        code: str = "GJ",
        number: int = 0,
        day: date | None = None,
        company: str = chart.COMPANY,
        unbalanced: bool = False,
        **more: Any,
    ) -> Journal:
        """Book a journal under the next number of its code and year, or the given one; in this book only, as a manual one.

        The date is the period's last day unless given. `more`: other fields of `Journal`, e.g. currency, user, comment, group,
        plant, vendor, invoice, check, in_balances. A closed period is no obstacle here: who may post there is the business of
        the emulator. Raises ValueError on an unknown code, on a number that is taken, or on a posted journal that does not
        balance, unless `unbalanced`.
        """
        period = self.period(period_key, book, company)
        self._require_codes(lines)
        excess = sum(line.debit_minor - line.credit_minor for line in lines)
        if posted and excess and not unbalanced:
            raise ValueError(f"journal {description!r} does not balance: debits exceed credits by {excess} minor units")
        more.setdefault("currency", self.ledgers[company, book].currency)
        journal = Journal(
            company=company,
            book=book,
            period=period,
            code=code,
            number=self.next_number(company, book, period, code, number),
            day=day or period.end,
            text=description,
            source=source,
            lines=tuple(lines),
            rev=self.next_revs(len(lines) * LINE_REVS),
            posted=posted,
            posted_on=now.date() if posted else None,
            created_on=now.date(),
            **more,
        )
        self.enter(journal)
        return journal

    def enter(self, journal: Journal) -> None:
        """Put a journal as it is into the books, behind the others of its period."""
        key = (journal.company, journal.book, journal.period.key)
        self.journals.setdefault(key, []).append(journal)
        self._changed(key)
        self._use(journal.company, journal.lines)

    def next_number(self, company: str, book: str, period: FiscalPeriod, code: str, wanted: int = 0) -> int:
        """Take the next number of a journal code in the year of a period, or the wanted one. Raises ValueError when that is taken."""
        key = (company, book, period.year_key, code)
        last = self._numbers.get(key, 0)
        if 0 < wanted <= last and wanted in self._taken(company, book, period, code):
            raise ValueError(f"there is a journal {code} {wanted} in book {book!r} of {company}, {period.year_key}")
        self._numbers[key] = max(last, wanted or last + 1)
        return wanted or last + 1

    def last_number(self, company: str, book: str, year_key: str, code: str) -> int:
        """The last number of a journal code that was used in a year ("2026"), 0 for none."""
        return self._numbers.get((company, book, year_key, code), 0)

    def _taken(self, company: str, book: str, period: FiscalPeriod, code: str) -> set[int]:
        return {
            journal.number
            for key, found in self.journals.items()
            if key[:2] == (company, book)
            for journal in found
            if journal.code == code and journal.period.year_key == period.year_key
        }

    def recode(
        self,
        period_key: str,
        journal: str,
        line: int,
        *,
        account: str | None = None,
        dept: str | None = None,
        plant: str | None = None,
        book: str = "MAIN",
    ) -> Journal:
        """Give one line of a journal ("GJ 412"), counted from 1, another coding; that line alone gets a new row version.

        Nothing else tells of it, neither the dates of the journal nor the invoice behind it. Raises KeyError when there is no
        such journal or line, ValueError on an unknown code.
        """
        at, found = self._find(book, period_key, journal, line)
        was = found.lines[line - 1]
        changed = was._replace(
            account=was.account if account is None else account,
            dept=was.dept if dept is None else dept,
            plant=was.plant if plant is None else plant,
        )
        self._require_codes([changed])
        if found.posted:
            key = (found.company, found.book, found.period.key)
            self.left = {
                **self.left,
                key: {**self.left.get(key, {}), (was.account, was.dept): self.next_revs(LINE_REVS)},
            }
        lines = (*found.lines[: line - 1], changed, *found.lines[line:])
        return self._rewrite(at, found._replace(lines=lines), [line - 1])

    def touch(self, period_key: str, journal: str, line: int, *, book: str = "MAIN") -> Journal:
        """Write a line again without changing it, as a reconciliation does: only its row version rises."""
        at, found = self._find(book, period_key, journal, line)
        return self._rewrite(at, found, [line - 1])

    def take_up(self, book: str = "MAIN", company: str = chart.COMPANY) -> int:
        """Let the balances take up the journals that were posted with `in_balances=False`; how many there were."""
        taken = 0
        for key in [key for key in self.journals if key[:2] == (company, book)]:
            for at, journal in enumerate(self.journals[key]):
                if journal.posted and not journal.in_balances:
                    self._rewrite(at, journal._replace(in_balances=True), range(len(journal.lines)))
                    taken += 1
        return taken

    def _find(self, book: str, period_key: str, name: str, line: int) -> tuple[int, Journal]:
        for at, journal in enumerate(self.journals_of(book, period_key)):
            if journal.name == name and 0 < line <= len(journal.lines):
                return at, journal
        raise KeyError(f"no journal {name} with a line {line} in {period_key} of book {book}")

    def _rewrite(self, at: int, journal: Journal, places: Iterable[int]) -> Journal:
        """Put a journal in the place of what it was, with new row versions of these lines."""
        bumps = {place: self.next_revs(LINE_REVS) for place in places}
        changed = journal._replace(bumps={**(journal.bumps or {}), **bumps})
        key = (journal.company, journal.book, journal.period.key)
        self.journals[key][at] = changed
        self._changed(key)
        self._use(journal.company, changed.lines)
        return changed

    def _use(self, company: str, lines: Iterable[Line]) -> None:
        """Know the accounts of these lines, in full: as accounts, in their form for people, and as balance accounts."""
        for account, dept, plant, *_ in lines:
            if (company, account, dept, plant) not in self.accounts_used:
                self.accounts_used[company, account, dept, plant] = self.next_revs(3)

    def _require_codes(self, lines: Iterable[Line]) -> None:
        """Raise ValueError on a code that the chart does not have. Department and plant may be left empty."""
        for line in lines:
            for segment, code in ((chart.ACCOUNT, line.account), (chart.DEPT, line.dept), (chart.PLANT, line.plant)):
                if code not in self.values[segment] and (code or segment == chart.ACCOUNT):
                    raise ValueError(f"segment {segment} has no value {code!r}")

    # -- closing ------------------------------------------------------------------------------------------------------

    def close(self, period_key: str, book: str = "MAIN", company: str = chart.COMPANY) -> None:
        """Close a period of a book; with the last one of its year the opening balances of the next year are written."""
        period = self.period(period_key, book, company)
        self.periods_closed[company, book, period_key] = (True, self.next_revs(CLOSE_REVS))
        calendar = self.calendar_of(book, company)
        years = list(dict.fromkeys(one.year_key for one in calendar.values()))
        after = years[years.index(period.year_key) + 1 :]
        whole = all(
            self.is_closed(key, book, company) for key, one in calendar.items() if one.year_key == period.year_key
        )
        if whole and after:
            self.openings[company, book, after[0]] = self.next_revs(OPENING_REVS)

    def reopen(self, period_key: str, book: str = "MAIN", company: str = chart.COMPANY) -> None:
        """Open a closed period again. Opening balances that were written stay as they are until the year is closed once more."""
        self.period(period_key, book, company)
        self.periods_closed[company, book, period_key] = (False, self.next_revs(CLOSE_REVS))

    # -- tables kept as rows ------------------------------------------------------------------------------------------

    def put(self, table: str, row: Mapping[str, Any]) -> Mapping[str, Any]:
        """Write a row of a kept table (KEPT), added or changed by its key; what stands there now, with blanks, SysRevID and SysRowID.

        Columns that are not given keep what they were. Raises KeyError on another table, ValueError on an unknown column.
        """
        found, shape = self._kept(table), TABLES[table]
        if unknown := sorted(set(row) - set(shape.columns)):
            raise ValueError(f"{table} has no column {unknown}")
        given = {"Company": self.company, **row}
        key = tuple(given.get(column, shape.blank[column]) for column in shape.key)
        stands = {**found.get(key, shape.blank), **given, "SysRevID": self.next_revs(), "RowMod": ""}
        stands["SysRowID"] = row_id(table, *key)
        found[key] = stands
        return stands

    def drop(self, table: str, key: Sequence[Any]) -> None:
        """Remove a row of a kept table by the values of its key columns, in their order. Raises KeyError when there is none."""
        del self._kept(table)[tuple(key)]
        self.next_revs()

    def _kept(self, table: str) -> dict[tuple[Any, ...], Mapping[str, Any]]:
        if table not in KEPT:
            raise KeyError(f"{table} is not kept as rows; these are: {', '.join(KEPT)}")
        return self.kept.setdefault(table, {})
