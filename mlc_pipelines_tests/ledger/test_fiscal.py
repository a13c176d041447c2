"""Fiscal periods and their order, without a clock."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.ledger.fiscal import (
    FiscalPeriod,
    YearEnd,
    calendar_of,
    monthly_calendar,
    period_key,
    split_key,
    weeks_calendar,
)


@pytest.mark.parametrize(("named_by", "opens"), [("end", date(2025, 7, 1)), ("start", date(2026, 7, 1))])
def test_a_year_from_july_is_named_by_its_end_or_its_start(named_by: str, opens: date) -> None:
    """July 2025 to June 2026 is FY2026 in most companies, FY2025 in some."""
    calendar = monthly_calendar(2026, 2026, first_month=7, named_by=named_by)
    first, last = calendar.period("FY2026-P01"), calendar.period("FY2026-P12")
    assert FiscalPeriod(2026, 1, opens, opens.replace(day=31)) == first
    assert date(opens.year + 1, 6, 30) == last.end_on
    assert date(opens.year + 1, 2, 28) == calendar.period("FY2026-P08").end_on


@pytest.mark.parametrize("named_by", ["end", "start"])
def test_a_calendar_year_has_one_name(named_by: str) -> None:
    """From January both ways of naming agree."""
    calendar = monthly_calendar(2024, 2024, named_by=named_by)
    assert date(2024, 1, 1) == calendar.period("FY2024-P01").start_on
    assert date(2024, 2, 29) == calendar.period("FY2024-P02").end_on
    assert date(2024, 12, 31) == calendar.period("FY2024-P12").end_on


def test_the_adjustment_period_is_the_thirteenth_and_has_no_days() -> None:
    """It lies on the last day of its year and comes before the next year begins."""
    calendar = monthly_calendar(2025, 2026, first_month=7, adjustment=True)
    last_day = date(2025, 6, 30)
    assert FiscalPeriod(2025, 13, last_day, last_day, adjustment=True, beside=12) == calendar.period("FY2025-P13")
    assert ["FY2025-P12", "FY2025-P13", "FY2026-P01"] == calendar.keys[11:14]
    assert 26 == len(calendar.periods)


@given(st.integers(1990, 2090), st.integers(0, 5), st.integers(1, 12), st.sampled_from(["end", "start"]), st.booleans())
def test_periods_follow_one_another_without_gap_or_overlap(
    first: int, years: int, month: int, named_by: str, adjustment: bool
) -> None:
    """Key order is fiscal order is date order, and every day belongs to exactly one month."""
    calendar = monthly_calendar(first, first + years, first_month=month, named_by=named_by, adjustment=adjustment)
    months = [period for period in calendar.periods if not period.adjustment]
    assert sorted(calendar.keys) == calendar.keys
    assert len(set(calendar.keys)) == (years + 1) * (13 if adjustment else 12)
    assert all(one.end_on + timedelta(days=1) == other.start_on for one, other in pairwise(months))
    assert all(calendar.period(key).key == key for key in calendar.keys)
    name_of = (lambda period: period.end_on) if named_by == "end" else (lambda period: period.start_on)
    edge = months[11] if named_by == "end" else months[0]
    assert first == name_of(edge).year


def test_a_key_is_written_and_read_in_one_way() -> None:
    """Two digits, so that text order is fiscal order."""
    assert "FY2026-P03" == period_key(2026, 3)
    assert (2026, "", 3) == split_key("FY2026-P03")
    assert (2024, "T", 12) == split_key(period_key(2024, 12, "T"))


@pytest.mark.parametrize(
    "text", ["", "2026-03", "FY2026-P3", "FY26-P03", "FY2026-P03 ", "fy2026-p03", "FY2026-P03\n", "FY2026-P123"]
)
def test_another_text_is_no_period(text: str) -> None:
    """The message says how to write it."""
    for refused in (split_key, monthly_calendar(2026, 2026).period):
        with pytest.raises(DataError, match="is not a fiscal period") as refusal:
            refused(text)
        assert "Write it like FY2026-P03." == refusal.value.next_step


@pytest.mark.parametrize("key", ["FY2024-P12", "FY2027-P01", "FY2026-P13", "FY2026-P00"])
def test_a_period_outside_the_calendar_is_refused_with_its_range(key: str) -> None:
    """Also the adjustment period of a company that has none."""
    with pytest.raises(DataError, match=f"{key} does not exist .* runs from FY2025-P01 to FY2026-P12") as refusal:
        monthly_calendar(2025, 2026).period(key)
    assert "Nothing was read or sent." == refusal.value.holds
    assert "`calendar`" in refusal.value.next_step


LAST_SATURDAY_OF_SEPTEMBER = YearEnd(9, 5)
FOUR_FOUR_FIVE, THIRTEEN = (4, 4, 5) * 4, (4,) * 13


def test_a_4_4_5_year_ends_on_the_last_saturday_of_its_month() -> None:
    """FY2026 of a manufacturer: 28 September 2025 to 26 September 2026; the third period has five weeks."""
    calendar = weeks_calendar(2026, 2026, pattern=FOUR_FOUR_FIVE, year_end=LAST_SATURDAY_OF_SEPTEMBER, adjustment=True)
    assert FiscalPeriod(2026, 1, date(2025, 9, 28), date(2025, 10, 25)) == calendar.period("FY2026-P01")
    assert FiscalPeriod(2026, 3, date(2025, 11, 23), date(2025, 12, 27)) == calendar.period("FY2026-P03")
    assert date(2026, 9, 26) == calendar.period("FY2026-P12").end_on
    assert "FY2026-P13" == calendar.periods[-1].key
    assert 12 == calendar.periods[-1].beside


@pytest.mark.parametrize(("long_period", "weeks"), [(0, 6), (1, 5)])
def test_the_53rd_week_goes_to_the_last_period_or_a_named_one(long_period: int, weeks: int) -> None:
    """The year to 31 December 2022 by the last Saturday of December has 53 weeks."""
    calendar = weeks_calendar(2022, 2022, pattern=FOUR_FOUR_FIVE, year_end=YearEnd(12, 5), long_period=long_period)
    long = calendar.periods[(long_period or 12) - 1]
    assert 7 * weeks == (long.end_on - long.start_on).days + 1
    assert 53 * 7 == (calendar.periods[-1].end_on - calendar.periods[0].start_on).days + 1


def test_the_saturday_nearest_to_the_end_may_lie_in_the_next_year() -> None:
    """Retailers end fiscal 2025 on the Saturday nearest to 31 January 2026, which is that day; fiscal 2020 of a year to December on 2 January 2021."""
    assert date(2026, 1, 31) == YearEnd(1, 5, "nearest").of(2026)
    assert date(2021, 1, 2) == YearEnd(12, 5, "nearest").of(2020)
    assert date(2020, 12, 26) == YearEnd(12, 5, "last").of(2020)


@given(
    st.integers(1990, 2080),
    st.integers(1, 12),
    st.integers(0, 6),
    st.sampled_from(["last", "nearest"]),
    st.sampled_from([FOUR_FOUR_FIVE, (4, 5, 4) * 4, (5, 4, 4) * 4, THIRTEEN]),
    st.sampled_from(["end", "start"]),
)
def test_weeks_follow_one_another_without_gap_or_overlap(
    first: int, month: int, weekday: int, rule: str, pattern: tuple[int, ...], named_by: str
) -> None:
    """Every day of the years belongs to exactly one period; a year has 52 or 53 weeks; key order is date order."""
    end = YearEnd(month, weekday, rule)
    calendar = weeks_calendar(first, first + 6, pattern=pattern, year_end=end, named_by=named_by)
    assert sorted(calendar.keys) == calendar.keys
    assert 7 * len(pattern) == len(calendar.periods)
    assert all(one.end_on + timedelta(days=1) == other.start_on for one, other in pairwise(calendar.periods))
    for year in range(7):
        ordinary = calendar.periods[year * len(pattern) : (year + 1) * len(pattern)]
        assert ((ordinary[-1].end_on - ordinary[0].start_on).days + 1) // 7 in {52, 53}
        assert weekday == ordinary[-1].end_on.weekday()
    assert calendar == calendar_of(list(reversed(calendar.periods)))


def test_weeks_that_are_no_year_are_refused() -> None:
    """4-4-4 four times is 48 weeks."""
    with pytest.raises(DataError, match="add up to 48"):
        weeks_calendar(2026, 2026, pattern=(4, 4, 4) * 4, year_end=LAST_SATURDAY_OF_SEPTEMBER)


def test_a_calendar_of_given_periods_has_no_gap_and_no_period_twice() -> None:
    """A short year with a suffix may stand before an ordinary one of the same number; its end is the other's beginning."""
    short = FiscalPeriod(2024, 1, date(2024, 7, 1), date(2024, 9, 28), suffix="T")
    first = FiscalPeriod(2025, 1, date(2024, 9, 29), date(2024, 10, 26))
    closing = FiscalPeriod(2024, 2, date(2024, 9, 28), date(2024, 9, 28), adjustment=True, suffix="T")
    assert ["FY2024T-P01", "FY2024T-P02", "FY2025-P01"] == calendar_of([first, closing, short]).keys
    assert 1 == calendar_of([first, closing, short]).period("FY2024T-P02").beside
    with pytest.raises(DataError, match="FY2025-P01 stands in the fiscal calendar twice"):
        calendar_of([first, short, first])
    with pytest.raises(DataError, match="FY2025-P02 begins on 2024-10-28"):
        calendar_of([first, FiscalPeriod(2025, 2, date(2024, 10, 28), date(2024, 11, 23))])


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("%b %y", ["Oct 25", "Dec 25", "Sep 26", "Sep 26"]),
        ("P{number:02d} FY{yy}", ["P01 FY26", "P03 FY26", "P12 FY26", "P12 FY26"]),
    ],
)
def test_a_label_is_that_of_the_month_in_which_most_of_a_period_lies(pattern: str, expected: list[str]) -> None:
    """P03 begins on 23 November and is December; an adjustment period shares the label of the period it stands beside."""
    calendar = weeks_calendar(2026, 2026, pattern=FOUR_FOUR_FIVE, year_end=LAST_SATURDAY_OF_SEPTEMBER, adjustment=True)
    assert expected == [calendar.period(f"FY2026-P{number:02d}").label(pattern) for number in (1, 3, 12, 13)]
