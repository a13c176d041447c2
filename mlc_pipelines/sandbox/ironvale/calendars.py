"""The two calendars of the second sample company: F445, weeks in fours, fours and fives, and CAL12, calendar months.

F445: fiscal years end on the last Saturday of September and are named by the year they end in; before the first of them stands
a transition year, 2024 with the suffix T, of three periods. Each year has twelve periods and one closing period, the 13th, dated the
last day of the year. With `weeks_53` the year ends on the Saturday nearest to 30 September instead, which gives FY2026 a 53rd week, in P12.
"""

from datetime import date, timedelta

from mlc_pipelines.sandbox.ironvale.shapes import FiscalPeriod

WEEKS_CALENDAR, MONTHS_CALENDAR = "F445", "CAL12"
CLOSING = 13
TRANSITION = (
    (date(2024, 7, 1), date(2024, 7, 27)),
    (date(2024, 7, 28), date(2024, 8, 31)),
    (date(2024, 9, 1), date(2024, 9, 28)),
)
WEEKS = (4, 4, 5) * 4

Calendar = dict[str, FiscalPeriod]


def calendars(weeks_53: bool = False) -> dict[str, Calendar]:
    """The periods of each calendar by key, in fiscal order."""
    weeks = [*_transition(), *(period for year in (2025, 2026, 2027) for period in _weeks_of(year, weeks_53))]
    months = [_month(year, month) for year in (2024, 2025, 2026, 2027) for month in range(1, 13)]
    return {
        WEEKS_CALENDAR: {period.key: period for period in weeks},
        MONTHS_CALENDAR: {period.key: period for period in months},
    }


def year_end(year: int, weeks_53: bool = False) -> date:
    """The last day of a fiscal year of F445."""
    last = date(year, 9, 30)
    back = (last.weekday() - 5) % 7
    saturday = last - timedelta(days=back)
    return saturday + timedelta(days=7) if weeks_53 and back > 3 else saturday


def period_of(calendar: Calendar, day: date) -> FiscalPeriod:
    """The ordinary period that a day lies in. Raises ValueError for a day outside of the calendar."""
    for period in calendar.values():
        if period.start <= day <= period.end and not period.closing:
            return period
    raise ValueError(f"no period holds {day}")


def month_key(day: date) -> str:
    """The key of the period of CAL12 that a day lies in."""
    return f"FY{day.year}-P{day.month:02d}"


def _transition() -> list[FiscalPeriod]:
    return [
        FiscalPeriod(f"FY2024T-P{number:02d}", WEEKS_CALENDAR, 2024, "T", number, start, end)
        for number, (start, end) in enumerate(TRANSITION, start=1)
    ]


def _weeks_of(year: int, weeks_53: bool) -> list[FiscalPeriod]:
    """Twelve periods of whole weeks, the last of them up to the end of the year, and the closing period."""
    made, start, last = [], year_end(year - 1, weeks_53) + timedelta(days=1), year_end(year, weeks_53)
    for number, weeks in enumerate(WEEKS, start=1):
        end = last if number == len(WEEKS) else start + timedelta(days=7 * weeks - 1)
        made.append(FiscalPeriod(f"FY{year}-P{number:02d}", WEEKS_CALENDAR, year, "", number, start, end))
        start = end + timedelta(days=1)
    return [*made, FiscalPeriod(f"FY{year}-P{CLOSING}", WEEKS_CALENDAR, year, "", CLOSING, last, last, closing=1)]


def _month(year: int, month: int) -> FiscalPeriod:
    start, after = date(year, month, 1), date(year + month // 12, month % 12 + 1, 1)
    key = f"FY{year}-P{month:02d}"
    return FiscalPeriod(key, MONTHS_CALENDAR, year, "", month, start, after - timedelta(days=1))
