"""What an error answer of the site means, for whoever has to mend it.

The site answers 500 to almost everything, a wrong password and a missing record included; exceptionType and message tell
them apart [C acumatica-cli: docs/rest-api.md; C Jetbuilt/acumatica cassettes]. Such a 500 is permanent and is not retried.
A page of HTML, 502, 503 and 504 come from a site that restarts, and pass [C acumatica-cli].
"""

import re
from collections.abc import Iterator
from typing import Any

from mlc_pipelines.acumatica import wire
from mlc_pipelines.acumatica.config import AcumaticaConfig
from mlc_pipelines.ledger.errors import DataError, PipelineError, SetupError, TransientError, UncertainError
from mlc_pipelines.transport.answers import Answer, decode, error_for, is_html, retry_after_seconds
from mlc_pipelines.transport.secret import redacted

_SEATS = re.compile(
    r"api login limit|concurrent (?:api )?log-?ins?|maximum number of (?:api )?(?:users|log-?ins)", re.I
)
_ERRORS_SHOWN = 5
_BUSY = {429, 502, 503, 504}
_ADMINISTRATOR = "Ask the Acumatica administrator"


class SeatsTakenError(TransientError):
    """The site allows no further session at this moment."""


class NoRecordError(DataError):
    """The site has no record of these keys."""


class ReportedError(UncertainError):
    """The ERP itself reported an exception after a write: it was reached, and what it carried out is to be looked up."""


_BY_KIND = (
    (
        r"NoEntitySatisfiesTheCondition",
        NoRecordError,
        "The record does not exist.",
        "Check the code in the connection file or in Acumatica.",
    ),
    (
        r"CannotOptimize|BQL delegate|key was not present in the dictionary",
        SetupError,
        "This list cannot be read as one query on this site.",
        f"{_ADMINISTRATOR} whether the form was customized.",
    ),
    (
        r"PXSetupNotEntered|configuration data is not entered",
        SetupError,
        "A setup form of this tenant was never filled in.",
        f"{_ADMINISTRATOR} to complete the form named above.",
    ),
    (
        r"PXUndefinedCompany",
        SetupError,
        "The site has no tenant of this name.",
        "Correct `erp.tenant` in the connection file.",
    ),
    (
        r"Invalid credentials",
        SetupError,
        "Name or password of the API user were not accepted.",
        "Store the right password.",
    ),
    (
        r"incompatible types",
        SetupError,
        "A filter compares a field with a value of another type.",
        "Correct the filter in the connection file; if it has none, report this message as a defect.",
    ),
)
"""What stands in exceptionType or message, of the exception or of an inner one -> what kind of failure, in plain words, what to do.

Sources: [C acumatica-cli: docs/rest-api.md; C grp-mcp: KNOWLEDGE.md for the dictionary; C Jetbuilt/acumatica cassettes]."""


