"""What an error answer of Kinetic means, for whoever has to mend it.

Errors come as JSON with HttpStatus, ErrorMessage, ErrorType, ErrorDetails and CorrelationId, as XML with the same names where the
answer was not asked for as JSON, from the OData layer as {"error": {...}}, and from what stands in front of Kinetic as text or HTML
[S EPG, ALE; C OCA, SUG, MCP]. 401 means a wrong password, a wrong key or a missing right, which only the message tells apart; the one about
the key repeats the key [C OCA], so it is never shown.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from mlc_pipelines.epicor.config import EpicorConfig
from mlc_pipelines.ledger.errors import DataError, PipelineError, SetupError, TransientError
from mlc_pipelines.transport.answers import Answer, decode, error_for, is_html, retry_after_seconds
from mlc_pipelines.transport.oauth import oauth_error, withheld
from mlc_pipelines.transport.secret import redacted

UPGRADE_PAUSE_SECONDS = 60.0
_DETAILS_SHOWN = 5
_LONGEST = 600
_BUSY = {408, 429, 502, 503, 504}

_WRONG_KEY = re.compile(r"invalid api key", re.I)
_NO_RIGHT = re.compile(r"access denied", re.I)
_DENIED = re.compile(r"access denied\s*\(([^)]{1,120})\)", re.I)
_WRONG_PASSWORD = re.compile(r"invalid user\s?name or password|invalid credentials", re.I)
_SLOW = re.compile(r"execution time-?out expired|timeout expired|query time-?out", re.I)
_NO_COLUMN = re.compile(r"could not find a property named '([^']{1,120})' on type '([^']{1,200})'", re.I)
_CHANGED = re.compile(r"modified by another user", re.I)
# Out of licences, in the words that users report [S FOR-84859] and those of other releases [I].
_LICENCE = re.compile(
    r"licen[sc]es? (?:count|limit|pool|seats?)|(?:maximum|max) (?:number of )?(?:users|licen[sc]es|sessions)|"
    r"(?:no|out of|not enough)\b[^.]{0,40}licen[sc]es?|licen[sc]es? (?:are|is) (?:all )?(?:in use|taken|exceeded)",
    re.I,
)
_SESSION = re.compile(r"session is invalid|session has been deleted|invalid or has been deleted", re.I)
_SECURITY = "Ask the Kinetic security manager"


class SessionEndedError(SetupError):
    """The session that the call named is no more: it is opened again."""


class LicenceTakenError(TransientError):
    """Kinetic allows no further session at this moment."""


class TooSlowError(SetupError):
    """The server gave up on a question; a smaller one may be answered."""


class NotThereError(SetupError):
    """There is no such service, entity set or query at this address, or none for this user."""


class NoRightError(SetupError):
    """Whoever signed in may not use that, or may not use it in this company."""


class DuplicateError(DataError):
    """A record of this key exists."""


class ModifiedError(TransientError):
    """Somebody else changed the record after it was read."""


@dataclass(frozen=True, slots=True)
class Said:
    """What Kinetic says of a failure, secrets blanked out. kind: its own name for the sort of failure."""

    message: str
    kind: str
    number: str

    def __str__(self) -> str:
        return self.message + (f" (Kinetic's number for this failure: {self.number}.)" if self.number else "")


class Refusals:
    """Turns an error answer of this instance into ours; None leaves it to the general table."""

    def __init__(self, config: EpicorConfig, credential: str) -> None:
        """credential: its name, for messages."""
        self._config = config
        self._who = f"credential {credential!r}" if credential else "the credential"

    def __call__(self, answer: Answer) -> PipelineError | None:
        """The failure, with Kinetic's own words in it. A write that met a busy server may have been carried out: the general table says so."""
        if answer.wrote and (answer.status >= 500 or answer.status in _BUSY):
            return None
        if is_html(answer.headers, answer.body):
            return self._restarting(answer) if answer.status >= 500 else self._page(answer)
        said = said_in(answer)
        if _LICENCE.search(said.message):
            return self._no_licence(answer, said)
        if answer.status == 410 or (_SESSION.search(said.message) and answer.status != 404):
            return SessionEndedError(f"{answer.call} answered {answer.status}: its session has ended. {said}")
        if _SLOW.search(said.message):
            return TooSlowError(f"{answer.call} was given up by the server after its time for a query was over. {said}")
        match answer.status:
            case 400:
                return self._bad(answer, said)
            case 401:
                return self.unauthorized(answer, said)
            case 403:
                return self._no_right(answer, said)
            case 404:
                return self._not_there(answer, said)
            case 409:
                return self._conflict(answer, said)
            case 414:
                return SetupError(
                    f"{answer.call} was refused (414): its address is too long for what stands in front of Kinetic.",
                    next_step="Shorten the filter in the connection file; if it has none, report this message as a defect.",
                )
            case 503 if "conversionspending" in said.kind.lower():
                return _upgrading(answer, said)
        return None

    def inside(self, answer: Answer) -> PipelineError | None:
        """The failure that stands in the body of a success; None when there is none."""
        said = _fields(answer)
        if not said.keys().isdisjoint({"ErrorMessage", "error"}):
            told = said_in(answer)
            return DataError(
                f"{answer.call} answered as if all were well, with an error inside: {told}",
                holds="Nothing was loaded.",
                next_step="Correct what Kinetic names.",
            )
        return None

    def unauthorized(self, answer: Answer, said: Said) -> PipelineError:
        """One of the three meanings of 401. The server's text about the key is not shown, for it repeats the key [C OCA]."""
        if _WRONG_KEY.search(said.message):
            return SetupError(
                f"{self._config.system} does not accept the API key of {self._who} for company {self._config.company}.",
                holds="Nothing was read.",
                next_step=f"{_SECURITY} whether the key (API Key Maintenance) belongs to this environment, has not expired and may be "
                f"used for company {self._config.company}; store the credential again with a valid one.",
            )
        if _WRONG_PASSWORD.search(said.message):
            return SetupError(
                f"{self._config.system} does not accept the user or password of {self._who}.",
                holds="Nothing was read.",
                next_step=f"Store the right password, or {_SECURITY[0].lower()}{_SECURITY[1:]} whether the user is locked or its password has expired.",
            )
        if _NO_RIGHT.search(said.message):
            return self._no_right(answer, said)
        return SetupError(
            f"{answer.call} answered 401{'' if self._config.auth == 'basic' else ', also after a new sign-in'}: {said}",
            holds="Nothing was read.",
            next_step=f"{_SECURITY} whether the user was disabled or the way to sign in was changed (`erp.auth`).",
        )

    def _no_right(self, answer: Answer, said: Said) -> NoRightError:
        denied = _DENIED.search(said.message)
        what = denied[1] if denied else _object(answer)
        return NoRightError(
            f"{answer.call} answered {answer.status}: {self._who} may not use {what or 'this'} in company {self._config.company}. {said}",
            holds="Nothing was read.",
            next_step=f"{_SECURITY} to give the user access to company {self._config.company} and to {what or 'this service'}, and to "
            "put it into the access scope of the API key if the key is limited to one.",
        )

    def _bad(self, answer: Answer, said: Said) -> PipelineError:
        if column := _NO_COLUMN.search(said.message):
            return SetupError(
                f"{answer.call} was refused: {column[2]} has no column {column[1]} in this release of Kinetic.",
                holds="Nothing was loaded.",
                next_step="Ask the Kinetic administrator what became of the column; report this message if it is not one of your connection file.",
            )
        if _CHANGED.search(said.message):
            return ModifiedError(f"{answer.call} was refused: {said}")
        if "odata" in said.kind.lower() or "expected at position" in said.message:
            return SetupError(
                f"{answer.call} was not understood: {said}",
                holds="Nothing was loaded.",
                next_step="Correct the filter or the fields in the connection file; if they are not yours, report this message as a defect.",
            )
        return DataError(
            f"{answer.call} was refused by a rule of Kinetic: {said}", next_step="Correct what Kinetic names."
        )

    def _conflict(self, answer: Answer, said: Said) -> PipelineError:
        if "duplicate" in said.kind.lower() or "duplicate" in said.message.lower():
            return DuplicateError(f"{answer.call} was refused: {said}", next_step="Look at the record that exists.")
        return ModifiedError(f"{answer.call} was refused: {said}")

    def _not_there(self, answer: Answer, said: Said) -> PipelineError:
        if query := query_of(answer):
            return NotThereError(
                f"{self._config.system} has no query {query} for {self._who}. {said}",
                holds="Nothing was read.",
                next_step=f"Check the query's name in the connection file; it must belong to company {self._config.company}, be shared (or owned by "
                "the user), and be in the access scope of the API key if the key is limited to one.",
            )
        if "recordnotfound" in said.kind.lower():
            return DataError(
                f"{answer.call}: the record does not exist. {said}",
                next_step="Look for it in Kinetic: it was deleted, belongs to another company, or is hidden from this user.",
            )
        if not _object(answer):
            return NotThereError(
                f"{answer.call} answered 404: there is no Kinetic instance at this address.",
                holds="Nothing was read.",
                next_step="Check `erp.url` in the connection file: it is the address with the instance, https://host/Instance.",
            )
        return NotThereError(
            f"{answer.call} answered 404: this instance has no {_object(answer)}. {said}",
            holds="Nothing was read.",
            next_step="Check `erp.url` in the connection file (the address with the instance, https://host/Instance) and the names under `extracts`.",
        )

    def _no_licence(self, answer: Answer, said: Said) -> LicenceTakenError:
        return no_licence(self._config, f"{answer.call} answered {answer.status}: {said}")

    def _restarting(self, answer: Answer) -> TransientError:
        error = TransientError(
            f"{answer.call} answered {answer.status} with a web page: the server is restarting, or what stands in front of it cannot reach it.",
            next_step="Try again in some minutes.",
        )
        error.retry_after_seconds = retry_after_seconds(answer.headers)
        return error

    def _page(self, answer: Answer) -> PipelineError | None:
        return self._not_there(answer, Said("", "", "")) if answer.status == 404 else None


