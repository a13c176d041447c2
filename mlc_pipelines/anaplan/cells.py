"""Reading a view as a table, one row per combination: in one call (up to a million cells), or as a large read, page by page of any size."""

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from mlc_pipelines.anaplan.api import Api, GoneError
from mlc_pipelines.anaplan.config import AnaplanConfig
from mlc_pipelines.anaplan.discovery import Model
from mlc_pipelines.anaplan.views import only_page, too_large
from mlc_pipelines.ledger.errors import DataError, PipelineError, SetupError, TransientError
from mlc_pipelines.ledger.ports import ReadWay

TABLE = "TABULAR_MULTI_COLUMN"
CSV = {"Accept": "text/csv;escaped=true"}  # some tenants refuse plain CSV [S OAS]
_LINE_MAX = 1 << 16


def read_table(api: Api, model: Model, way: ReadWay, version: str, path: Path) -> None:
    """The whole view in one call, as CSV with our header. Raises SetupError where it is too large, lacks a column, or must be whole and is not.

    Whether a table shows all pages or the default one only is not told [I anaplan.md 9]: of one that must be whole the page is chosen.
    """
    view = model.find("views", "view", way.name)
    params = {"exportType": TABLE, "moduleId": str(view.get("moduleId") or view["id"])}
    if way.whole and (page := only_page(api, f"{model.path}/views/{view['id']}", way, version)):
        params["pages"] = page
    raw = path.with_name(path.name + ".raw")
    try:
        api.caller.download("GET", f"{model.path}/views/{view['id']}/data", raw, params=params, headers=CSV)
        _joined([raw.read_bytes()], way, path)
    except DataError as error:
        raise too_large(way, error) from None
    finally:
        raw.unlink(missing_ok=True)


def read_large(
    api: Api,
    model: Model,
    config: AnaplanConfig,
    way: ReadWay,
    path: Path,
    *,
    sleep: Callable[[float], None],
    clock: Callable[[], float],
) -> None:
    """A large-volume read request: asked for, waited for, fetched page by page, and taken back at the end, however it ends.

    The content is that of the moment of asking. Pages vanish after half an hour without a look [S APIMD].
    """
    view = model.find("views", "view", way.name)
    place = f"{model.path}/views/{view['id']}/readRequests"
    request = _request(api.caller.read("POST", place, json={"exportType": TABLE}).json(), place)
    here = f"{place}/{request['requestId']}"
    try:
        pages = _waited(api, config, way, here, sleep, clock)
        _joined(_each_page(api, here, pages), way, path)
    except BaseException as error:
        _take_back(api, here, error)
        raise
    _take_back(api, here, None)


def _request(answer: Any, place: str) -> dict[str, Any]:
    request = answer.get("viewReadRequest") if isinstance(answer, dict) else None
    if not isinstance(request, dict) or not request.get("requestId"):
        raise SetupError(
            f"Anaplan {place} answered without a read request.", holds="The model is unchanged by the reading."
        )
    return request


def _waited(
    api: Api, config: AnaplanConfig, way: ReadWay, here: str, sleep: Callable[[float], None], clock: Callable[[], float]
) -> int:
    """How many pages there are, once the request is complete."""
    started = clock()
    while True:
        request = _request(api.get(here), here)
        state = str(request.get("requestState"))
        if state in {"COMPLETE", "CANCELLED"}:
            break
        if (spent := clock() - started) >= config.task_seconds:
            raise TransientError(
                f"The large read of the view {way.name} is still {state} after {config.task_seconds:.0f} seconds.",
                holds="The model is unchanged by the reading.",
                next_step="Run the step again when the model is less busy.",
            )
        sleep(config.pause_seconds(spent))
    pages = request.get("availablePages")
    if state != "COMPLETE" or request.get("successful") is not True or not isinstance(pages, int):
        raise TransientError(
            f"The large read of the view {way.name} ended {state}, not successful.",
            holds="The model is unchanged by the reading.",
            next_step="Run the step again: it makes a new request.",  # [S APIMD]
        )
    return pages


def _each_page(api: Api, here: str, pages: int) -> Iterator[bytes]:
    for page in range(pages):
        try:
            answer = api.caller.read("GET", f"{here}/pages/{page}", headers={"Accept": "text/csv"})
        except GoneError as error:
            raise TransientError(
                f"Page {page} of {pages} of the large read is gone: {error.what}", next_step="Run the step again."
            ) from None
        answer.require_no_html()
        yield answer.body


def _take_back(api: Api, here: str, error: BaseException | None) -> None:
    """Free the request. A failure of it never hides the first error."""
    try:
        api.caller.repeat("DELETE", here, expect=(200, 204, 404))
    except PipelineError as problem:
        if error is None:
            raise
        error.add_note(f"Taking the read request back failed as well: {problem}")


def _joined(pages: Iterator[bytes] | list[bytes], way: ReadWay, path: Path) -> None:
    """All pages as one file with our header; a header that each page repeats stands once."""
    header: bytes | None = None
    with path.open("wb") as file:
        for page in pages:
            head, _, rest = page.partition(b"\n")
            if header is None:
                header = head
                file.write(_header(head, way))
            elif head != header:
                file.write(head + b"\n")
            file.write(rest)
            if rest and not rest.endswith(b"\n"):
                file.write(b"\n")
    if header is None:
        raise TransientError(f"The view {way.name} was answered without any content.", holds="Nothing was used.")


def _header(line: bytes, way: ReadWay) -> bytes:
    """Anaplan names the columns after the dimensions; ours are named in the connection file."""
    ours = {
        way.account_list: way.columns.account,
        way.cost_center_list: way.columns.cost_center,
        "Time": way.columns.period,
        "Versions": way.columns.version,
    }
    names = next(csv.reader(io.StringIO(line[:_LINE_MAX].decode("utf-8-sig"))))
    renamed = [ours.get(name, name) for name in names]
    if missing := [name for name in way.columns.header if renamed.count(name) != 1]:
        raise SetupError(
            f"The view {way.name} shows the columns {', '.join(names)}: {', '.join(missing)} is not there exactly once.",
            holds="The model is unchanged by the reading.",
            next_step="Have the model builder put accounts, cost centers, months and versions into the view, and the line item "
            f"{way.columns.amount}.",
        )
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(renamed)
    return out.getvalue().encode()
