"""Reading a saved view as a grid: page by page selection, JSON, at most a million cells; written down as a plain file of cells.

Without `pages` Anaplan answers with the default page only, so that a read-back would compare the wrong slice [I anaplan.md 9]:
each page dimension is selected by name.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from mlc_pipelines.anaplan.api import Api
from mlc_pipelines.anaplan.discovery import Model
from mlc_pipelines.ledger.errors import DataError, PipelineError, SetupError, TransientError
from mlc_pipelines.ledger.ports import ReadWay

TIME, VERSIONS, LINE_ITEMS = "20000000003", "20000000020", "101999999999"  # fixed in every model [S OAS, PM]
_CELLS_MAX = 1_000_000  # [S PM, APIMD]


@dataclass(frozen=True, slots=True)
class _Axis:
    """One dimension of the view, and which of our columns it is: account, cost_center, period, version or item."""

    id: str
    name: str
    role: str


def read_grid(api: Api, model: Model, way: ReadWay, only: tuple[str, str], path: Path) -> bool:
    """The cells of a saved view as CSV with our header; whether other periods are in it too.

    only: period and version asked for. Where versions are pages, each that takes actuals is read by a call of its own; where the
    month is one, only the asked one is. Raises SetupError where the view cannot answer: no such member, accounts on pages, too large.
    """
    view = model.find("views", "view", way.name)
    place = f"{model.path}/views/{view['id']}"
    axes = require_axes(api.get(place), way)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(way.columns.header)
        for selection in _pages(api, place, way, axes["pages"], only):
            writer.writerows(_rows(_data(api, place, way, selection), axes, selection, way))
    return not any(axis.role == "period" for axis in axes["pages"])


def require_axes(answer: Mapping[str, Any], way: ReadWay) -> dict[str, list[_Axis]]:
    """The dimensions of a view, by where they stand. Raises SetupError for a view that cannot show our cells."""
    roles = {way.account_list: "account", way.cost_center_list: "cost_center"}
    fixed = {TIME: "period", VERSIONS: "version", LINE_ITEMS: "item"}
    found = {
        side: [
            _Axis(
                str(one.get("id")),
                str(one.get("name")),
                fixed.get(str(one.get("id"))) or roles.get(str(one.get("name")), ""),
            )
            for one in answer.get(side) or []
        ]
        for side in ("rows", "columns", "pages")
    }
    every = list(chain(*found.values()))
    wrong = [f"it has the dimension {axis.name}, which our cells do not have" for axis in every if not axis.role]
    wrong += [f"it has no dimension for the {role.replace('_', ' ')}" for role in ("account", "cost_center", "period", "version") if role not in {axis.role for axis in every}]  # fmt: skip
    wrong += [f"{axis.name} stands on its pages; put it on rows or columns" for axis in found["pages"] if axis.role in {"account", "cost_center"}]  # fmt: skip
    if wrong:
        raise _unfit(way, "; ".join(wrong))
    return found


def _pages(
    api: Api, place: str, way: ReadWay, axes: Sequence[_Axis], only: tuple[str, str]
) -> Iterator[dict[str, tuple[str, str]]]:
    """The selections to read, role -> (selector, name): the asked page first, then the other versions that take actuals."""
    members = {axis.role: (axis, _members(api, place, axis)) for axis in axes}
    asked = {"period": only[0], "version": only[1], "item": way.columns.amount}
    others = [
        version
        for version in way.versions
        if version != only[1] and "version" in members and version in members["version"][1]
    ]
    for version in (only[1], *others):
        chosen = {**asked, "version": version}
        for role, (axis, names) in members.items():
            if chosen[role] not in names:
                raise _unfit(
                    way, f"{chosen[role]} is not among the {axis.name} of its pages ({', '.join(list(names)[:8])})"
                )
        yield {role: (f"{axis.id}:{names[chosen[role]]}", chosen[role]) for role, (axis, names) in members.items()}
        if "version" not in members:
            return


def only_page(api: Api, place: str, way: ReadWay, version: str) -> str:
    """Selectors of the one page on which a version and the line item stand whole; "" where the view has no pages.

    Raises SetupError where months, accounts or cost centers stand on pages, or the version is on none.
    """
    axes = require_axes(answer := api.get(place), way)["pages"]
    require_months_shown(answer, way)
    selection = next(_pages(api, place, way, axes, ("", version)))
    return ",".join(selector for selector, _ in selection.values())


def require_months_shown(answer: Mapping[str, Any], way: ReadWay) -> None:
    """Refuse a view with months on its pages where it must show everything at once."""
    if paged := [str(one.get("name")) for one in answer.get("pages") or [] if str(one.get("id")) == TIME]:
        raise SetupError(
            f"The view {way.name} has {', '.join(paged)} on its pages, so that a reading may show one month only.",
            holds="The model is unchanged by the reading; nothing was taken from it.",
            next_step="Have the model builder put the months on rows or columns, or name an export in the connection file.",
        )


def _members(api: Api, place: str, axis: _Axis) -> dict[str, str]:
    """Name and code -> id of the members that the view shows of a dimension."""
    items = api.get(f"{place}/dimensions/{axis.id}/items").get("items") or []
    named = {str(item.get("name")): str(item.get("id")) for item in items}
    return {str(item["code"]): str(item.get("id")) for item in items if item.get("code")} | named


def _data(api: Api, place: str, way: ReadWay, selection: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    """One page, JSON: needs the header and `format=v1` both [S OAS, APIMD]; there is no envelope."""
    params = {"format": "v1", "pages": ",".join(selector for selector, _ in selection.values())}
    try:
        answer = api.caller.read("GET", f"{place}/data", params={name: text for name, text in params.items() if text})
    except DataError as error:
        raise too_large(way, error) from None
    content = answer.json()
    if not isinstance(content, dict) or not isinstance(content.get("rows", []), list):
        raise SetupError(f"{answer.call} answered with values of an unknown shape: {answer.excerpt()}")
    return content


def _rows(
    data: Mapping[str, Any], axes: Mapping[str, Sequence[_Axis]], selection: Mapping[str, tuple[str, str]], way: ReadWay
) -> Iterator[list[str]]:
    """One row per cell that holds something: account, cost center, period, version, amount."""
    paged = {role: name for role, (_, name) in selection.items()}
    columns = [
        dict(zip([axis.role for axis in axes["columns"]], labels, strict=True))
        for labels in data.get("columnCoordinates") or []
    ]
    for row in data.get("rows") or []:
        held = dict(zip([axis.role for axis in axes["rows"]], row["rowCoordinates"], strict=True))
        if len(row["cells"]) != len(columns):
            raise TransientError(
                f"The view {way.name} was answered with {len(row['cells'])} cells for {len(columns)} columns."
            )
        for column, text in zip(columns, row["cells"], strict=True):
            at = {**paged, **held, **column}
            if text not in ("", "0", None) and at.get("item", way.columns.amount) == way.columns.amount:
                yield [at["account"], at["cost_center"], at["period"], at["version"], str(text)]


def too_large(way: ReadWay, error: PipelineError) -> SetupError:
    """A refused read of values, with what most often is the matter."""
    return SetupError(
        f"The view {way.name} cannot be read: {error.what}",
        holds="The model is unchanged by the reading.",
        next_step=f"A view may have {_CELLS_MAX:,} cells in one reading. Have the model builder make it smaller, or write `by: large_read` "
        "under `actuals.read_back` in the connection file.",
    )


def _unfit(way: ReadWay, why: str) -> SetupError:
    return SetupError(
        f"The view {way.name} cannot prove the figures: {why}.",
        holds="The model is unchanged by the reading.",
        next_step="Have the model builder change the view: accounts and cost centers on rows, months on columns, versions on rows or pages; "
        "or choose another way under `actuals.read_back` in the connection file.",
    )