def no_licence(config: EpicorConfig, told: str) -> LicenceTakenError:
    """That all licences are taken. A log-in says so in the words for a dead session as well [S FOR-84859]."""
    return LicenceTakenError(
        f"All licences of {config.system} are taken. {told}",
        holds="Nothing was read.",
        next_step="Wait until another integration or user has signed out; the Kinetic administrator sees who holds them (User Sessions) and can "
        "give this user web service licences (`erp.license: web_service`).",
    )


def about_key_or_right(status: int, body: bytes) -> bool:
    """Whether a 401 is about the key or a right, which no new token mends."""
    text = body[:4000].decode("utf-8", "replace")
    return status == 401 and bool(_WRONG_KEY.search(text) or _NO_RIGHT.search(text))


def sign_in_refused(answer: Answer, config: EpicorConfig, credential: str) -> PipelineError:
    """What a sign-in that brought no token means. Names company and credential, never what is in it, nor the answer's own text (K02)."""
    who = f"credential {credential!r} for {config.system}"
    if code := oauth_error(answer):
        return SetupError(
            f"The identity provider gives no token to the client of {who} ({code}).",
            holds="Nothing was read.",
            next_step="Compare client id, secret and `erp.scope` with the registration at the identity provider.",
        )
    if answer.status in {400, 401, 403}:
        told = Refusals(config, credential)
        said = said_in(answer)
        if answer.status == 401 and (_WRONG_KEY.search(said.message) or _WRONG_PASSWORD.search(said.message)):
            return told.unauthorized(answer, said)
        return SetupError(
            f"{config.system} gives no token for {who}: {answer.call} answered {answer.status}.",
            holds="Nothing was read.",
            next_step="Store the right password; if it is right, the tenant may sign in through an identity provider: then `erp.auth` is "
            "client_credentials.",
        )
    if answer.status == 404:
        return SetupError(
            f"{answer.call} answered 404: there is no service for tokens at this address.",
            holds="Nothing was read.",
            next_step="Check `erp.url` (the address with the instance); where the tenant has no token service, write `auth: basic`, or "
            "`auth: client_credentials` with its `identity_url`.",
        )
    return error_for(withheld(answer), wrote=False)


