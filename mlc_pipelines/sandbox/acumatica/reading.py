"""List and single reads of stored records: filter, order, page, expand, write out.

Reference: acumatica 3.1 to 3.4. Without `$top` a list holds every record; nothing is expanded unless asked [S].
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import islice

from mlc_pipelines.sandbox.acumatica import busy, entities, filters, meanwhile
from mlc_pipelines.sandbox.acumatica.contract import Entity
from mlc_pipelines.sandbox.acumatica.errors import cannot_optimize, no_entity
from mlc_pipelines.sandbox.acumatica.query import Query
from mlc_pipelines.sandbox.acumatica.site import Site
from mlc_pipelines.sandbox.acumatica.wire import Record, Rows, Value, literal, quote

_CUSTOM_TYPES = {bool: ("CustomBooleanField", "b"), str: ("CustomStringField", "s")}


def listed(site: Site, entity: Entity, query: Query, home: str) -> Iterator[str]:
    """The records of a list, one JSON text each. Raises a 500 for inquiries and for filters that do not fit."""
    if entity.inquiry:
        raise cannot_optimize(next(iter(entity.fields)))
    if entity.name == "JournalTransaction":
        busy.stir(site, query.filter or "")
    found = _matching(site, entity, query, entities.records_of(site, entity.name))
    if entity.name == "JournalTransaction":
        found = _faulty(found, site.switches["drop_batches"], site.switches["repeat_batches"])
    if not site.switches["calendar_rows"] and entity.name.endswith("FinancialPeriod"):
        found = []
    stop = None if query.top is None else query.skip + query.top
    page = list(islice(site.ordered(found), query.skip, stop))
    meanwhile.happen(site, entity.name)
    write = writer(site, entity, query, home)
    return (write(record, number) for number, record in enumerate(page, start=1))


def single(site: Site, entity: Entity, ids: str, query: Query, home: str) -> str:
    """One record by "key1/key2" or by its id. Raises the 500 of a missing record."""
    if entity.inquiry:
        raise no_entity()
    for record in _matching(site, entity, query, entities.candidates(site, entity.name, ids)):
        if ids.lower() == record.id or ids == "/".join(str(record.values[key]) for key in entity.keys):
            return writer(site, entity, query, home)(record, 1)
    raise no_entity()


def _matching(site: Site, entity: Entity, query: Query, records: Iterator[Record]) -> list[Record]:
    if not query.filter or (entity.name == "JournalTransaction" and site.switches["filter_ignored"]):
        return list(records)
    test = filters.parse(query.filter, entity.fields, ignore_case=site.switches["ignore_case"])
    return [record for record in records if test(record)]


def _faulty(records: list[Record], dropped: int, repeated: int) -> list[Record]:
    """The list with some records missing at its end and some twice: what unordered paging can do to a reader."""
    return records[: max(0, len(records) - dropped)] + records[:repeated]


def writer(site: Site, entity: Entity, query: Query, home: str) -> Callable[[Record, int], str]:
    """What writes a record of this entity as the query wants it, expanded details and links included."""
    unknown = site.switches["extra_unknown_fields"]
    rows = Rows(query.fields_of(entity.fields), note='{"value":""}', unknown=unknown)
    details = {
        name: Rows(query.fields_of(detail.fields, name), unknown=unknown) if name in query.expand else None
        for name, detail in entity.details.items()
        if name in query.expand or site.switches["unexpanded"] == "empty"
    }

    def write(record: Record, number: int) -> str:
        linked = {name for name, detail in entity.details.items() if detail.linked}
        tail = "".join(
            f',"{name}":{_detail(record, name, shape, linked=name in linked)}' for name, shape in details.items()
        )
        tail += f',"custom":{_custom(record.custom, query.custom)}'
        if "files" in query.expand:
            tail += ',"files":[]'
        return rows.write(record, number, tail + _links(entity, record.id, home))

    return write


def _detail(record: Record, name: str, shape: Rows | None, *, linked: bool) -> str:
    if shape is None:
        return "null" if linked else "[]"
    if linked:
        return shape.write(next(iter(record.details[name]())), 1)
    rows = enumerate(record.details[name](), start=1)
    return "[" + ",".join(shape.write(row, number) for number, row in rows) + "]"


def _custom(values: Mapping[str, Value], wanted: tuple[str, ...]) -> str:
    """The asked fields that are no part of the contract, as {view: {field: {type, value}}} [S]."""
    views: dict[str, list[str]] = {}
    for name in wanted:
        if name in values:
            view, _, field = name.partition(".")
            views.setdefault(view, []).append(f"{quote(field)}:{_custom_field(values[name])}")
    return "{" + ",".join(f"{quote(view)}:{{{','.join(fields)}}}" for view, fields in views.items()) + "}"


def _custom_field(value: Value) -> str:
    kind, letter = _CUSTOM_TYPES.get(type(value), ("CustomStringField", "s"))
    rest = "" if value is None else f',"value":{literal(letter, value)}'
    return f'{{"type":"{kind}"{rest}}}'


def _links(entity: Entity, record_id: str, home: str) -> str:
    """Site-absolute paths, virtual directory included [C]."""
    return (
        f',"_links":{{"self":"{home}/{entity.name}/{record_id}",'
        f'"files:put":"{home}/files/{entity.view}/{record_id}/{{filename}}"}}'
    )
