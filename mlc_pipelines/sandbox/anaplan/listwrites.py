"""Members added, changed and removed one request at a time; what fails is told item by item.

The rules of the update follow Anaplan's own table of scenarios: a member that has a code is named by it, or by its id.
Reference: anaplan 9 [S]; the failure types of duplicates are [I].
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from starlette.responses import Response

from mlc_pipelines.sandbox.anaplan.dimension import Member
from mlc_pipelines.sandbox.anaplan.gate import Call, Rule, require_structure, require_unlocked
from mlc_pipelines.sandbox.anaplan.listcalls import the_list
from mlc_pipelines.sandbox.anaplan.listimports import property_text
from mlc_pipelines.sandbox.anaplan.roster import Roster
from mlc_pipelines.sandbox.anaplan.wire import RefusedError, enveloped

Item = dict[str, Any]


class _ItemError(Exception):
    """One item cannot be taken."""

    def __init__(self, type_: str, text: str, *, duplicate: bool = False) -> None:
        super().__init__(type_, text)
        self.type, self.text, self.duplicate = type_, text, duplicate


class _Tally(NamedTuple):
    done: int
    total: int
    failures: list[dict[str, Any]]


def post_items(call: Call) -> Response:
    """Add or delete, as `action` says."""
    action = call.request.query_params.get("action", "")
    if action == "add":
        _require_structure(call)
        return _changed(call, "added", _add)
    if action == "delete":
        _require_structure(call)
        return _deleted(call)
    raise RefusedError(400, f"Invalid action: {action}")


def put_items(call: Call) -> Response:
    """Update."""
    return _changed(call, "updated", _update)


def reset_index(call: Call) -> Response:
    """Let new members begin at the first number again; only an empty list may."""
    target = the_list(call)
    require_structure(call)
    if target.members:
        raise RefusedError(400, "The list is not empty")
    target.newest = target.first
    return enveloped(call.request, "list")


def _require_structure(call: Call) -> None:
    """A deployed model lets only production lists grow or shrink [S: live 425]."""
    if not the_list(call).production:
        require_structure(call)


def _changed(call: Call, verb: str, take: Callable[[Roster, Item], bool]) -> Response:
    tally = _each(call, take)
    body: dict[str, Any] = {verb: tally.done, "ignored": tally.total - tally.done, "total": tally.total}
    return enveloped(call.request, "list", **body, **_failures(tally))


def _deleted(call: Call) -> Response:
    loud = call.switches["list_delete_unknown"] == "failure"

    def take(roster: Roster, item: Item) -> bool:
        return _delete(roster, item, loud)

    tally = _each(call, take)
    return enveloped(call.request, "list", deleted=tally.done, **_failures(tally))


def _each(call: Call, take: Callable[[Roster, Item], bool]) -> _Tally:
    """Take item by item, then put the list in place. Returns how many were done, and the complaints."""
    items, target = _items(call), the_list(call)
    require_unlocked(call, call.model)
    roster, done, failures = Roster(target), 0, []
    for index, item in enumerate(items):
        try:
            done += take(roster, item)
        except _ItemError as error:
            if not error.duplicate or call.switches["list_duplicates_reported"]:
                failures.append({"requestIndex": index, "failureType": error.type, "failureMessageDetails": error.text})
    if done:
        roster.commit(call.model)
        call.model.saved(call.now, call.user.id)
    return _Tally(done, len(items), failures)


def _failures(tally: _Tally) -> dict[str, Any]:
    """The key is left out when there are none [S]."""
    return {"failures": tally.failures} if tally.failures else {}


def _items(call: Call) -> list[Item]:
    items, cap = call.json().get("items"), call.switches["list_items_cap"]
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise RefusedError(400, "items is not a list of objects")
    if not items or len(items) > cap:
        raise RefusedError(400, f"Give 1 to {cap:,} items in one request")
    return items


# -- one item -----------------------------------------------------------------------------------------------------------


def _add(roster: Roster, item: Item) -> bool:
    name, code = str(item.get("name") or ""), str(item.get("code") or "")
    if not name:
        raise _ItemError("INCOMPLETE_DATA", "incomplete data -- column name:name")
    if roster.named(name):
        raise _format_error("name", f"{name} is in the list already", duplicate=True)
    if roster.coded(code):
        raise _format_error("code", f"{code} is in the list already", duplicate=True)
    roster.add(name, code, _parent(roster, item, None), _properties(roster, item, None))
    return True


def _update(roster: Roster, item: Item) -> bool:
    member = _identified(roster, item)
    name, code = str(item.get("name") or member.name), str(item.get("code") or member.code)
    if "code" in item and not item["code"] and member.code:
        raise _ItemError("INCOMPLETE_DATA", "incomplete data -- column name:code")
    for holder, field, text in ((roster.named(name), "name", name), (roster.coded(code), "code", code)):
        if holder is not None and holder.id != member.id:
            raise _format_error(field, f"{text} is in the list already", duplicate=True)
    parent, properties = _parent(roster, item, member), _properties(roster, item, member)
    roster.change(member, name=name, code=code, parent=parent, properties=properties)
    return True


def _identified(roster: Roster, item: Item) -> Member:
    """The member that an item means: by id, else by code, else by name when the member has no code [S]."""
    if item.get("id"):
        found = roster.members.get(str(item["id"]))
    else:
        found = roster.coded(str(item.get("code") or ""))
        if found is None and (by_name := roster.named(str(item.get("name") or ""))) and not by_name.code:
            found = by_name
    if found is None:
        raise _ItemError("INCOMPLETE_DATA", "incomplete data -- no item of this id or code")
    return found


def _delete(roster: Roster, item: Item, loud: bool) -> bool:
    if bool(item.get("id")) == bool(item.get("code")):
        raise _ItemError("INCOMPLETE_DATA", "incomplete data -- give either id or code")
    found = roster.members.get(str(item["id"])) if item.get("id") else roster.coded(str(item["code"]))
    if found is None:
        if loud:
            raise _ItemError("INCOMPLETE_DATA", "incomplete data -- no such item")
        return False
    roster.remove(found)
    return True


def _parent(roster: Roster, item: Item, member: Member | None) -> str:
    """The id of the parent: unchanged where none is named."""
    text = str(item.get("parent") or "")
    if not text:
        return member.parent if member else ""
    parent = roster.parent(text)
    if parent is None or (member is not None and roster.is_below(parent, member)):
        raise _format_error("parent", text)
    return parent.id


def _properties(roster: Roster, item: Item, member: Member | None) -> dict[str, str]:
    """The property texts after the item: what it does not name stays."""
    texts, formats = dict(member.properties) if member else {}, roster.dimension.properties
    for name in item.get("subsets") or {}:
        raise _format_error(str(name), "no such subset")
    for name, value in (item.get("properties") or {}).items():
        if name not in formats:
            raise _format_error(name, "no such property")
        text = property_text(str(value).lower() if isinstance(value, bool) else str(value), formats[name])
        if text is None:
            raise _format_error(name, f"wrong value for {formats[name].lower()}")
        texts[name] = text
    return texts


def _format_error(column: str, text: str, *, duplicate: bool = False) -> _ItemError:
    """In the words of the recorded failure [S]."""
    return _ItemError(
        "INCORRECT_FORMAT", f"incorrect format -- column name:{column}, value:{text}", duplicate=duplicate
    )


RULES = [
    Rule("POST", "/lists/{l}/items", post_items, waits=True),
    Rule("PUT", "/lists/{l}/items", put_items, waits=True),
    Rule("POST", "/lists/{l}/resetIndex", reset_index, waits=True),
]
