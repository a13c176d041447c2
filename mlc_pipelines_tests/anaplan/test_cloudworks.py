"""The customer's own scheduled jobs on the model go first; whoever may not see them is told once."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mlc_pipelines.anaplan.client import Anaplan
from mlc_pipelines.anaplan.schedules import possible_runs
from mlc_pipelines.ledger.errors import DataError, WaitingError
from mlc_pipelines.sandbox.server import Sandbox

Connect = Callable[..., Anaplan]
DAILY = {"type": "daily", "time": "06:00", "timezone": "UTC", "startDate": "2026-01-01"}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def runs(begin: str, end: str, **schedule: Any) -> list[str]:
    return [f"{one:%Y-%m-%dT%H:%M}" for one in possible_runs({**DAILY, **schedule}, at(begin), at(end))]


# -- when a schedule may start ----------------------------------------------------------------------------------------


def test_a_daily_job_starts_once_a_day() -> None:
    """From its first to its last day."""
    assert ["2026-01-01T06:00", "2026-01-02T06:00"] == runs("2025-12-30T00:00", "2026-01-02T23:00")
    assert ["2026-01-02T06:00"] == runs("2026-01-02T00:00", "2026-01-05T00:00", endDate="2026-01-02")


def test_both_offsets_of_a_zone_are_kept_clear() -> None:
    """It runs on UTC and does not follow daylight saving: whether the winter's or the summer's hour counts is unknown."""
    found = runs("2026-07-01T00:00", "2026-07-01T12:00", timezone="Europe/Paris")
    assert ["2026-07-01T04:00", "2026-07-01T05:00"] == found


def test_days_of_the_week_begin_with_sunday() -> None:
    """0 is Sunday, 6 Saturday: 4 and 10 January 2026."""
    found = runs("2026-01-04T00:00", "2026-01-10T23:00", type="weekly", daysOfWeek=[0, 6])
    assert ["2026-01-04T06:00", "2026-01-10T06:00"] == found


def test_an_hourly_job_starts_between_two_times() -> None:
    """Every second hour from 20:00 to 23:20."""
    hourly = {"type": "hourly", "repeatEvery": 2, "fromTime": "20:00", "toTime": "23:20", "daysOfWeek": [1]}
    assert ["2026-01-05T20:00", "2026-01-05T22:00"] == runs("2026-01-05T00:00", "2026-01-07T00:00", **hourly)


def test_a_monthly_job_on_the_31st_may_run_on_the_last_day() -> None:
    """What a short month does is not recorded, so its last day is kept clear."""
    found = runs("2026-01-30T00:00", "2026-03-01T00:00", type="monthly_specific_day", dayOfMonth=31)
    assert ["2026-01-31T06:00", "2026-02-28T06:00"] == found


def test_the_second_wednesday() -> None:
    """Both names of the field are understood."""
    second = {"type": "monthly_relative_weekday", "repeatEvery": 2}
    for days in ({"dayOfWeek": 3}, {"daysOfWeek": [3]}):
        assert ["2026-01-14T06:00"] == runs("2026-01-01T00:00", "2026-01-31T00:00", **second, **days)


def test_an_inactive_schedule_starts_nothing() -> None:
    """It is shown, and no reason to wait."""
    assert [] == runs("2026-01-01T00:00", "2026-02-01T00:00", status="Inactive")


@pytest.mark.parametrize("wrong", [{"type": "lunar"}, {"timezone": "Mars/Base"}, {"time": "soon"}, {"time": None}])
def test_a_schedule_that_makes_no_sense_is_named(wrong: dict[str, Any]) -> None:
    """Refused with what it says, never guessed."""
    with pytest.raises(DataError, match="cannot be understood"):
        runs("2026-01-01T00:00", "2026-02-01T00:00", **wrong)


# -- beside the jobs --------------------------------------------------------------------------------------------------


EVENING = 20


@pytest.fixture
def sandbox(sandbox: Sandbox) -> Sandbox:
    """At eight in the evening, whenever the test is run: the sample has a nightly job of its own, due at 9:00 or 10:00 UTC, which would be waited for too."""
    now = sandbox.clock.now()
    evening = now.replace(hour=EVENING, minute=0, second=0, microsecond=0)
    sandbox.clock.advance((evening - now + timedelta(days=1)).total_seconds())
    return sandbox


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def visit(connect: Connect, sandbox: Sandbox, said: list[str]) -> Callable[..., Anaplan]:
    """A client that may look at CloudWorks, on the sandbox's own clock."""

    def build(**changes: Any) -> Anaplan:
        given = {"now": sandbox.clock.now, "say": said.append}
        return connect(given=given, cloudworks_url=sandbox.info["anaplan"]["cloudworks_url"], **changes)

    return build


