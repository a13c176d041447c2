"""What an entry is checked against: books, periods, earliest dates, accounts. Reference: epicor 7.2, 11.7.

The sentence about a blocked segment value is recorded [S CAL], as is "G/L Account is required" [C GLC1]; all other wordings are ours [I].
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from mlc_pipelines.sandbox.epicor.dataset import business
from mlc_pipelines.sandbox.epicor.site import Kinetic
from mlc_pipelines.sandbox.ironvale import Ironvale, chart
from mlc_pipelines.sandbox.ironvale.shapes import Book, FiscalPeriod, Value

SEGMENT_NAMES = {chart.ACCOUNT: "Chart", chart.DEPT: "Dept", chart.PLANT: "Plant"}
NO_ACCOUNT = "G/L Account is required"


class Rules:
    """The rules of one company of an instance."""

    def __init__(self, site: Kinetic, company: str) -> None:
        """As the switches stand now."""
        self._site, self._company = site, company
        self._books: Ironvale = site.books

    # -- books and periods --------------------------------------------------------------------------------------------

    def book(self, code: str) -> Book:
        """A book that may be posted to."""
        book = self._books.ledgers.get((self._company, code))
        if book is None:
            raise business(f"GL Book {code} not found.", "GLBook")
        if book.inactive:
            raise business(f"GL Book {code} is inactive.", "GLBook")
        return book

    @property
    def main_book(self) -> Book:
        """The book of the actuals."""
        return next(one for (company, _), one in self._books.ledgers.items() if company == self._company and one.main)

    def period_of(self, book: str, day: date) -> FiscalPeriod | None:
        """The ordinary period of a book that a day lies in."""
        periods = self._books.calendar_of(book, self._company).values()
        return next((one for one in periods if one.start <= day <= one.end and not one.closing), None)

    def period(self, row: Mapping[str, Any]) -> FiscalPeriod:
        """The period that a row names: that of its book, year, suffix and number."""
        named = (row["FiscalYear"], row["FiscalYearSuffix"], row["FiscalPeriod"])
        for one in self._books.calendar_of(self.book(row["BookID"]).code, self._company).values():
            if (one.year, one.suffix, one.number) == named:
                return one
        raise business(f"Fiscal period {named[0]}{named[1]}/{named[2]} is not valid for book {row['BookID']}.")

    def require_open(self, row: Mapping[str, Any]) -> FiscalPeriod:
        """The period of a row, into which may be posted: open in GLBookPer, its date not before the earliest."""
        period = self.period(row)
        if self._books.is_closed(period.key, row["BookID"], self._company):
            name = f"{period.year}{period.suffix}/{period.number}"
            raise business(f"Fiscal period {name} is closed for book {row['BookID']}.", "GLBookPer")
        earliest = self._earliest()
        if self._site.switches["earliest_date"] and row["JEDate"] is not None and row["JEDate"] < earliest:
            raise business(f"The date {row['JEDate']} is before the earliest apply date {earliest}.", "EADComp")
        return period

    def _earliest(self) -> date:
        [row] = self._books.rows("EADComp", {"Company": self._company})
        day: date = row["EarliestApplyDate"]
        return day

    def journal_code(self, code: str) -> None:
        """Raise for a code that there is not, or that belongs to another module."""
        if chart.JOURNAL_CODES.get(code, ("", ""))[1] != "GL":
            raise business(f"Journal code {code} is not valid for journal entry.", "JrnlCode")

    # -- accounts -----------------------------------------------------------------------------------------------------

    def segments(self, row: Mapping[str, Any]) -> tuple[str, str, str]:
        """The coding of a line, by its account in full or else by its segments. Raises the 400 for neither."""
        full = row["GLAccount"] or "|".join(row[f"SegValue{at}"] for at in (1, 2, 3)).rstrip("|")
        parts = [*full.split("|"), "", ""]
        if not parts[0]:
            raise business(NO_ACCOUNT, "GLJrnDtlMnl")
        return parts[0], parts[1], parts[2]

    def wrong_account(self, coding: tuple[str, str, str], day: date | None) -> str:
        """What is wrong with an account on a day, as the end of a sentence; empty when it may be posted to."""
        for segment, code in zip(SEGMENT_NAMES, coding, strict=True):
            if code and (wrong := self._wrong_value(segment, code, day)):
                return f"Segment {SEGMENT_NAMES[segment]}: the segment value {code} {wrong}"
        if self._site.switches["account_exists"] == "combination" and not self._used(coding):
            return "the account does not exist"
        return ""

    def _wrong_value(self, segment: int, code: str, day: date | None) -> str:
        value: Value | None = self._books.values[segment].get(code)
        if value is None:
            return "does not exist"
        if code in self._site.switches["restricted_values"]:
            return "is blocked for entry in current application"
        if not value.active:
            return "is not active"
        outside = day is not None and ((value.since and day < value.since) or (value.until and day > value.until))
        return "is not effective" if outside else ""

    def _used(self, coding: tuple[str, str, str]) -> bool:
        """Whether account and department exist together; the plant is a dynamic segment, which comes up by being used."""
        return any((self._company, *coding[:2], plant) in self._books.accounts_used for plant in ("", *chart.PLANTS))

    def unit(self, account: str) -> str:
        """The unit of an account that takes statistics and no money."""
        return self._books.values[chart.ACCOUNT][account].unit
