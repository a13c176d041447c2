"""A model: dimensions, modules and their cells, the actions that a model builder made, and the queue of its tasks."""

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from mlc_pipelines.sandbox.anaplan.dimension import Calendar, Dimension
from mlc_pipelines.sandbox.anaplan.files import DataFile
from mlc_pipelines.sandbox.anaplan.switches import Switches
from mlc_pipelines.sandbox.anaplan.tasks import Queue

Key = tuple[str, ...]
Cells = dict[Key, Decimal]


@dataclass(frozen=True, slots=True)
class LineItem:
    """A measure. `year_to_date_of` names the line item that it accumulates over the fiscal year; "" is an input."""

    id: str
    name: str
    year_to_date_of: str = ""

    @property
    def formula(self) -> str:
        """The formula as a model builder would read it, or ""."""
        return f"YEARTODATE('{self.year_to_date_of}')" if self.year_to_date_of else ""


class Module:
    """A grid: line items by dimensions. Cells stand sparsely, keyed by member keys in the order of the dimensions."""

    def __init__(
        self, module_id: str, name: str, dimensions: list[Dimension], time: Calendar, items: list[LineItem]
    ) -> None:
        """`time` is one of the dimensions."""
        self.id, self.name, self.dimensions, self.time, self.items = module_id, name, dimensions, time, items
        self.inputs: dict[str, Cells] = {item.name: {} for item in items if not item.year_to_date_of}

    def item(self, name: str) -> LineItem:
        """The line item of this name; KeyError when there is none."""
        return {item.name: item for item in self.items}[name]

    def values(self, name: str) -> Cells:
        """All values of a line item, calculated where it has a formula."""
        item = self.item(name)
        return self._year_to_date(self.inputs[item.year_to_date_of]) if item.year_to_date_of else self.inputs[name]

    def sort_key(self, key: Key) -> tuple[int, ...]:
        """Display order of a cell."""
        return tuple(dimension.order[part] for dimension, part in zip(self.dimensions, key, strict=True))

    def _year_to_date(self, cells: Cells) -> Cells:
        """Running sums within each fiscal year, from the first month with a value to the end of the year."""
        place = self.dimensions.index(self.time)
        labels = {(month.year, month.number): label for label, month in self.time.months.items()}
        years: defaultdict[tuple[Key, int], dict[int, Decimal]] = defaultdict(dict)
        for key, amount in cells.items():
            month = self.time.months[key[place]]
            years[key[:place] + key[place + 1 :], month.year][month.number] = amount
        sums: Cells = {}
        for (rest, year), amounts in years.items():
            running = Decimal(0)
            for number in range(min(amounts), 13):
                running += amounts.get(number, Decimal(0))
                sums[(*rest[:place], labels[year, number], *rest[place:])] = running
        return sums


@dataclass(frozen=True, slots=True)
class ImportAction:
    """A saved import. `columns` maps each header of the file to a dimension or line item of the module, by name."""

    id: str
    name: str
    file: str
    module: str
    columns: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ExportAction:
    """A saved export of a module into the file of the same id."""

    id: str
    name: str
    module: str
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OtherAction:
    """An action without data, such as setting the current period. Its running changes no cell."""

    id: str
    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Process:
    """Actions run one after the other, by id; not atomic."""

    id: str
    name: str
    steps: tuple[str, ...]


Action = ImportAction | ExportAction | OtherAction | Process
KINDS: dict[str, type] = {
    "imports": ImportAction,
    "exports": ExportAction,
    "actions": OtherAction,
    "processes": Process,
}


@dataclass(slots=True)
class Dump:
    """The rows that the latest failing task of a user refused; gone 48 hours after the last look."""

    task: str
    content: bytes
    touched_at: datetime


@dataclass(slots=True)
class Model:
    """One model of a workspace. `switches` is the tenant's own dict, so a change is seen at once."""

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
    built: list[Action] = field(default_factory=list)
    dumps: dict[tuple[str, str], Dump] = field(default_factory=dict)
    queue: Queue = field(default_factory=Queue)
    changed_at: datetime | None = None
    changed_by: str = ""
    serial: int = 1

    def actions(self, kind: str) -> list[Action]:
        """Imports, exports, processes or other actions, under the names that the switches give them."""
        found: list[Action] = [action for action in self.built if isinstance(action, KINDS[kind])]
        if kind == "imports" and self.switches["rename_import"]:
            found[0] = replace(found[0], name=self.switches["rename_import"])
        if kind in ("imports", "exports") and self.switches["duplicate_action_names"]:
            found.append(replace(found[0], id=found[0].id[:-2] + "99"))
        return found

    def action(self, kind: str, action_id: str) -> Action | None:
        """The action of this kind and id, or None."""
        return next((action for action in self.actions(kind) if action.id == action_id), None)

    def dimension(self, dimension_id: str) -> Dimension | None:
        """A list, Time or Versions by id, or None."""
        return {**self.lists, self.time.id: self.time, self.versions.id: self.versions}.get(dimension_id)

    def saved(self, at: datetime, user: str) -> None:
        """Note who changed the model and when."""
        self.changed_at, self.changed_by, self.serial = at, user, self.serial + 1
