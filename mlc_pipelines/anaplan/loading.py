"""One file through one import: upload, run, wait, and what the import says it did. By itself, or within a process that wraps it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mlc_pipelines.anaplan.api import Api, GoneError
from mlc_pipelines.anaplan.config import AnaplanConfig
from mlc_pipelines.anaplan.discovery import Model, pick
from mlc_pipelines.anaplan.files import header_of, require_rows
from mlc_pipelines.anaplan.fit import require_fit, unfit
from mlc_pipelines.anaplan.outcome import import_within, read_outcome, read_steps
from mlc_pipelines.anaplan.tasks import Action, Runner
from mlc_pipelines.anaplan.upload import Uploaded, held_hash, upload
from mlc_pipelines.ledger.errors import PipelineError, SetupError
from mlc_pipelines.ledger.ports import ImportOutcome

_AGAIN = "Run the load again: it sends the whole slice and reads it back."
_COMPARED_BYTES_MAX = 25_000_000


@dataclass(frozen=True, slots=True)
class Target:
    """An import of a file, by id and name; process: id and name of the process that runs it, "" where the import runs by itself."""

    import_id: str
    import_name: str
    file_id: str
    process_id: str = ""
    process_name: str = ""

    def action(self, model_path: str, parameters: Mapping[str, str]) -> Action:
        """What is started to load the file."""
        if self.process_id:
            path, label = f"{model_path}/processes/{self.process_id}", f"process {self.process_name}"
        else:
            path, label = f"{model_path}/imports/{self.import_id}", f"import {self.import_name}"
        return Action(path, label, _AGAIN, True, parameters)


class Loader:
    """Files into one model. The caller holds the model's fence: the uploaded file is unprotected until the import has read it."""

    def __init__(self, api: Api, model: Model, runner: Runner, config: AnaplanConfig) -> None:
        self._api = api
        self._model = model
        self._runner = runner
        self._config = config

    def require_import(self, import_name: str, columns: Sequence[str], process: str) -> None:
        """Hold the import's own idea of its file against ours; the API shows it in `importMetadata.source` [S OAS, APIMD]."""
        target = self._target(import_name, process)
        self._require_fit(target, columns)

    def load(self, import_name: str, path: Path, process: str, parameters: Mapping[str, str]) -> ImportOutcome:
        """An import or process that was remade since it was looked up is looked up once more (404, B08)."""
        require_rows(path)
        columns = header_of(path)
        target = self._target(import_name, process)
        try:
            return self._loaded(target, columns, path, parameters)
        except GoneError as error:
            self._model.forget()
            fresh = self._target(import_name, process)
            if fresh == target:
                raise error.within(holds="The import was not started; the model is unchanged.") from None
        return self._loaded(fresh, columns, path, parameters)

    def _loaded(
        self, target: Target, columns: Sequence[str], path: Path, parameters: Mapping[str, str]
    ) -> ImportOutcome:
        self._require_fit(target, columns)
        place = f"{self._model.path}/files/{target.file_id}"
        sent = self._uploaded(target, place, path)
        action = target.action(self._model.path, parameters)
        task = self._runner.run(action).task
        if target.process_id:
            steps = read_steps(self._api, action.path, action.label, task)
            outcome = import_within(steps, target.import_id, target.import_name)
        else:
            outcome = read_outcome(self._api, action.path, task)
        return self._annotated(outcome, place, target.file_id, sent)

    def _uploaded(self, target: Target, place: str, path: Path) -> Uploaded:
        try:
            return upload(
                self._api,
                place,
                target.file_id,
                path,
                chunk_bytes=self._config.chunk_bytes,
                workers=self._config.upload_workers,
            )
        except PipelineError as error:
            raise error.within(
                what=f"The file for the import {target.import_name} was not uploaded:",
                holds="The model is unchanged: the import was not started.",
            ) from None

    def _annotated(self, outcome: ImportOutcome, place: str, file_id: str, sent: Uploaded) -> ImportOutcome:
        """With what else is to be known: whether the file is still the one sent, and whether a failed import met a full workspace."""
        note = self._file_note(place, file_id, sent)
        said = () if outcome.successful else self._full_workspace()
        return replace(outcome, sent_hash=sent.sha256, file_note=note, messages=(*said, *outcome.messages))

    def _file_note(self, place: str, file_id: str, sent: Uploaded) -> str:
        """A file that changed under a running import is loaded without an error [S SDK docs/concepts.md]; a small one is read again."""
        if sent.bytes > _COMPARED_BYTES_MAX:
            return ""
        try:
            held = held_hash(self._api, place)
        except PipelineError as error:
            return (
                f"Whether the uploaded file {file_id} is still the one that was sent could not be seen ({error.what})"
            )
        if held == sent.sha256:
            return ""
        return (
            f"The uploaded file {file_id} is not the one that was sent any more (sent {sent.sha256[:12]}, held {held[:12] or 'nothing'}): "
            "another process uploads to it as the same user."
        )

    def _full_workspace(self) -> tuple[str, ...]:
        """A full workspace stops imports, under messages that nobody has recorded; its sizes tell [S OAS tenantDetails]."""
        try:
            listed = self._api.list("/workspaces", "workspaces", tenantDetails="true")
        except PipelineError as error:
            return (f"Whether the workspace is full could not be seen ({error.what})",)
        mine = next((one for one in listed if f"/workspaces/{one.get('id')}/" in self._model.path), {})
        size, allowed = mine.get("currentSize"), mine.get("sizeAllowance")
        if not isinstance(size, int) or not isinstance(allowed, int) or not 0 < allowed <= size:
            return ()
        return (f"The workspace {mine.get('name')} is full: {size:,} of {allowed:,} bytes are in use",)

    def _require_fit(self, target: Target, columns: Sequence[str]) -> None:
        found = {"importDataSourceId": target.file_id}
        metadata = self._api.get(f"{self._model.path}/imports/{target.import_id}").get("importMetadata") or {}
        require_fit(target.import_name, found, metadata, columns)

    def _target(self, import_name: str, process: str) -> Target:
        """The import by what is known of the model; by a fresh look where a process that is known has gone."""
        if process:
            try:
                return self._within(import_name, process)
            except GoneError:
                self._model.forget()
            return self._within(import_name, process)
        found = self._model.find("imports", "import", import_name)
        return Target(str(found["id"]), import_name, self._file_of(import_name, found))

    def _within(self, import_name: str, process: str) -> Target:
        """The import that the process runs: the one named, or the only one of a file."""
        found = self._model.find("processes", "process", process)
        place = f"{self._model.path}/processes/{found['id']}"
        metadata = self._api.get(place, params={"showImportDataSource": "true"}).get("processMetadata") or {}
        imports = [step for step in metadata.get("actions") or [] if step.get("importDataSourceId")]
        where = f"The process {process}"
        step = _one_import(import_name, imports, where)
        name = str(step.get("name") or step["id"])
        return Target(str(step["id"]), name, self._file_of(name, step), str(found["id"]), process)

    def _file_of(self, import_name: str, found: Mapping[str, Any]) -> str:
        source = str(found.get("importDataSourceId") or "")
        if not source:
            raise unfit(import_name, ["it does not read a file"])
        return str(self._model.find("files", "file", source)["id"])


def _one_import(import_name: str, imports: Sequence[dict[str, Any]], where: str) -> dict[str, Any]:
    each = list({str(one.get("id")): one for one in imports}.values())
    if not import_name and len(each) != 1:
        raise _which(where, each)
    step = pick("import", import_name, each, where) if import_name else each[0]
    if [one.get("id") for one in imports].count(step["id"]) > 1:
        raise _runs_twice(where, step)
    return step


def _which(where: str, imports: Sequence[Mapping[str, Any]]) -> SetupError:
    listed = ", ".join(f"{one.get('name')!r} (id {one.get('id')})" for one in imports)
    return SetupError(
        f"{where} runs {len(imports)} imports of a file{f': {listed}' if listed else ''}.",
        holds="Nothing was sent.",
        next_step="Name the import that takes the figures beside the process in the connection file."
        if imports
        else "Have the model builder put the import into the process, or correct the name of the process in the connection file.",
    )


def _runs_twice(where: str, step: Mapping[str, Any]) -> SetupError:
    return SetupError(
        f"{where} runs the import {step.get('name')!r} (id {step.get('id')}) more than once.",
        holds="Nothing was sent.",
        next_step="Have the model builder leave one of them out: which of their outcomes is meant could not be told.",
    )
