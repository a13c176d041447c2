"""One caller for the model's calls: envelope, paging by what was really returned, refusals in plain words."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mlc_pipelines.anaplan.auth import Credential, auth_for
from mlc_pipelines.anaplan.config import AnaplanConfig
from mlc_pipelines.ledger.errors import PipelineError, SetupError, TransientError, UncertainError
from mlc_pipelines.transport.answers import Answer, error_for, retry_after_seconds
from mlc_pipelines.transport.budget import Budget, Unlimited
from mlc_pipelines.transport.caller import Caller

_PAGE = 5000
_PAGES_MAX = 20_000
_LOG_OUT_ATTEMPTS = 2

# What the model's state does to calls [S APIMD "HTTP Status Codes"]; 424 lets administrators in [S HELP-mode].
_STATES = {
    422: ("is archived", "A workspace administrator must restore it."),
    423: ("is locked", "A workspace administrator must unlock it in Model Management."),
    424: ("is offline for maintenance", "Wait until a workspace administrator puts it online again."),
    425: (
        "is in deployed mode, which refused a structural change",
        "The model builder must make the list a production list.",
    ),
}


class GoneError(SetupError):
    """404: it does not exist, or the user's role has no access to it; Anaplan answers both alike [S OAS issue 225]."""


class UnreadableError(TransientError):
    """An answer came whole and makes no sense: cut inside, malformed, or of another shape."""


class Api:
    """Calls as one user. Paths begin after `/2/0`."""

    def __init__(
        self,
        config: AnaplanConfig,
        credential: Credential,
        *,
        sleep: Callable[[float], None] = time.sleep,
        budget: Budget | None = None,
    ) -> None:
        self._auth = auth_for(config, credential, sleep=sleep)
        self._config = config
        common: dict[str, Any] = {"ca_file": config.ca_file, "sleep": sleep, "budget": budget or Unlimited()}
        asking: dict[str, Any] = {**common, "auth": self._auth, "headers": {"Accept": "application/json"}}
        briefly = replace(config.limits, attempts=min(_LOG_OUT_ATTEMPTS, config.limits.attempts))
        self.caller = Caller(
            config.system,
            config.api_url.rstrip("/"),
            explain=self._refusal,
            limits=config.limits,
            follow_same_site=True,
            **asking,
        )
        # The customer's scheduled jobs: good to know, so nobody waits long for it.
        self.cloudworks = Caller("Anaplan CloudWorks", config.cloudworks_url.rstrip("/"), limits=briefly, **asking)
        self._open = Caller(config.system, config.auth_url.rstrip("/"), limits=briefly, **common)

    def get(self, path: str, *, of: Caller | None = None, **request: Any) -> dict[str, Any]:
        """One answer with Anaplan's envelope checked; one that is cut or malformed is asked for once more (C01)."""
        caller = of or self.caller
        try:
            return content_of(caller.read("GET", path, **request))
        except UnreadableError:
            return content_of(caller.read("GET", path, **request))

    def list(self, path: str, key: str, *, of: Caller | None = None, **params: str) -> list[dict[str, Any]]:
        """All entries of a collection. Pages by what was really returned: the server may send fewer than asked [C SDK PR 349].

        An empty collection may lack its key altogether [S OAS issue 234]. `next` is only a hint, seen on whole answers too
        [S OAS "Pagination"], and its address is never followed. Raises TransientError when the pages do not add up to the
        stated total, or bring an entry twice.
        """
        found: list[dict[str, Any]] = []
        for _ in range(_PAGES_MAX):
            answer = self.get(path, of=of, params={**params, "limit": str(_PAGE), "offset": str(len(found))})
            page = _entries(answer, key, path)
            found += page
            paging = (answer.get("meta") or {}).get("paging") or {}
            total = paging.get("totalSize")
            more = len(found) < total if isinstance(total, int) else bool(page and paging.get("next"))
            if not more:
                return _each_once(found, path)
            if not page:
                raise TransientError(f"Anaplan GET {path} ended after {len(found):,} of {total:,} entries.")
        raise TransientError(f"Anaplan GET {path} kept sending pages: {len(found):,} entries and no end.")

    def close(self, error: BaseException | None) -> None:
        """End the token whatever happened. A failure of it never hides the first error."""
        try:
            if token := self._auth.to_log_out():
                self._auth.forget()
                # 401: it had ended by itself, or a first answer got lost.
                self._open.repeat(
                    "POST", "/token/logout", expect=(200, 204, 401), headers={"Authorization": self._auth.header(token)}
                )
        except PipelineError as problem:
            if error is None:
                raise
            error.add_note(f"Logging out failed as well: {problem}")
        finally:
            self.caller.__exit__(None, None, None)
            self.cloudworks.__exit__(None, None, None)
            self._open.__exit__(None, None, None)

    def _refusal(self, answer: Answer) -> PipelineError | None:
        if answer.status in _STATES:
            state, remedy = _STATES[answer.status]
            return SetupError(
                f"The Anaplan model {self._config.model} {state} ({answer.call} answered {answer.status}).",
                next_step=remedy,
            )
        if answer.status == 429 and answer.wrote:
            # A refusal at the door [S APIMD]: not started. Whoever sends it again looks first all the same (B13).
            busy = TransientError(f"{answer.call} was refused for now: too many requests (429).")
            busy.retry_after_seconds = retry_after_seconds(answer.headers)
            return busy
        if answer.status == 410 and not answer.wrote:
            return TransientError(
                f"{answer.call} was moved while it was asked for (410)."
            )  # "moved, retry" [S HELP-troubleshoot]
        if answer.status == 401:
            return SetupError(
                f"{answer.call} refused a fresh token (401).",
                next_step="Check whether the user may still use the API; the workspace administrator knows.",
            )
        if answer.status == 403:
            return SetupError(
                f"{answer.call} is not allowed for this user (403).",
                next_step="A workspace administrator must give its role access.",
            )
        if answer.status == 404:
            return GoneError(
                f"{answer.call} answered 404: it does not exist, or this user's role has no access to it.",
                next_step="A workspace administrator can tell which: Anaplan answers both alike.",
            )
        return None