@pytest.fixture
def job(sandbox: Sandbox, control: Callable[..., Any]) -> Callable[..., None]:
    """Plans a daily job so many seconds from now."""

    def plan(seconds: float, **rest: Any) -> None:
        start = sandbox.clock.now() + timedelta(seconds=seconds)
        daily = {**DAILY, "time": f"{start:%H:%M:%S}", "startDate": f"{start - timedelta(days=3):%Y-%m-%d}"}
        control("integration", {"name": "Nightly stock", "schedule": daily, **rest})

    return plan


def test_p12_a_load_does_not_start_into_a_scheduled_job(visit, job, hands: Any, said: list[str]) -> None:
    """Due in five minutes, margin ten: the load begins after the job has had its moment to start."""
    job(300)
    with visit() as plan:
        plan.wait_until_welcome()
    assert 410 <= hands.clock() <= 430
    assert 1 == len(said)
    assert "the CloudWorks job Nightly stock is due at" in said[0]


def test_a_job_outside_of_the_margin_is_no_reason_to_wait(visit, job, hands: Any, said: list[str]) -> None:
    """The margin is a setting."""
    job(900)
    with visit(job_margin_seconds=600.0) as plan:
        plan.wait_until_welcome()
    assert (0, []) == (hands.clock(), said)


def test_p12_a_load_that_would_wait_too_long_ends_waiting(visit, job, hands: Any) -> None:
    """The stated limit is known beforehand, so nobody sits it out; the job is named with its time."""
    job(500)
    with visit(wait_seconds=60.0) as plan, pytest.raises(WaitingError, match=r"WAITING: .*Nightly stock is due at"):
        plan.wait_until_welcome()
    assert 0 == hands.clock()


def test_a_running_job_is_waited_for(visit, job, control, hands: Any, said: list[str]) -> None:
    """Running is told by its latest run, also between its steps."""
    job(40_000)
    control("integration-run", {"integration": "Nightly stock", "seconds": 200})
    with visit() as plan:
        plan.wait_until_welcome()
    assert 180 <= hands.clock() <= 270
    assert "the CloudWorks job Nightly stock is running" in said[0]


@pytest.mark.parametrize("access", ["none", "unassigned"])
def test_who_may_not_see_the_jobs_goes_on(
    visit, job, sandbox: Sandbox, hands: Any, said: list[str], access: str
) -> None:
    """Without the role it is told, once; without a workspace the list is empty."""
    job(300)
    sandbox.set_switches(anaplan={"cloudworks_access": access})
    with visit() as plan:
        plan.wait_until_welcome()
        plan.wait_until_welcome()
    assert 0 == hands.clock()
    assert (["403" in one for one in said]) == ([True] if access == "none" else [])


def test_an_address_without_cloudworks_is_told_once(visit, sandbox: Sandbox, said: list[str], connect: Connect) -> None:
    """404 as a web page: the load goes on."""
    given = {"now": sandbox.clock.now, "say": said.append}
    with connect(given=given, cloudworks_url=f"{sandbox.url}/nothing/here") as plan:
        plan.wait_until_welcome()
        plan.wait_until_welcome()
    assert 1 == len(said)


def test_without_an_address_nothing_is_asked(connect: Connect, sandbox: Sandbox) -> None:
    """Switched off is off."""
    with connect() as plan:
        plan.wait_until_welcome()
    assert [] == sandbox.traffic.requests
