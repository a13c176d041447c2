"""What a connection file may say of its fiscal calendar, and the file that is taken from an ERP."""

from datetime import date
from pathlib import Path

import pytest

from mlc_pipelines.ledger.errors import DataError, SetupError
from mlc_pipelines.ledger.fiscal import FiscalPeriod, YearEnd, calendar_of, weeks_calendar
from mlc_pipelines.wiring.calendars import read_calendar, write_calendar
from mlc_pipelines.wiring.connections import find, folder, read_one

DEMO = (folder() / "demo_epicor.yaml").read_text()
CALENDAR = DEMO[DEMO.index("  calendar:") : DEMO.index("  actuals:")]


def written(tmp_path: Path, calendar: str, **changes: str) -> Path:
    text = DEMO.replace(CALENDAR, f"  calendar: {calendar}\n")
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    file = tmp_path / "acme.yaml"
    file.write_text(text)
    return file


WEEKS = "{kind: weeks, pattern: 4-4-5, year_end: {month: 9, weekday: sat}, first_year: 2025, last_year: 2026}"


def test_weeks_are_declared_by_pattern_and_end_of_year(tmp_path: Path) -> None:
    """The year to the last Saturday of September, in 4-4-5 weeks."""
    calendar = read_one(written(tmp_path, WEEKS)).calendar
    assert 24 == len(calendar.periods)
    assert (date(2025, 11, 23), date(2025, 12, 27)) == (
        calendar.period("FY2026-P03").start_on,
        calendar.period("FY2026-P03").end_on,
    )


def test_thirteen_periods_of_four_weeks(tmp_path: Path) -> None:
    """13 x 4: the thirteenth is an ordinary period, an adjustment period would be the fourteenth."""
    calendar = read_one(written(tmp_path, WEEKS.replace("4-4-5", "13x4"))).calendar
    assert "FY2026-P13" == calendar.keys[-1]
    assert not calendar.periods[-1].adjustment


@pytest.mark.parametrize(
    ("calendar", "field", "said"),
    [
        (WEEKS.replace("last_year: 2026", "last_year: 2024"), "attributes.calendar", "lies before first_year"),
        (WEEKS.replace("4-4-5", "4-4-4"), "attributes.calendar.pattern", "'4-4-5'"),
        (WEEKS.replace("weekday: sat", "weekday: saturday"), "attributes.calendar.year_end.weekday", "'sat'"),
        (WEEKS.replace("last_year: 2026", "last_year: 2026, long_period: 13"), "attributes.calendar", "has 12 periods"),
        (WEEKS.replace("kind: weeks", "kind: lunar"), "attributes.calendar.kind", "'weeks'"),
    ],
)
def test_a_mistake_is_told_by_line_and_field(tmp_path: Path, calendar: str, field: str, said: str) -> None:
    """As everywhere in a connection file; the kind of section is no part of the field's name."""
    with pytest.raises(SetupError) as caught:
        read_one(written(tmp_path, calendar))
    assert f": {field}: " in caught.value.what
    assert said in caught.value.what


def test_two_periods_with_one_place_in_the_plan_are_refused(tmp_path: Path) -> None:
    """A label by year alone would land every period of a year on the same cells."""
    with pytest.raises(SetupError, match="FY2025-P02 has the same place as FY2025-P01") as caught:
        read_one(written(tmp_path, WEEKS, **{'period_label: "P{number:02d} FY{yy}"   #': 'period_label: "FY{yy}"   #'}))
    assert "actuals.period_label" in caught.value.next_step


def test_a_calendar_file_goes_there_and_back(tmp_path: Path) -> None:
    """Years with a suffix, adjustment periods and weeks survive; the same calendar gives the same bytes."""
    weeks = weeks_calendar(2025, 2025, pattern=(4, 4, 5) * 4, year_end=YearEnd(9, 5), adjustment=True)
    short = FiscalPeriod(2024, 1, date(2024, 7, 1), date(2024, 9, 28), suffix="T")
    calendar = calendar_of([short, *weeks.periods])
    file = tmp_path / "acme.calendar.csv"
    write_calendar(file, calendar)
    first = file.read_bytes()
    assert calendar == read_calendar(file)
    write_calendar(file, read_calendar(file))
    assert first == file.read_bytes()
    named = read_one(written(tmp_path, "{kind: file, file: acme.calendar.csv}"))
    assert ["FY2024T-P01", "FY2025-P01", "FY2025-P13"] == [named.calendar.keys[at] for at in (0, 1, -1)]


def test_a_calendar_file_that_is_not_there_says_how_to_get_it(tmp_path: Path) -> None:
    """The connection itself can be used, for `mlc calendar sync` needs it."""
    named = read_one(written(tmp_path, "{kind: file, file: acme.calendar.csv}"))
    with pytest.raises(SetupError, match=r"acme\.calendar\.csv cannot be read") as caught:
        assert named.calendar
    assert "mlc calendar sync" in caught.value.next_step


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("period,start,end\n", "must begin with the header"),
        ("period,start,end,adjustment\nFY2025-P01,2024-09-29,26 October,no\n", "Line 2"),
        ("period,start,end,adjustment\nFY2025-P01,2024-09-29,2024-10-26,maybe\n", "Line 2"),
        (
            "period,start,end,adjustment\nFY2025-P01,2024-09-29,2024-10-26,no\nFY25-P02,2024-10-27,2024-11-23,no\n",
            "Line 3",
        ),
        (
            "period,start,end,adjustment\nFY2025-P01,2024-09-29,2024-10-26,no\nFY2025-P02,2024-10-28,2024-11-23,no\n",
            "FY2025-P02 begins on",
        ),
        ("period,start,end,adjustment\n", "no periods"),
    ],
)
def test_a_wrong_calendar_file_names_its_line(tmp_path: Path, rows: str, said: str) -> None:
    """A gap, a day that is none, a key that is none: nothing is guessed."""
    file = tmp_path / "acme.calendar.csv"
    file.write_text(rows)
    with pytest.raises(DataError, match=said):
        read_calendar(file)


def test_the_demo_connections_are_whole() -> None:
    """Both come with the project and their calendars have a place for every period."""
    assert {"demo": "FY2026-P13", "demo_epicor": "FY2026-P13"} == {
        name: find(name).calendar.period("FY2026-P13").key for name in ("demo", "demo_epicor")
    }
