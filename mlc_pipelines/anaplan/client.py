"""Anaplan as a planning model: the port `PlanningModel` fulfilled over the Integration API 2.0."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import pandas as pd

from mlc_pipelines.anaplan import cells, lists, texts, views
from mlc_pipelines.anaplan.api import Api, GoneError
from mlc_pipelines.anaplan.auth import Credential
from mlc_pipelines.anaplan.config import AnaplanConfig
from mlc_pipelines.anaplan.courtesy import Courtesy
from mlc_pipelines.anaplan.discovery import Memory, Model
from mlc_pipelines.anaplan.exporting import Exporter
from mlc_pipelines.anaplan.loading import Loader
from mlc_pipelines.anaplan.outcome import read_steps
from mlc_pipelines.anaplan.tasks import Action, Runner
from mlc_pipelines.ledger.outcomes import ActionOutcome
from mlc_pipelines.ledger.ports import ExportOutcome, ImportOutcome, MembersWritten, ReadWay, TextsWay
from mlc_pipelines.transport.budget import Budget

Kind = Literal["import", "export", "process", "action"]
_COLLECTIONS: dict[Kind, str] = {
    "import": "imports",
    "export": "exports",
    "process": "processes",
    "action": "actions",
}
_LOADING: tuple[Kind, ...] = ("import", "process")  # what reads an uploaded file


class Anaplan:
    """One model as one user. Nothing is called before the first question; always logs out at the end.

    The caller holds the fence of the model around `wait_until_free`, `import_file` and `export_file`: uploaded files are unprotected.
    """

    def __init__(
        self,
        config: AnaplanConfig,
        credential: Credential,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        budget: Budget | None = None,
        memory: Memory | None = None,
        say: Callable[[str], None] = lambda _said: None,
    ) -> None:
        self._config = config
        self._sleep = sleep
        self._clock = clock
        self._api = Api(config, credential, sleep=sleep, budget=budget)
        self._model = Model(self._api, config, memory=memory, say=say)
        hands: dict[str, Any] = {"sleep": sleep, "clock": clock, "now": now, "say": say}
        self._courtesy = Courtesy(self._api, self._model, config, own_task=self._own_task, **hands)
        self._runner = Runner(self._api, config, sleep=sleep, clock=clock, holder=self._courtesy.holder, say=say)
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

    def wait_until_welcome(self) -> None:
        """To be asked before the fence: quiet hours may last long."""
        self._courtesy.wait_until_welcome()

    def wait_until_free(self) -> None:
        """Whoever is inside is waited for; a task of an import or process used in this run counts too, for it may still wait in the model's queue."""
        self._courtesy.wait_until_free()

    def import_file(
        self, import_name: str, path: Path, *, process: str = "", parameters: Mapping[str, str] | None = None
    ) -> ImportOutcome:
        return self._loader.load(import_name, path, process, parameters or {})

    def export_file(self, export_name: str, path: Path) -> ExportOutcome:
        return self._exporter.export(export_name, path)

    def read_texts(self, way: TextsWay, member: str, names: Sequence[str]) -> dict[str, str]:
        return texts.read_texts(self._api, self._model, self._exporter, way, member, names)

    def read_cells(self, way: ReadWay, only: tuple[str, str], path: Path) -> bool:
        """What the model holds, by the way that the connection names; whether other periods are in it too."""
        if way.by == "view":
            return views.read_grid(self._api, self._model, way, only, path)
        if way.by == "cells":
            cells.read_table(self._api, self._model, way, only[1], path)
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
        used: list[tuple[Kind, dict[str, Any]]] = [
            (kind, found) for kind in _LOADING for found in self._model.known(_COLLECTIONS[kind])
        ]
        for kind, found in used:
            action = Action(
                f"{self._model.path}/{_COLLECTIONS[kind]}/{found['id']}", f"{kind} {found['name']}", "", True
            )
            if running := self._runner.running(action):
                return running
        return ""
