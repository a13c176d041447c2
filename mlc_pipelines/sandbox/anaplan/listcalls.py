"""Lists: what there is, their metadata, their members as JSON or as a table. Reference: anaplan 9 [S]."""

from collections.abc import Sequence
from typing import Any

from starlette.responses import Response

from mlc_pipelines.sandbox.anaplan.dimension import Dimension, Member
from mlc_pipelines.sandbox.anaplan.gate import Call, Rule
from mlc_pipelines.sandbox.anaplan.wire import RefusedError, binary, csv_table, enveloped, ordered, page

PREVIEW_ROWS = 1000
ITEMS_MAX = 1_000_000
"""Most members that one call gives; the large read is for more [S]."""


def list_lists(call: Call) -> Response:
    """The lists, without Time and Versions."""
    rows = [{"id": one.id, "name": one.name} for one in call.model.lists.values()]
    rows = ordered(rows, call.request.query_params)
    return page(call.request, "list", "lists", rows, cap=call.switches["page_cap"])


def show_list(call: Call) -> Response:
    """The metadata of one list."""
    one = the_list(call)
    body = {
        "id": one.id,
        "name": one.name,
        "hasSelectiveAccess": False,
        "properties": [
            {"name": name, "format": format_, "formula": "", "notes": "", "referencedBy": ""}
            for name, format_ in one.properties.items()
        ],
        "productionData": one.production,
        "managedBy": "",
        "numberedList": False,
        "useTopLevelAsPageDefault": False,
        "itemCount": len(one.members),
        "nextItemIndex": one.newest % 1_000_000_000 + 1,
        "workflowEnabled": False,
        "permittedItems": 999_999_999,
        "usedInAppliesTo": "",
    }
    return enveloped(call.request, "list", metadata=body)


def list_items(call: Call) -> Response:
    """The members with their parents; properties and subsets only with `includeAll=true` [S].

    Without a limit all of them come, not 5,000 [C: the SDK reads lists in one call].
    """
    one = the_list(call)
    if len(one.members) > ITEMS_MAX:
        raise RefusedError(400, f"The list has more than {ITEMS_MAX:,} items")
    if call.request.headers.get("accept", "").startswith("text/csv"):
        return binary(csv_table(list_table(one)), "text/csv")
    full = call.request.query_params.get("includeAll") == "true"
    rows = [_item_json(one, member, full) for member in one.members]
    cap = call.switches["page_cap"] if "limit" in call.request.query_params else ITEMS_MAX
    return page(call.request, "listItem", "listItems", rows, cap=cap, default=ITEMS_MAX)


def _item_json(one: Dimension, member: Member, full: bool) -> dict[str, Any]:
    body: dict[str, Any] = {"id": member.id, "name": member.name, "code": member.code}
    if member.parent:
        body |= {"parent": one.by_id[member.parent].name, "parentId": member.parent}
    if full:
        body |= {"listId": one.id, "listName": one.name, "properties": dict(member.properties), "subsets": {}}
    return body


def preview(call: Call) -> Response:
    """The first rows as a table."""
    return binary(csv_table(list_table(the_list(call))[: PREVIEW_ROWS + 1]), "text/csv")


def list_table(one: Dimension) -> list[Sequence[str]]:
    """A list as a table: name under the list's own name, parent, code, properties. The header's words are [I]."""
    rows: list[Sequence[str]] = [[one.name, "Parent", "Code", *one.properties]]
    for member in one.members:
        parent = one.by_id[member.parent].name if member.parent else ""
        texts = [member.properties.get(name, "") for name in one.properties]
        rows.append([member.name, parent, member.code, *texts])
    return rows


def the_list(call: Call) -> Dimension:
    """The list in the path."""
    found = call.model.lists.get(call.param("l"))
    if found is None:
        raise RefusedError(404)
    return found


RULES = [
    Rule("GET", "/lists", list_lists, waits=True),
    Rule("GET", "/lists/{l}", show_list, waits=True),
    Rule("GET", "/lists/{l}/items", list_items, waits=True),
    Rule("GET", "/lists/{l}/preview", preview, waits=True),
]
