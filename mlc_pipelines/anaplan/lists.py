"""Lists: their members with properties, and writing members by the list-item calls."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import pandas as pd

from mlc_pipelines.anaplan.api import Api, content_of
from mlc_pipelines.anaplan.discovery import Model
from mlc_pipelines.ledger.errors import SetupError, UncertainError
from mlc_pipelines.ledger.ports import MembersWritten

_ITEMS_MAX = 20_000  # 100,000 in a call are allowed [S PM]; fewer keep the body small
_FIELDS = {"code", "name", "parent"}


def read_members(api: Api, model: Model, list_name: str, properties: Sequence[str] = ()) -> pd.DataFrame:
    """Members of a list in its order: code, name, parent (name of it, or ""), leaf; and a column for each property asked for.

    A member is a leaf when no other one names it as parent. Raises SetupError for a property that the list does not have.
    """
    found = model.find("lists", "list", list_name)
    place = f"{model.path}/lists/{found['id']}"
    if properties:
        _require_properties(api, place, list_name, properties)
    items = api.list(f"{place}/items", "listItems", includeAll="true")
    parents = {item.get("parentId") or item.get("parent") for item in items}
    rows = [
        (
            str(item.get("code") or ""),
            str(item.get("name") or ""),
            str(item.get("parent") or ""),
            item.get("id") not in parents and item.get("name") not in parents,
            *(_property(item, name) for name in properties),
        )
        for item in items
    ]
    frame = pd.DataFrame(rows, columns=["code", "name", "parent", "leaf", *properties])
    return frame.astype({"leaf": bool})


def _property(item: dict[str, Any], name: str) -> str:
    """An unset property is left out of the answer [S OAS]."""
    value = (item.get("properties") or {}).get(name)
    return str(value).lower() if isinstance(value, bool) else str("" if value is None else value)


def _require_properties(api: Api, place: str, list_name: str, properties: Sequence[str]) -> None:
    metadata = api.get(place).get("metadata") or {}
    if metadata.get("numberedList"):
        raise SetupError(
            f"The Anaplan list {list_name} is numbered: its members have no names of their own.",
            holds="Nothing was sent.",
            next_step="Take it out of `lists` in the connection file; the model builder can load it by an import.",
        )
    there = [str(one.get("name")) for one in metadata.get("properties") or []]
    if missing := [name for name in properties if name not in there]:
        raise SetupError(
            f"The Anaplan list {list_name} has no property {', '.join(missing)}; it has {', '.join(there) or 'none'}.",
            holds="Nothing was sent.",
            next_step="Have the model builder add it, or take it out of `lists` in the connection file.",
        )


def write_members(
    api: Api, model: Model, list_name: str, members: pd.DataFrame, how: Literal["add", "update"]
) -> MembersWritten:
    """Add members, or change members found by their code. Each call is sent once; a lost answer raises UncertainError.

    members: code, name, parent (code or name, "" for none) and properties. Partial success is normal [S OAS, PM]: the caller reads back.
    """
    found = model.find("lists", "list", list_name)
    place = f"{model.path}/lists/{found['id']}/items"
    taken, refused = 0, []
    for start in range(0, len(members), _ITEMS_MAX):
        part = members.iloc[start : start + _ITEMS_MAX]
        rows = [{str(name): text for name, text in row.items()} for row in part.to_dict("records")]
        items = [_item(row) for row in rows]
        method = "POST" if how == "add" else "PUT"
        answer = content_of(api.caller.write(method, f"{place}?action={how}", json={"items": items}))
        counted = answer.get("added" if how == "add" else "updated")
        if not isinstance(counted, int):
            raise UncertainError(
                f"Anaplan {method} {place} answered without a count of members.",
                holds="They may have been written.",
                next_step="Run it again: it reads the list first.",
            )
        taken += counted
        for failure in answer.get("failures") or []:
            refused.append(_refusal(failure, rows))
    return MembersWritten(taken, pd.DataFrame(refused, columns=["code", "name", "reason"], dtype=object))


def _item(row: Mapping[str, Any]) -> dict[str, Any]:
    """A blank parent or property is left out: what is there stays."""
    item: dict[str, Any] = {"name": row["name"], "code": row["code"]}
    if row["parent"]:
        item["parent"] = row["parent"]
    properties = {name: text for name, text in row.items() if name not in _FIELDS and text != ""}
    return {**item, "properties": properties} if properties else item


def _refusal(failure: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> tuple[str, str, str]:
    place = failure.get("requestIndex")
    row = rows[place] if isinstance(place, int) and 0 <= place < len(rows) else {"code": "", "name": ""}
    reason = failure.get("failureMessageDetails") or failure.get("failureType") or "no reason given"
    return str(row["code"]), str(row["name"]), str(reason)