def said_in(answer: Answer) -> Said:
    """Kinetic's own words: message, details and number; else the first characters. Secrets are blanked out."""
    fields = _fields(answer)
    inner = fields.get("error")
    if isinstance(inner, dict):  # the OData layer's own errors
        texts = [inner.get("message"), *_inner_messages(inner.get("innererror"))]
        message = " ".join(text for text in texts if isinstance(text, str))
        kind = str(inner.get("code") or "ODataException")
    else:
        told, kind = fields.get("ErrorMessage"), str(fields.get("ErrorType") or "")
        details = [text for text in _details(fields.get("ErrorDetails")) if text != told]
        shown = "; ".join(details[:_DETAILS_SHOWN])
        message = f"{told or ''}{f' [{shown}]' if shown else ''}"
    number = str(fields.get("CorrelationId") or "")
    return Said(_plain(message) or answer.excerpt(), redacted(kind), redacted(number)[:60])


def query_of(answer: Answer) -> str:
    """The query that a call was for; "" for calls of another kind."""
    service, _, rest = _object(answer).partition("/")
    return rest.partition("/")[0] if service == "BaqSvc" else ""


def _plain(text: str) -> str:
    return redacted(" ".join(text.split()))[:_LONGEST]


def _object(answer: Answer) -> str:
    """Service and set (or method) that a call was for, from the path after the company; "" for calls of another kind."""
    _, _, path = answer.call.partition("/api/v2/odata/")
    return "/".join(path.split("/")[1:3])


