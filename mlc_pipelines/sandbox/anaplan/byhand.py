"""A list as a planner sees and edits it by hand: for tests, behind a client's back."""

from typing import Any

from mlc_pipelines.sandbox.anaplan.dimension import Dimension, Member
from mlc_pipelines.sandbox.anaplan.model import Model
from mlc_pipelines.sandbox.anaplan.roster import Roster


def members_of(model: Model, list_name: str) -> list[dict[str, Any]]:
    """The members in display order; the parent by its code. KeyError without such a list."""
    target = _list_named(model, list_name)
    return [
        {
            "id": member.id,
            "name": member.name,
            "code": member.code,
            "parent": target.by_id[member.parent].key if member.parent else "",
            "properties": dict(member.properties),
        }
        for member in target.members
    ]


def edit_member(model: Model, list_name: str, code: str, *, remove: bool = False, **fields: Any) -> None:
    """Add, change or remove a member. KeyError on a list, a parent or a member to remove that is not there."""
    roster = Roster(_list_named(model, list_name))
    member = roster.coded(code)
    if remove:
        roster.remove(_there(member, code))
    else:
        _put_member(roster, member, code, fields)
    roster.commit(model)


def _list_named(model: Model, name: str) -> Dimension:
    return {one.name: one for one in model.lists.values()}[name]


def _there(member: Member | None, code: str) -> Member:
    if member is None:
        raise KeyError(code)
    return member


def _put_member(roster: Roster, member: Member | None, code: str, fields: dict[str, Any]) -> None:
    """A new member, or the same one with other fields; what is not named stays."""
    old = member or Member("", code, code)
    parent = _there(roster.coded(fields["parent"]), fields["parent"]).id if fields.get("parent") else old.parent
    name, properties = str(fields.get("name", old.name)), {**old.properties, **fields.get("properties", {})}
    if member is None:
        roster.add(name, code, parent, properties)
    else:
        roster.change(member, name=name, parent=parent, properties=properties)
