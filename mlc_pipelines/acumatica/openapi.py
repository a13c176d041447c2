"""What the endpoint itself publishes about its entities, held against the fields that are used, before any record is read.

`swagger.json` is OpenAPI 3.0.1 or Swagger 2.0, by the site's build [C EndpointDefinitions of AcumaticaRESTAPIClientForCSharp]; it has
megabytes, so what counts is distilled and kept: for good per site, tenant, endpoint and build, and for a day where the endpoint is
one of the site's own, which can change without a new build (SM207060).
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol, get_args

import httpx
import msgspec

from mlc_pipelines.acumatica import wire
from mlc_pipelines.acumatica.config import AcumaticaConfig
from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.transport.caller import Caller

NOT_CHECKED = "The fields of the endpoint were not checked (erp.check_fields is false): a field renamed by an upgrade may read as empty."

SYSTEM_ENDPOINT = "Default"
_NAMED = 8

Contract = dict[str, dict[str, str]]
"""Schema -> field -> the schema of its rows or of a linked record; "" for a plain field."""


class Contracts(Protocol):
    """Keeps distilled contracts between runs."""

    def find(self, name: str) -> bytes | None: ...

    def keep(self, name: str, content: bytes) -> None: ...


class Forgetful:
    """Keeps nothing."""

    def find(self, name: str) -> bytes | None:  # noqa: ARG002
        return None

    def keep(self, name: str, content: bytes) -> None:
        """Nothing to do."""


class _Property(msgspec.Struct):
    ref: str = msgspec.field(default="", name="$ref")
    items: "_Property | None" = None


class _Schema(msgspec.Struct):
    properties: dict[str, _Property] = {}
    all_of: list["_Schema"] = msgspec.field(default_factory=list, name="allOf")


class _Components(msgspec.Struct):
    schemas: dict[str, _Schema] = {}


class _Document(msgspec.Struct):
    """definitions stand in Swagger 2.0, components in OpenAPI 3."""

    definitions: dict[str, _Schema] = {}
    components: _Components = msgspec.field(default_factory=_Components)


def require_fields(caller: Caller, config: AcumaticaConfig, build: str, kept: Contracts) -> None:
    """Raises SetupError naming each entity and field that is used and that the endpoint does not have."""
    require_published(contract(caller, config, build, kept), used(config), config)


def require_published(published: Contract, entities: Mapping[str, Mapping[str, Any]], config: AcumaticaConfig) -> None:
    """The same for some entities and their fields."""
    lacking = [one for entity, record in entities.items() for one in _lacking(published, entity, entity, record)]
    if not lacking:
        return
    more = f" and {len(lacking) - _NAMED} more" if len(lacking) > _NAMED else ""
    raise SetupError(
        f"Endpoint {config.endpoint}/{config.version} of {config.system} does not have {', '.join(lacking[:_NAMED])}{more}.",
        holds="Nothing was read.",
        next_step="The site was upgraded or the endpoint changed. Pin another version under `erp.version`, or ask the Acumatica "
        "administrator what became of these fields (Web Service Endpoints, SM207060).",
    )


def used(config: AcumaticaConfig) -> Mapping[str, Mapping[str, Any]]:
    """Every entity that this connection reads, and its fields: exactly what `wire` decodes."""
    entities: dict[str, Mapping[str, Any]] = {
        "Ledger": fields_of(wire.Ledger),
        "Account": fields_of(wire.Account),
        "AccountSummaryInquiry": fields_of(wire.Balances),
    }
    calendars = {rule.calendar for rule in config.rules}
    if "master" in calendars:
        entities["FinancialPeriod"] = fields_of(wire.FinancialYear)
    if "company" in calendars:
        entities["CompanyFinancialPeriod"] = fields_of(wire.CompanyYear)
    if config.subaccount is not None:
        entities["Subaccount"] = fields_of(wire.Subaccount)
    if config.read == "balances":
        return entities
    if config.lines_from == "inquiry":
        lines = {"Results": fields_of(wire.PostedLine)}
        entities["AccountDetailsForPeriodInquiry"] = {**fields_of(wire.PostedLines), **lines}
    else:
        entities["JournalTransaction"] = fields_of(wire.Batch)
    return entities


def fields_of(record: type[msgspec.Struct]) -> dict[str, Any]:
    """The names on the wire of a record's fields; of a list of rows, those of a row. Names in lower case are no fields of the contract."""
    found: dict[str, Any] = {}
    for field in msgspec.structs.fields(record):
        if field.encode_name[0].isupper():
            found[field.encode_name] = next((fields_of(row) for row in _rows_in(field.type)), {})
    return found


def _rows_in(kind: Any) -> Iterator[type[msgspec.Struct]]:
    """The row type in `list[Row]` or `list[Row] | None`."""
    for part in get_args(kind):
        if isinstance(part, type) and issubclass(part, wire.Record):
            yield part
        else:
            yield from _rows_in(part)


def _lacking(contract: Contract, schema: str, path: str, fields: Mapping[str, Any]) -> Iterator[str]:
    if schema not in contract:
        yield path
        return
    for name, below in fields.items():
        if name not in contract[schema]:
            yield f"{path}/{name}"
        elif below:
            yield from _lacking(contract, contract[schema][name], f"{path}/{name}", below)


def contract(caller: Caller, config: AcumaticaConfig, build: str, kept: Contracts) -> Contract:
    """What the endpoint publishes, from the last time or fetched. Raises SetupError when it publishes nothing that can be read."""
    name = f"{config.site} {config.tenant} {config.endpoint}/{config.version} build {build}"
    if config.endpoint != SYSTEM_ENDPOINT:
        name += f" on {datetime.now(UTC).date()}"
    if build and (content := kept.find(name)) is not None:
        return msgspec.json.decode(content, type=Contract)
    published = distilled(_fetched(caller, config))
    if build:
        kept.keep(name, msgspec.json.encode(published))
    return published


def _fetched(caller: Caller, config: AcumaticaConfig) -> _Document:
    """The published document. One that cannot be read is fetched once more."""
    path = f"/entity/{config.endpoint}/{config.version}/swagger.json"
    problem = ""
    for _ in range(2):
        answer = caller.read("GET", path, expect=(200, 403, 404))
        if answer.status != httpx.codes.OK:
            problem = f"{answer.call} answered {answer.status}"
            break
        answer.require_no_html()
        try:
            return msgspec.json.decode(answer.body, type=_Document)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            problem = f"{answer.call} cannot be read ({error})"
    raise SetupError(
        f"{config.system} does not publish what its endpoint {config.endpoint}/{config.version} holds: {problem}.",
        holds="Nothing was read.",
        next_step="Ask the Acumatica administrator about the address of this message; or write `check_fields: false` under `erp` in the "
        "connection file, and every report will say that the fields were not checked.",
    )


def distilled(document: _Document) -> Contract:
    """Fields of every schema, those of its parts (`allOf`) included."""
    schemas = document.components.schemas or document.definitions
    return {name: dict(_properties(schema)) for name, schema in schemas.items()}


def _properties(schema: _Schema) -> Iterator[tuple[str, str]]:
    for part in schema.all_of:
        yield from _properties(part)
    for name, said in schema.properties.items():
        yield name, (said.items or said).ref.rpartition("/")[2]
