"""CloudWorks: the customer's own scheduled jobs on the models. Reference: anaplan 10 [S].

A run occupies its model like any other task, as somebody else's would: it is queued, shows in the model's status, and
changes no cell. Schedules are there to be read; a switch makes them start their jobs when the clock passes them.
"""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from mlc_pipelines.sandbox.anaplan.logins import Ticking, User
from mlc_pipelines.sandbox.anaplan.model import Model
from mlc_pipelines.sandbox.anaplan.switches import Switches
from mlc_pipelines.sandbox.anaplan.tasks import Task

TYPES = {"Import": "imports", "Export": "exports", "Process": "processes"}
ENDS = {"success": (True, None), "partial": (True, 38), "failed": (False, 12)}
"""How a run can end: success and error code. 38 is a partial success, which counts as one; 12 a mismatch of types [S]."""

Post = Callable[[Model, str, str, str, float, datetime], Task]
"""Puts a task that changes nothing on a model: kind, action's id, user's id, seconds, at."""


@dataclass(frozen=True, slots=True)
class Planned:
    """An integration to be made: `action` is a name or an id, the first of its kind without."""

    name: str
    type: str = "Process"
    action: str = ""
    schedule: dict[str, Any] | None = None


@dataclass(slots=True)
class Run:
    """One run. It goes on as long as its task."""

    id: str
    task: Task
    ends: str
    triggered_by: str
    trigger: str
    trace: str

    def message(self) -> str:
        """`Running` while it does [S]; the other words are ours [I]."""
        if self.task.ending is None:
            return "Running"
        words = {"success": "Success", "partial": "90 rows successful, 5 failed", "failed": "Failed"}
        return "Cancelled" if self.task.cancelled_by else words[self.ends]

    def outcome(self) -> tuple[bool, int | None]:
        """Success so far, and the error code."""
        if self.task.ending is None or self.task.cancelled_by:
            return False, None
        return ENDS[self.ends]


@dataclass(slots=True)
class Integration:
    """A job: one action of one model, perhaps with a schedule as the API shows it."""

    id: str
    name: str
    type: str
    model: Model
    workspace: str
    action: str
    creator: User
    created_at: datetime
    schedule: dict[str, Any] | None = None
    runs: list[Run] = field(default_factory=list)

    def running(self) -> Run | None:
        """The run that has not ended."""
        return next((run for run in reversed(self.runs) if run.task.ending is None), None)


class CloudWorks:
    """The integrations of one tenant."""

    def __init__(self, clock: Ticking, switches: Switches, post: Post) -> None:
        """Nothing is integrated yet."""
        self.clock, self.switches, self._post = clock, switches, post
        self.integrations: dict[str, Integration] = {}
        self._seen_until = clock.now()

    def add(self, plan: Planned, model: Model, workspace: str, creator: User) -> Integration:
        """Make an integration. KeyError on an unknown type or action, ValueError on a schedule that makes no sense."""
        actions = model.actions(TYPES[plan.type])
        found = {key: one.id for one in actions for key in (one.name, one.id)}
        chosen = found[plan.action or actions[0].id]
        schedule = None if plan.schedule is None else checked_schedule(plan.name, plan.schedule)
        new_id = uuid.uuid5(uuid.NAMESPACE_URL, f"{plan.name} {len(self.integrations)}").hex
        made = Integration(new_id, plan.name, plan.type, model, workspace, chosen, creator, self.clock.now(), schedule)
        self.integrations[made.id] = made
        return made

    def find(self, name_or_id: str) -> Integration:
        """An integration; KeyError when there is none."""
        return {key: one for one in self.integrations.values() for key in (one.name, one.id)}[name_or_id]

    def run(
        self, integration: Integration, user: User, *, trigger: str, seconds: float, ends: str, at: datetime
    ) -> Run:
        """Start a run; ValueError on an ending that does not exist."""
        if ends not in ENDS:
            raise ValueError(f"no ending {ends!r}; there are {', '.join(ENDS)}")
        task = self._post(integration.model, TYPES[integration.type], integration.action, user.id, seconds, at)
        run = Run(uuid.uuid4().hex, task, ends, user.email, trigger, uuid.uuid4().hex)
        integration.runs.append(run)
        return run

    def find_run(self, run_id: str) -> tuple[Integration, Run] | None:
        """A run with its integration."""
        pairs = ((one, run) for one in self.integrations.values() for run in one.runs)
        return next((pair for pair in pairs if pair[1].id == run_id), None)

    def start_due(self, now: datetime) -> None:
        """Start what the schedules have had for us since the last look, if the switch says so."""
        since, self._seen_until = self._seen_until, now
        if not self.switches["cloudworks_schedules_run"]:
            return
        due = [(at, one) for one in self.integrations.values() for at in occurrences(one.schedule or {}, since, now)]
        for at, integration in sorted(due, key=lambda pair: pair[0]):
            integration.model.queue.settle(at)
            if integration.running() is None:
                seconds = self.switches["cloudworks_job_seconds"]
                self.run(integration, integration.creator, trigger="scheduled", seconds=seconds, ends="success", at=at)


