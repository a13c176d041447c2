"""A view laid out: its axes, the page that is looked at, and the values as a grid or as a table.

Reference: anaplan 9, 11.6 [S]; the order of the columns of a table is [I].
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import prod
from typing import NamedTuple

from mlc_pipelines.sandbox.anaplan.built import View
from mlc_pipelines.sandbox.anaplan.dimension import LINE_ITEMS_ID, Dimension
from mlc_pipelines.sandbox.anaplan.exports import exact_text, noisy_text
from mlc_pipelines.sandbox.anaplan.model import Cells, Key, Model, Module
from mlc_pipelines.sandbox.anaplan.totals import Shown, shown_cells

Line = Sequence[str]


class Entry(NamedTuple):
    """One member on an axis: its id, what the view shows for it, and its key; of a line item the key is its name."""

    id: str
    label: str
    key: str


@dataclass(frozen=True, slots=True)
class Axis:
    """A dimension on rows, columns or pages, with the members that the view shows, in order."""

    id: str
    name: str
    entries: list[Entry]

    def only(self, entry: Entry) -> "Axis":
        """The same axis with one member."""
        return Axis(self.id, self.name, [entry])


@dataclass(frozen=True, slots=True)
class Layout:
    """A view with its axes resolved."""

    model: Model
    module: Module
    view: View
    rows: list[Axis]
    columns: list[Axis]
    pages: list[Axis]

    @property
    def axes(self) -> list[Axis]:
        """All axes."""
        return [*self.rows, *self.columns, *self.pages]

    def on_page(self, chosen: Mapping[str, str]) -> "Layout":
        """The layout with one member per page axis: the chosen item id, else the first. KeyError on an unknown one."""
        pages = []
        for axis in self.pages:
            by_id = {entry.id: entry for entry in axis.entries}
            pages.append(axis.only(by_id[chosen[axis.id]] if axis.id in chosen else axis.entries[0]))
        return replace(self, pages=pages)

    def size(self) -> int:
        """Number of cells."""
        return prod(len(axis.entries) for axis in self.axes)


def default_view(module: Module) -> View:
    """What a module shows without further ado: lists and versions on pages, line items by time; without time the lists by line items."""
    pages = tuple(one.id for one in module.dimensions if one is not module.time)
    items = tuple(item.name for item in module.items)
    if module.time not in module.dimensions:
        return View(module.id, module.name, module.id, pages, (LINE_ITEMS_ID,), (), items)
    return View(module.id, module.name, module.id, (LINE_ITEMS_ID,), (module.time.id,), pages, items)


def laid_out(model: Model, view: View) -> Layout:
    """The axes of a view with all the members that it shows."""
    module = model.modules[view.module]
    labels = model.switches["view_members"] if view.labels == "setting" else view.labels
    axes = {one.id: _axis(one, view, labels) for one in module.dimensions}
    by_name = {item.name: Entry(item.id, item.name, item.name) for item in module.items}
    axes[LINE_ITEMS_ID] = Axis(LINE_ITEMS_ID, "Line items", [by_name[name] for name in view.items])
    return Layout(model, module, view, *([axes[id_] for id_ in ids] for ids in (view.rows, view.columns, view.pages)))


def _axis(dimension: Dimension, view: View, labels: str) -> Axis:
    shown = dict(view.shown).get(dimension.id)
    entries = [
        Entry(member.id, member.code if labels == "code" and member.code else member.name, member.key)
        for member in dimension.members
        if not (view.leaves_only and member.key in dimension.totals) and (shown is None or member.key in shown)
    ]
    return Axis(dimension.id, dimension.name, entries)


class Values:
    """What stands in the cells of a layout, as far as something was ever written or calculated."""

    def __init__(self, layout: Layout) -> None:
        """Works out what the layout shows, no more."""
        shown = {axis.id: frozenset(entry.key for entry in axis.entries) for axis in layout.axes}
        texts, names = layout.module.texts, line_items(layout)
        self.cells: dict[str, Cells] = {
            name: {} if name in texts else shown_cells(layout.module, name, shown) for name in names
        }
        self.bare = {name: _shown_bare(layout.module, name, shown) for name in names}
        self.nothing = {name: "" if name in texts else "0" for name in names}
        self.text = noisy_text if layout.model.switches["float_noise"] else exact_text
        self._order = [one.id for one in layout.module.dimensions]
        ids = [axis.id for axis in layout.axes]
        self._places, self._item = [ids.index(id_) for id_ in self._order], ids.index(LINE_ITEMS_ID)

    def at(self, combination: tuple[Entry, ...]) -> str:
        """The value under one entry of each axis, in the order of the layout's axes; "0" where no number was written."""
        name, key = combination[self._item].key, tuple(combination[place].key for place in self._places)
        amount = self.cells[name].get(key)
        return self.text(amount) if amount else self.bare[name].get(key, self.nothing[name])

    def keys_on(self, axes: list[Axis]) -> set[Key]:
        """Keys of the combinations on some axes under which something stands."""
        places = [None if axis.id == LINE_ITEMS_ID else self._order.index(axis.id) for axis in axes]
        return {
            tuple(item if place is None else key[place] for place in places)
            for item, cells in self.cells.items()
            for key in (*cells, *self.bare[item])
        }


