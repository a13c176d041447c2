"""Anaplan as a planning model: the port `PlanningModel` fulfilled over the Integration API 2.0."""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import pandas as pd

from mlc_pipelines.anaplan import cells, lists, views
from mlc_pipelines.anaplan.api import Api, GoneError
from mlc_pipelines.anaplan.config import AnaplanConfig, AnaplanCredential
from mlc_pipelines.anaplan.discovery import Model
from mlc_pipelines.anaplan.exporting import Exporter
from mlc_pipelines.anaplan.loading import Loader
from mlc_pipelines.anaplan.outcome import read_steps
from mlc_pipelines.anaplan.tasks import Action, Runner
from mlc_pipelines.ledger.errors import SetupError, TransientError
from mlc_pipelines.ledger.outcomes import ActionOutcome
from mlc_pipelines.ledger.ports import ImportOutcome, MembersWritten, ReadWay

_FREE = {"Open", "Closed"}  # idle, or not loaded: the next call wakes it [S HELP-status]
Kind = Literal["import", "export", "process", "action"]
_COLLECTIONS: dict[Kind, str] = {
    "import": "imports",
    "export": "exports",
    "process": "processes",
    "action": "actions",
}


class Anaplan:
    """One model as one user. Nothing is called before the first question; always logs out at the end.

    The caller holds the fence of the model around `wait_until_free`, `import_file` and `export_file`: uploaded files are unprotected.
    """

    def __init__(
        self,
        config: AnaplanConfig,
        credential: AnaplanCredential,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._config = config
        self._sleep = sleep
        self._clock = clock
        self._api = Api(config, credential, sleep=sleep)
        self._model = Model(self._api, config)
        self._runner = Runner(self._api, config, sleep=sleep, clock=clock)
        self._loader = Loader(self._api, self._model, self._runner, config)
        self._exporter = Exporter(self._api, self._model, self._runner)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._api.close(error)

    def identity(self) -> str:
        return f"{self._config.workspace} / {self._config.model}"

    def key(self) -> str:
        return self._model.id

    def read_members(self, list_name: str, properties: Sequence[str] = ()) -> pd.DataFrame:
        """Members of a list in its order: code, name, parent, leaf, and the properties asked for."""
        return lists.read_members(self._api, self._model, list_name, properties)

    def write_members(self, list_name: str, members: pd.DataFrame, *, new: bool) -> MembersWritten:
        """Add members, or change those found by code; see lists.write_members."""
        return lists.write_members(self._api, self._model, list_name, members, "add" if new else "update")

    def require_import(self, import_name: str, columns: Sequence[str], *, process: str = "") -> None:
        self._loader.require_import(import_name, columns, process)

    def wait_until_free(self) -> None:
        """The model's status sees whoever is inside: a person, CloudWorks, a task left over by a killed run [S HELP-status].

        A task of an import used in this run counts too, for it may still wait in the model's queue.
        """
        started = self._clock()
        while busy := self._status() or self._own_task():
            if (spent := self._clock() - started) >= self._config.wait_seconds:
                raise TransientError(
                    f"{self._model} was busy for {self._config.wait_seconds:.0f} seconds: {busy}",
                    holds="Nothing was sent.",
                    next_step="Wait for that work to end, or have it cancelled in Model Management, then run the load again.",
                )
            self._sleep(self._config.pause_seconds(spent))

    def import_file(
        self, import_name: str, path: Path, *, process: str = "", parameters: Mapping[str, str] | None = None
    ) -> ImportOutcome:
        return self._loader.load(import_name, path, process, parameters or {})

    def export_file(self, export_name: str, path: Path) -> list[str]:
        return self._exporter.export(export_name, path)

    def read_cells(self, way: ReadWay, only: tuple[str, str], path: Path) -> bool:
        """What the model holds, by the way that the connection names; whether other periods are in it too."""
        if way.by == "view":
            return views.read_grid(self._api, self._model, way, only, path)
        if way.by == "cells":
            cells.read_table(self._api, self._model, way, path)
        elif way.by == "large_read":
            cells.read_large(self._api, self._model, self._config, way, path, sleep=self._sleep, clock=self._clock)
        else:
            self.export_file(way.name, path)
        return True

    def run_process(self, name: str, parameters: Mapping[str, str] | None = None) -> ActionOutcome:
        """Run a process whose imports read what lies there already; see run_action."""
        return self.run_action("process", name, parameters)

    def run_action(self, kind: Kind, name: str, parameters: Mapping[str, str] | None = None) -> ActionOutcome:
        """Run an import, export, process or other action (a deletion, for instance) by name or id, and fetch every list of refused rows.

        Started once and never blindly again. What it did is told, good or bad: `require_done` on the outcome refuses what is not whole.
        One that was remade since it was looked up is looked up once more (404, B08).
        """
        found = self._model.find(_COLLECTIONS[kind], kind, name)
        try:
            return self._ran(kind, name, str(found["id"]), parameters or {})
        except GoneError as error:
            self._model.forget()
            fresh = self._model.find(_COLLECTIONS[kind], kind, name)
            if fresh["id"] == found["id"]:
                raise error.within(holds=f"The {kind} was not started; the model is unchanged.") from None
        return self._ran(kind, name, str(fresh["id"]), parameters or {})

    def _ran(self, kind: Kind, name: str, action_id: str, parameters: Mapping[str, str]) -> ActionOutcome:
        path = f"{self._model.path}/{_COLLECTIONS[kind]}/{action_id}"
        action = Action(path, f"{kind} {name}", "Then run it again if need be.", kind != "export", parameters)
        return read_steps(self._api, path, action.label, self._runner.run(action).task)

    def _own_task(self) -> str:
        for found in self._model.known("imports"):
            action = Action(f"{self._model.path}/imports/{found['id']}", f"import {found['name']}", "", True)
            if running := self._runner.running(action):
                return running
        return ""

    def _status(self) -> str:
        """Who is inside, in the model's own words; "" when it is free.

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
            raise SetupError(f"{answer.call} does not say whether the model is busy: {answer.excerpt()}")
        return "" if step in _FREE else " ".join(str(status.get("tooltip") or step).split())
