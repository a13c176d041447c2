"""How the instance says no: one exception that carries what is wrong, and the bodies it is shown in.

Reference: epicor 7. The JSON members and the three texts of a 401 are recorded [C OCA]; every other wording is ours [I], so clients must not
match on it.
"""

import json
import uuid
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

JSON = "application/json; odata.metadata=minimal"
PLAIN_JSON = "application/json"
XML = "application/xml"

BUSINESS = "Ice.Common.BusinessObjectException"
UNAUTHORIZED = "System.UnauthorizedAccessException"
BAD_ADDRESS = "Epicor.RESTApi.ErrorHandling.ApiException"
NO_RECORD = "Ice.Common.RecordNotFoundException"
ODATA = "Microsoft.OData.ODataException"
DEAD_SESSION = "Epicor.RESTApi.ErrorHandling.InvalidSessionException"

REASON = "REST API Exception"


class RefusalError(Exception):
    """An answer other than success."""

    def __init__(self, status: int, text: str, kind: str = BUSINESS, details: Sequence[Mapping[str, str]] = ()) -> None:
        """`kind` is the ErrorType; `details` are entries with Message, Type and perhaps Table, Method."""
        super().__init__(f"{status} {text[:200]}")
        self.status = status
        self.text = text
        self.kind = kind
        self.details = details


class RawRefusalError(Exception):
    """An answer that does not come from the instance itself: of the identity provider, or of the proxy before it."""

    def __init__(self, status: int, body: str, content_type: str) -> None:
        """The body is sent as it stands."""
        super().__init__(f"{status} {body[:200]}")
        self.status = status
        self.body = body
        self.content_type = content_type


def bad_login() -> RefusalError:
    """401 for name and password [C OCA recorded]."""
    return RefusalError(401, "Invalid username or password.", UNAUTHORIZED)


def bad_token() -> RefusalError:
    """401 for a Bearer token that is unknown or too old; the text is not recorded [I]."""
    return RefusalError(401, "The access token is invalid or has expired.", UNAUTHORIZED)


def bad_key(key: str, company: str) -> RefusalError:
    """401 for a wrong key, or one that is not valid for the company; it repeats the key [C OCA recorded]."""
    return RefusalError(401, f"Invalid API Key {key}.\r\nCompany {company}.", UNAUTHORIZED)


def denied(what: str, status: int = 401) -> RefusalError:
    """No rights: 401 with this text [C OCA recorded], or 403 [S EPG]. `what` is like "Erp.BO.Company.GetRows"."""
    return RefusalError(status, f"Access denied ({what}).", UNAUTHORIZED)


def bad_address(what: str) -> RefusalError:
    """404 for a misspelt service, set or method [S EPG: type; I: text]."""
    return RefusalError(404, f"Resource not found for the segment '{what}'.", BAD_ADDRESS)


def no_record(text: str = "Record not found.") -> RefusalError:
    """404: nothing has this key [S EPG, C SUG]."""
    return RefusalError(404, text, NO_RECORD)


def bad_query(text: str) -> RefusalError:
    """400: an option that cannot be read [S EPG]."""
    return RefusalError(400, text, ODATA)


def unknown_property(name: str, kind: str) -> RefusalError:
    """400 in the recorded sentence [C SUG]."""
    return bad_query(f"Could not find a property named '{name}' on type '{kind}'.")


def hidden_failure(text: str = "An error has occurred.") -> RefusalError:
    """500; hosted servers hide the details from remote callers [S EPG]."""
    return RefusalError(500, text, "System.Exception")


def dead_session() -> RefusalError:
    """410: the SessionInfo names no living session [S EPG]."""
    return RefusalError(410, "The session is invalid or has been deleted.", DEAD_SESSION)


def no_licence(status: int) -> RefusalError:
    """Out of licences: it reads as if the caller's session were to blame [S FOR-84859]; the status is not recorded [I]."""
    return RefusalError(status, "Your session is invalid or has been deleted.", DEAD_SESSION)


def oauth(error: str) -> RawRefusalError:
    """The identity provider's refusal [I: the standard shape]."""
    return RawRefusalError(400, json.dumps({"error": error}), PLAIN_JSON)


def too_long() -> RawRefusalError:
    """414 of the proxy: the request line is longer than about 8 KB [C SUG]."""
    page = "<html><head><title>414 Request-URI Too Large</title></head><body><h1>414 Request-URI Too Large</h1></body></html>"
    return RawRefusalError(414, page, "text/html")


# -- bodies -----------------------------------------------------------------------------------------------------------


def body_of(refusal: RefusalError, shape: str, *, as_json: bool, echo: str = "") -> tuple[str, str]:
    """Body and content type. `shape` is one of the switch `error_shape`; `echo` is repeated at the end of the text."""
    text = f"{refusal.text} {echo}".strip()
    said = {
        "HttpStatus": refusal.status,
        "ReasonPhrase": REASON,
        "ErrorMessage": text,
        "ErrorType": refusal.kind,
        **({"ErrorDetails": [dict(one) for one in refusal.details]} if refusal.details else {}),
        "CorrelationId": str(uuid.uuid4()),
    }
    if shape == "odata":
        inner = {"message": text, "type": refusal.kind, "stacktrace": ""}
        error = {"code": str(refusal.status), "message": text, "innererror": inner}
        return json.dumps({"error": error, "CorrelationId": said["CorrelationId"]}), PLAIN_JSON
    if shape == "html":
        return f"<!DOCTYPE html><html><body><h2>{refusal.status}</h2><p>{escape(text)}</p></body></html>", "text/html"
    if shape == "text":
        return text, "text/plain"
    return (json.dumps(said), PLAIN_JSON) if as_json else (f"<Error>{_xml(said)}</Error>", XML)


def _xml(said: Mapping[str, Any]) -> str:
    """The same names as elements [S ALE]; how a list of details is laid out is ours [I]."""
    parts = []
    for name, value in said.items():
        if isinstance(value, list):
            inner = "".join(f"<ErrorDetail>{_xml(one)}</ErrorDetail>" for one in value)
        else:
            inner = escape(str(value))
        parts.append(f"<{name}>{inner}</{name}>")
    return "".join(parts)
