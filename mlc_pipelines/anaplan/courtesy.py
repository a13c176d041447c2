"""Living beside others: quiet hours, the customer's scheduled jobs, and whoever is inside the model right now.

Each is waited out within a stated limit; after it the work ends as WAITING and names who has the right of way. An action that is
started in a busy model is queued, not refused [S COMM-imports], so waiting is a courtesy towards the others, and towards our own file.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from mlc_pipelines.anaplan.api import Api
from mlc_pipelines.anaplan.cloudworks import START_SECONDS, CloudWorks
from mlc_pipelines.anaplan.config import AnaplanConfig
from mlc_pipelines.anaplan.discovery import Model
from mlc_pipelines.ledger.errors import SetupError, WaitingError

_IDLE, _ASLEEP = "Open", "Closed"  # [S HELP-status]
_LONGEST_NAP_SECONDS = 300.0
_QUIET_SECONDS_MAX = 24 * 3600.0
_JOBS_AGAIN_SECONDS = 60.0
_NOTHING = "Nothing was sent."


class Courtesy:
    """Asks before it enters. now tells the time of day, for schedules; clock measures how long was waited; say tells a person why.

    own_task: what is known of a task of our own that may still wait in the model's queue, "" for none.
    """

    def __init__(
        self,
        api: Api,
        model: Model,
        config: AnaplanConfig,
        *,
        own_task: Callable[[], str],
        sleep: Callable[[float], None],
        clock: Callable[[], float],
        now: Callable[[], datetime],
        say: Callable[[str], None],
    ) -> None:
        self._api, self._model, self._config = api, model, config
        self._own_task, self._sleep, self._clock, self._now = own_task, sleep, clock, now
        self._jobs = CloudWorks(api, say=say)
        self._tell = self._jobs.tell

    def wait_until_welcome(self) -> None:
        """Return outside of quiet hours, with no job of the customer's due within the margin. Raises WaitingError after the stated limit."""
        self._outside_quiet_hours()
        if self._config.cloudworks_url:
            self._between_jobs()

    def wait_until_free(self) -> None:
        """Return when nobody works in the model and it is open. Raises WaitingError naming who does, after the stated limit.

        Its status sees whoever is inside: a person, CloudWorks, a task left over by a killed run [S HELP-status].
        """
        started, woken = self._clock(), False
        while busy := self._busy():
            if busy == _ASLEEP:
                if not woken and not self._woken():
                    return  # whoever may not open it wakes it by the next call, which then takes its time [I]
                woken, busy = (
                    True,
                    "it was asleep and is still being opened; a very large model needs up to ten minutes",
                )
            self._tell(f"{self._model} is not free: {busy}")
            if (spent := self._clock() - started) >= self._config.wait_seconds:
                raise WaitingError(
                    f"{self._model} was busy for {self._config.wait_seconds:.0f} seconds: {busy}",
                    holds=_NOTHING,
                    next_step="Wait for that work to end, or have it cancelled in Model Management, then run the load again.",
                )
            self._sleep(self._config.pause_seconds(spent))

    def holder(self) -> str:
        """Who works in the model now, in its own words; "" when nobody does."""
        status = self._status()
        return "" if status == _ASLEEP else status

    def _outside_quiet_hours(self) -> None:
        quiet = self._config.quiet
        begun = self._now()
        while quiet and (end := quiet.ends_at(self._now())):
            until = f"{end.astimezone(quiet.zone):%Y-%m-%d %H:%M} {quiet.zone.key}"
            left = (end - self._now()).total_seconds()
            if quiet.then == "stop" or (end - begun).total_seconds() > _QUIET_SECONDS_MAX:
                raise WaitingError(
                    f"{self._model} has quiet hours until {until}.",
                    holds=_NOTHING,
                    next_step="Run the load again after that, or change `anaplan.quiet_hours` in the connection file.",
                )
            self._tell(f"{self._model} has quiet hours; the load waits until {until}.")
            self._sleep(min(max(left, 1.0), _LONGEST_NAP_SECONDS))

    def _between_jobs(self) -> None:
        started = self._clock()
        while found := self._job_in_the_way():
            why, seconds = found
            if self._clock() - started + seconds > self._config.wait_seconds:
                raise WaitingError(
                    f"{self._model}: {why}, and the load may wait no longer than {self._config.wait_seconds:.0f} seconds for it.",
                    holds=_NOTHING,
                    next_step="Run the load again after that job, have its schedule moved in CloudWorks, or change "
                    "`anaplan.wait_minutes` or `anaplan.job_margin_minutes` in the connection file.",
                )
            self._tell(f"{self._model}: {why}; the load waits.")
            self._sleep(min(seconds, _LONGEST_NAP_SECONDS))

    def _job_in_the_way(self) -> tuple[str, float] | None:
        """The job of the customer's that goes first, in words, and how long to wait before looking again."""
        now = self._now()
        jobs = self._jobs.jobs(self._model.id)
        if running := [job.name for job in jobs if job.running]:
            return f"the CloudWorks job {', '.join(running)} is running", _JOBS_AGAIN_SECONDS
        due = [(at, job.name) for job in jobs for at in self._jobs.due(job, now, self._config.job_margin_seconds)]
        if not due:
            return None
        at, name = max(due)
        clear_at = at + timedelta(seconds=START_SECONDS)
        said = f"the CloudWorks job {name} is due at {at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        return said, max((clear_at - now).total_seconds(), 1.0) + 1.0

    def _busy(self) -> str:
        return self._status() or self._own_task()

    def _woken(self) -> bool:
        """Ask the model to open; whether that is allowed. 200 is open, 202 opening; it takes a workspace administrator [S OAS, APIMD]."""
        answer = self._api.caller.repeat(
            "POST",
            f"{self._model.path}/open",
            expect=(200, 202, 403, 404, 405),
            headers={"Content-Type": "application/text"},
        )
        return answer.status in {200, 202}

    def _status(self) -> str:
        """Who is inside, in the model's own words; "" when it is free, "Closed" when it is asleep.

        Works as GET in both path forms, without envelope; the help documents POST and shows one [S OAS, HELP-status].
        """
        place = f"{self._model.path}/status"
        answer = self._api.caller.read("GET", place, expect=(200, 404, 405))
        if answer.status != 200:
            answer = self._api.caller.read("POST", place)
        content = answer.json()
        status: Any = content.get("requestStatus", content) if isinstance(content, dict) else None
        step = status.get("currentStep") if isinstance(status, dict) else None
        if not isinstance(step, str):
            raise SetupError(
                f"{answer.call} does not say whether the model is busy: {answer.excerpt()}",
                holds="Nothing was sent.",
                next_step="Check `anaplan.api_url` in the connection file; if it is right, report the answer as a defect of this project.",
            )
        if step in {_IDLE, _ASLEEP}:
            return "" if step == _IDLE else _ASLEEP
        return " ".join(str(status.get("tooltip") or step).split())
