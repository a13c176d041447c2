"""The customer's own jobs on our model: CloudWorks integrations, which of them runs, and when the next ones may start.

Reading them needs the Restricted Integration User role and a workspace; without the role 403 or 452, without a workspace an empty
list [S OAS cloudworks README]. Whoever may not read them is told once, and goes on.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from mlc_pipelines.anaplan.api import Api
from mlc_pipelines.anaplan.schedules import possible_runs
from mlc_pipelines.ledger.errors import DataError, SetupError, TransientError, WaitingError

# A job that is due needs a moment until it shows in the model's status.
START_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Job:
    """One integration on the model. running: `latestRun.message` reads Running [S OAS]."""

    name: str
    running: bool
    schedule: Mapping[str, Any]

    def due(self, now: datetime, margin_seconds: float) -> list[datetime]:
        """When it may start within the margin, or may just be starting. Raises DataError for a schedule that cannot be understood."""
        begin, end = now - timedelta(seconds=START_SECONDS), now + timedelta(seconds=margin_seconds)
        return possible_runs(self.schedule, begin, end) if self.schedule else []


class CloudWorks:
    """The jobs of one model, as far as this user may see them. say tells a person once what cannot be seen."""

    def __init__(self, api: Api, *, say: Callable[[str], None]) -> None:
        self._api = api
        self._said: set[str] = set()
        self._say = say
        self.readable = True

    def jobs(self, model_id: str) -> list[Job]:
        """All integrations on the model; empty where they cannot be read. Asking by model is not served any more [S OAS]."""
        if not self.readable:
            return []
        try:
            found = self._api.list("/integrations", "integrations", of=self._api.cloudworks, myIntegrations="0")
        except WaitingError:
            raise
        except (SetupError, DataError, TransientError) as error:
            self.readable = not isinstance(error, SetupError)
            self.tell(f"The model's CloudWorks schedules are not looked at: {error.what}")
            return []
        return [_job(one) for one in found if str(one.get("modelId", "")).upper() == model_id.upper()]

    def due(self, job: Job, now: datetime, margin_seconds: float) -> list[datetime]:
        """See Job.due; a schedule that cannot be understood is told once, and not waited for."""
        try:
            return job.due(now, margin_seconds)
        except DataError as error:
            self.tell(f"The CloudWorks job {job.name} is not waited for: {error.what}")
            return []

    def tell(self, what: str) -> None:
        if what not in self._said:
            self._said.add(what)
            self._say(what)


def _job(entry: Mapping[str, Any]) -> Job:
    latest = entry.get("latestRun")
    message = latest.get("message") if isinstance(latest, Mapping) else None
    schedule = entry.get("schedule")
    return Job(
        str(entry.get("name") or entry.get("integrationId")),
        message == "Running",
        schedule if isinstance(schedule, Mapping) else {},
    )
