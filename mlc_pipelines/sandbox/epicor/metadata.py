"""What a service says of itself: its list of sets, and $metadata as JSON CSDL or as XML.

In the JSON form a column without `$Type` is Edm.String, `$Nullable: false` never stands there, nor does any `$MaxLength` [C SUG schema_meta]. One
document per service, none combined [S ALE].
"""

from collections.abc import Mapping
from typing import Any

from mlc_pipelines.sandbox.epicor import schema
from mlc_pipelines.sandbox.epicor.columns import Columns
from mlc_pipelines.sandbox.epicor.schema import EDM, Service
from mlc_pipelines.sandbox.epicor.wire import encoded

Types = Mapping[str, tuple[Columns, tuple[str, ...], Mapping[str, str]]]
"""Table -> its columns, its keys, and its children (set -> table)."""


def document(service: Service, address: str) -> bytes:
    """The service document: the sets there are."""
    sets = [{"name": name, "kind": "EntitySet", "url": name} for name in service.sets]
    return encoded({"@odata.context": f"{address}/$metadata", "value": sets})


def types_of(service: Service, columns: Mapping[str, Columns]) -> Types:
    """The tables of a service, each once."""
    found: dict[str, tuple[Columns, tuple[str, ...], Mapping[str, str]]] = {}
    for one in service.sets.values():
        children = {name: child.table for name, child in service.children(one.name).items()}
        found.setdefault(one.table, (columns[one.table], schema.tables()[one.table].keys, children))
    return found


def as_json(types: Types, sets: Mapping[str, str]) -> bytes:
    """JSON CSDL."""
    said: dict[str, Any] = {}
    for table, (columns, keys, children) in types.items():
        fields = {name: _property(letter) for name, (_, letter) in columns.sources.items()}
        hung = {
            name: {"$Kind": "NavigationProperty", "$Collection": True, "$Type": f"Erp.{one}"}
            for name, one in children.items()
        }
        said[table] = {"$Kind": "EntityType", "$Key": list(keys), **fields, **hung}
    container = {name: {"$Collection": True, "$Type": f"Erp.{table}"} for name, table in sets.items()}
    default = {"Container": {"$Kind": "EntityContainer", **container}}
    return encoded({"$Version": "4.0", "$EntityContainer": "Default.Container", "Erp": said, "Default": default})


def _property(letter: str) -> dict[str, Any]:
    kind = {} if letter == "s" else {"$Type": f"Edm.{EDM[letter]}"}
    return kind if letter in "bilg" else {**kind, "$Nullable": True}


def as_xml(types: Types, sets: Mapping[str, str]) -> bytes:
    """The same as XML, which is what comes without a JSON Accept."""
    parts = []
    for table, (columns, keys, children) in types.items():
        key = "".join(f'<PropertyRef Name="{name}"/>' for name in keys)
        fields = "".join(
            f'<Property Name="{name}" Type="Edm.{EDM[letter]}"/>' for name, (_, letter) in columns.sources.items()
        )
        hung = "".join(
            f'<NavigationProperty Name="{name}" Type="Collection(Erp.{one})"/>' for name, one in children.items()
        )
        parts.append(f'<EntityType Name="{table}"><Key>{key}</Key>{fields}{hung}</EntityType>')
    container = "".join(f'<EntitySet Name="{name}" EntityType="Erp.{table}"/>' for name, table in sets.items())
    return (
        '<?xml version="1.0" encoding="utf-8"?><edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>'
        f'<Schema Namespace="Erp" xmlns="http://docs.oasis-open.org/odata/ns/edm">{"".join(parts)}</Schema>'
        '<Schema Namespace="Default" xmlns="http://docs.oasis-open.org/odata/ns/edm">'
        f'<EntityContainer Name="Container">{container}</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>'
    ).encode()
