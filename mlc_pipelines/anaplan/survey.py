"""A model looked at step by step, before the first load: how far one comes, and what is there by name. Nothing is started, uploaded or made."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from time import monotonic
from typing import Any

from mlc_pipelines.anaplan import views
from mlc_pipelines.anaplan.api import GoneError
from mlc_pipelines.anaplan.auth import Credential
from mlc_pipelines.anaplan.client import Anaplan
from mlc_pipelines.anaplan.config import AnaplanConfig
from mlc_pipelines.anaplan.discovery import pick
from mlc_pipelines.anaplan.schedules import possible_runs
from mlc_pipelines.ledger.errors import DataError, SetupError
from mlc_pipelines.ledger.fit import (
    ENGINEER,
    PLAN,
    WORKSPACE_ADMINISTRATOR,
    Check,
    Found,
    Scheduled,
    fine,
    missing,
)
from mlc_pipelines.ledger.ports import ReadWay
from mlc_pipelines.transport.budget import Budget
from mlc_pipelines.transport.caller import Caller

_DIMENSIONS = {"time": views.TIME, "versions": views.VERSIONS}
_UNUSABLE = {
    "ARCHIVED": "restore it in Model Management",
    "LOCKED": "unlock it in Model Management",
    "MAINTENANCE": "put it online again",
    "PRODUCTION_MAINTENANCE": "put it online again",
}  # [S APIMD, HELP-mode]
_COLLECTIONS = {"process": "processes"}


class AnaplanSurvey(Anaplan):
    """The same client. It remembers no ids of earlier runs, so that everything is looked up as it is now."""

    def __init__(
        self,
        config: AnaplanConfig,
        credential: Credential,
        *,
        sleep: Callable[[float], None],
        now: Callable[[], datetime],
        budget: Budget,
    ) -> None:
        super().__init__(config, credential, sleep=sleep, now=now, budget=budget)
        self._now = now
        self._workspace: Mapping[str, Any] = {}
        self._found: Mapping[str, Any] = {}
        self._said_at: datetime | None = None
        self._heard_at = 0.0

    def clock(self) -> datetime | None:
        return self._said_at and self._said_at + timedelta(seconds=monotonic() - self._heard_at)

    def checks(self) -> list[Check]:
        admin = WORKSPACE_ADMINISTRATOR
        return [
            Check("plan.reach", "Reachable", PLAN, ENGINEER, self._reach, gate=True),
            Check("plan.log_in", "Log-in", PLAN, ENGINEER, self._log_in, ("plan.reach",), gate=True),
            Check("plan.workspace", "Workspace", PLAN, ENGINEER, self._workspace_found, ("plan.log_in",)),
            Check("plan.model", "Model", PLAN, ENGINEER, self._model_found, ("plan.workspace",)),
            Check("plan.state", "State of the model", PLAN, admin, self._state, ("plan.model",)),
            Check("plan.role", "Access to the model", PLAN, admin, self._role, ("plan.state",)),
        ]

    # -- how far one comes ----------------------------------------------------------------------------------------------------

    def _reach(self) -> Iterator[Found]:
        """Each address answers, if only to say that nobody has signed in."""
        for base, path in ((self._config.auth_url, "/token/validate"), (self._config.api_url, "/users/me")):
            caller = Caller(
                self._config.system,
                base.rstrip("/"),
                limits=self._config.limits,
                ca_file=self._config.ca_file,
                sleep=self._sleep,
            )
            with caller:
                answer = caller.read("GET", path, expect=(200, 400, 401, 403))
            if date := answer.headers.get("date"):
                self._said_at, self._heard_at = parsedate_to_datetime(date), monotonic()
            yield fine(f"{base} answers.")

    def _log_in(self) -> Iterator[Found]:
        self._api.get("/users/me")
        yield fine("Signed in.")

    def _workspace_found(self) -> Iterator[Found]:
        wanted, listed = self._config.workspace, self._api.list("/workspaces", "workspaces", tenantDetails="true")
        self._workspace = pick("workspace", wanted, listed, "This Anaplan tenant")
        size, allowed = self._workspace.get("currentSize"), self._workspace.get("sizeAllowance")
        if isinstance(size, int) and isinstance(allowed, int) and 0 < allowed <= size:
            yield missing(
                f"The workspace {self._workspace.get('name')} is full: {size:,} of {allowed:,} bytes are in use, so no import adds anything.",
                "Have the allowance raised, or something deleted.",
                WORKSPACE_ADMINISTRATOR,
            )
            return
        yield fine(f"Workspace {self._workspace.get('name')} ({self._workspace['id']}).")

    def _model_found(self) -> Iterator[Found]:
        listed = self._api.list(f"/workspaces/{self._workspace['id']}/models", "models")
        self._found = pick("model", self._config.model, listed, f"Workspace {self._workspace.get('name')}")
        yield fine(f"Model {self._found.get('name')} ({self._found['id']}).")

    def _state(self) -> Iterator[Found]:
        state = str(self._found.get("activeState", ""))
        if state in _UNUSABLE:
            yield missing(f"{self._model} is {_in_words(state)}.", f"Have it made usable: {_UNUSABLE[state]}.")
            return
        yield fine(f"The model is {_in_words(state) or 'in a state that is not told'}.")

    def _role(self) -> Iterator[Found]:
        place = f"/workspaces/{self._workspace['id']}/models/{self._found['id']}"
        try:
            self._api.list(f"{place}/imports", "imports")
        except GoneError:
            yield missing(
                f"The user of this connection has no access to {self._model}: its actions answer 404.",
                "Give the user a role in the model that may run its actions.",
            )
            return
        holder = self._courtesy.holder()
        yield fine(f"The user may see the model's actions.{f' In the model now: {holder}.' if holder else ''}")

    # -- what is there by name --------------------------------------------------------------------------------------------------

    def find_action(self, kind: str, name: str) -> str:
        return str(self._model.find(_COLLECTIONS.get(kind, f"{kind}s"), kind, name)["id"])

    def require_export(self, name: str, columns: Sequence[str]) -> None:
        """By `exportMetadata.headerNames` [S OAS, APIMD]; the export is not run."""
        place = f"{self._model.path}/exports/{self.find_action('export', name)}"
        metadata = self._api.get(place).get("exportMetadata") or {}
        header = [str(one) for one in metadata.get("headerNames") or []]
        wrong = [one for one in columns if header.count(one) != 1]
        if wrong:
            raise SetupError(
                f"The export {name} has the columns {', '.join(header) or '(none)'}: {', '.join(wrong)} {'is' if len(wrong) == 1 else 'are'} not there exactly once.",
                next_step="Have the model builder list the export's module with these columns, or correct the names in the connection file.",
            )

    def require_shown(self, way: ReadWay) -> None:
        """Columns of an export, dimensions of a view; figures are not read."""
        if way.by == "export":
            self.require_export(way.name, way.columns.header)
            return
        place = f"{self._model.path}/views/{self.find_action('view', way.name)}"
        answer = self._api.get(place)
        if way.by == "view":
            views.require_axes(answer, way)
            return
        if way.whole:
            views.require_months_shown(answer, way)
        shown = {str(one.get("id")): str(one.get("name")) for side in _SIDES for one in answer.get(side) or []}
        wanted = {way.account_list: "accounts", way.cost_center_list: "cost centers"}
        lacking = [said for name, said in wanted.items() if name not in shown.values()]
        lacking += [name for name, number in _DIMENSIONS.items() if number not in shown]
        if lacking:
            raise SetupError(
                f"The view {way.name} has no dimension for {', '.join(lacking)}; it has {', '.join(shown.values()) or 'none'}.",
                next_step="Have the model builder put it into the view.",
            )

    def strangers(self, dimension: str, names: Sequence[str]) -> list[str]:
        """One question for all of them; it answers whatever the letter case, a label must be the very one [S OAS, APIMD]."""
        asked = {"names": list(dict.fromkeys(names))}
        path = f"{self._model.path}/dimensions/{_DIMENSIONS[dimension]}/items"
        answer = self._api.caller.repeat("POST", path, json=asked, expect=(200,)).json()
        items = answer.get("items") or [] if isinstance(answer, dict) else []
        known = {str(one.get("name")) for one in items}
        return [name for name in asked["names"] if name not in known]

    def scheduled(self, *, days: float) -> list[Scheduled] | None:
        """Integrations of this model that have a schedule or run now. Which actions they start is asked of each [S CW-MD]."""
        if not self._config.cloudworks_url:
            return None
        listed = self._api.list("/integrations", "integrations", of=self._api.cloudworks, myIntegrations="0")
        mine = [one for one in listed if str(one.get("modelId", "")).upper() == str(self._model.id).upper()]
        return [self._scheduled(one, days) for one in mine]

    def _scheduled(self, entry: Mapping[str, Any], days: float) -> Scheduled:
        latest, schedule = entry.get("latestRun"), entry.get("schedule")
        running = isinstance(latest, Mapping) and latest.get("message") == "Running"
        now, problem, runs = self._now(), "", list[datetime]()
        if isinstance(schedule, Mapping) and schedule:
            try:
                runs = possible_runs(schedule, now, now + timedelta(days=days))
            except DataError as error:
                problem = error.what
        name = str(entry.get("name") or entry.get("integrationId"))
        return Scheduled(name, running, tuple(runs), frozenset(self._used_by(entry)), problem)

    def _used_by(self, entry: Mapping[str, Any]) -> Iterator[str]:
        if process := entry.get("processId"):
            yield str(process)
            return
        path = f"/integrations/{entry.get('integrationId')}"
        whole = self._api.get(path, of=self._api.cloudworks).get("integration") or {}
        for job in whole.get("jobs") or []:
            for end in (*(job.get("sources") or []), *(job.get("targets") or [])):
                if action := end.get("actionId"):
                    yield str(action)


_SIDES = ("rows", "columns", "pages")


def _in_words(state: str) -> str:
    return {"UNLOCKED": "open", "PRODUCTION": "deployed"}.get(state, state.lower().replace("_", " "))
