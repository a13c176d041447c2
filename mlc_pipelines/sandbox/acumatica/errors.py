"""How the site says no: one exception that carries the whole answer, and the bodies seen.

Reference: acumatica 6. Wordings are ours where no record of the real one exists [I]; clients must not match on them.
"""

import json
from typing import Any

JSON = "application/json; charset=utf-8"
HTML = "text/html"


class RefusalError(Exception):
    """An answer other than success."""

    def __init__(self, status: int, body: str = "", content_type: str = JSON) -> None:
        """`body` is sent as it stands; "" sends none."""
        super().__init__(f"{status} {body[:200]}")
        self.status = status
        self.body = body
        self.content_type = content_type


def as_json(value: Any) -> str:
    """Compact JSON, other scripts as they are."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def message(status: int, text: str) -> RefusalError:
    """The short form of the error body."""
    return RefusalError(status, as_json({"message": text}))


def bad_request(*texts: str) -> RefusalError:
    """400: the request could not be read [C Jetbuilt/acumatica: cassettes]."""
    return RefusalError(400, as_json({"message": "The request is invalid.", "modelState": {"": list(texts)}}))


def failure(text: str, kind: str = "PX.Data.PXException", status: int = 500) -> RefusalError:
    """500, for almost everything [C]: `kind` is the exceptionType, by which a client must tell them apart."""
    body = {
        "message": "An error has occurred.",
        "exceptionMessage": text,
        "exceptionType": kind,
        "stackTrace": "   at PX.Api.ContractBased.Soap.EntityGate.Process()",
    }
    return RefusalError(status, as_json(body))


def no_entity() -> RefusalError:
    """500: no record has these keys [C acumatica-cli: docs/rest-api.md]."""
    kind = "PX.Api.ContractBased.NoEntitySatisfiesTheConditionException"
    return failure("No entity satisfies the condition.", kind)


def cannot_optimize(field: str, view: str = "Filter") -> RefusalError:
    """500: a list that cannot be turned into one statement [C acumatica-cli; S AcumaticaRESTAPIClientForCSharp #12]."""
    return failure(
        f"Optimization cannot be performed.The following fields cause the error:\r\n{field}: View {view} has BQL delegate",
        "PX.Api.ContractBased.OptimizedExport.CannotOptimizeException",
    )


def page(status: int, title: str) -> RefusalError:
    """A page of the web server instead of JSON."""
    return RefusalError(
        status, f"<!DOCTYPE html><html><head><title>{title}</title></head><body>{title}</body></html>", HTML
    )
