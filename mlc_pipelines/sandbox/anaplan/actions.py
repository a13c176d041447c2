"""What a task does when its time has come: the effect of an import, an export, a process or another action."""

from collections.abc import Callable
from datetime import datetime

from mlc_pipelines.sandbox.anaplan.exports import write_table
from mlc_pipelines.sandbox.anaplan.imports import evaluate, write
from mlc_pipelines.sandbox.anaplan.model import (
    Action,
    Dump,
    ExportAction,
    ImportAction,
    Model,
    Process,
)
from mlc_pipelines.sandbox.anaplan.results import Result, detail, dump_csv, import_details, result
from mlc_pipelines.sandbox.anaplan.tasks import CANCELLED, DONE, Ending


def effect_of(model: Model, action: Action, user: str, task_id: str) -> Callable[[datetime], Ending]:
    """What running the action does to the model, to be called at the instant at which the task ends."""

    def run(at: datetime) -> Ending:
        model.saved(at, user)
        if isinstance(action, Process):
            return _run_process(model, action, user, task_id, at)
        return _run_step(model, action, user, task_id, at)

    return run


def _run_step(model: Model, action: Action, user: str, task_id: str, at: datetime) -> Ending:
    if isinstance(action, ImportAction):
        return _run_import(model, action, user, task_id, at)
    if isinstance(action, ExportAction):
        return _run_export(model, action, user, at)
    return Ending(DONE, _result(model, action, True, [detail("taskElementSucceeded", f"{action.name} has run.")]))


def _result(model: Model, action: Action, good: bool, details: list[dict[str, object]], dump: bool = False) -> Result:
    return result(
        action.id, action.name, successful=good, details=details, dump=dump, named=model.switches["object_name"]
    )


def _run_import(model: Model, action: ImportAction, user: str, task_id: str, at: datetime) -> Ending:
    how = model.switches
    if how["import_ends"] == "CANCELLED":
        return Ending(CANCELLED, _result(model, action, False, [detail("msgImportCancelled", "Import cancelled.")]))
    if how["import_ends"] == "UNSUCCESSFUL":
        return _failed(model, action, "importFailedGeneralError", "The import failed.")
    source = model.files[action.file]
    chunks = source.chunks(user, at, how["unfinished_upload"])
    if not chunks:
        return _failed(model, action, "uploadedFileNoLongerAvailable", "The uploaded file is no longer available.")
    module = model.modules[action.module]
    outcome = evaluate(action, module, source, b"".join(chunks), how)
    if outcome.missing:
        return _failed(model, action, "missingFields", f"Missing columns: {', '.join(outcome.missing)}")
    write(module, outcome, how["clear_target"])
    if outcome.refused:
        content = dump_csv(outcome.header, outcome.refused)
        model.dumps[user, action.id] = Dump(task_id, content, at)
    else:
        model.dumps.pop((user, action.id), None)
    good = how["successful_despite_failures"] or not outcome.refused
    details = import_details(outcome, how["details_style"])
    return Ending(DONE, _result(model, action, good, details, dump=bool(outcome.refused)), outcome.ignored)


def _failed(model: Model, action: Action, type_: str, text: str) -> Ending:
    return Ending(DONE, _result(model, action, False, [detail(type_, text)]))


def _run_export(model: Model, action: ExportAction, user: str, at: datetime) -> Ending:
    how = model.switches
    if how["export_ends"] == "CANCELLED":
        return Ending(CANCELLED, _result(model, action, False, [detail("msgExportCancelled", "Export cancelled.")]))
    if how["export_ends"] == "UNSUCCESSFUL":
        return _failed(model, action, "actionFailed", "The export failed.")
    content = write_table(action, model.modules[action.module], how)
    size = how["export_chunk_bytes"]
    chunks = [content[start : start + size] for start in range(0, len(content), size)]
    model.files[action.id].replace(user, chunks, at)
    return Ending(DONE, _result(model, action, True, [detail("exportSucceeded", f"{action.name} has been exported.")]))


def _run_process(model: Model, action: Process, user: str, task_id: str, at: datetime) -> Ending:
    """Run the steps in order. Not atomic: a step that failed stops the process, what came before stays [S]."""
    endings: list[Ending] = []
    for step in (one for step_id in action.steps for one in model.built if one.id == step_id):
        endings.append(_run_step(model, step, user, task_id, at))
        if endings[-1].state == CANCELLED or not endings[-1].result["successful"]:
            break
    nested = [ending.result for ending in endings]
    ignored = sum(ending.ignored for ending in endings) if model.switches["process_counts_ignored"] else 0
    good = all(step["successful"] for step in nested) and not ignored
    body = _result(model, action, good, [], dump=any(step["failureDumpAvailable"] for step in nested))
    return Ending(endings[-1].state, {**body, "nestedResults": nested})
