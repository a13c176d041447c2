"""The two calendars: weeks in fours, fours and fives with a suffix year, a closing period and sometimes a 53rd week; and months."""

from datetime import date, timedelta
from itertools import pairwise

import pytest

from mlc_pipelines.sandbox.ironvale.calendars import Calendar, calendars, period_of, year_end


@pytest.fixture
def weeks() -> Calendar:
    return calendars()["F445"]


def lengths(calendar: Calendar, year: int) -> list[int]:
    """Weeks of each ordinary period of a year."""
    found = [one for one in calendar.values() if one.year == year and not one.closing and not one.suffix]
    return [((one.end - one.start).days + 1) // 7 for one in found]


def test_years_are_twelve_periods_of_whole_weeks(weeks: Calendar) -> None:
    """A year has 52 weeks in fours, fours and fives, and ends on the last Saturday of September."""
    for year, end in ((2025, date(2025, 9, 27)), (2026, date(2026, 9, 26)), (2027, date(2027, 9, 25))):
        assert [4, 4, 5] * 4 == lengths(weeks, year)
        assert (end, 5) == (weeks[f"FY{year}-P12"].end, end.weekday())
        assert end == year_end(year)


def test_a_closing_period_is_the_last_day_of_its_year(weeks: Calendar) -> None:
    """Period 13 says that it is the first closing period, and overlaps the last ordinary one."""
    closing = weeks["FY2026-P13"]
    assert (13, 1, date(2026, 9, 26), date(2026, 9, 26)) == (
        closing.number,
        closing.closing,
        closing.start,
        closing.end,
    )
    assert "FY2026-P12" == period_of(weeks, date(2026, 9, 26)).key


def test_the_transition_year_has_a_suffix(weeks: Calendar) -> None:
    """Three periods of July to September 2024 belong to a year 2024 with the suffix T, which has no closing period."""
    found = [one for one in weeks.values() if one.suffix]
    assert ["FY2024T-P01", "FY2024T-P02", "FY2024T-P03"] == [one.key for one in found]
    assert (date(2024, 7, 1), date(2024, 9, 28)) == (found[0].start, found[-1].end)
    assert {"2024T"} == {one.year_key for one in found}


@pytest.mark.parametrize("name", ["F445", "CAL12"])
@pytest.mark.parametrize("weeks_53", [False, True])
def test_no_day_is_left_out_or_held_twice(name: str, weeks_53: bool) -> None:
    """Ordinary periods follow each other without a gap, whatever the calendar."""
    ordinary = [one for one in calendars(weeks_53)[name].values() if not one.closing]
    assert {timedelta(days=1)} == {after.start - before.end for before, after in pairwise(ordinary)}


def test_a_year_may_have_53_weeks() -> None:
    """By the rule of the nearest Saturday FY2026 ends on 3 October, its last period has six weeks, and FY2027 begins a week later."""
    long = calendars(weeks_53=True)["F445"]
    assert [4, 4, 5, 4, 4, 5, 4, 4, 5, 4, 4, 6] == lengths(long, 2026)
    assert [4, 4, 5] * 4 == lengths(long, 2025) == lengths(long, 2027)
    assert (date(2026, 10, 3), date(2026, 10, 4)) == (long["FY2026-P13"].end, long["FY2027-P01"].start)


def test_the_tax_calendar_goes_by_months() -> None:
    """CAL12 has twelve months from January, without a closing period or a suffix."""
    months = calendars()["CAL12"]
    assert (date(2024, 2, 1), date(2024, 2, 29)) == (months["FY2024-P02"].start, months["FY2024-P02"].end)
    assert 48 == len(months)
    assert not any(one.closing or one.suffix for one in months.values())


def test_a_day_outside_is_an_error(weeks: Calendar) -> None:
    with pytest.raises(ValueError, match="no period holds 2024-06-30"):
        period_of(weeks, date(2024, 6, 30))