# -- schedules --------------------------------------------------------------------------------------------------------

KINDS = ("hourly", "daily", "weekly", "monthly_specific_day", "monthly_relative_weekday")


def checked_schedule(name: str, wish: dict[str, Any]) -> dict[str, Any]:
    """A schedule with what it must have; ValueError or KeyError names what is wrong."""
    schedule = {"name": name, "timezone": "Greenwich", "daysOfWeek": [], "status": "Active", **wish}
    if schedule["type"] not in KINDS:
        raise ValueError(f"no type of schedule {schedule['type']!r}; there are {', '.join(KINDS)}")
    ZoneInfo(schedule["timezone"])
    date.fromisoformat(schedule["startDate"][:10])
    for key in ("fromTime", "toTime") if schedule["type"] == "hourly" else ("time",):
        time.fromisoformat(schedule[key])
    return schedule


def occurrences(schedule: dict[str, Any], since: datetime, until: datetime) -> Iterator[datetime]:
    """The instants after `since`, up to `until`, at which the schedule starts its job.

    The chosen zone counts without daylight saving [S]. `monthly_relative_weekday` is shown, but never due here: how it
    names its week is not known.
    """
    if not schedule or schedule["status"] != "Active":
        return
    zone = ZoneInfo(schedule["timezone"])
    local = since.astimezone(zone)
    shift = (local.utcoffset() or timedelta(0)) - (local.dst() or timedelta(0))
    begin, end = schedule["startDate"][:10], (schedule.get("endDate") or "9999-12-31")[:10]
    day = (since + shift).date()
    while day <= (until + shift).date():
        if begin <= day.isoformat() <= end and _falls_on(schedule, day):
            for clock_time in _times(schedule):
                at = datetime.combine(day, clock_time, UTC) - shift
                if since < at <= until:
                    yield at
        day += timedelta(days=1)


def _falls_on(schedule: dict[str, Any], day: date) -> bool:
    if schedule["type"] == "monthly_specific_day":
        return day.day == int(schedule["dayOfMonth"])
    if schedule["type"] == "monthly_relative_weekday":
        return False
    return not schedule["daysOfWeek"] or day.isoweekday() % 7 in schedule["daysOfWeek"]


def _times(schedule: dict[str, Any]) -> list[time]:
    """The times of a day: one, or every so many hours from a first to a last."""
    if schedule["type"] != "hourly":
        return [time.fromisoformat(schedule["time"])]
    first, last = (time.fromisoformat(schedule[key]) for key in ("fromTime", "toTime"))
    hours = range(first.hour, 24, int(schedule.get("repeatEvery") or 1))
    return [time(hour, first.minute) for hour in hours if time(hour, first.minute) <= last]
