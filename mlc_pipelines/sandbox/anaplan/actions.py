"""What a task does when its time has come: the effect of an import, an export, a process or another action."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from mlc_pipelines.sandbox.anaplan.built import (
    Action,
    ExportAction,
    FileImport,
    ImportAction,
    ListImport,
    OtherAction,
    Process,
)
from mlc_pipelines.sandbox.anaplan.deeds import DEEDS
from mlc_pipelines.sandbox.anaplan.exports import write_table
from mlc_pipelines.sandbox.anaplan.imports import RefusedRow, evaluate, write
from mlc_pipelines.sandbox.anaplan.listimports import REPEATED_KEY, evaluate_list
from mlc_pipelines.sandbox.anaplan.mapping import Asked, answers_for, objection_to
from mlc_pipelines.sandbox.anaplan.model import Dump, Model
from mlc_pipelines.sandbox.anaplan.results import Result, detail, dump_csv, import_details, list_details, result
from mlc_pipelines.sandbox.anaplan.tasks import CANCELLED, DONE, Ending


@dataclass(frozen=True, slots=True)
class _Run:
    """One task at its end: whose it is, which, and when."""

    user: str
    task: str
    at: datetime
    asked: Asked


def effect_of(model: Model, action: Action, user: str, task_id: str, asked: Asked = ()) -> Callable[[datetime], Ending]:
    """What running the action does to the model, to be called at the instant at which the task ends.

    `asked` are the mapping parameters as they were sent.
    """

    def run(at: datetime) -> Ending:
        model.saved(at, user)
        if objection := objection_to(model, action, asked):
            return _failed(model, action, "missingFields", objection)
        return _run_action(model, action, _Run(user, task_id, at, asked))

    return run


def _run_action(model: Model, action: Action, run: _Run) -> Ending:
    if isinstance(action, Process):
        return _run_process(model, action, run)
    if isinstance(action, ImportAction | ListImport):
        return _run_import(model, action, run)
    if isinstance(action, ExportAction):
        return _run_export(model, action, run)
    return _run_other(model, action)


def _run_other(model: Model, action: OtherAction) -> Ending:
    type_, text = "taskElementSucceeded", f"{action.name} has run."
    if action.does:
        type_, text = DEEDS[action.does](model)
    return Ending(DONE, _result(model, action, True, [detail(type_, text)]))


def _result(model: Model, action: Action, good: bool, details: list[dict[str, object]], dump: bool = False) -> Result:
    return result(
        action.id, action.name, successful=good, details=details, dump=dump, named=model.switches["object_name"]
    )


def _run_import(model: Model, action: FileImport, run: _Run) -> Ending:
    how = model.switches
    if how["import_ends"] == "CANCELLED":
        return Ending(CANCELLED, _result(model, action, False, [detail("msgImportCancelled", "Import cancelled.")]))
    if how["import_ends"] == "UNSUCCESSFUL":
        return _failed(model, action, "importFailedGeneralError", "The import failed.")
    chunks = model.files[action.file].chunks(run.user, run.at, how["unfinished_upload"])
    if not chunks:
        return _failed(model, action, "uploadedFileNoLongerAvailable", "The uploaded file is no longer available.")
    if isinstance(action, ListImport):
        return _run_list_import(model, action, run, b"".join(chunks))
    return _run_module_import(model, action, run, b"".join(chunks))


def _run_module_import(model: Model, action: ImportAction, run: _Run, content: bytes) -> Ending:
    how, module = model.switches, model.modules[action.module]
    outcome = evaluate(action, module, model.files[action.file], content, how, answers_for(model, action, run.asked)[0])
    if outcome.missing:
        return _failed(model, action, "missingFields", f"Missing columns: {', '.join(outcome.missing)}")
    write(module, outcome, how["clear_target"])
    _keep_dump(model, action, run, outcome.header, outcome.refused)
    good = how["successful_despite_failures"] or not outcome.refused
    details = import_details(outcome, how["details_style"])
    return Ending(DONE, _result(model, action, good, details, dump=bool(outcome.refused)), outcome.ignored)


def _run_list_import(model: Model, action: ListImport, run: _Run, content: bytes) -> Ending:
    how, target = model.switches, model.lists[action.list]
    if model.deployed and not target.production:
        text = f"{target.name} is not production data and the model is in deployed mode"
        return _failed(model, action, "hierarchyImportFailed", text)
    roster, outcome = evaluate_list(action, target, model.files[action.file], content, how)
    if outcome.missing:
        return _failed(model, action, "missingFields", f"Missing columns: {', '.join(outcome.missing)}")
    if outcome.repeated and how["list_import_duplicates"] == "reject":
        return _failed(model, action, REPEATED_KEY, f"{outcome.repeated} rows of the source repeat a key")
    roster.commit(model)
    _keep_dump(model, action, run, outcome.header, outcome.refused)
    good = how["successful_despite_failures"] or not outcome.failed
    details = list_details(outcome, how["details_style"])
    return Ending(DONE, _result(model, action, good, details, dump=bool(outcome.refused)))


def _keep_dump(model: Model, action: FileImport, run: _Run, header: list[str], refused: list[RefusedRow]) -> None:
    """The dump of the latest failing task stays; a clean run takes it away. Reference: anaplan 6.4 [S]."""
    if refused:
        model.dumps[run.user, action.id] = Dump(run.task, dump_csv(header, refused), run.at)
    else:
        model.dumps.pop((run.user, action.id), None)


def _failed(model: Model, action: Action, type_: str, text: str) -> Ending:
    return Ending(DONE, _result(model, action, False, [detail(type_, text)]))


def _run_export(model: Model, action: ExportAction, run: _Run) -> Ending:
    how = model.switches
    if how["export_ends"] == "CANCELLED":
        return Ending(CANCELLED, _result(model, action, False, [detail("msgExportCancelled", "Export cancelled.")]))
    if how["export_ends"] == "UNSUCCESSFUL":
        return _failed(model, action, "actionFailed", "The export failed.")
    content = write_table(action, model.modules[action.module], how)
    size = how["export_chunk_bytes"]
    chunks = [content[start : start + size] for start in range(0, len(content), size)]
    model.files[action.id].replace(run.user, chunks, run.at)
    done = detail("exportSucceeded", f"{action.name} has been exported.")
    if how["export_rows_told"]:
        done["values"] = ["exportedRowsCount", str(content.count(b"\n") - 1)]
    return Ending(DONE, _result(model, action, True, [done]))


def _run_process(model: Model, action: Process, run: _Run) -> Ending:
    """Run the steps in order. Not atomic: what came before a failed step stays [S]; that it stops there is [I]."""
    endings: list[Ending] = []
    stops = model.switches["process_after_failure"] == "stop"
    for step in (one for step_id in action.steps for one in model.built if one.id == step_id):
        endings.append(_run_action(model, step, run))
        if endings[-1].state == CANCELLED or (stops and not endings[-1].result["successful"]):
            break
    nested = [ending.result for ending in endings]
    ignored = sum(ending.ignored for ending in endings) if model.switches["process_counts_ignored"] else 0
    good = all(step["successful"] for step in nested) and not ignored
    body = _result(model, action, good, [], dump=any(step["failureDumpAvailable"] for step in nested))
    return Ending(endings[-1].state, {**body, "nestedResults": nested})
