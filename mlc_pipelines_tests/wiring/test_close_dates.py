"""The close calendar by dates: each expected instant was worked out by hand, with a printed calendar and the zone's offset of that day."""

from datetime import UTC, datetime
from typing import Any

import pytest

from mlc_pipelines.ledger.closing import CloseCalendar
from mlc_pipelines.ledger.fiscal import FiscalCalendar, YearEnd, monthly_calendar, weeks_calendar
from mlc_pipelines.wiring.closing import Close

SATURDAY = 5
JAN, JUL, APR, WEEKS, RETAIL, FOURS = "from January", "from July", "from April", "4-4-5", "4-5-4", "13 x 4"
CALENDARS: dict[str, FiscalCalendar] = {
    JAN: monthly_calendar(2018, 2029),
    JUL: monthly_calendar(2025, 2027, first_month=7, adjustment=True),
    APR: monthly_calendar(2025, 2027, first_month=4),
    WEEKS: weeks_calendar(2025, 2027, pattern=(4, 4, 5) * 4, year_end=YearEnd(9, SATURDAY), adjustment=True),
    RETAIL: weeks_calendar(
        2022, 2025, pattern=(4, 5, 4) * 4, year_end=YearEnd(1, SATURDAY, "nearest"), named_by="start"
    ),
    FOURS: weeks_calendar(2025, 2027, pattern=(4,) * 13, year_end=YearEnd(12, SATURDAY)),
}
DENVER, NEW_YORK, BERLIN, LONDON = "America/Denver", "America/New_York", "Europe/Berlin", "Europe/London"
QUIET_MORNING = {"quiet_hours": [{"hours": ["05:00-07:00"]}]}
NEW_YEAR = {"blackouts": [{"begin": "2026-12-30T18:00", "end": "2027-01-02T06:00"}]}


def built(calendar: str, zone: str, **close: Any) -> CloseCalendar:
    return Close.model_validate({"time_zone": zone, **close}).build(CALENDARS[calendar])


def utc(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=UTC)


