"""One session of Kinetic for a whole run: opened before the first question, named with each call, closed always.

Without a session each call claims a licence for itself [S FOR-84859]. A dead session answers 410 [S EPG]: it is opened again. What a killed
run left open is written down, as for every system with seats, and closed by the next one.
"""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any
from urllib.parse import quote

from mlc_pipelines.epicor.config import EpicorConfig
from mlc_pipelines.epicor.refusals import SessionEndedError, no_licence
from mlc_pipelines.ledger.errors import PipelineError, SetupError
from mlc_pipelines.transport.answers import Answer, encode
from mlc_pipelines.transport.caller import Caller
from mlc_pipelines.transport.seats import Alone, Seat, Seats, Unwritten
from mlc_pipelines.transport.secret import Secret

_SERVICE = "Ice.Lib.SessionModSvc"
_WEB_SERVICE_LICENCE = "00000003-9439-4B30-A6F4-6D2FD4B9FD0F"  # [C EPY licenses]
_PROOF = "SessionID"
_JSON = {"Accept": "application/json"}


class Session:
    """The session of one run, within the number that this installation may have."""

    def __init__(
        self, config: EpicorConfig, caller: Caller, sleep: Callable[[float], None], seats: Seats | None = None
    ) -> None:
        self._config = config
        self._caller = caller
        self._sleep = sleep
        self._seats = seats or Alone()
        self._seat: Seat = Unwritten()
        self._held = ExitStack()
        self._seated = False
        self._id: Secret | None = None

    def headers(self) -> dict[str, str]:
        """What names the session and the plant in a call; the session is opened first where there is none."""
        settings = {"CallSettings": _json({"Plant": self._config.plant})} if self._config.plant else {}
        if not self._config.session:
            return settings
        if self._id is None:
            self._open()
        return {**settings, **self._named(self._id)}

    def forget(self) -> None:
        """The session is no more."""
        self._id = None

    def close(self, caller: Caller) -> None:
        """Give the session back, however the run ended. One that has ended by itself is as good as closed."""
        try:
            if self._id is not None:
                _log_out(caller, self._config, self._named(self._id))
                self._id = None
            self._seat.closed()
        finally:
            self._held.close()

    def close_left(self) -> int:
        """Close what dead processes left open here; returns how many."""
        return self._seats.close_left(self._config.site, self._closed)

    def _open(self) -> None:
        if not self._seated:
            claim = self._seats.claim(
                self._config.site,
                sessions=self._config.sessions,
                wait_seconds=self._config.session_wait_seconds,
                sign_out=self._closed,
                sleep=self._sleep,
            )
            self._seat = self._held.enter_context(claim)
            self._seated = True
        path, headers = _method(self._config, "Login"), {**_JSON, **self._claimed("")}
        try:
            said = self._caller.repeat("POST", path, json={}, expect=(200,), headers=headers)
        except SessionEndedError as none:  # no session was named, so there is none to be had
            raise no_licence(self._config, none.what) from None
        self._id = Secret(_id_in(said), "session")
        self._seat.opened({_PROOF: self._id.reveal()})

    def _named(self, session: Secret | None) -> dict[str, str]:
        value = session.reveal() if session else ""
        return {"SessionInfo": _json({"SessionID": value}), **self._claimed(value)}

    def _claimed(self, session: str) -> dict[str, str]:
        """The kind of licence that the session is to have [C EPY]; nothing where the user's own is right."""
        if self._config.license == "default":
            return {}
        return {"License": _json({"ClaimedLicense": _WEB_SERVICE_LICENCE, "SessionID": session})}

    def _closed(self, proof: Mapping[str, str]) -> bool:
        """Close what a killed run left open; False when Kinetic could not be asked, so that a later run does it."""
        try:
            _log_out(self._caller, self._config, self._named(Secret(proof[_PROOF], "left session")))
        except PipelineError:
            return False
        return True


def _log_out(caller: Caller, config: EpicorConfig, named: Mapping[str, str]) -> None:
    caller.repeat("POST", _method(config, "Logout"), json={}, expect=(200, 204, 401, 410), headers={**_JSON, **named})


def _method(config: EpicorConfig, method: str) -> str:
    return f"/api/v2/odata/{quote(config.company, safe='')}/{_SERVICE}/{method}"


def _id_in(answer: Answer) -> str:
    """The session's id: {"returnObj": id} [S SNO; C EPY]."""
    said = answer.json()
    found = said.get("returnObj") if isinstance(said, dict) else None
    if not isinstance(found, str) or not found.strip():
        raise SetupError(
            f"{answer.call} answered {answer.status} without a session.",
            holds="Nothing was read.",
            next_step="Check `erp.url` in the connection file, or write `session: false` if this instance gives no sessions.",
        )
    return found


def _json(value: Any) -> str:
    return encode(value).decode()
