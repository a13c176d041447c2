"""What a service publishes about its entity sets ($metadata), held against the columns that are used, before any row is read.

Version 2 answers it as JSON CSDL when JSON is asked for: a property without `$Type` is Edm.String [C SUG]; as EDMX otherwise [S SNO].
Columns differ by release and table, and one unknown column refuses the whole request [C SUG].
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.transport.answers import Answer, decode

NOT_CHECKED = "The columns of Kinetic's services were not checked (erp.check_fields is false): one that was renamed stops the reading only when it is asked for."
_NAMED = 8
_BY_DEFAULT = "Edm.String"


@dataclass(frozen=True)
class Kind:
    """One type of rows: its columns with their EDM types, and the children below it with the name of their type."""

    columns: Mapping[str, str] = field(default_factory=dict)
    children: Mapping[str, str] = field(default_factory=dict)
    base: str = ""


@dataclass(frozen=True)
class Published:
    """The entity sets of one service, each with the name of its type, and the types."""

    sets: Mapping[str, str]
    kinds: Mapping[str, Kind]

    def kind(self, name: str) -> Kind:
        """A type by name, with what it inherits."""
        own = self.kinds.get(_bare(name), Kind())
        if not own.base or _bare(own.base) == _bare(name):
            return own
        below = self.kind(own.base)
        return Kind({**below.columns, **own.columns}, {**below.children, **own.children})

    def rows_of(self, entity_set: str) -> Kind | None:
        """The type of an entity set's rows; None when there is no such set."""
        return self.kind(self.sets[entity_set]) if entity_set in self.sets else None


def published(answer: Answer) -> Published:
    """The document as far as it matters here. Raises SetupError when it is neither JSON CSDL nor EDMX."""
    try:
        body = answer.body.removeprefix(b"\xef\xbb\xbf").lstrip()
        found = _from_xml(body) if body.startswith(b"<") else _from_json(decode(body))
    except (ValueError, ElementTree.ParseError, AttributeError, TypeError):
        found = Published({}, {})
    if not found.kinds:
        raise SetupError(
            f"{answer.call} answered 200, but not with a description of a service: {answer.excerpt()}",
            holds="Nothing was read.",
            next_step="Write `check_fields: false` under `erp` in the connection file if this instance does not publish its services.",
        )
    return found


def require_columns(columns: Iterator[str] | list[str], kind: Kind | None, what: str) -> None:
    """Raises SetupError naming the columns that are not published. what: whose they are, "Erp.BO.GLBookSvc/GLBooks of Epicor IVM"."""
    if kind is None:
        raise SetupError(
            f"{what} does not exist in this release of Kinetic.",
            holds="Nothing was read.",
            next_step="Ask the Kinetic administrator whether the instance was upgraded; report this message if it is not one of your extracts.",
        )
    lacking = [name for name in columns if name not in kind.columns]
    if lacking:
        more = f" and {len(lacking) - _NAMED} more" if len(lacking) > _NAMED else ""
        raise SetupError(
            f"{what} has no column {', '.join(lacking[:_NAMED])}{more}.",
            holds="Nothing was read.",
            next_step="Ask the Kinetic administrator what an upgrade made of it; report this message if it is not one of your extracts.",
        )


def _from_json(tree: Any) -> Published:
    sets: dict[str, str] = {}
    kinds: dict[str, Kind] = {}
    for schema in _objects(tree):
        for name, member in schema.items():
            if not isinstance(member, dict):
                continue
            if member.get("$Kind") == "EntityContainer":
                sets |= {one: str(said.get("$Type") or said.get("$EntityType") or "") for one, said in _named(member)}
            elif member.get("$Kind") in {"EntityType", "ComplexType"}:
                kinds[_bare(name)] = _kind_from_json(member)
    return Published({name: kind for name, kind in sets.items() if kind}, kinds)


def _objects(tree: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The schemas of a document: a namespace may stand as one dotted name, or the types stand at the top."""
    yield tree
    for name, member in tree.items():
        if isinstance(member, dict) and not name.startswith("$") and "$Kind" not in member:
            yield member


def _named(member: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The parts of an object, without what it says of itself and without annotations."""
    return ((name, said) for name, said in member.items() if isinstance(said, dict) and name[:1] not in {"$", "@"})


def _kind_from_json(member: Mapping[str, Any]) -> Kind:
    parts = list(_named(member))
    children = {name: str(said.get("$Type", "")) for name, said in parts if said.get("$Kind") == "NavigationProperty"}
    columns = {name: str(said.get("$Type", _BY_DEFAULT)) for name, said in parts if name not in children}
    return Kind(columns, children, str(member.get("$BaseType", "")))


def _from_xml(body: bytes) -> Published:
    """EDMX. One with a document type of its own is refused unread: no service needs it, and it can be made to explode."""
    if b"<!DOCTYPE" in body[:4096]:
        raise ElementTree.ParseError
    sets: dict[str, str] = {}
    kinds: dict[str, Kind] = {}
    for element in ElementTree.fromstring(body).iter():  # noqa: S314  (no document type, hence no entities)
        match element.tag.rpartition("}")[2]:
            case "EntitySet":
                sets[element.get("Name", "")] = element.get("EntityType", "")
            case "EntityType" | "ComplexType":
                kinds[element.get("Name", "")] = _kind_from_xml(element)
    return Published(sets, kinds)


def _kind_from_xml(element: ElementTree.Element) -> Kind:
    columns, children = {}, {}
    for part in element:
        tag, name, kind = part.tag.rpartition("}")[2], part.get("Name", ""), part.get("Type", _BY_DEFAULT)
        if tag == "Property":
            columns[name] = kind
        elif tag == "NavigationProperty":
            children[name] = kind
    return Kind(columns, children, element.get("BaseType", ""))


def _bare(name: str) -> str:
    """A type without its namespace, and without Collection(...)."""
    return name.removeprefix("Collection(").removesuffix(")").rpartition(".")[2]
