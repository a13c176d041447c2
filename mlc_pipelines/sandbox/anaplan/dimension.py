"""Members and the trees they form: lists, time, versions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property

TIME_ID = "20000000003"
VERSIONS_ID = "20000000020"
USERS_ID = "101999999999"
LINE_ITEMS_ID = "101999999999"
"""Fixed in every model; the axis of line items in a view carries the id of the users. Reference: anaplan 1.2 [S]."""


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

    def copy(self) -> "Dimension":
        """The same list for another model: a change of one does not reach the other."""
        return Dimension(self.id, self.name, list(self.members), self.properties, production=self.production)

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


@dataclass(frozen=True, slots=True)
class Month:
    """A month of the model calendar; `year` is the calendar year in which the fiscal year ends, `number` runs 1 to 12."""

    label: str
    year: int
    number: int
    start: date
    end: date


class Calendar(Dimension):
    """Time by months with quarters and years as parents ("Jul 24", "Q1 FY25", "FY25")."""

    def __init__(self, first_year: int, last_year: int, start_month: int, prefix: str = "FY") -> None:
        """Fiscal years are named by the calendar year in which they end."""
        self.first_year, self.last_year, self.prefix = first_year, last_year, prefix
        self.months: dict[str, Month] = {}
        self.closing: set[tuple[str, str]] = set()
        """Pairs of a month and the quarter or year that it closes."""
        members: list[Member] = []
        for year in range(first_year, last_year + 1):
            self._add_year(year, start_month, members)
        super().__init__(TIME_ID, "Time", members)

    def _add_year(self, year: int, start_month: int, members: list[Member]) -> None:
        year_member = Member(f"50{year}000000", self.year_label(year))
        for quarter in range(1, 5):
            quarter_member = Member(f"50{year}0{quarter}0000", f"Q{quarter} {year_member.name}", parent=year_member.id)
            for number in range(3 * quarter - 2, 3 * quarter + 1):
                month = _month(year, number, start_month)
                self.months[month.label] = month
                members.append(Member(f"50{year}00{number:02d}00", month.label, parent=quarter_member.id))
            members.append(quarter_member)
            self.closing.add((month.label, quarter_member.name))
        members.append(year_member)
        self.closing.add((month.label, year_member.name))

    def year_label(self, year: int) -> str:
        """The label of a fiscal year, such as FY25."""
        return f"{self.prefix}{year % 100:02d}"


def _month(year: int, number: int, start_month: int) -> Month:
    months = start_month - 1 + number - 1
    calendar_year = year - (1 if start_month > 1 else 0) + months // 12
    start = date(calendar_year, months % 12 + 1, 1)
    end = (start + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return Month(f"{start:%b %y}", year, number, start, end)