def _fields(answer: Answer) -> dict[str, Any]:
    """The body as one level of names, from JSON or from XML; empty when it is something else."""
    start = answer.body[:64].lstrip()
    if start.startswith(b"<") and b"<!DOCTYPE" not in answer.body[:4096]:
        return _from_xml(answer.body)
    try:
        tree = decode(answer.body)
    except (ValueError, UnicodeDecodeError, RecursionError):
        return {}
    return tree if isinstance(tree, dict) else {}


def _from_xml(body: bytes) -> dict[str, Any]:
    try:
        root = ElementTree.fromstring(body)  # noqa: S314  (no document type, hence no entities)
    except ElementTree.ParseError:
        return {}
    fields: dict[str, Any] = {one.tag.rpartition("}")[2]: one.text or "" for one in root}
    fields["ErrorDetails"] = [
        {one.tag.rpartition("}")[2]: one.text or "" for one in row}
        for part in root
        if part.tag.rpartition("}")[2] == "ErrorDetails"
        for row in part
    ]
    return fields


def _details(found: Any) -> Iterator[str]:
    for one in found if isinstance(found, list) else []:
        if isinstance(one, dict) and isinstance(text := one.get("Message"), str) and text:
            table = one.get("Table")
            yield f"{table}: {text}" if table and isinstance(table, str) else text


def _inner_messages(inner: Any) -> Iterator[str]:
    while isinstance(inner, dict):
        if isinstance(text := inner.get("message"), str):
            yield text
        inner = inner.get("internalexception") or inner.get("innererror")


def _upgrading(answer: Answer, said: Said) -> TransientError:
    error = TransientError(
        f"{answer.call} answered 503: Kinetic is being upgraded (conversions are pending). {said}",
        next_step="Try again when the upgrade has ended.",
    )
    error.retry_after_seconds = max(retry_after_seconds(answer.headers), UPGRADE_PAUSE_SECONDS)
    return error