class Refusals:
    """Turns an error answer of this site into ours; None leaves it to the general table."""

    def __init__(self, config: AcumaticaConfig) -> None:
        self._config = config

    def __call__(self, answer: Answer) -> PipelineError | None:
        """The failure, with the site's own words in it. A write that met a busy site may have been carried out: the general table says so."""
        if answer.wrote and (answer.status in _BUSY or is_html(answer.headers, answer.body)):
            return None
        if is_html(answer.headers, answer.body) and answer.status != 404:
            return self._restarting(answer) if answer.status >= 500 else None
        if (taken := seats_taken(answer)) is not None:
            return taken
        said = _said(answer)
        match answer.status:
            case 401:
                return SetupError(
                    f"{answer.call} answered 401, also after a new sign-in: {said}",
                    next_step=f"{_ADMINISTRATOR} whether the API user or the connected application (SM303010) was disabled.",
                )
            case 403:
                return self._no_right(answer, said)
            case 404:
                return self._not_there(answer, said)
            case 412:
                return NoRecordError(
                    f"{answer.call} was refused: the record is not there any more.",
                    next_step="Look at it in Acumatica.",
                )
            case 422:
                return DataError(f"{answer.call} was refused: {said}", next_step="Correct what Acumatica names.")
            case 500 if _is_exception(answer):
                return _failed(answer, said)
        return None

    def _restarting(self, answer: Answer) -> TransientError:
        error = TransientError(
            f"{answer.call} answered {answer.status} with a web page: the site is restarting or being published.",
            next_step="Try again in some minutes.",
        )
        error.retry_after_seconds = retry_after_seconds(answer.headers)
        return error

    def _no_right(self, answer: Answer, said: str) -> SetupError:
        entity = _entity(answer)
        if inquiry := _inquiry(answer):
            return SetupError(
                f"{answer.call} answered 403: the API user may not see generic inquiry {inquiry} over OData, or it is not exposed. {said}",
                next_step=f"{_ADMINISTRATOR} to mark the inquiry as Expose via OData (SM208000) and to give the user's role the right to it.",
            )
        more = (
            " If the Subaccounts feature is off, write `subaccount: none` into the connection file."
            if entity == "Subaccount"
            else ""
        )
        return SetupError(
            f"{answer.call} answered 403: the API user may not see {entity or 'this'}. {said}",
            next_step=f"{_ADMINISTRATOR} to give the user's role the right to the form behind it (SM201025).{more}",
        )

    def _not_there(self, answer: Answer, said: str) -> SetupError:
        entity = _entity(answer)
        if inquiry := _inquiry(answer):
            return SetupError(
                f"{answer.call} answered 404: tenant {self._config.tenant} offers no generic inquiry {inquiry} over OData. {said}",
                next_step="Check the inquiry's name under `extracts` and `erp.tenant` in the connection file.",
            )
        if entity == "AccountDetailsForPeriodInquiry":
            return SetupError(
                f"{answer.call} answered 404: this site hides the inquiry {entity}.",
                next_step="Write `lines_from: transactions` into the connection file, or ask the Acumatica administrator to publish it.",
            )
        if not entity:
            return SetupError(
                f"{answer.call} answered 404: there is no Acumatica site at this address.",
                next_step="Check `erp.url` in the connection file: it must be the site with its virtual directory.",
            )
        return SetupError(
            f"{answer.call} answered 404: endpoint {self._config.endpoint}/{self._config.version} has no {entity}. {said}",
            next_step="Check `erp.endpoint` and `erp.version` in the connection file.",
        )


def seats_taken(answer: Answer) -> SeatsTakenError | None:
    """The failure when all API seats of the licence are taken. The body's shape is unknown, the words are known [S DOC SignOut]."""
    if not _SEATS.search(answer.body[:4000].decode("utf-8", "replace")):
        return None
    error = SeatsTakenError(
        f"{answer.call} answered {answer.status}: all API sessions of the licence are taken (API Login Limit).",
        holds="Nothing was read.",
        next_step="Wait until another integration has signed out; abandoned sessions end by themselves within the hour. "
        "The Acumatica administrator sees who holds them on SM604000 and the limit of this user on SM201010; "
        "what runs of ours left open, `mlc sessions close` gives back.",
    )
    error.retry_after_seconds = retry_after_seconds(answer.headers)
    return error


def sign_in_refused(answer: Answer, config: AcumaticaConfig, credential: str) -> PipelineError:
    """What a sign-in that brought no session means. Names tenant and credential, never what is in it."""
    if (taken := seats_taken(answer)) is not None:
        return taken
    said, who = _said(answer), f"credential {credential!r} for tenant {config.tenant!r}"
    code = _tree(answer).get("error")
    match code if isinstance(code, str) else "":
        case "invalid_grant":
            complaint = f"did not accept user and password of {who} (invalid_grant)"
            remedy = "Store the right password, or ask the Acumatica administrator whether the user is active and may sign in by API."
        case "invalid_client":
            complaint = f"does not know the connected application of {who}, or its secret is wrong (invalid_client)"
            remedy = "Store client id and secret as SM303010 shows them."
        case "unauthorized_client" | "unsupported_grant_type" | "invalid_scope" as code:
            complaint = f"does not let the connected application of {who} sign in this way ({code})"
            remedy = f"{_ADMINISTRATOR} to set its flow on SM303010 to Resource Owner Password Credentials."
        case _ if "invalid credentials" in said.lower():
            complaint = f"did not accept user and password of {who}"
            remedy = "Store the right password."
        case _:
            return _other_sign_in_failure(answer, who, said)
    return SetupError(f"{config.system} {complaint}.", holds="Nothing was read.", next_step=remedy)


