"""A model: dimensions, modules and their cells, what a model builder made in it, and the queue of its tasks."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from mlc_pipelines.sandbox.anaplan.built import KINDS, Action, View
from mlc_pipelines.sandbox.anaplan.dimension import Dimension, Member
from mlc_pipelines.sandbox.anaplan.files import DataFile
from mlc_pipelines.sandbox.anaplan.reads import ReadRequest
from mlc_pipelines.sandbox.anaplan.switches import Switches
from mlc_pipelines.sandbox.anaplan.tasks import Queue
from mlc_pipelines.sandbox.anaplan.timescale import Calendar

Key = tuple[str, ...]
Cells = dict[Key, Decimal]


@dataclass(frozen=True, slots=True)
class LineItem:
    """A measure. `year_to_date_of` names the line item that it accumulates over the fiscal year; "" is an input.

    `text`: it holds texts, not numbers.
    """

    id: str
    name: str
    year_to_date_of: str = ""
    text: bool = False

    @property
    def formula(self) -> str:
        """The formula as a model builder would read it, or ""."""
        return f"YEARTODATE('{self.year_to_date_of}')" if self.year_to_date_of else ""


class Module:
    """A grid: line items by dimensions. Cells stand sparsely, keyed by member keys in the order of the dimensions.

    `inputs` are the numbers by line item, `texts` the texts. `blanks` are cells of the first line item of numbers that show
    nothing, not even a zero: a planner has been there and emptied them. A number in `inputs` goes before.
    """

    def __init__(
        self, module_id: str, name: str, dimensions: list[Dimension], time: Calendar, items: list[LineItem]
    ) -> None:
        """`time` is that of the model; a module need not have it among its dimensions."""
        self.id, self.name, self.dimensions, self.time, self.items = module_id, name, dimensions, time, items
        self.inputs: dict[str, Cells] = {item.name: {} for item in items if not item.year_to_date_of and not item.text}
        self.texts: dict[str, dict[Key, str]] = {item.name: {} for item in items if item.text}
        self.blanks: set[Key] = set()

    def item(self, name: str) -> LineItem:
        """The line item of this name; KeyError when there is none."""
        return {item.name: item for item in self.items}[name]

    @property
    def main_item(self) -> str:
        """The first line item that is an input of numbers; KeyError when there is none."""
        for name in self.inputs:
            return name
        raise KeyError(f"a line item of numbers in {self.name}")

    def values(self, name: str) -> Cells:
        """All values of a line item, calculated where it has a formula."""
        item = self.item(name)
        return self._year_to_date(self.inputs[item.year_to_date_of]) if item.year_to_date_of else self.inputs[name]

    def written(self, name: str) -> set[Key]:
        """The cells of an input in which somebody was, those left blank among them."""
        if name in self.texts:
            return set(self.texts[name])
        return {*self.inputs[name], *(self.blanks if name == self.main_item else ())}

    def bare(self, name: str) -> dict[Key, str]:
        """What the cells without a number show: the texts of a line item of texts, nothing where a number was left blank."""
        if name in self.texts:
            return self.texts[name]
        if self.item(name).year_to_date_of or name != self.main_item:
            return {}
        return {key: "" for key in self.blanks if key not in self.inputs[name]}

    def sort_key(self, key: Key) -> tuple[int, ...]:
        """Display order of a cell."""
        return tuple(dimension.order[part] for dimension, part in zip(self.dimensions, key, strict=True))

    def follow(self, dimension: Dimension, keys: dict[str, str]) -> None:
        """Take the cells along after a list has changed: `keys` leads from the old member keys to those that are left.

        Cells of a member that is gone, or that has become a total, are dropped. Reference: [I].
        """
        if dimension not in self.dimensions:
            return
        place = self.dimensions.index(dimension)
        left = {old: new for old, new in keys.items() if new not in dimension.totals}

        def moved(key: Key) -> Key:
            return (*key[:place], left[key[place]], *key[place + 1 :])

        for name, cells in self.inputs.items():
            self.inputs[name] = {moved(key): amount for key, amount in cells.items() if key[place] in left}
        for name, texts in self.texts.items():
            self.texts[name] = {moved(key): text for key, text in texts.items() if key[place] in left}
        self.blanks = {moved(key) for key in self.blanks if key[place] in left}

    def _year_to_date(self, cells: Cells) -> Cells:
        """Running sums within each fiscal year, from the first period with a value to the end of the year."""
        place = self.dimensions.index(self.time)
        labels = {(month.year, month.number): label for label, month in self.time.months.items()}
        years: defaultdict[tuple[Key, int], dict[int, Decimal]] = defaultdict(dict)
        for key, amount in cells.items():
            month = self.time.months[key[place]]
            years[key[:place] + key[place + 1 :], month.year][month.number] = amount
        sums: Cells = {}
        for (rest, year), amounts in years.items():
            running = Decimal(0)
            for number in range(min(amounts), self.time.periods_in_year + 1):
                running += amounts.get(number, Decimal(0))
                sums[(*rest[:place], labels[year, number], *rest[place:])] = running
        return sums


@dataclass(slots=True)
class Dump:
    """The rows that the latest failing task of a user refused; gone 48 hours after the last look."""

    task: str
    content: bytes
    touched_at: datetime


@dataclass(slots=True)
class Model:
    """One model of a workspace. `switches` is the tenant's own dict, so a change is seen at once.

    `reads` are the large reads by id. `calendar` gives the calendar that the switches ask for, where they have a say;
    `follows` is what else they have a say in, to be called when they have changed.
    """

    id: str
    name: str
    created_at: datetime
    switches: Switches
    time: Calendar
    versions: Dimension
    current_month: str
    lists: dict[str, Dimension] = field(default_factory=dict)
    modules: dict[str, Module] = field(default_factory=dict)
    files: dict[str, DataFile] = field(default_factory=dict)
    views: list[View] = field(default_factory=list)
    built: list[Action] = field(default_factory=list)
    dumps: dict[tuple[str, str], Dump] = field(default_factory=dict)
    reads: dict[str, ReadRequest] = field(default_factory=dict)
    calendar: Callable[[Switches], Calendar] | None = None
    follows: list[Callable[["Model"], None]] = field(default_factory=list)
    queue: Queue = field(default_factory=Queue)
    changed_at: datetime | None = None
    changed_by: str = ""
    serial: int = 1
    closed: bool = False
    opens_at: datetime | None = None

    def actions(self, kind: str) -> list[Action]:
        """Imports, exports, processes or other actions, under the names that the switches give them."""
        found: list[Action] = [action for action in self.built if isinstance(action, KINDS[kind])]
        if kind == "imports" and self.switches["rename_import"]:
            found[0] = replace(found[0], name=self.switches["rename_import"])
        if kind in ("imports", "exports") and self.switches["duplicate_action_names"]:
            found.append(replace(found[0], id=found[0].id[:-2] + "99"))
        return found

    def module_named(self, name: str = "") -> Module:
        """A module by its name, the first without; KeyError when there is none."""
        return (
            {module.name: module for module in self.modules.values()}[name]
            if name
            else next(iter(self.modules.values()))
        )

    def action(self, kind: str, action_id: str) -> Action | None:
        """The action of this kind and id, or None."""
        return next((action for action in self.actions(kind) if action.id == action_id), None)

    def dimension(self, dimension_id: str) -> Dimension | None:
        """A list, Time or Versions by id, or None."""
        return next((one for one in self.dimensions() if one.id == dimension_id), None)

    def dimensions(self) -> list[Dimension]:
        """The lists, Time and Versions."""
        return [*self.lists.values(), self.time, self.versions]

    def relist(self, dimension: Dimension, members: list[Member]) -> None:
        """Put other members into a list; the cells of all modules follow."""
        before = {member.id: member.key for member in dimension.members}
        dimension.put(members)
        keys = {key: dimension.by_id[id_].key for id_, key in before.items() if id_ in dimension.by_id}
        for module in self.modules.values():
            module.follow(dimension, keys)

    def follow_switches(self) -> None:
        """Be as the switches say."""
        self._follow_calendar()
        for follow in self.follows:
            follow(self)

    def _follow_calendar(self) -> None:
        """Cells keep their periods, under whatever label."""
        wanted = self.calendar(self.switches) if self.calendar else self.time
        if wanted.months == self.time.months:
            return
        current = self.time.by_key[self.current_month].id
        self.relist(self.time, wanted.members)
        self.time.take_over(wanted)
        self.current_month = self.time.by_id[current].key

    @property
    def deployed(self) -> bool:
        """Whether only the members of production lists may change. Reference: anaplan 7.3 [S]."""
        return str(self.switches["model_state"]).startswith("PRODUCTION")

    def wake(self, now: datetime) -> None:
        """Begin to load a closed model, which takes its time."""
        if self.closed and self.opens_at is None:
            self.opens_at = now + timedelta(seconds=self.switches["open_seconds"])

    def loaded(self, now: datetime) -> bool:
        """Whether the model is open by now."""
        if self.opens_at is not None and now >= self.opens_at:
            self.closed, self.opens_at = False, None
        return not self.closed

    def abandon(self) -> None:
        """Nobody shall wait for this model any longer."""
        self.queue.abandon()
        self.closed, self.opens_at = False, None

    def saved(self, at: datetime, user: str) -> None:
        """Note who changed the model and when."""
        self.changed_at, self.changed_by, self.serial = at, user, self.serial + 1
