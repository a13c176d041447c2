"""Connections as the daemon would have them: their schedule and sensors tick, and every run that is asked for is done."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster import DagsterInstance

from mlc_pipelines.assets.connection import connection_definitions
from mlc_pipelines.ledger.closing import Due
from mlc_pipelines.store import clock
from mlc_pipelines.wiring.connections import Named, folder
from mlc_pipelines_tests.battery.houses import House

SILENT = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
DAY = timedelta(days=1)


def files(place: Path) -> None:
    """Three connections: the two of the demo, and the first company a second time, into another model, from Berlin. Only the first has a cadence."""
    for name in ("demo", "demo_epicor"):
        text = (folder() / f"{name}.yaml").read_text()
        text = text[: text.index("  extracts:")]
        if "  ap_spend:" in text:  # invoices are not emptied with the books
            text = text[: text.index("  ap_spend:")] + text[text.index("  mapping:") :]
            text = "\n".join(line for line in text.split("\n") if "endors: {" not in line and "vendor: V_" not in line)
        quick = f"    wait_minutes: 10\n    requests_per_minute: 6000\n    tenant: {name}\n"
        text = text.replace("    wait_minutes: 10 ", f"{quick}    #")
        text = text.replace('    open_period: {every: fri, at: "18:00"}\n', "").replace(
            "every: business_day", "every: fri"
        )
        (place / f"{name}.yaml").write_text(text)
    text = (place / "demo.yaml").read_text()
    text = text[: text.index("  plans:")] + text[text.index("  watch:") : text.index("    open_period:")]
    text = text.replace("model: Meridian FP&A", "model: Meridian FP&A (dev)").replace("America/Denver", "Europe/Berlin")
    text = text.replace("tenant: demo", "tenant: berlin")
    (place / "demo_berlin.yaml").write_text(text.replace("holidays: [US]", "holidays: [US, DE-BE]"))


@dataclass
class Asked:
    """A run that was asked for: when (by the five minutes in which the daemon ticks), by what, and whether it succeeded."""

    at: datetime
    job: str
    period: str
    key: str
    success: bool = False


@dataclass(eq=False)
class Office:
    """One connection: its schedule and sensors as the daemon ticks them, and every run they ask for."""

    house: House
    instance: DagsterInstance
    runs: list[Asked] = field(default_factory=list)
    failed_ticks: int = 0
    broken: bool = False
    """Whether the planning model, or the ERP, is down now."""
    _seen: set[str] = field(default_factory=set)
    _cursor: str | None = None

    @property
    def named(self) -> Named:
        return self.house.named

    @property
    def name(self) -> str:
        return self.named.name

    @cache  # noqa: B019  # lives as long as the test
    def definitions(self) -> dg.Definitions:
        return connection_definitions(self.named)

    @cache  # noqa: B019
    def job(self, name: str) -> dg.JobDefinition:
        return self.definitions().resolve_job_def(name)

    @cache  # noqa: B019
    def context(self) -> dg.ScheduleEvaluationContext:
        """One for all ticks: to open the instance takes longer than they do."""
        repository = self.definitions().get_repository_def()
        context = dg.build_schedule_context(self.instance, repository_def=repository)
        return context.__enter__()

    def schedule(self) -> None:
        schedule = self.definitions().resolve_schedule_def(f"{self.name}_close")
        for one in schedule.evaluate_tick(self.context()).run_requests or []:
            self.run(f"{self.name}_close", one)

    def reference(self) -> None:
        """What a newcomer does first: codes and members are read and paired."""
        assert self.job(f"{self.name}_reference").execute_in_process(SILENT, instance=self.instance).success

    def watch(self) -> None:
        """The sensor on changes, until it asks for nothing more."""
        sensor = self.definitions().resolve_sensor_def(f"{self.name}_changes")
        for _ in range(4):
            if (seen := self._tick(sensor, self._cursor)) is None:
                return
            self._cursor = seen.cursor
            if not [one for one in seen.run_requests or [] if self.once(str(one.job_name), one)]:
                return
        raise AssertionError(f"{self.name}_changes asks without end")

    def plans(self) -> None:
        if self.named.settings.plans and (
            seen := self._tick(self.definitions().resolve_sensor_def(f"{self.name}_approved_plans"))
        ):
            for one in seen.run_requests or []:
                plan = (one.asset_selection or [])[0].path[-1].removeprefix("approved_")
                self.once(f"{self.name}_{plan}_preview", one)

    def _tick(self, sensor: Any, cursor: str | None = None) -> Any:
        """What it asks for; None where the tick failed, as it may while something is down: the daemon ticks again."""
        context = dg.build_sensor_context(self.instance, definitions=self.definitions(), cursor=cursor)
        if not self.broken:
            return sensor.evaluate_tick(context)
        with pytest.raises(Exception, match=r"(?i)html|sign-in"):
            sensor.evaluate_tick(context)
        self.failed_ticks += 1
        return None

    def once(self, job: str, one: dg.RunRequest) -> bool:
        """As the daemon does it: a sensor's run key is used once, for ever."""
        if one.run_key in self._seen:
            return False
        self._seen.add(str(one.run_key))
        self.run(job, one)
        return True

    def run(self, job: str, one: dg.RunRequest) -> None:
        tags = {key: value for key, value in one.tags.items() if key != "dagster/partition"}
        self.runs.append(asked := Asked(_tick_of(clock.now()), job, str(one.partition_key), str(one.run_key)))
        done = self.job(job).execute_in_process(
            run_config=SILENT,
            instance=self.instance,
            partition_key=one.partition_key,
            tags=tags,
            raise_on_error=not self.broken,
        )
        asked.success = done.success

    def of(self, *kinds: str) -> list[Asked]:
        """The runs of these jobs: close, actuals, preview."""
        return [one for one in self.runs if one.job.endswith(kinds)]

    def dues(self, start: datetime, end: datetime) -> list[Due]:
        return self.named.close.between(start, end)


def utc(day: date, at: time) -> datetime:
    return datetime.combine(day, at, UTC)


def _tick_of(at: datetime) -> datetime:
    return at.replace(minute=at.minute // 5 * 5, second=0, microsecond=0)


def expected_closes(
    office: Office, start: datetime, end: datetime, away: frozenset[date]
) -> list[tuple[str, datetime]]:
    """Key and moment of each run that the calendar asks for: at its moment; what fell into days without a daemon at midnight after them, once a period."""
    made_up: dict[tuple[date, str], Due] = {}
    found: list[tuple[str, datetime]] = []
    for due in office.dues(start, end):
        if (day := due.at.date()) in away:
            made_up[day, due.period] = due
        else:
            found.append((due.key, due.at))
    found += [(due.key, utc(day + DAY, time())) for (day, _), due in made_up.items()]
    # To switch the schedule on is the end of an outage.
    before = {due.period: due for due in office.dues(start - 7 * DAY, start)}
    return sorted([*found, *((due.key, start) for due in before.values())])
