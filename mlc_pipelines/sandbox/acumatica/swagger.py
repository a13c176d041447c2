"""The published schema of the emulated entities: OpenAPI 3.0.1 from version 24.200 on, Swagger 2.0 before.

Built from `contract`, in the shape of the official files [C AcumaticaRESTAPIClientForCSharp: EndpointDefinitions]: all
parameters by `$ref` in OpenAPI 3 and written out in Swagger 2, every operation with tag, operationId and responses. It
holds what is served and nothing else. Which of the two a site publishes follows its build in truth [I]: a switch.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from mlc_pipelines.sandbox.acumatica.contract import TYPES, Entity, without
from mlc_pipelines.sandbox.acumatica.errors import as_json

_QUERY = ("select", "filter", "expand", "custom")
_PARAMETERS: dict[str, tuple[str, str, str, str]] = {
    "ids": ("ids", "path", "string", "Values of the key fields, with slashes between them."),
    "id": ("id", "path", "string", "Id of the record."),
    "select": ("$select", "query", "string", "Fields to be returned."),
    "filter": ("$filter", "query", "string", "Conditions on the records."),
    "expand": ("$expand", "query", "string", "Linked and detail entities to be returned with them."),
    "custom": ("$custom", "query", "string", "Fields outside the contract to be returned."),
    "skip": ("$skip", "query", "integer", "Number of records to be left out at the start."),
    "top": ("$top", "query", "integer", "Number of records to be returned."),
}
_VALUES: dict[str, dict[str, Any]] = {
    "StringValue": {"type": "string"},
    "DecimalValue": {"type": "number", "format": "double"},
    "BooleanValue": {"type": "boolean"},
    "DateTimeValue": {"type": "string", "format": "date-time"},
    "IntValue": {"type": "integer", "format": "int32"},
    "LongValue": {"type": "integer", "format": "int64"},
    "ShortValue": {"type": "integer", "format": "int32"},
}


def schema(title: str, base_url: str, form: str, entities: Mapping[str, Entity]) -> dict[str, Any]:
    """The schema of one endpoint: `title` is "Default/24.200.001", `base_url` its address, `form` "2.0" or "3.0.1"."""
    common: dict[str, Any] = {"info": {"title": title, "version": "4"}}
    tags = [{"name": entity.name, "description": entity.form} for entity in entities.values()]
    if form == "3.0.1":
        return common | {
            "openapi": "3.0.1",
            "servers": [{"url": base_url}],
            "paths": _paths(_Three(), entities),
            "components": {
                "schemas": _schemas("#/components/schemas/", entities),
                "responses": _Three.responses(),
                "parameters": {name: _Three.parameter(name) for name in _PARAMETERS},
            },
            "tags": tags,
        }
    scheme, _, rest = base_url.partition("://")
    host, slash, path = rest.partition("/")
    return common | {
        "swagger": "2.0",
        "host": host,
        "basePath": slash + path,
        "schemes": [scheme],
        "paths": _paths(_Two(), entities),
        "definitions": _schemas("#/definitions/", entities),
        "tags": tags,
    }


@lru_cache(maxsize=32)
def text(title: str, base_url: str, form: str, removed: tuple[str, ...]) -> str:
    """The same as JSON, for a site whose upgrade removed some entities or fields; written once."""
    return as_json(schema(title, base_url, form, without(removed)))


def form_of(version: str) -> str:
    """The form in which the stored official file of a Default version is written [C EndpointDefinitions]."""
    return "3.0.1" if tuple(int(part) for part in version.split(".")) >= (24, 200) else "2.0"


class _Three:
    """How OpenAPI 3 says it."""

    @staticmethod
    def parameter(name: str) -> dict[str, Any]:
        shown, place, kind, text = _PARAMETERS[name]
        of_kind = {"type": kind} | ({"format": "int32"} if kind == "integer" else {})
        of_kind |= {"format": "uuid"} if name == "id" else {}
        required = {"required": True} if place == "path" else {}
        return {"name": shown, "in": place, "description": text, **required, "schema": of_kind}

    @staticmethod
    def responses() -> dict[str, Any]:
        return {
            "ContractBasedControllerBase_401": _Three._answer("The user is not signed in.", _ref("HttpError")),
            "ContractBasedControllerBase_500": _Three._answer("Internal server error.", _ref("HttpError")),
            "PutEntity_400": _Three._answer("The data of the request is invalid.", _ref("HttpError")),
            "PutEntity_412": {"description": "If-Match or If-None-Match does not hold."},
        }

    @staticmethod
    def _answer(text: str, schema: dict[str, Any]) -> dict[str, Any]:
        media = {"schema": schema}
        return {"description": text, "content": {"application/json": media, "text/json": media}}

    def operation(self, entity: Entity, name: str, parameters: tuple[str, ...], summary: str) -> dict[str, Any]:
        answer = _ref(entity.name)
        if name == "GetList":
            answer = {"type": "array", "items": answer}
        told = {
            "tags": [entity.name],
            "summary": summary,
            "operationId": f"{entity.name}_{name}",
            "parameters": [{"$ref": f"#/components/parameters/{parameter}"} for parameter in parameters],
            "responses": {
                "401": {"$ref": "#/components/responses/ContractBasedControllerBase_401"},
                "500": {"$ref": "#/components/responses/ContractBasedControllerBase_500"},
                "200": self._answer("What was asked for.", answer),
            },
        }
        return told | (self._body(entity, told["responses"]) if name == "PutEntity" else {})

    def _body(self, entity: Entity, responses: Any) -> dict[str, Any]:
        body = self._answer("The parameters of the inquiry.", _ref(entity.name))
        more = {
            "400": {"$ref": "#/components/responses/PutEntity_400"},
            "412": {"$ref": "#/components/responses/PutEntity_412"},
            "422": self._answer("The data of the request is invalid.", _ref(entity.name)),
        }
        return {"requestBody": {**body, "required": True, "x-bodyName": "entity"}, "responses": responses | more}

    def action(self, entity: Entity, name: str) -> dict[str, Any]:
        told = self.operation(entity, f"InvokeAction_{name}", (), "Invokes an action.")
        told["responses"] = {key: said for key, said in told["responses"].items() if key != "200"} | _ACTION_RESPONSES
        body = self._answer("The record, and the parameters of the action.", _ref(name))
        return told | {"requestBody": {**body, "required": True, "x-bodyName": "invocation"}}


_ACTION_RESPONSES = {
    "202": {"description": "The operation is under way; Location tells where to ask for its status."},
    "204": {"description": "The operation is done."},
}


class _Two:
    """How Swagger 2 says it."""

    @staticmethod
    def parameter(name: str) -> dict[str, Any]:
        shown, place, kind, text = _PARAMETERS[name]
        of_kind = {"type": kind} | ({"format": "int32"} if kind == "integer" else {})
        required = {"required": True} if place == "path" else {}
        return {"in": place, "name": shown, "description": text, **required, **of_kind}

    def operation(self, entity: Entity, name: str, parameters: tuple[str, ...], summary: str) -> dict[str, Any]:
        this, error = {"$ref": f"#/definitions/{entity.name}"}, {"$ref": "#/definitions/HttpError"}
        answer = {"type": "array", "items": this} if name == "GetList" else this
        told: dict[str, Any] = {
            "tags": [entity.name],
            "summary": summary,
            "operationId": f"{entity.name}_{name}",
            "produces": ["application/json", "text/json"],
            "parameters": [self.parameter(parameter) for parameter in parameters],
            "responses": {
                "401": {"description": "The user is not signed in.", "schema": error},
                "500": {"description": "Internal server error.", "schema": error},
                "200": {"description": "What was asked for.", "schema": answer},
            },
        }
        if name == "PutEntity":
            told["consumes"] = ["application/json", "text/json"]
            told["parameters"].append({"in": "body", "name": "entity", "required": True, "schema": this})
            told["responses"]["400"] = {"description": "The data of the request is invalid.", "schema": error}
            told["responses"]["412"] = {"description": "If-Match or If-None-Match does not hold."}
            told["responses"]["422"] = {"description": "The data of the request is invalid.", "schema": this}
        return told

    def action(self, entity: Entity, name: str) -> dict[str, Any]:
        told = self.operation(entity, f"InvokeAction_{name}", (), "Invokes an action.")
        this = {"$ref": f"#/definitions/{name}"}
        told["consumes"] = ["application/json", "text/json"]
        told["parameters"].append({"in": "body", "name": "invocation", "required": True, "schema": this})
        told["responses"] = {key: said for key, said in told["responses"].items() if key != "200"} | _ACTION_RESPONSES
        return told


def _paths(told: _Three | _Two, entities: Mapping[str, Entity]) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for entity in entities.values():
        operations = {"get": told.operation(entity, "GetList", (*_QUERY, "skip", "top"), "Reads records.")}
        if entity.inquiry or entity.stored:
            summary = "Asks an inquiry." if entity.inquiry else "Creates or updates a record."
            operations["put"] = told.operation(entity, "PutEntity", _QUERY, summary)
        paths[f"/{entity.name}"] = operations
        for name, key in (("GetByKeys", "ids"), ("GetById", "id")):
            operation = told.operation(entity, name, (key, *_QUERY), "Reads one record.")
            paths[f"/{entity.name}/{{{key}}}"] = {"get": operation}
        for action in entity.actions:
            paths[f"/{entity.name}/{action}"] = {"post": told.action(entity, action)}
    return paths


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _schemas(root: str, entities: Mapping[str, Entity]) -> dict[str, Any]:
    schemas = {"Entity": _entity(root), "HttpError": _http_error(), "CustomField": _custom_field(root)}
    schemas["FileLink"] = _object({"id": _UUID, "filename": _TEXT, "href": _TEXT, "comment": _TEXT})
    for name, value in _VALUES.items():
        schemas[name] = _object({"value": value, "error": _TEXT})
    for entity in entities.values():
        lists = {
            name: {"$ref": root + detail.type}
            if detail.linked
            else {"type": "array", "items": {"$ref": root + detail.type}}
            for name, detail in entity.details.items()
        }
        schemas[entity.name] = _extended(root, _properties(root, entity.fields) | lists)
        for detail in entity.details.values():
            schemas[detail.type] = _extended(root, _properties(root, detail.fields))
        for action in entity.actions:
            schemas[action] = _object({"entity": {"$ref": root + entity.name}, "parameters": {"type": "object"}})
    return schemas


_TEXT = {"type": "string"}
_UUID = {"type": "string", "format": "uuid"}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def _extended(root: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {"allOf": [{"$ref": f"{root}Entity"}, _object(properties)]}


def _properties(root: str, fields: Mapping[str, str]) -> dict[str, Any]:
    return {name: {"$ref": root + TYPES[letter]} for name, letter in fields.items()}


def _entity(root: str) -> dict[str, Any]:
    custom_view = {"type": "object", "additionalProperties": {"$ref": f"{root}CustomField"}}
    return _object(
        {
            "id": _UUID,
            "rowNumber": {"type": "integer", "format": "int64"},
            "note": {"$ref": f"{root}StringValue"},
            "custom": {"type": "object", "additionalProperties": custom_view},
            "error": _TEXT,
            "files": {"type": "array", "items": {"$ref": f"{root}FileLink"}},
        }
    )


def _http_error() -> dict[str, Any]:
    texts = dict.fromkeys(("message", "exceptionMessage", "exceptionType", "stackTrace", "messageDetail"), _TEXT)
    states = {"type": "object", "additionalProperties": {"type": "array", "items": _TEXT}}
    return _object({**texts, "modelState": states}) | {"additionalProperties": {"type": "object"}}


def _custom_field(root: str) -> dict[str, Any]:
    discriminator: Any = "type" if root == "#/definitions/" else {"propertyName": "type"}
    return _object({"type": _TEXT}) | {"required": ["type"], "discriminator": discriminator}