def content_of(answer: Answer) -> dict[str, Any]:
    """The envelope's content. Raises the error that a body carries although its status says 200; UncertainError where a write's answer has no shape we know."""
    try:
        content = answer.json()
    except TransientError as error:
        raise UnreadableError(error.what) from None
    if not isinstance(content, dict):
        kind = UncertainError if answer.wrote else UnreadableError
        raise kind(f"{answer.call} answered with JSON of another shape than an object: {answer.excerpt()}")
    status = content.get("status")
    code = status.get("code", answer.status) if isinstance(status, dict) else answer.status
    if code != answer.status and (not isinstance(code, int) or code >= 300):
        stated = replace(answer, status=code if isinstance(code, int) else 500)
        raise error_for(stated, wrote=answer.wrote).within(what="With an error inside a good answer:")
    return content


def _entries(answer: dict[str, Any], key: str, path: str) -> list[dict[str, Any]]:
    page = answer.get(key) or []
    if not isinstance(page, list) or not all(isinstance(entry, dict) for entry in page):
        raise SetupError(
            f"Anaplan GET {path} answered with {key} of an unknown shape.",
            holds="It was not used.",
            next_step="Check `anaplan.api_url` in the connection file; if it is right, report the shape as a defect of this project.",
        )
    return page


def _each_once(entries: list[dict[str, Any]], path: str) -> list[dict[str, Any]]:
    ids = [entry["id"] for entry in entries if "id" in entry]
    if len(set(ids)) != len(ids):
        raise TransientError(
            f"Anaplan GET {path} sent an entry twice: {len(ids):,} entries, {len(set(ids)):,} different ones.",
            holds="The list was not used.",
        )
    return entries
