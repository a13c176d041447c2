"""The fiscal calendar of the sample company: years from 1 July, named by their end; twelve months and an adjustment period."""

import calendar
from datetime import date

from mlc_pipelines.sandbox.shapes import Period

FIRST_YEAR, LAST_YEAR = 2025, 2027
ADJUSTMENT = 13
IN_PROGRESS = "FY2027-P02"
"""The month the company is in: some days are booked, the rest is not."""


def periods() -> dict[str, Period]:
    """All periods by key, in fiscal order: 39 of them, 28 with journals (those that are not Inactive)."""
    made = [_period(year, number) for year in range(FIRST_YEAR, LAST_YEAR + 1) for number in range(1, ADJUSTMENT + 1)]
    return {period.key: period for period in made}


def _period(year: int, number: int) -> Period:
    start, end = _span(year, min(number, 12))
    adjustment = number == ADJUSTMENT
    return Period(year, number, end if adjustment else start, end, _status(year, number), adjustment)


def _span(year: int, number: int) -> tuple[date, date]:
    """First and last day of a month of a fiscal year: period 1 of 2026 is July 2025."""
    month = (number + 5) % 12 + 1
    starts_in = year - 1 if month >= 7 else year
    return date(starts_in, month, 1), date(starts_in, month, calendar.monthrange(starts_in, month)[1])


def _status(year: int, number: int) -> str:
    """FY2025 is done, FY2026 is closed up to its tenth month, FY2027 has just begun."""
    if year == 2025:
        return "Locked" if number <= 6 else "Closed"
    if year == 2026:
        return "Closed" if number <= 10 else "Open"
    return "Open" if number <= 2 else "Inactive"
