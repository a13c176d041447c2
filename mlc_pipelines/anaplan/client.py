"""Anaplan as a planning model: the port `PlanningModel` fulfilled over the Integration API 2.0."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pandas as pd

from mlc_pipelines.anaplan import files
from mlc_pipelines.anaplan.api import Api, GoneError
from mlc_pipelines.anaplan.config import AnaplanConfig, AnaplanCredential
from mlc_pipelines.anaplan.discovery import Model
from mlc_pipelines.anaplan.files import FileChangedError
from mlc_pipelines.anaplan.fit import require_fit, unfit
from mlc_pipelines.anaplan.outcome import messages_of, read_outcome
from mlc_pipelines.anaplan.tasks import Action, Runner
from mlc_pipelines.ledger.errors import PipelineError, SetupError, TransientError
from mlc_pipelines.ledger.ports import ImportOutcome

_FREE = {"Open", "Closed"}  # idle, or not loaded: the next call wakes it [S HELP-status]
_EXPORTS_MAX = 3


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

    def read_members(self, list_name: str) -> pd.DataFrame:
        """Members of a list in its order: code, name, parent, leaf. A member is a leaf when no other one names it as parent."""
        found = self._model.find("lists", "list", list_name)
        items = self._api.list(f"{self._model.path}/lists/{found['id']}/items", "listItems", includeAll="true")
        parents = {item.get("parentId") or item.get("parent") for item in items}
        rows = [
            (
                str(item.get("code") or ""),
                str(item.get("name") or ""),
                str(item.get("parent") or ""),
                item.get("id") not in parents and item.get("name") not in parents,
            )
            for item in items
        ]
        return pd.DataFrame(rows, columns=["code", "name", "parent", "leaf"]).astype({"leaf": bool})

    def require_import(self, import_name: str, columns: Sequence[str]) -> None:
        """Hold the import's own idea of its file against ours; the API shows it in `importMetadata.source` [S OAS, APIMD]."""
        found = self._model.find("imports", "import", import_name)
        metadata = self._api.get(f"{self._model.path}/imports/{found['id']}").get("importMetadata") or {}
        require_fit(import_name, found, metadata, columns)

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

    def import_file(self, import_name: str, path: Path) -> ImportOutcome:
        """Upload, run, wait, fetch what was refused. An import that was remade since it was looked up is looked up once more (404, B08)."""
        files.require_rows(path)
        columns = files.header_of(path)
        target = self._target(import_name)
        try:
            return self._import(import_name, target, columns, path)
        except GoneError as error:
            self._model.forget()
            fresh = self._target(import_name)
            if fresh == target:
                raise error.within(holds="The import was not started; the model is unchanged.") from None
        return self._import(import_name, fresh, columns, path)

    def export_file(self, export_name: str, path: Path) -> list[str]:
        """Run the export and take its file, which has the id of the export [S OAS issue 18] and is used only when this very task made it.

        A file that another run replaced while it was read is thrown away, and the export is run again, a few times.
        """
        found = self._model.find("exports", "export", export_name)
        action = Action(
            f"{self._model.path}/exports/{found['id']}", f"export {export_name}", "Run the step again.", False
        )
        draft = path.with_name(path.name + ".part")
        try:
            for attempt in range(_EXPORTS_MAX):
                if self._exported(action, str(found["id"]), draft):
                    break
                if attempt + 1 == _EXPORTS_MAX:
                    raise _keeps_changing(export_name)
            header = files.header_of(draft)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
        return header

    def _target(self, import_name: str) -> tuple[str, str]:
        """The import and the file that it reads, by id."""
        found = self._model.find("imports", "import", import_name)
        source = str(found.get("importDataSourceId") or "")
        if not source:
            raise unfit(import_name, ["it does not read a file"])
        file = self._model.find("files", "file", source)
        return str(found["id"]), str(file["id"])

    def _import(self, import_name: str, target: tuple[str, str], columns: list[str], path: Path) -> ImportOutcome:
        self.require_import(import_name, columns)
        import_id, file_id = target
        try:
            files.upload(self._api, f"{self._model.path}/files/{file_id}", file_id, path, self._config.chunk_bytes)
        except PipelineError as error:
            raise error.within(
                what=f"The file for the import {import_name} was not uploaded:",
                holds="The model is unchanged: the import was not started.",
            ) from None
        again = "Run the load again: it sends the whole slice and reads it back."
        action = Action(f"{self._model.path}/imports/{import_id}", f"import {import_name}", again, True)
        return read_outcome(self._api, action.path, self._runner.run(action).task)

    def _exported(self, action: Action, file_id: str, draft: Path) -> bool:
        """Whether draft now holds the whole file of one successful task; False when the file changed under our hands."""
        ended = self._runner.run(action)
        _require_exported(action, ended.task)
        place = f"{self._model.path}/files/{file_id}"
        try:
            chunks = files.download(self._api, place, draft)
        except FileChangedError:
            return False
        listed = {str(one.get("id")): one for one in self._api.list(f"{self._model.path}/files", "files")}
        stated = listed.get(file_id, {}).get("chunkCount")
        if isinstance(stated, int) and stated > 0 and stated != len(chunks):
            raise TransientError(
                f"The file of the {action.label} has {stated} chunks, but {len(chunks)} were listed.",
                holds="The file was not used; the model is unchanged.",
                next_step=action.again,
            )
        return not self._runner.task_ids(action) - ended.known

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


def _require_exported(action: Action, task: dict[str, Any]) -> None:
    result = task.get("result") or {}
    if task.get("taskState") == "COMPLETE" and result.get("successful") is True:
        return
    said = "; ".join(messages_of(result))
    cancelled = task.get("taskState") == "CANCELLED"
    kind = TransientError if cancelled else SetupError
    raise kind(
        f"The {action.label} ended {task.get('taskState')}, not successful. {said}".strip(),
        holds="No file of it was used: an older one may still lie there. The model is unchanged.",
        next_step="Somebody cancelled it: run the step again."
        if cancelled
        else "The model builder can run the export by hand and see why; then run the step again.",
    )


def _keeps_changing(export_name: str) -> TransientError:
    return TransientError(
        f"The file of the export {export_name} was replaced by another run while it was read, {_EXPORTS_MAX} times.",
        holds="No file of it was used; the model is unchanged.",
        next_step="Find out who else runs this export as the same user, then run the step again.",
    )
