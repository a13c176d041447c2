"""Texts about one member, such as who approved a plan: properties of a list, cells of a saved view, or the file of an export.

Nothing is trimmed, turned or guessed: what is to be believed must stand there once, under the names that the connection gives.
"""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from mlc_pipelines.anaplan.api import Api
from mlc_pipelines.anaplan.cells import CSV, TABLE
from mlc_pipelines.anaplan.discovery import Model
from mlc_pipelines.anaplan.exporting import Exporter
from mlc_pipelines.anaplan.lists import read_members
from mlc_pipelines.ledger.errors import DataError, SetupError
from mlc_pipelines.ledger.ports import TextsWay

_UNCHANGED = "The model is unchanged by the reading, and nothing was decided upon it."


def read_texts(
    api: Api, model: Model, exporter: Exporter, way: TextsWay, member: str, names: Sequence[str]
) -> dict[str, str]:
    """The texts of one member by name. Raises SetupError for a member or column that is missing or stands there twice."""
    if way.by == "list":
        return _from_list(api, model, way, member, names)
    if way.by == "view":
        return _from_table(_viewed(api, model, way), way, member, names)
    if way.by == "export":
        return _from_table(_exported(exporter, way), way, member, names)
    raise SetupError(
        f"Texts are read from a list, a view or an export, not from a {way.by} ({way.name}).",
        holds=_UNCHANGED,
        next_step="Write list, view or export into the connection file.",
    )


def _from_list(api: Api, model: Model, way: TextsWay, member: str, names: Sequence[str]) -> dict[str, str]:
    members = read_members(api, model, way.name, names)
    rows = members[(members["name"] == member) | (members["code"] == member)]
    _require_one(way, member, len(rows), members["name"].tolist())
    return {name: str(rows.iloc[0][name]) for name in names}


def _from_table(content: bytes, way: TextsWay, member: str, names: Sequence[str]) -> dict[str, str]:
    """From a table with a header; the member stands in its first column."""
    try:
        header, *rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
    except (ValueError, csv.Error) as error:
        raise DataError(
            f"The {way.by} {way.name} is no table in UTF-8 ({error}).",
            holds=_UNCHANGED,
            next_step="Have the model builder show it as a table of texts with one line of column names.",
        ) from None
    if wrong := [name for name in names if header[1:].count(name) != 1]:
        raise SetupError(
            f"The {way.by} {way.name} has no column {', '.join(wrong)}, or more than one of that name; it has {', '.join(header)}.",
            holds=_UNCHANGED,
            next_step="Correct the names in the connection file, or have the model builder add the line items.",
        )
    found = [row for row in rows if row and row[0] == member]
    _require_one(way, member, len(found), [row[0] for row in rows if row])
    if len(found[0]) != len(header):
        raise DataError(
            f"The {way.by} {way.name} has {len(found[0])} fields for {member} under {len(header)} names.",
            holds=_UNCHANGED,
            next_step="Run the step again; if it stays so, have the model builder look at the texts of that member.",
        )
    return {name: found[0][header.index(name, 1)] for name in names}


def _viewed(api: Api, model: Model, way: TextsWay) -> bytes:
    view = model.find("views", "view", way.name)
    params = {"exportType": TABLE, "moduleId": str(view.get("moduleId") or view["id"])}
    answer = api.caller.read("GET", f"{model.path}/views/{view['id']}/data", params=params, headers=CSV)
    answer.require_no_html()
    return answer.body


def _exported(exporter: Exporter, way: TextsWay) -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "texts.csv"
        exporter.export(way.name, path)
        return path.read_bytes()


def _require_one(way: TextsWay, member: str, found: int, there: Sequence[str]) -> None:
    if found == 1:
        return
    listed = ", ".join(repr(name) for name in there[:10]) + (" ..." if len(there) > 10 else "")
    raise SetupError(
        f"The {way.by} {way.name} has {found} members {member!r}."
        + ("" if found else f" There is: {listed or 'none'}."),
        holds=_UNCHANGED,
        next_step="Have the model builder rename all but one of them."
        if found
        else "Correct the name in the connection file, or have the model builder add the member.",
    )