def _other_sign_in_failure(answer: Answer, who: str, said: str) -> PipelineError:
    passing = answer.status in {408, 429, 502, 503, 504} or (answer.status >= 500 and not _is_exception(answer))
    if passing or 300 <= answer.status < 400:
        return error_for(answer, wrote=False)
    if answer.status == 500:
        return _failed(answer, said)
    return SetupError(
        f"{answer.call} answered {answer.status} to the sign-in of {who}: {said}",
        holds="Nothing was read.",
        next_step="Check `erp.url` and `erp.tenant` in the connection file and the stored credential.",
    )


def _failed(answer: Answer, said: str) -> PipelineError:
    exceptions = list(_exceptions(_tree(answer)))
    for pattern, error, meaning, remedy in _BY_KIND:
        if any(re.search(pattern, one, re.I) for one in exceptions):
            return error(f"{answer.call} failed: {said} {meaning}", next_step=remedy)
    kind = _tree(answer).get("exceptionType")
    if answer.wrote:
        return ReportedError(
            f"{answer.call} failed with {kind or 'an exception'}: {said}",
            holds="It may have been carried out, or a part of it.",
            next_step="Look at the record in Acumatica before anything else is done with it.",
        )
    return DataError(
        f"{answer.call} failed with {kind or 'an exception'}: {said}",
        next_step=f"{_ADMINISTRATOR} what stands behind this message; repeating the call does not help.",
    )


def _exceptions(tree: Any) -> Iterator[str]:
    """Type and text of an exception and of those inside it."""
    while isinstance(tree, dict):
        yield f"{tree.get('exceptionType')} {tree.get('exceptionMessage')}"
        tree = tree.get("innerException")


def _said(answer: Answer) -> str:
    """The site's own words: each error with the path of its field, else its message, else the first characters."""
    tree = _tree(answer)
    found = [f"{path}: {text}" if path else text for path, text in wire.errors_in(tree)]
    if found:
        more = f" (and {len(found) - _ERRORS_SHOWN} more)" if len(found) > _ERRORS_SHOWN else ""
        return redacted(" ".join("; ".join(found[:_ERRORS_SHOWN]).split())) + more
    words = [tree.get(name) for name in ("exceptionMessage", "error_description", "message")]
    texts = [" ".join(word.split()) for word in words if isinstance(word, str) and word]
    return redacted(texts[0]) if texts else answer.excerpt()


def _tree(answer: Answer) -> dict[str, Any]:
    """The answer's JSON object; empty when it is something else."""
    try:
        tree = decode(answer.body)
    except (ValueError, UnicodeDecodeError):
        return {}
    return tree if isinstance(tree, dict) else {}


def _is_exception(answer: Answer) -> bool:
    """Whether the ERP itself reports an exception, and not something in front of it."""
    return not _tree(answer).keys().isdisjoint({"exceptionType", "exceptionMessage"})


def _entity(answer: Answer) -> str:
    """The entity a call was for: the part of the path after endpoint and version; "" for calls of another kind."""
    parts = answer.call.partition("/entity/")[2].split("/")
    return parts[2] if len(parts) > 2 else ""


def _inquiry(answer: Answer) -> str:
    """The generic inquiry that a call over OData was for; "" for calls of another kind."""
    return answer.call.partition("/api/odata/gi/")[2].partition("_WithParameters")[0]
