"""Fiscal periods and their order, without a clock."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.ledger.fiscal import FiscalPeriod, monthly_calendar, period_key, split_key


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
    assert FiscalPeriod(2025, 13, last_day, last_day, adjustment=True) == calendar.period("FY2025-P13")
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
    assert "calendar.last_year" in refusal.value.next_step
