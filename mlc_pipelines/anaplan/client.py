"""Anaplan as a planning model: the port `PlanningModel` fulfilled over the Integration API 2.0."""

import csv
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pandas as pd

from mlc_pipelines.anaplan import files
from mlc_pipelines.anaplan.api import Api
from mlc_pipelines.anaplan.config import AnaplanConfig, AnaplanCredential
from mlc_pipelines.anaplan.discovery import Model
from mlc_pipelines.anaplan.outcome import read_outcome
from mlc_pipelines.anaplan.tasks import Runner
from mlc_pipelines.ledger.errors import SetupError, TransientError
from mlc_pipelines.ledger.ports import ImportOutcome

_FREE = {"Open", "Closed"}  # idle, or not loaded: the next call wakes it [S HELP-status]
_LOOK_SECONDS = 2.0


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
        parents = {item.get("parentId") for item in items} | {item.get("parent") for item in items}
        rows = [
            (
                str(item.get("code") or ""),
                str(item["name"]),
                str(item.get("parent") or ""),
                not {item.get("id"), item["name"]} & parents,
            )
            for item in items
        ]
        return pd.DataFrame(rows, columns=["code", "name", "parent", "leaf"]).astype({"leaf": bool})

    def require_import(self, import_name: str, columns: Sequence[str]) -> None:
        """Hold the import's own idea of its file against ours; the API shows it in `importMetadata.source` [S OAS, APIMD]."""
        found = self._model.find("imports", "import", import_name)
        metadata = self._api.get(f"{self._model.path}/imports/{found['id']}").get("importMetadata") or {}
        source = metadata.get("source")
        if metadata.get("type") == "MODEL" or not isinstance(source, dict) or not found.get("importDataSourceId"):
            raise _unfit(import_name, ["it does not read a file"])
        expected = {
            "columnSeparator": ",",
            "textDelimiter": '"',
            "headerRow": 1,
            "firstDataRow": 2,
            "decimalSeparator": ".",
        }
        wrong = [
            f"its {name} is {source[name]!r}, ours is {ours!r}"
            for name, ours in expected.items()
            if name in source and source[name] != ours
        ]
        if str(source.get("textEncoding", "UTF-8")).upper().replace("_", "-") not in {"UTF-8", "UTF8"}:
            wrong.append(f"its encoding is {source['textEncoding']}, ours is UTF-8")
        if list(source.get("headerNames") or []) != list(columns):
            wrong.append(f"its columns are {', '.join(source.get('headerNames') or [])}; ours are {', '.join(columns)}")
        if wrong:
            raise _unfit(import_name, wrong)

    def wait_until_free(self) -> None:
        """The model's status sees whoever is inside: a person, CloudWorks, a task left over by a killed run [S HELP-status]."""
        give_up_at = self._clock() + self._config.wait_seconds
        while (busy := self._status()).get("currentStep") not in _FREE:
            if self._clock() > give_up_at:
                who = " ".join(str(busy.get("tooltip") or busy.get("currentStep")).split())
                raise TransientError(
                    f"{self._model} was busy for {self._config.wait_seconds:.0f} seconds: {who}",
                    holds="Nothing was sent.",
                    next_step="Wait for that work to end, or have it cancelled in Model Management, then run the load again.",
                )
            self._sleep(_LOOK_SECONDS)

    def import_file(self, import_name: str, path: Path) -> ImportOutcome:
        found = self._model.find("imports", "import", import_name)
        file = self._model.find("files", "file", str(found.get("importDataSourceId")))
        files.upload(self._api, f"{self._model.path}/files/{file['id']}", file, path, self._config.chunk_bytes)
        action = f"{self._model.path}/imports/{found['id']}"
        return read_outcome(self._api, action, self._runner.run(action))

    def export_file(self, export_name: str, path: Path) -> list[str]:
        """Run the export; its file has the id of the export [S OAS issue 18] and is used only when this very task made it."""
        found = self._model.find("exports", "export", export_name)
        task = self._runner.run(f"{self._model.path}/exports/{found['id']}")
        result = task.get("result") or {}
        if task.get("taskState") != "COMPLETE" or result.get("successful") is not True:
            said = "; ".join(str(detail.get("localMessageText")) for detail in result.get("details") or [])
            raise TransientError(
                f"The export {export_name} ended {task.get('taskState')}, not successful. {said}".strip(),
                holds="No file of it was used: an older one may still lie there.",
                next_step="Run the step again; if it stays so, the model builder can run the export by hand and see why.",
            )
        files.download(self._api, f"{self._model.path}/files/{found['id']}", path)
        with path.open(encoding="utf-8-sig", newline="") as file:
            return next(csv.reader(file))

    def _status(self) -> dict[str, Any]:
        """Works as GET in both path forms; the help documents POST [S OAS, HELP-status]. The body has no envelope."""
        answer = self._api.get(f"{self._model.path}/status")
        status = answer.get("requestStatus")
        return status if isinstance(status, dict) else {}


def _unfit(import_name: str, wrong: Sequence[str]) -> SetupError:
    return SetupError(
        f"The import {import_name} does not fit our file: {'; '.join(wrong)}.",
        holds="Nothing was sent.",
        next_step="Have the model builder set the import up for this file, or correct `actuals` in the connection file.",
    )
