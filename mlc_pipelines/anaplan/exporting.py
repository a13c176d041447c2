"""One export into a file: run, and taken only when this very task made it, whole and unchanged while it was read."""

import hashlib
from pathlib import Path
from typing import Any

from mlc_pipelines.anaplan.api import Api
from mlc_pipelines.anaplan.chunks import count_records
from mlc_pipelines.anaplan.counts import exported_rows
from mlc_pipelines.anaplan.discovery import Model
from mlc_pipelines.anaplan.files import FileChangedError, download, has_header_again, header_of
from mlc_pipelines.anaplan.outcome import messages_of
from mlc_pipelines.anaplan.tasks import Action, Runner
from mlc_pipelines.ledger.errors import SetupError, TransientError
from mlc_pipelines.ledger.ports import ExportOutcome

_EXPORTS_MAX = 3


class Exporter:
    """Files out of one model. The caller holds the model's fence."""

    def __init__(self, api: Api, model: Model, runner: Runner) -> None:
        self._api = api
        self._model = model
        self._runner = runner

    def export(self, export_name: str, path: Path) -> ExportOutcome:
        """Run the export and take its file, which has the id of the export [S OAS issue 18].

        A file that another run replaced while it was read is thrown away, and the export is run again, a few times.
        """
        found = self._model.find("exports", "export", export_name)
        place = f"{self._model.path}/exports/{found['id']}"
        action = Action(place, f"export {export_name}", "Run the step again.", False)
        draft = path.with_name(path.name + ".part")
        try:
            for _ in range(_EXPORTS_MAX):
                if outcome := self._exported(action, str(found["id"]), draft):
                    draft.replace(path)
                    return outcome
        finally:
            draft.unlink(missing_ok=True)
        raise _keeps_changing(export_name)

    def _exported(self, action: Action, file_id: str, draft: Path) -> ExportOutcome | None:
        """The whole file of one successful task, in draft; None when the file changed under our hands."""
        ended = self._runner.run(action)
        _require_exported(action, ended.task)
        try:
            chunks = download(self._api, f"{self._model.path}/files/{file_id}", draft)
        except FileChangedError:
            return None
        self._require_all_chunks(action, file_id, len(chunks))
        if self._runner.task_ids(action) - ended.known or has_header_again(draft):
            return None
        rows = count_records(draft) - 1
        said = exported_rows(ended.task.get("result") or {})
        _require_all_rows(action, said, rows)
        with draft.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return ExportOutcome(str(ended.task["taskId"]), tuple(header_of(draft)), rows, digest, said)

    def _require_all_chunks(self, action: Action, file_id: str, chunks: int) -> None:
        listed = {str(one.get("id")): one for one in self._api.list(f"{self._model.path}/files", "files")}
        stated = listed.get(file_id, {}).get("chunkCount")
        if isinstance(stated, int) and stated > 0 and stated != chunks:
            raise TransientError(
                f"The file of the {action.label} has {stated} chunks, but {chunks} were listed.",
                holds="The file was not used; the model is unchanged.",
                next_step=action.again,
            )


def _require_all_rows(action: Action, stated: int | None, rows: int) -> None:
    """Where the task says how many rows it wrote, the file must have them; most say nothing."""
    if stated is not None and stated != rows:
        raise TransientError(
            f"The {action.label} says that it wrote {stated:,} rows, but its file has {rows:,}.",
            holds="The file was not used; the model is unchanged.",
            next_step=action.again,
        )


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
