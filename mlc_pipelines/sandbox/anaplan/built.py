"""What a model builder makes in a model: imports, exports, other actions, processes of them, and saved views."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ImportAction:
    """A saved import. `columns` maps each header of the file to a dimension or line item of the module, by name.

    `asks` names the dimensions whose member is given at run time, as a mapping parameter.
    """

    id: str
    name: str
    file: str
    module: str
    columns: tuple[tuple[str, str], ...]
    asks: tuple[str, ...] = ()

    @property
    def target(self) -> str:
        """The importType of the API."""
        return "MODULE_DATA"


@dataclass(frozen=True, slots=True)
class ListImport:
    """A saved import into a list, by code: `columns` maps each header to Code, Name, Parent or a property."""

    id: str
    name: str
    file: str
    list: str
    columns: tuple[tuple[str, str], ...]
    asks: tuple[str, ...] = ()

    @property
    def target(self) -> str:
        """The importType of the API."""
        return "HIERARCHY_DATA"


@dataclass(frozen=True, slots=True)
class ExportAction:
    """A saved export of a module into the file of the same id. `shown` limits dimensions, by id, to some member keys."""

    id: str
    name: str
    module: str
    items: tuple[str, ...]
    shown: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class OtherAction:
    """An action without data of its own. `does` names what it does to the model, if the emulator acts it out."""

    id: str
    name: str
    type: str
    does: str = ""


@dataclass(frozen=True, slots=True)
class Process:
    """Actions run one after the other, by id; not atomic."""

    id: str
    name: str
    steps: tuple[str, ...]


FileImport = ImportAction | ListImport
Action = FileImport | ExportAction | OtherAction | Process
KINDS: dict[str, type | tuple[type, ...]] = {
    "imports": (ImportAction, ListImport),
    "exports": ExportAction,
    "actions": OtherAction,
    "processes": Process,
}


@dataclass(frozen=True, slots=True)
class View:
    """A view of a module: dimension ids by axis, line items among them as `LINE_ITEMS_ID`.

    `shown` limits dimensions to some member keys, `items` the line items. `labels` is code, name, or "setting": what the
    switch `view_members` says. A `filtered` view hides what was never written, unless the switch `view_filter` is off.
    """

    id: str
    name: str
    module: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    pages: tuple[str, ...]
    items: tuple[str, ...]
    leaves_only: bool = False
    shown: tuple[tuple[str, tuple[str, ...]], ...] = ()
    labels: str = "name"
    filtered: bool = False
