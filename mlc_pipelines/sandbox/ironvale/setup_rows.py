"""What is set up once, as rows: companies, books, calendars, periods of books, earliest dates, journal codes, vendors."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from mlc_pipelines.sandbox.ironvale import chart
from mlc_pipelines.sandbox.ironvale.calendars import WEEKS_CALENDAR, Calendar
from mlc_pipelines.sandbox.ironvale.rows import Row, Where, matching
from mlc_pipelines.sandbox.ironvale.shapes import FiscalPeriod
from mlc_pipelines.sandbox.ironvale.tables import TABLES, row_id

if TYPE_CHECKING:
    from mlc_pipelines.sandbox.ironvale.books import Ironvale

Given = Iterator[Mapping[str, Any]]
COMPANIES = (
    (chart.COMPANY, chart.COMPANY_NAME, chart.CURRENCY),
    (chart.SISTER, chart.SISTER_NAME, chart.SISTER_CURRENCY),
)
PLACES = {
    chart.COMPANY: {"Address1": "1 Ironvale Road", "City": "Toledo", "State": "OH", "Country": "USA"},
    chart.SISTER: {"Address1": "88 rue de l'Acier", "City": "Hamilton", "State": "ON", "Country": "Canada"},
}
REVS_OF = {name: 100 + 600 * at for at, name in enumerate(TABLES)}
"""Where the row versions of a table begin that has not been written to since it was set up."""


def finished(table: str, given: Iterable[Mapping[str, Any]]) -> list[Row]:
    """Rows with every column; a row without a row version was written when the instance was set up."""
    shape = TABLES[table]
    made: list[Row] = []
    for at, one in enumerate(given):
        row = {**shape.blank, **one}
        row["SysRevID"] = row["SysRevID"] or REVS_OF[table] + at
        row["SysRowID"] = row_id(table, *(row[column] for column in shape.key))
        made.append(row)
    return made


def _companies(_: "Ironvale") -> Given:
    for code, name, currency in COMPANIES:
        yield {
            "Company1": code,
            "Name": name,
            "BaseCurrCode": currency,
            "CurrentFiscalYear": 2027,
            "FiscalCalendarID": WEEKS_CALENDAR,
            **PLACES[code],
        }


def _ledgers(books: "Ironvale") -> Given:
    for book in books.ledgers.values():
        yield {
            "Company": book.company,
            "BookID": book.code,
            "Description": book.name,
            "MainBook": book.main,
            "COACode": chart.COA,
            "CurrencyCode": book.currency,
            "BookType": book.type,
            "Inactive": book.inactive,
            "FiscalCalendarID": book.calendar,
            "REAccount": chart.RETAINED_EARNINGS,
            "RndAccount": chart.ROUNDING,
            "RndTolerance": Decimal("0.05"),
            "OpenBalUpdateOpt": "C",
            "SysRevID": book.rev,
        }


def _journal_codes(_: "Ironvale") -> Given:
    for company, _name, _currency in COMPANIES:
        for code, (name, source) in chart.JOURNAL_CODES.items():
            yield {
                "Company": company,
                "JournalCode": code,
                "JrnlDescription": name,
                "SystemJournal": source != "GL",
                "AllowStatJournals": code == "ST",
                "JournalType": "S" if source != "GL" else "M",
            }


def _calendars(books: "Ironvale") -> Given:
    for company, name, calendar in _each_calendar(books):
        periods = list(calendar.values())
        text = "4-4-5 weeks to the end of September" if name == WEEKS_CALENDAR else "Calendar months"
        span = {"StartDate": periods[0].start, "EndDate": periods[-1].end}
        yield {"Company": company, "FiscalCalendarID": name, "Description": text, **span}


def _years(books: "Ironvale") -> Given:
    for company, name, calendar in _each_calendar(books):
        years = _by_year(calendar)
        for at, periods in enumerate(years):
            before = years[at - 1][0] if at else None
            after = years[at + 1][0] if at + 1 < len(years) else None
            yield {
                "Company": company,
                "FiscalCalendarID": name,
                "FiscalYear": periods[0].year,
                "FiscalYearSuffix": periods[0].suffix,
                "StartDate": periods[0].start,
                "EndDate": periods[-1].end,
                "NumPeriods": sum(not period.closing for period in periods),
                "NumClosingPeriods": sum(period.closing for period in periods),
                "NextFiscalYear": after.year if after else 0,
                "NextFiscalYearSuffix": after.suffix if after else "",
                "PrevFiscalYear": before.year if before else 0,
                "PrevFiscalYearSuffix": before.suffix if before else "",
                "Description": f"Fiscal year {periods[0].year_key}",
            }


def _periods(books: "Ironvale") -> Given:
    for company, _, calendar in _each_calendar(books):
        for period in calendar.values():
            yield {"Company": company, **_period(period)}


def _book_periods(books: "Ironvale") -> Given:
    for company, book in books.ledgers:
        for key, period in books.calendar_of(book, company).items():
            closed, rev = books.periods_closed.get((company, book, key), (False, 0))
            yield {
                "Company": company,
                "BookID": book,
                **_period(period),
                "ClosedPeriod": closed,
                "CloseFiscalPeriodDisp": str(period.closing or ""),
                "SysRevID": rev,
            }


def _period(period: FiscalPeriod) -> Mapping[str, Any]:
    return {
        "FiscalCalendarID": period.calendar,
        "FiscalYear": period.year,
        "FiscalYearSuffix": period.suffix,
        "FiscalPeriod": period.number,
        "CloseFiscalPeriod": period.closing,
        "StartDate": period.start,
        "EndDate": period.end,
    }


def _earliest(books: "Ironvale") -> Given:
    """Entries are welcome from the first period on that is open; closing and reopening move it."""
    for company, *_ in COMPANIES:
        calendar = books.calendar_of("MAIN", company)
        period = next(one for one in calendar.values() if not books.is_closed(one.key, "MAIN", company))
        revs = [rev for key, (_, rev) in books.periods_closed.items() if key[:2] == (company, "MAIN")]
        yield {
            "Company": company,
            "DefineBy": "D",
            "EarliestApplyDate": period.start,
            **{column: value for column, value in _period(period).items() if column.startswith("Fiscal")},
            "SysRevID": max(revs) + 1 if revs else 0,
        }


def _earliest_by_type(books: "Ironvale") -> Given:
    for one in _earliest(books):
        for at, (code, text) in enumerate((("GJ", "Journal entry"), ("AP", "AP invoice entry")), start=1):
            row = {column: value for column, value in one.items() if column != "DefineBy"}
            rev = row["SysRevID"] + at if row["SysRevID"] else 0
            yield {**row, "EADType1": code, "TypeDescription": text, "EffectiveDate": date(2024, 7, 1), "SysRevID": rev}


def _vendors(books: "Ironvale") -> Given:
    for vendor in books.vendors.values():
        yield {
            "Company": vendor.company,
            "VendorNum": vendor.number,
            "VendorID": vendor.code,
            "Name": vendor.name,
            "Inactive": not vendor.active,
            "Approved": vendor.active,
            "GroupCode": vendor.group,
            "CurrencyCode": vendor.currency,
            "TermsCode": "N30",
            "Address1": f"{vendor.number} Mill Street",
            "City": vendor.city,
            "Country": vendor.country,
            "TaxPayerID": f"XX-{vendor.number:07d}",
            "SysRevID": vendor.rev,
        }


def _each_calendar(books: "Ironvale") -> Iterator[tuple[str, str, Calendar]]:
    for company, *_ in COMPANIES:
        for name, calendar in books.calendars.items():
            yield company, name, calendar


def _by_year(calendar: Calendar) -> list[list[FiscalPeriod]]:
    years: dict[str, list[FiscalPeriod]] = {}
    for period in calendar.values():
        years.setdefault(period.year_key, []).append(period)
    return list(years.values())


_GIVEN: dict[str, Callable[["Ironvale"], Given]] = {
    "Company": _companies,
    "GLBook": _ledgers,
    "JrnlCode": _journal_codes,
    "FiscalCal": _calendars,
    "FiscalYr": _years,
    "FiscalPer": _periods,
    "GLBookPer": _book_periods,
    "EADComp": _earliest,
    "EADType": _earliest_by_type,
    "Vendor": _vendors,
}


def maker(table: str, given: Callable[["Ironvale"], Given]) -> Callable[["Ironvale", Where], Sequence[Row]]:
    """What makes the rows of a table from what is given of each."""
    return lambda books, where: matching(finished(table, given(books)), where)


MAKERS = {table: maker(table, given) for table, given in _GIVEN.items()}