Case = tuple[str, str, str, str, dict[str, Any], dict[str, Any], str]
STEPS: list[Case] = [
    # A February that ends on a Wednesday: Thursday, Friday, Monday.
    ("February ends on a Wednesday", JAN, "FY2018-P02", "Australia/Perth", {"day": "WD+3"}, {}, "2018-03-04 22:00"),
    ("and that Monday is Labour Day in Western Australia", JAN, "FY2018-P02", "Australia/Perth", {"day": "WD+3"}, {"holidays": ["AU-WA"]}, "2018-03-05 22:00"),
    ("February 2029 likewise", JAN, "FY2029-P02", BERLIN, {"day": "WD+3"}, {}, "2029-03-05 05:00"),
    ("with a day off of the company's own", JAN, "FY2029-P02", BERLIN, {"day": "WD+3"}, {"days_off": ["2029-03-05"]}, "2029-03-06 05:00"),
    ("with a Saturday that is worked", JAN, "FY2029-P02", BERLIN, {"day": "WD+3"}, {"working_days": ["2029-03-03"]}, "2029-03-03 05:00"),
    # Before the end: WD+0 is the last business day of the period.
    ("WD+0 of a period that ends on a Saturday", JAN, "FY2026-P02", DENVER, {"day": "WD+0"}, {}, "2026-02-27 13:00"),
    ("WD-1 of the same", JAN, "FY2026-P02", DENVER, {"day": "WD-1"}, {}, "2026-02-26 13:00"),
    ("WD0 of a period that ends on a Tuesday", JAN, "FY2026-P03", DENVER, {"day": "WD0"}, {}, "2026-03-31 12:00"),
    ("WD-4 goes over Memorial Day", JAN, "FY2026-P05", DENVER, {"day": "WD-4"}, {"holidays": ["US"]}, "2026-05-22 12:00"),
    # Holidays: observed ones, regions, several added together, exchanges.
    ("4 July 2026 is a Saturday, observed on Friday", JAN, "FY2026-P06", DENVER, {"day": "WD+3"}, {"holidays": ["US"]}, "2026-07-06 12:00"),
    ("without holidays that Friday is worked", JAN, "FY2026-P06", DENVER, {"day": "WD+3"}, {}, "2026-07-03 12:00"),
    ("the entity in Munich rests on Epiphany", JAN, "FY2025-P12", BERLIN, {"day": "WD+3"}, {"holidays": ["DE-BY"]}, "2026-01-07 05:00"),
    ("the entity in Berlin does not", JAN, "FY2025-P12", BERLIN, {"day": "WD+3"}, {"holidays": ["DE-BE"]}, "2026-01-06 05:00"),
    ("early May in England", JAN, "FY2026-P04", LONDON, {"day": "WD+2"}, {"holidays": ["GB-ENG"]}, "2026-05-05 05:00"),
    ("with the team in Japan: Golden Week as well", JAN, "FY2026-P04", LONDON, {"day": "WD+2"}, {"holidays": ["GB-ENG", "JP"]}, "2026-05-07 05:00"),
    ("Good Friday is worked in the United States", JAN, "FY2026-P03", NEW_YORK, {"day": "WD+3", "at": "18:00"}, {"holidays": ["US"]}, "2026-04-03 22:00"),
    ("but not at the stock exchange", JAN, "FY2026-P03", NEW_YORK, {"day": "WD+3", "at": "18:00"}, {"holidays": ["US", "NYSE"]}, "2026-04-06 22:00"),
    ("Friday and Saturday are the weekend in Riyadh", JAN, "FY2026-P01", "Asia/Riyadh", {"day": "WD+1", "at": "08:00"}, {"weekend": ["fri", "sat"]}, "2026-02-01 05:00"),
    # Days counted, worked or not, and days of the month.
    ("ten days after", JAN, "FY2026-P01", DENVER, {"day": "D+10"}, {}, "2026-02-10 13:00"),
    ("seven days after is a Saturday: Monday", JAN, "FY2026-P01", DENVER, {"day": "D+7"}, {}, "2026-02-09 13:00"),
    ("or the Friday before", JAN, "FY2026-P01", DENVER, {"day": "D+7", "roll": "previous"}, {}, "2026-02-06 13:00"),
    ("or the Saturday itself", JAN, "FY2026-P01", DENVER, {"day": "D+7", "roll": "stay"}, {}, "2026-02-07 13:00"),
    ("two days before the end", JAN, "FY2026-P02", DENVER, {"day": "D-2"}, {}, "2026-02-26 13:00"),
    ("the fifth of the next month", JAN, "FY2026-P01", DENVER, {"day": 5}, {}, "2026-02-05 13:00"),
    ("the 31st in February is the 28th", JAN, "FY2026-P01", DENVER, {"day": 31, "roll": "stay"}, {}, "2026-02-28 13:00"),
    ("the fifth after weeks that end on 27 December", WEEKS, "FY2026-P03", DENVER, {"day": 5}, {}, "2026-01-05 13:00"),
    ("a day of its own for one period", JAN, "FY2026-P06", DENVER, {"day": "WD+3", "dates": {"FY2026-P06": "2026-07-10"}}, {}, "2026-07-10 12:00"),
    ("a quarter's end has a step of its own", JAN, "FY2026-P03", DENVER, {"day": "WD+8", "numbers": [3, 6, 9, 12]}, {}, "2026-04-10 12:00"),
    ("which other months do not have", JAN, "FY2026-P04", DENVER, {"day": "WD+8", "numbers": [3, 6, 9, 12]}, {}, ""),
    # Leap years.
    ("J04 the 29th in February 2027", JAN, "FY2027-P01", BERLIN, {"day": 29, "roll": "stay"}, {}, "2027-02-28 05:00"),
    ("J04 the 29th in February 2028", JAN, "FY2028-P01", BERLIN, {"day": 29, "roll": "stay"}, {}, "2028-02-29 05:00"),
    ("J04 after 29 February, a Thursday", JAN, "FY2024-P02", BERLIN, {"day": "WD+3"}, {}, "2024-03-05 05:00"),
    # Nights in which the clock is put forward or back.
    ("J01 02:30 is left out in Berlin", JAN, "FY2026-P02", BERLIN, {"day": "D+29", "at": "02:30", "roll": "stay"}, {}, "2026-03-29 01:30"),
    ("J01 02:30 comes twice in Berlin", JAN, "FY2026-P09", BERLIN, {"day": "D+25", "at": "02:30", "roll": "stay"}, {}, "2026-10-25 00:30"),
    ("J01 02:30 is left out in Denver", JAN, "FY2026-P02", DENVER, {"day": "D+8", "at": "02:30", "roll": "stay"}, {}, "2026-03-08 09:30"),
    ("J01 01:30 comes twice in Denver", JAN, "FY2026-P10", DENVER, {"day": "D+1", "at": "01:30", "roll": "stay"}, {}, "2026-11-01 07:30"),
    ("J01 02:30 of that night comes once", JAN, "FY2026-P10", DENVER, {"day": "D+1", "at": "02:30", "roll": "stay"}, {}, "2026-11-01 09:30"),
    ("J01 02:30 is left out in Sydney", JAN, "FY2026-P09", "Australia/Sydney", {"day": "D+4", "at": "02:30", "roll": "stay"}, {}, "2026-10-03 16:30"),
    ("J01 02:30 comes twice in Sydney", JAN, "FY2026-P03", "Australia/Sydney", {"day": "D+5", "at": "02:30", "roll": "stay"}, {}, "2026-04-04 15:30"),
    ("J01 midnight is left out in Santiago", JAN, "FY2026-P08", "America/Santiago", {"day": "D+6", "at": "00:00", "roll": "stay"}, {}, "2026-09-06 04:00"),
    ("the day before the clock changes", JAN, "FY2026-P02", BERLIN, {"day": "D+28", "roll": "stay"}, {}, "2026-03-28 05:00"),
    ("the day on which it has changed", JAN, "FY2026-P02", BERLIN, {"day": "D+29", "roll": "stay"}, {}, "2026-03-29 04:00"),
    # Fiscal calendars.
    ("a year that ends in March", APR, "FY2026-P12", "Asia/Kolkata", {"day": "WD+1", "at": "09:15"}, {}, "2026-04-01 03:45"),
    ("weeks that end on 27 December", WEEKS, "FY2026-P03", DENVER, {"day": "WD+3"}, {"holidays": ["US"]}, "2025-12-31 13:00"),
    ("weeks that end before Thanksgiving", WEEKS, "FY2026-P02", DENVER, {"day": "WD+5"}, {"holidays": ["US"]}, "2025-12-01 13:00"),
    ("the period before the 53rd week", RETAIL, "FY2023-P11", NEW_YORK, {"day": "WD+3"}, {"holidays": ["US"]}, "2024-01-04 11:00"),
    ("the year of 53 weeks ends on 3 February", RETAIL, "FY2023-P12", NEW_YORK, {"day": "WD+3"}, {"holidays": ["US"]}, "2024-02-07 11:00"),
    ("the period after it", RETAIL, "FY2024-P01", NEW_YORK, {"day": "WD+3"}, {"holidays": ["US"]}, "2024-03-06 11:00"),
    ("the 13th of 13 periods, in New York", FOURS, "FY2026-P13", NEW_YORK, {"day": "WD+2"}, {"holidays": ["US"]}, "2026-12-29 11:00"),
    ("and in London, where Boxing Day is made up for", FOURS, "FY2026-P13", LONDON, {"day": "WD+2"}, {"holidays": ["GB-ENG"]}, "2026-12-30 06:00"),
    ("an adjustment period has its days after the year's end", JUL, "FY2026-P13", DENVER, {"day": 15, "periods": "adjustment"}, {}, "2026-07-15 12:00"),
    ("which ordinary periods do not have", JUL, "FY2026-P12", DENVER, {"day": 15, "periods": "adjustment"}, {}, ""),
    ("closing weeks later", WEEKS, "FY2026-P13", DENVER, {"day": "D+45"}, {}, "2026-11-10 13:00"),
    # The end of the year.
    ("New Year's Day is a Friday", JAN, "FY2026-P12", DENVER, {"day": "WD+1"}, {"holidays": ["US"]}, "2027-01-04 13:00"),
    ("midnight at the year's end", JAN, "FY2026-P12", NEW_YORK, {"day": "D+1", "at": "00:00", "roll": "stay"}, {}, "2027-01-01 05:00"),
    # Quiet times.
    ("a step in quiet hours waits for their end", JAN, "FY2026-P02", DENVER, {"day": "WD+1"}, QUIET_MORNING, "2026-03-02 14:00"),
    ("or is left out", JAN, "FY2026-P02", DENVER, {"day": "WD+1", "when_quiet": "skip"}, QUIET_MORNING, ""),
    ("quiet hours from the evening before", JAN, "FY2026-P02", DENVER, {"day": "WD+1"}, {"quiet_hours": [{"hours": ["22:00-06:30"]}]}, "2026-03-02 13:30"),
    ("quiet on Sundays only", JAN, "FY2026-P02", DENVER, {"day": "WD+1"}, {"quiet_hours": [{"hours": ["05:00-07:00"], "days": ["sun"]}]}, "2026-03-02 13:00"),
    ("a blackout over New Year", JAN, "FY2026-P11", DENVER, {"day": "D+30", "at": "20:00"}, NEW_YEAR, "2027-01-02 13:00"),
    ("that ends in quiet hours", JAN, "FY2026-P11", DENVER, {"day": "D+30", "at": "20:00"}, {**NEW_YEAR, **QUIET_MORNING}, "2027-01-02 14:00"),
    ("J01 quiet hours end when the second 02:30 comes", JAN, "FY2026-P09", BERLIN, {"day": "D+25", "at": "02:15", "roll": "stay"}, {"quiet_hours": [{"hours": ["01:00-02:30"]}]}, "2026-10-25 01:30"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("calendar", "period", "zone", "step", "close", "at"), [case[1:] for case in STEPS], ids=[case[0] for case in STEPS]
)
def test_a_step_comes_at_its_instant(
    calendar: str, period: str, zone: str, step: dict[str, Any], close: dict[str, Any], at: str
) -> None:
    """One step of one period, at 06:00 local time unless said; nothing where the period has no such step."""
    found = built(calendar, zone, steps=[{"name": "final", **step}], **close).of_period(period)
    assert ([utc(at)] if at else []) == [due.at for due in found]


OPEN: list[tuple[str, str, str, str, dict[str, Any], dict[str, Any], int, str, str]] = [
    ("business days, Presidents' Day off", JAN, "FY2026-P02", DENVER, {"every": "business_day"}, {"holidays": ["US"]}, 19, "2026-02-02 13:00", "2026-02-27 13:00"),
    ("each Friday", JAN, "FY2026-P02", DENVER, {"every": "fri", "at": "18:00"}, {}, 4, "2026-02-07 01:00", "2026-02-28 01:00"),
    ("every four hours", JAN, "FY2026-P03", BERLIN, {"every": "4h"}, {}, 186, "2026-03-01 01:00", "2026-03-31 20:00"),
    ("J01 every hour, one left out in spring", JAN, "FY2026-P03", BERLIN, {"every": "1h"}, {}, 743, "2026-02-28 23:00", "2026-03-31 21:00"),
    ("J01 every hour, the double one once", JAN, "FY2026-P10", BERLIN, {"every": "1h"}, {}, 744, "2026-09-30 22:00", "2026-10-31 22:00"),
    ("J01 each night at 02:30, spring", JAN, "FY2026-P03", BERLIN, {"every": "day", "at": "02:30"}, {}, 31, "2026-03-01 01:30", "2026-03-31 00:30"),
    ("J01 each night at 01:30, autumn", JAN, "FY2026-P11", DENVER, {"every": "day", "at": "01:30"}, {}, 30, "2026-11-01 07:30", "2026-11-30 08:30"),
    ("J02 the ERP's year ends six hours later", JAN, "FY2026-P12", BERLIN, {"every": "day", "at": "02:00"}, {"erp_time_zone": NEW_YORK}, 31, "2026-12-02 01:00", "2027-01-01 01:00"),
    ("J02 the ERP's year began thirteen hours earlier", JAN, "FY2026-P01", LONDON, {"every": "day", "at": "12:00"}, {"erp_time_zone": "Pacific/Auckland"}, 31, "2025-12-31 12:00", "2026-01-30 12:00"),
    ("J02 zones 25 hours apart", JAN, "FY2026-P03", "Pacific/Kiritimati", {"every": "day", "at": "00:30"}, {"erp_time_zone": "Pacific/Pago_Pago"}, 31, "2026-03-02 10:30", "2026-04-01 10:30"),
    ("quiet hours leave three out", JAN, "FY2026-P02", DENVER, {"every": "1h"}, {"quiet_hours": [{"hours": ["07:00-09:30"]}]}, 588, "2026-02-01 07:00", "2026-03-01 06:00"),
    ("or make one of the three", JAN, "FY2026-P02", DENVER, {"every": "1h", "when_quiet": "shift"}, {"quiet_hours": [{"hours": ["07:00-09:30"]}]}, 616, "2026-02-01 07:00", "2026-03-01 06:00"),
    ("four weeks with Veterans Day", WEEKS, "FY2026-P02", DENVER, {"every": "business_day"}, {"holidays": ["US"]}, 19, "2025-10-27 12:00", "2025-11-21 13:00"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("calendar", "period", "zone", "cadence", "close", "count", "first", "last"),
    [case[1:] for case in OPEN],
    ids=[case[0] for case in OPEN],
)
def test_the_open_period_is_loaded_at_its_cadence(
    calendar: str, period: str, zone: str, cadence: dict[str, Any], close: dict[str, Any], count: int, first: str, last: str
) -> None:  # fmt: skip
    """How often, for the first and for the last time; the steps of the close come beside it."""
    steps = [{"name": "final", "day": "WD+5"}]
    found = built(calendar, zone, steps=steps, open_period=cadence, **close).of_period(period)
    moments = [due.at for due in found if due.step == "open"]
    assert (count, utc(first), utc(last)) == (len(set(moments)), moments[0], moments[-1])
    assert count == len(moments)


def test_J02_the_period_is_that_of_the_erps_day() -> None:
    """31 December 23:59 where the ERP stands is 1 January 04:59 UTC, and still the old year."""
    close = built(JAN, BERLIN, steps=[{"name": "final", "day": "WD+5"}], erp_time_zone=NEW_YORK)
    keys = [period.key if (period := close.open_at(utc(at))) else "" for at in ("2027-01-01 04:59", "2027-01-01 05:00")]
    assert ["FY2026-P12", "FY2027-P01"] == keys
    assert close.open_at(utc("2031-01-01 12:00")) is None
