"""Members and the trees they form: lists, versions; time stands in `timescale`."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Self

TIME_ID = "20000000003"
VERSIONS_ID = "20000000020"
USERS_ID = "101999999999"
LINE_ITEMS_ID = "101999999999"
"""Fixed in every model; the axis of line items in a view carries the id of the users. Reference: anaplan 1.2 [S]."""


SINGULAR = {
    "Accounts": "Account",
    "Cost Centers": "Cost Center",
    "Vendors": "Vendor",
    "Plan Versions": "Plan",
    "Time": "Period",
    "Versions": "Version",
}


@dataclass(frozen=True, slots=True)
class Member:
    """One item of a dimension. `parent` is the parent's id, or "". A member with children is a total.

    `properties` holds the texts of the list's properties by name; one that is not there is blank.
    """

    id: str
    name: str
    code: str = ""
    parent: str = ""
    properties: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def key(self) -> str:
        """What stands for the member in the key of a cell: the code, where there is one."""
        return self.code or self.name


class Dimension:
    """A list, Time or Versions: members in their order.

    `properties` are the list's properties with their formats (TEXT, NUMBER, BOOLEAN). `production` marks a list whose
    members are data, so that they may change in a deployed model. Reference: anaplan 7.3, 9 [S].
    """

    def __init__(
        self,
        dimension_id: str,
        name: str,
        members: list[Member],
        properties: Mapping[str, str] | None = None,
        *,
        production: bool = False,
    ) -> None:
        """Members stand in display order; every parent named is among them."""
        self.id, self.name, self.members = dimension_id, name, members
        self.properties, self.production = dict(properties or {}), production
        self.first = int(dimension_id) + 100_000_000_000
        self.newest = max((int(member.id) for member in members), default=self.first)

    def copy(self) -> Self:
        """The same list for another model: a change of one does not reach the other.

        What is derived from the members is shared until one of them is given others.
        """
        return copy.copy(self)

    @property
    def singular(self) -> str:
        """What one member is called: the column of an export."""
        return SINGULAR.get(self.name, self.name)

    @property
    def field(self) -> str:
        """The same as the name of a field, for tests: "cost_center"."""
        return self.singular.lower().replace(" ", "_")

    def put(self, members: list[Member]) -> None:
        """Other members in place of those that were there."""
        self.members = members
        for derived in ("by_id", "by_key", "order", "totals"):
            self.__dict__.pop(derived, None)

    def next_id(self) -> str:
        """The id of a new member: never one that was used before."""
        self.newest += 1
        return str(self.newest)

    @cached_property
    def by_id(self) -> dict[str, Member]:
        """Members by id."""
        return {member.id: member for member in self.members}

    @cached_property
    def by_key(self) -> dict[str, Member]:
        """Members by the text that stands for them in a cell key."""
        return {member.key: member for member in self.members}

    @cached_property
    def order(self) -> dict[str, int]:
        """Place of each member key in the display order."""
        return {member.key: place for place, member in enumerate(self.members)}

    @cached_property
    def totals(self) -> frozenset[str]:
        """Keys of the members that have children."""
        parents = {member.parent for member in self.members}
        return frozenset(member.key for member in self.members if member.id in parents)

    def chain(self, key: str) -> list[str]:
        """The member itself and all its ancestors, by key."""
        member, chain = self.by_key[key], [key]
        while member.parent:
            member = self.by_id[member.parent]
            chain.append(member.key)
        return chain

    def matching(self, texts: list[str], field: str) -> list[Member]:
        """Members whose name or code is among the texts, whatever the letter case."""
        wanted = {text.casefold() for text in texts}
        return [member for member in self.members if getattr(member, field).casefold() in wanted]
