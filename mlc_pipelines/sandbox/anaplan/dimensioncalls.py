"""Members of dimensions: all of them, those of given codes and names, those of a line item. Reference: anaplan 9 [S]."""

from collections.abc import Iterable
from typing import Any

from starlette.responses import Response

from mlc_pipelines.sandbox.anaplan.dimension import USERS_ID, Dimension, Member
from mlc_pipelines.sandbox.anaplan.gate import Call, Rule
from mlc_pipelines.sandbox.anaplan.model import LineItem, Module
from mlc_pipelines.sandbox.anaplan.wire import RefusedError, enveloped, page


def all_dimension_items(call: Call) -> Response:
    """All members of a dimension; not of Time [S]."""
    dimension = _dimension(call)
    if dimension is call.model.time:
        raise RefusedError(400, "Items of Time cannot be listed")
    return items_answer(call, dimension.members)


def find_dimension_items(call: Call) -> Response:
    """Those of the given codes and names that exist, whatever the letter case; the others are simply absent."""
    body, dimension = call.json(), _dimension(call)
    names, codes = _texts(body, "names"), _texts(body, "codes")
    if not names and not codes:
        raise RefusedError(400, "Give codes or names")
    if codes and call.switches["codes_refused"] and not any(member.code for member in dimension.members):
        raise RefusedError(400, f"{dimension.name} has no codes")
    found = {member.id: member for member in dimension.matching(codes, "code") if member.code}
    found |= {member.id: member for member in dimension.matching(names, "name")}
    return items_answer(call, found.values())


def items_answer(call: Call, members: Iterable[Member]) -> Response:
    """Members as this family of calls shows them; no key at all when there are none [S]."""
    rows = [item_json(call, member) for member in members]
    body = {"items": rows} if rows else {}
    return enveloped(call.request, "dimension", **body)


def item_json(call: Call, member: Member) -> dict[str, Any]:
    """Id, name and code."""
    body = {"id": member.id, "name": member.name}
    return body if not member.code and call.switches["empty_code"] == "omitted" else {**body, "code": member.code}


def line_item_dimensions(call: Call) -> Response:
    """What a line item is spread over; Time and Versions are dimensions like any other."""
    module, _ = line_item(call)
    rows = [{"id": one.id, "name": one.name} for one in module.dimensions]
    return page(call.request, "dimension", "dimensions", rows, cap=call.switches["page_cap"])


def line_item_dimension_items(call: Call) -> Response:
    """The members of a dimension that a line item is spread over, of Time too."""
    module, _ = line_item(call)
    found = next((one for one in module.dimensions if one.id == call.param("d")), None)
    if found is None:
        raise RefusedError(404)
    return items_answer(call, found.members)


def line_item(call: Call) -> tuple[Module, LineItem]:
    """The line item in the path, and its module."""
    for module in call.model.modules.values():
        for item in module.items:
            if item.id == call.param("li"):
                return module, item
    raise RefusedError(404)


def _texts(body: dict[str, Any], name: str) -> list[str]:
    texts = body.get(name) or []
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise RefusedError(400, f"{name} is not a list of texts")
    return texts


def _dimension(call: Call) -> Dimension:
    if call.param("d") == USERS_ID:
        users = [Member(str(int(USERS_ID) + n), user.email) for n, user in enumerate(call.tenant.world.users, start=1)]
        return Dimension(USERS_ID, "Users", users)
    found = call.model.dimension(call.param("d"))
    if found is None:
        raise RefusedError(404)
    return found


RULES = [
    Rule("GET", "/dimensions/{d}/items", all_dimension_items, waits=True),
    Rule("POST", "/dimensions/{d}/items", find_dimension_items, waits=True),
    Rule("GET", "/lineItems/{li}/dimensions", line_item_dimensions, waits=True),
    Rule("GET", "/lineItems/{li}/dimensions/{d}/items", line_item_dimension_items, waits=True),
]