def _shown_bare(module: Module, name: str, shown: Shown) -> dict[Key, str]:
    """What cells without a number show, among the shown members."""
    limits = [shown[one.id] for one in module.dimensions]
    return {
        key: text
        for key, text in module.bare(name).items()
        if all(part in members for part, members in zip(key, limits, strict=True))
    }


def line_items(layout: Layout) -> list[str]:
    """Names of the line items that a layout shows."""
    return [entry.key for axis in layout.axes if axis.id == LINE_ITEMS_ID for entry in axis.entries]


def _written(layout: Layout, values: Values, axes: list[Axis]) -> set[Key] | None:
    """Keys on some axes that a filtered view shows; None where it shows all."""
    return values.keys_on(axes) if layout.view.filtered and layout.model.switches["view_filter"] else None


def _combinations(axes: list[Axis], written: set[Key] | None) -> Iterator[tuple[Entry, ...]]:
    """One entry of each axis, in display order; with `written` those alone."""
    if written is None:
        yield from product(*(axis.entries for axis in axes))
        return
    places = [{entry.key: place for place, entry in enumerate(axis.entries)} for axis in axes]
    for numbers in sorted(tuple(place[part] for place, part in zip(places, key, strict=True)) for key in written):
        yield tuple(axis.entries[number] for axis, number in zip(axes, numbers, strict=True))


def grid_rows(layout: Layout) -> Iterator[tuple[list[str], list[str]]]:
    """Row labels and values of one page, row by row; a filtered view leaves out what was never written."""
    values, page = Values(layout), tuple(axis.entries[0] for axis in layout.pages)
    columns = list(product(*(axis.entries for axis in layout.columns)))
    for row in _combinations(layout.rows, _written(layout, values, layout.rows)):
        yield [entry.label for entry in row], [values.at((*row, *column, *page)) for column in columns]


def grid_table(layout: Layout) -> Iterator[Line]:
    """One page as lines: the page's members, one line per dimension on columns, then the rows."""
    if layout.pages:
        yield [axis.entries[0].label for axis in layout.pages]
    columns = list(product(*(axis.entries for axis in layout.columns)))
    for place in range(len(layout.columns)):
        yield [""] * len(layout.rows) + [column[place].label for column in columns]
    for labels, texts in grid_rows(layout):
        yield labels + texts


def all_pages_table(layout: Layout) -> Iterator[Line]:
    """Every page, one below the other."""
    for page in product(*(axis.entries for axis in layout.pages)):
        pages = [axis.only(entry) for axis, entry in zip(layout.pages, page, strict=True)]
        yield from grid_table(replace(layout, pages=pages))


def multi_column_table(layout: Layout) -> Iterator[Line]:
    """One line per combination of members, the line items as columns; filtered, only what was ever written."""
    values, by_id = Values(layout), {axis.id: axis for axis in layout.axes}
    axes = [by_id[one.id] for one in layout.module.dimensions]
    yield [*(axis.name for axis in axes), *values.cells]
    columns = [(cells, values.bare[name], values.nothing[name]) for name, cells in values.cells.items()]
    for labels, key in _labelled_keys(axes, _written(layout, values, axes)):
        yield (
            *labels,
            *(values.text(cells[key]) if cells.get(key) else bare.get(key, none) for cells, bare, none in columns),
        )


def _labelled_keys(axes: list[Axis], written: set[Key] | None) -> Iterator[tuple[Key, Key]]:
    """Labels and keys of the combinations; of a whole view without an entry between, for there may be a million."""
    if written is None:
        labels = product(*([entry.label for entry in axis.entries] for axis in axes))
        yield from zip(labels, product(*([entry.key for entry in axis.entries] for axis in axes)), strict=True)
        return
    for entries in _combinations(axes, written):
        yield tuple(entry.label for entry in entries), tuple(entry.key for entry in entries)


def single_column_table(layout: Layout) -> Iterator[Line]:
    """One line per cell."""
    items, table = line_items(layout), multi_column_table(layout)
    yield [*next(table)[: -len(items)], "Line items", "Value"]
    for row in table:
        for item, text in zip(items, row[-len(items) :], strict=True):
            yield [*row[: -len(items)], item, text]


TABLES = {
    "GRID_CURRENT_PAGE": grid_table,
    "GRID_ALL_PAGES": all_pages_table,
    "TABULAR_MULTI_COLUMN": multi_column_table,
    "TABULAR_SINGLE_COLUMN": single_column_table,
    "TABULAR_SINGLE_ITEMS": single_column_table,
}
"""By the export types of the API; both spellings of the single column are in the documents [S]."""
