"""mlc calendar: the fiscal periods of a connection, shown, and taken from its ERP."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mlc_pipelines.cli import cli
from mlc_pipelines.wiring.calendars import read_calendar
from mlc_pipelines.wiring.connections import Named, find, folder

DEMO = (folder() / "demo_epicor.yaml").read_text()
CALENDAR = DEMO[DEMO.index("  calendar:") : DEMO.index("  actuals:")]


@pytest.fixture
def yourname(demo_epicor: Named, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A connection that takes its calendar from the ERP; the file is still to come."""
    text = DEMO.replace(CALENDAR, "  calendar: {kind: file, file: yourname.calendar.csv}\n")
    (tmp_path / "yourname.yaml").write_text(text.replace("FY{yy}", "FY{yy}{suffix}"))
    monkeypatch.setenv("MLC_CONNECTIONS", str(tmp_path))
    return tmp_path / "yourname.calendar.csv"


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, words, prog_name="mlc")


def test_the_erps_own_periods_become_the_partitions(yourname: Path) -> None:
    """All of them: the transition year with its suffix, closing periods, the year that has not begun."""
    done = run("calendar", "sync", "yourname")
    assert (0, None) == (done.exit_code, done.exception), done.output
    assert "42 periods, FY2024T-P01 to FY2027-P13" in done.output
    keys = find("yourname").calendar.keys
    assert ["FY2024T-P01", "FY2024T-P03", "FY2025-P01", "FY2025-P13", "FY2026-P01"] == [
        keys[at] for at in (0, 2, 3, 15, 16)
    ]
    assert read_calendar(yourname).period("FY2026-P13").adjustment


def test_what_changed_since_is_told_line_by_line(yourname: Path) -> None:
    """New periods, periods that are gone, other days: a person sees it before the partitions change."""
    run("calendar", "sync", "yourname")
    lines = yourname.read_text().splitlines()
    kept = [line.replace("2027-09-25", "2027-09-24") if "FY2027-P13" in line else line for line in lines]
    yourname.write_text("\n".join([kept[0], *kept[2:]]) + "\n")
    done = run("calendar", "sync", "yourname")
    assert "new: FY2024T-P01" in done.output
    assert "other days: FY2027-P13 was 2027-09-24 to 2027-09-24, is 2027-09-25 to 2027-09-25" in done.output
    assert lines == yourname.read_text().splitlines()


def test_a_rule_is_not_overwritten(demo_epicor: Named) -> None:
    """A connection with a rule is told how to have a file instead."""
    done = run("calendar", "sync", "demo_epicor")
    assert "by rule" in str(done.exception)
    assert "demo_epicor.calendar.csv" in str(done.exception)


def test_the_periods_are_shown_with_their_place_in_the_plan(demo_epicor: Named) -> None:
    """The third period has five weeks; the closing period shares the label of the twelfth."""
    lines = run("calendar", "periods", "demo_epicor").output.splitlines()
    [third] = [line.split() for line in lines if "FY2026-P03" in line]
    assert ["FY2026-P03", "2025-11-23", "2025-12-27", "35", "P03", "FY26", "Actual"] == third
    [closing] = [line.split() for line in lines if "FY2026-P13" in line]
    assert ["FY2026-P13", "2026-09-26", "2026-09-26", "P12", "FY26", "Actual", "Adj"] == closing


def test_the_close_is_shown_for_twelve_months(demo: Named) -> None:
    """Steps one by one, the loads of an open period together; by the clock of the close, and in UTC."""
    done = run("calendar", "show", "demo", "--from", "2026-02-20")
    assert (0, None) == (done.exit_code, done.exception), done.output
    lines = [line.strip() for line in done.output.splitlines() if "FY2026-P08" in line]
    assert [
        "Fri 2026-02-20 06:00 FY2026-P08 open period provisional 6 Fri 2026-02-27 06:00 2026-02-20 13:00",
        "Mon 2026-03-02 06:00 FY2026-P08 flash provisional 1 2026-03-02 13:00",
        "Fri 2026-03-06 18:00 FY2026-P08 final final 1 2026-03-07 01:00",
    ] == [" ".join(line.split()) for line in lines]
    assert "The fiscal calendar ends" not in done.output
    late = run("calendar", "show", "demo", "--from", "2026-08-01")
    assert "The fiscal calendar ends with FY2027-P13 on 2027-06-30: extend `calendar`" in late.output


def test_the_close_for_scripts_is_every_moment(demo: Named) -> None:
    """Each with the key under which it is asked for once."""
    told = json.loads(run("calendar", "show", "demo", "--from", "2026-03-06", "--json").output)
    assert {
        "at": "2026-03-07T01:00:00+00:00",
        "period": "FY2026-P08",
        "step": "final",
        "figures": "final",
        "key": "FY2026-P08-final-20260307T0100Z",
    } == told[1]
    assert len(told) == len({one["key"] for one in told})


def test_a_connection_without_a_close_is_told_where_to_declare_it(yourname: Path) -> None:
    """No empty table."""
    file = yourname.with_name("yourname.yaml")
    text = file.read_text()
    file.write_text(text[: text.index("  close:")] + text[text.index("  extracts:") :])
    assert "docs/closing.md" in str(run("calendar", "show", "yourname").exception)


def test_the_check_of_connections_makes_the_close(yourname: Path) -> None:
    """Holidays that nobody knows are found before the schedule needs them; the calendar file that is still to come is no fault."""
    assert 0 == run("connections", "check").exit_code
    run("calendar", "sync", "yourname")
    file = yourname.with_name("yourname.yaml")
    file.write_text(file.read_text().replace("holidays: [US]", "holidays: [US-ZZ]"))
    assert "Holidays 'US-ZZ' are not known" in str(run("connections", "check").exception)
