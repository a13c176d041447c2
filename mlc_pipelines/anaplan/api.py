"""One caller for the model's calls: envelope, paging by what was really returned, refusals in plain words."""

import time
from collections.abc import Callable
from typing import Any

from mlc_pipelines.anaplan.auth import BasicAuth
from mlc_pipelines.anaplan.config import AnaplanConfig, AnaplanCredential
from mlc_pipelines.ledger.errors import PipelineError, SetupError, TransientError
from mlc_pipelines.transport.answers import Answer
from mlc_pipelines.transport.caller import Caller

_PAGE = 5000
_PAGES_MAX = 20_000

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


class Api:
    """Calls as one user. Paths begin after `/2/0`."""

    def __init__(
        self, config: AnaplanConfig, credential: AnaplanCredential, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._auth = BasicAuth(config, credential)
        self._config = config
        self.caller = Caller(
            config.system,
            config.api_url.rstrip("/"),
            auth=self._auth,
            headers={"Accept": "application/json"},
            explain=self._refusal,
            limits=config.limits,
            ca_file=config.ca_file,
            sleep=sleep,
        )
        self._open = Caller(
            config.system, config.auth_url.rstrip("/"), limits=config.limits, ca_file=config.ca_file, sleep=sleep
        )

    def get(self, path: str, **request: Any) -> dict[str, Any]:
        """One answer with Anaplan's envelope checked."""
        return content_of(self.caller.read("GET", path, **request))

    def list(self, path: str, key: str, **params: str) -> list[dict[str, Any]]:
        """All entries of a collection. Pages by what was really returned: the server may send fewer than asked [C SDK PR 349].

        An empty collection may lack its key altogether [S OAS issue 234].
        """
        found: list[dict[str, Any]] = []
        for _ in range(_PAGES_MAX):
            answer = self.get(path, params={**params, "limit": str(_PAGE), "offset": str(len(found))})
            page = answer.get(key) or []
            found += page
            paging = answer.get("meta", {}).get("paging") or {}
            if not page or len(found) >= int(paging.get("totalSize", len(found))):
                return found
        raise TransientError(f"Anaplan GET {path} kept sending pages: {len(found):,} entries and no end.")

    def close(self, error: BaseException | None) -> None:
        """End the token whatever happened. A failure of it never hides the first error."""
        try:
            if token := self._auth.token:
                self._auth.forget()
                self._open.repeat(
                    "POST", "/token/logout", expect=(200, 204, 401), headers={"Authorization": self._auth.header(token)}
                )
        except PipelineError as problem:
            if error is None:
                raise
            error.add_note(f"Logging out failed as well: {problem}")
        finally:
            self.caller.__exit__(None, None, None)
            self._open.__exit__(None, None, None)

    def _refusal(self, answer: Answer) -> PipelineError | None:
        if answer.status in _STATES:
            state, remedy = _STATES[answer.status]
            return SetupError(
                f"The Anaplan model {self._config.model} {state} ({answer.call} answered {answer.status}).",
                next_step=remedy,
            )
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
            return SetupError(
                f"{answer.call} answered 404: it does not exist, or this user's role has no access to it.",
                next_step="A workspace administrator can tell which: Anaplan answers both alike.",
            )
        return None


def content_of(answer: Answer) -> dict[str, Any]:
    """The envelope's content. Raises the error that a body carries although its status says 200 (B16)."""
    content = answer.json()
    if not isinstance(content, dict):
        raise TransientError(f"{answer.call} answered with JSON of another shape than an object: {answer.excerpt()}")
    status = content.get("status")
    code = status.get("code", 200) if isinstance(status, dict) else 200
    if code not in {200, 201, 202, 204}:
        raise SetupError(f"{answer.call} answered 200 with an error inside: {answer.excerpt()}")
    return content
