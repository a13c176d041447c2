"""What a connection file may say of its close, and what is refused with its place and remedy."""

from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from mlc_pipelines.ledger.errors import DataError, SetupError
from mlc_pipelines.ledger.fiscal import monthly_calendar
from mlc_pipelines.wiring.closing import Close
from mlc_pipelines.wiring.connections import folder, read_one

CALENDAR = monthly_calendar(2026, 2026)
STEPS = "steps: [{name: final, day: WD+5}]\n"


def close(text: str, *, zone: str = "America/Denver") -> Close:
    return Close.model_validate(yaml.safe_load(f"time_zone: {zone}\n{text}"))


def first(text: str) -> str:
    """The local moment of March 2026's first step."""
    built = close(text).build(CALENDAR)
    return f"{built.of_period('FY2026-P03')[0].at.astimezone(built.zone):%Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("at", "local"), [("18:00", "18:00"), ('"06:30"', "06:30"), ("9:05", "09:05"), ("06:00", "06:00")]
)
def test_times_need_no_quotes(at: str, local: str) -> None:
    """YAML takes 18:00 without quotes for the number 1080; it is six o'clock in the evening all the same."""
    assert f"2026-04-07 {local}" == first(f"steps: [{{name: final, day: WD+5, at: {at}}}]")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("steps: [{name: final, day: WD+5, at: 18}]", "is not a time of day; write it like 06:30"),
        ('steps: [{name: final, day: WD+5, at: "24:00"}]', "'24:00' is not a time of day"),
        ("steps: [{name: final, day: third}]", "day 'third' is not understood; write WD"),
        ("steps: [{name: final, day: 32}]", "day 32 is not understood"),
        ("steps: [{name: final, day: WD+500}]", "day 'WD\\+500' is not understood"),
        ("steps: [{name: final}]", "has no `day` and no `dates`"),
        ("steps: [{name: open, day: WD+5}]", "a step cannot be called open"),
        ("steps: [{name: final, day: WD+5, roll: next}]", "delete `roll`"),
        ("steps: [{name: final, day: WD+5}, {name: final, day: WD+6}]", "two steps are called final"),
        ("steps: [{name: final, dates: {March: 2026-04-07}}]", "is not a fiscal period"),
        ("steps: []", "at least 1 item"),
        (f"{STEPS}open_period: {{every: 5h}}", "Input should be 'business_day'"),
        (f"{STEPS}erp_time_zone: Denver", "time_zone 'Denver' is not known"),
        (f"{STEPS}days_off: [2026-04-03]\nworking_days: [2026-04-03]", "2026-04-03 is a day off and a working day"),
        (f"{STEPS}weekend: [mon, tue, wed, thu, fri, sat, sun]", "no business day is left"),
        (f"{STEPS}blackouts: [{{begin: 2026-04-03T06:00, end: 2026-04-02T06:00}}]", "not after it begins"),
        (f"{STEPS}quiet_hours: [{{hours: ['06:00-06:00']}}]", "begin and end at the same time"),
        (f"{STEPS}holidays: [Germany]", "String should match pattern"),
    ],
)
def test_what_contradicts_itself_is_refused_when_it_is_read(text: str, complaint: str) -> None:
    """In words that say what to write instead."""
    with pytest.raises((ValidationError, DataError), match=complaint):
        close(text)


def test_J04_a_leap_second_is_named_and_not_taken_for_midnight() -> None:
    """29 February stands among the dated cases."""
    with pytest.raises((ValidationError, DataError), match="'23:59:60' is not a time of day"):
        close('steps: [{name: final, day: WD+5, at: "23:59:60"}]')


@pytest.mark.parametrize(
    ("code", "there_are"), [("XX", "countries such as US"), ("DE-XX", "DE alone, or with .*BY, HB"), ("NYSEX", "XNYS")]
)
def test_unknown_holidays_are_named_with_what_there_is(code: str, there_are: str) -> None:
    """Countries, regions and exchanges; a wrong one stops the calendar, not the connection."""
    with pytest.raises(SetupError, match=there_are):
        close(f"{STEPS}holidays: [{code}]").build(CALENDAR)


@pytest.mark.parametrize(
    ("dates", "complaint"), [("FY2027-P01: 2027-02-05", "does not exist"), ("FY2026-P03: 2028-04-07", "more than 400")]
)
def test_a_date_belongs_to_a_period_of_the_calendar(dates: str, complaint: str) -> None:
    """And lies near its end: a slip in the year is seen."""
    with pytest.raises((DataError, SetupError), match=complaint):
        close(f"steps: [{{name: final, dates: {{{dates}}}}}]").build(CALENDAR)


def test_the_models_quiet_hours_count_as_well(tmp_path: Path) -> None:
    """What is declared for Anaplan need not be said twice: WD+1 at 06:00 waits for 07:30."""
    text = (folder() / "demo.yaml").read_text()
    quiet = '    quiet_hours: {time_zone: America/Denver, hours: ["05:00-07:30"]}\n'
    file = tmp_path / "demo.yaml"
    file.write_text(text.replace("    credential: demo-anaplan\n", f"    credential: demo-anaplan\n{quiet}"))
    [flash] = [due for due in read_one(file).close.of_period("FY2026-P08") if due.step == "flash"]
    assert ("13:00", "14:30") == (f"{flash.planned_at:%H:%M}", f"{flash.at:%H:%M}")


def test_a_connection_without_a_close_says_how_to_declare_one(tmp_path: Path) -> None:
    """It has no schedule either."""
    text = (folder() / "demo.yaml").read_text()
    file = tmp_path / "demo.yaml"
    file.write_text(text[: text.index("  close:")] + text[text.index("  extracts:") :])
    with pytest.raises(SetupError, match="has no close calendar"):
        _ = read_one(file).close
