"""A list while it is being changed: items added, changed and removed one after the other, then put in place at once.

Names and codes are unique within a list whatever their letter case. Reference: anaplan 9 [S]; the case is [I].
"""

from dataclasses import replace
from typing import Any

from mlc_pipelines.sandbox.anaplan.dimension import Dimension, Member
from mlc_pipelines.sandbox.anaplan.model import Model


class Roster:
    """A working copy of a list. Nothing reaches the model before `commit`."""

    def __init__(self, dimension: Dimension) -> None:
        """The members as they stand."""
        self.dimension = dimension
        self.members = {member.id: member for member in dimension.members}
        self._by_code = {member.code.casefold(): member.id for member in dimension.members if member.code}
        self._by_name = {member.name.casefold(): member.id for member in dimension.members}

    def coded(self, code: str) -> Member | None:
        """The member of a code."""
        return self.members.get(self._by_code.get(code.casefold(), "")) if code else None

    def named(self, name: str) -> Member | None:
        """The member of a name."""
        return self.members.get(self._by_name.get(name.casefold(), "")) if name else None

    def parent(self, text: str) -> Member | None:
        """The member that a text in a parent field means: a name, else a code."""
        return self.named(text) or self.coded(text)

    def add(self, name: str, code: str, parent: str, properties: dict[str, str]) -> Member:
        """A new member at the end; name and code must be free, `parent` is an id or ""."""
        member = Member(self.dimension.next_id(), name, code, parent, properties)
        self._index(member)
        return member

    def change(self, member: Member, **fields: Any) -> Member:
        """The member with other fields."""
        self._forget(member)
        changed = replace(member, **fields)
        self._index(changed)
        return changed

    def remove(self, member: Member) -> None:
        """Take a member out; its children move to the top. Reference: [I]."""
        self._forget(member)
        del self.members[member.id]
        for child in [one for one in self.members.values() if one.parent == member.id]:
            self.change(child, parent="")

    def is_below(self, member: Member, other: Member) -> bool:
        """Whether `member` is `other` or one of its descendants."""
        above: Member | None = member
        while above is not None:
            if above.id == other.id:
                return True
            above = self.members.get(above.parent)
        return False

    def commit(self, model: Model) -> None:
        """Put the list in place; cells follow their members."""
        model.relist(self.dimension, list(self.members.values()))

    def _index(self, member: Member) -> None:
        self.members[member.id] = member
        self._by_name[member.name.casefold()] = member.id
        if member.code:
            self._by_code[member.code.casefold()] = member.id

    def _forget(self, member: Member) -> None:
        self._by_name.pop(member.name.casefold(), None)
        self._by_code.pop(member.code.casefold(), None)
