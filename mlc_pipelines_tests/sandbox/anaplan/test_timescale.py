"""Time of a model: calendar months, and years of whole weeks with a 53rd where the rule brings one."""

from datetime import date, timedelta
from itertools import pairwise

import pytest

from mlc_pipelines.sandbox.anaplan.timescale import PATTERNS, SEPTEMBER, YearEnd, month_calendar, week_calendar

SATURDAY = 5


def _days(calendar, label):
    return calendar.months[label].start, calendar.months[label].end


def test_a_year_of_weeks_ends_on_the_last_saturday_of_september():
    """4-4-5: fiscal 2025 to 2027 have 52 weeks each."""
    calendar = week_calendar(2025, 2027)
    assert (date(2024, 9, 29), date(2024, 10, 26)) == _days(calendar, "P01 FY25")
    assert (date(2025, 8, 24), date(2025, 9, 27)) == _days(calendar, "P12 FY25")
    assert (date(2025, 9, 28), date(2025, 10, 25)) == _days(calendar, "P01 FY26")
    assert (date(2025, 11, 23), date(2025, 12, 27)) == _days(calendar, "P03 FY26")
    assert date(2026, 9, 26) == calendar.months["P12 FY26"].end
    assert (date(2026, 9, 27), date(2027, 9, 25)) == (
        calendar.months["P01 FY27"].start,
        calendar.months["P12 FY27"].end,
    )


@pytest.mark.parametrize("pattern", sorted(PATTERNS))
def test_every_day_lies_in_one_period(pattern):
    """Through ten years with two of 53 weeks in them; each year ends on a Saturday."""
    calendar = week_calendar(2020, 2034, pattern)
    months = list(calendar.months.values())
    assert all(later.start - earlier.end == timedelta(days=1) for earlier, later in pairwise(months))
    assert {SATURDAY} == {month.end.weekday() for month in months}
    assert [2023, 2028, 2034] == [year for year, spans in calendar.years.items() if _weeks(spans) == 53]
    assert len(PATTERNS[pattern]) == calendar.periods_in_year


def _weeks(spans):
    return ((spans[-1][1] - spans[0][0]).days + 1) // 7


@pytest.mark.parametrize(
    ("pattern", "lengths"), [("4-4-5", [4, 4, 5]), ("4-5-4", [4, 5, 4]), ("5-4-4", [5, 4, 4]), ("13x4", [4, 4, 4])]
)
def test_the_pattern_makes_the_lengths(pattern, lengths):
    """Weeks of the first three periods."""
    assert lengths == [_weeks([span]) for span in week_calendar(2026, 2026, pattern).years[2026]][:3]


def test_the_53rd_week_is_in_the_last_period_unless_named():
    """Fiscal 2028 ends on 30 September: six weeks in its twelfth period; elsewhere where the builder says so."""
    assert 6 == _weeks(week_calendar(2028, 2028).years[2028][11:])
    other = week_calendar(2028, 2028, "4-5-4", long_period=6).years[2028]
    assert (5, 4) == (_weeks([other[5]]), _weeks([other[11]]))


def test_periods_can_be_called_by_months():
    """Each by the month in which most of it lies; quarters and years keep their names."""
    calendar = week_calendar(2025, 2027, labels="month")
    assert (date(2025, 9, 28), date(2025, 10, 25)) == _days(calendar, "Oct 25")
    assert (date(2026, 8, 23), date(2026, 9, 26)) == _days(calendar, "Sep 26")
    assert {"Q1 FY26", "FY26"} < set(calendar.by_key)
    assert 36 == len(calendar.months)
    long_year = week_calendar(2020, 2034, labels="month")
    assert 180 == len(long_year.months)


def test_thirteen_periods_are_not_called_by_months():
    """Two of them would have one name."""
    with pytest.raises(ValueError, match="label them by number"):
        week_calendar(2026, 2026, "13x4", labels="month")


@pytest.mark.parametrize(("long_quarter", "quarter"), [(4, "Q3 FY26"), (1, "Q2 FY26")])
def test_of_thirteen_periods_one_quarter_has_four(long_quarter, quarter):
    """The builder says which; a quarter is closed by its last period."""
    calendar = week_calendar(2026, 2026, "13x4", long_quarter=long_quarter)
    parents = {member.name: calendar.by_id[member.parent].name for member in calendar.members if member.parent}
    assert quarter == parents["P07 FY26"]
    assert {("P13 FY26", "FY26"), ("P13 FY26", "Q4 FY26")} < calendar.closing
    assert 13 + 4 + 1 == len(calendar.members)


def test_a_calendar_of_weeks_has_quarters_and_years_above():
    """Twelve periods, three to a quarter."""
    calendar = week_calendar(2026, 2026)
    assert ["P12 FY26", "Q4 FY26", "FY26"] == calendar.chain("P12 FY26")
    assert {"Q1 FY26", "Q2 FY26", "Q3 FY26", "Q4 FY26", "FY26"} == calendar.totals


def test_the_year_may_end_on_another_day():
    """The last Friday of December: named by the year of that December."""
    calendar = week_calendar(2026, 2026, year_end=YearEnd(month=12, weekday=4))
    assert (date(2025, 12, 27), date(2026, 12, 25)) == (
        calendar.months["P01 FY26"].start,
        calendar.months["P12 FY26"].end,
    )
    assert date(2028, 9, 30) == SEPTEMBER.of(2028)


def test_calendar_months():
    """From July, named by the end."""
    calendar = month_calendar(2025, 2027, 7)
    assert (date(2024, 7, 1), date(2024, 7, 31)) == _days(calendar, "Jul 24")
    assert date(2027, 6, 30) == calendar.months["Jun 27"].end
    assert "FY25" == calendar.chain("Jul 24")[-1]
