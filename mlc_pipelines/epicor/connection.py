"""The way to one Kinetic instance: a key and a sign-in with each call, one session for a run, the server's clock, and what was noticed on the way."""

import re
import time
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote

import msgspec

from mlc_pipelines.epicor import metadata
from mlc_pipelines.epicor.auth import sign_in_for
from mlc_pipelines.epicor.config import EpicorConfig, EpicorCredential, require_complete
from mlc_pipelines.epicor.refusals import LicenceTakenError, Refusals, SessionEndedError, no_licence
from mlc_pipelines.epicor.sessions import Session
from mlc_pipelines.ledger.errors import DataError, PipelineError, SetupError, TransientError
from mlc_pipelines.transport.answers import Answer
from mlc_pipelines.transport.caller import Caller
from mlc_pipelines.transport.seats import Seats, when_free
from mlc_pipelines.transport.secret import redacted

T = TypeVar("T")

JSON = "application/json"
_CLOSE_ATTEMPTS = 3
_SLOW_CALLS = 3
_PARTS_SHOWN = 12
_NO_NUMBER = re.compile(rb'"([A-Za-z0-9_]{1,60})"\s*:\s*(-?(?:NaN|Infinity))\b')


class Connection:
    """All calls to one instance, as one user, for one company."""

    def __init__(
        self,
        config: EpicorConfig,
        credential: EpicorCredential,
        *,
        sleep: Callable[[float], None],
        seats: Seats | None = None,
    ) -> None:
        require_complete(config, credential)
        self.config = config
        self.sleep = sleep
        self.remarks: dict[str, None] = {}
        self._refusals = Refusals(config, credential.name)
        self._caller = Caller(
            system=config.system,
            base_url=config.site,
            auth=sign_in_for(config, credential),
            explain=self._refusals,
            limits=config.limits,
            ca_file=config.ca_file,
            sleep=sleep,
        )
        few = replace(config.limits, attempts=min(config.limits.attempts, _CLOSE_ATTEMPTS))
        self._leaving = replace(self._caller, limits=few)
        self._session = Session(config, self._caller, sleep, seats)
        self._published: dict[str, metadata.Published] = {}
        self._said_at: datetime | None = None
        self._heard_at = 0.0
        self._latest_seconds: deque[float] = deque(maxlen=_SLOW_CALLS)

    def read(self, path: str, *, expect: Collection[int] = (200,), accept: str = JSON) -> Answer:
        """The answer to a GET below the company's own address."""
        return self._in_session(
            lambda headers: self._caller.read(
                "GET", self.address(path), expect=expect, headers={"Accept": accept, **headers}
            )
        )

    def ask(self, service: str, method: str, parameters: Any) -> Any:
        """What a method answers that changes nothing: it may be called again."""
        path = self.address(f"{service}/{method}")
        answer = self._in_session(
            lambda headers: self._caller.repeat(
                "POST", path, expect=(200,), json=parameters, headers={"Accept": JSON, **headers}
            )
        )
        return self._said(answer)

    def write(self, service: str, method: str, parameters: Any) -> Any:
        """What a method answers that may change something: sent once. UncertainError when it may have been carried out."""
        path = self.address(f"{service}/{method}")
        answer = self._in_session(
            lambda headers: self._caller.write(
                "POST", path, expect=(200, 201, 204), json=parameters, headers={"Accept": JSON, **headers}
            )
        )
        return self._said(answer) if answer.body else None

    def address(self, path: str) -> str:
        return f"/api/v2/odata/{quote(self.config.company, safe='')}/{path}"

    def decoded(self, fetch: Callable[[], Answer], decode: Callable[[bytes], T]) -> T:
        """The typed answer. Cut or malformed JSON is fetched once more; TransientError when it comes again."""
        for _ in range(2):
            answer = fetch()
            answer.require_no_html()
            if not answer.body.strip():
                problem = "the answer is empty"
                continue
            try:
                return decode(answer.body)
            except msgspec.ValidationError as error:
                raise self._unreadable(answer, str(error)) from None
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                if (strange := _no_number(answer)) is not None:
                    raise strange from None
                problem = str(error)
        raise TransientError(
            f"{answer.call} answered twice with malformed JSON ({problem}).", holds="Nothing was loaded."
        )

    def published(self, service: str) -> metadata.Published:
        """What a service publishes about its entity sets, asked for once."""
        if service not in self._published:
            answer = self.read(f"{service}/$metadata")
            answer.require_no_html()
            self._published[service] = metadata.published(answer)
        return self._published[service]

    def now(self) -> datetime | None:
        """The server's clock: its last answer said it to the second [S RFC 9110 Date], ours only counts on from there. None where it is not told."""
        if self._said_at is None:
            return None
        return self._said_at + timedelta(seconds=time.monotonic() - self._heard_at)

    def remark(self, text: str) -> None:
        """Something that a reader of the report must know."""
        self.remarks[text] = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(error)

    def close(self, error: BaseException | None) -> None:
        """Close the session whatever happened, so that no licence stays taken. A failure of it never hides the first error."""
        try:
            self._session.close(self._leaving)
        except PipelineError as problem:
            if error is None:
                raise
            error.add_note(f"Closing the session failed as well: {problem}")
        finally:
            self._caller.__exit__(None, None, None)
            self._leaving.__exit__(None, None, None)

    def look(self) -> None:
        """Ask something without a key or a sign-in: whether Kinetic is at this address at all. It is refused, and that is an answer."""
        path = self.address("Ice.Lib.SessionModSvc/$metadata")
        with Caller(
            system=self.config.system,
            base_url=self.config.site,
            explain=self._refusals,
            limits=self._leaving.limits,
            ca_file=self.config.ca_file,
            sleep=self.sleep,
        ) as caller:
            self._note_time(caller.read("GET", path, expect=(200, 400, 401, 403)))

    def sign_in(self) -> None:
        """Open the session, without asking for a record; where there is none, ask what the instance publishes of sessions."""
        if self.config.session:
            self._when_free(self._session.headers)
        else:
            self.read("Ice.Lib.SessionModSvc/$metadata")

    def close_left(self) -> int:
        """Close the sessions that dead processes left open; returns how many."""
        return self._session.close_left()

    def _in_session(self, send: Callable[[dict[str, str]], Answer]) -> Answer:
        """The answer; once more in a new session when the old one has ended: 410 means that nothing was carried out."""
        try:
            return self._when_free(lambda: self._timed(send))
        except SessionEndedError:
            self._session.forget()
        return self._when_free(lambda: self._timed(send))

    def _when_free(self, call: Callable[[], T]) -> T:
        return when_free(call, LicenceTakenError, self.config.session_wait_seconds, self.sleep)

    def _timed(self, send: Callable[[dict[str, str]], Answer]) -> Answer:
        headers = self._session.headers()
        begun = time.monotonic()
        try:
            answer = send(headers)
        except SessionEndedError as none:
            if self.config.session:
                raise
            raise no_licence(self.config, none.what) from None
        self._notice_slowness(answer, time.monotonic() - begun)
        self._note_time(answer)
        return answer

    def _note_time(self, answer: Answer) -> None:
        if date := answer.headers.get("date"):
            try:
                self._said_at, self._heard_at = parsedate_to_datetime(date), time.monotonic()
            except ValueError:
                self._said_at = None

    def _notice_slowness(self, answer: Answer, seconds: float) -> None:
        """Kinetic delays every call of a shared web-service licence by 20 s [S FOR-112214]: even the quickest of the last few took so long."""
        if "/Erp.BO." not in answer.call:
            return
        self._latest_seconds.append(seconds)
        if len(self._latest_seconds) == _SLOW_CALLS and min(self._latest_seconds) >= self.config.slow_call_seconds:
            self.remark(
                f"Each call to {self.config.system} takes {self.config.slow_call_seconds:g} seconds or more: its web service licences are "
                "probably all in use, and Kinetic delays those who share one by 20 seconds a call. Ask the Kinetic administrator who holds them."
            )

    def _said(self, answer: Answer) -> Any:
        if (problem := self._refusals.inside(answer)) is not None:
            raise problem
        return answer.json()

    def _unreadable(self, answer: Answer, problem: str) -> PipelineError:
        """What an answer that does not decode means: an error inside it, a column that is missing, or a value of another kind."""
        if (inside := self._refusals.inside(answer)) is not None:
            return inside
        kind = SetupError if "missing required field" in problem else DataError
        return kind(
            f"{answer.call} answered {answer.status} with a record that cannot be read ({problem}).",
            holds="Nothing was loaded.",
            next_step="Ask the Kinetic administrator whether the instance was upgraded, or the query changed.",
        )


def _no_number(answer: Answer) -> DataError | None:
    """The first NaN or Infinity of an answer, which is no JSON but is what some servers write, with its field and the record before it."""
    if not (found := _NO_NUMBER.search(answer.body)):
        return None
    record = answer.body[max(answer.body.rfind(b"{", 0, found.start()), 0) : found.start()]
    said = ", ".join(
        part.decode("utf-8", "replace").replace('"', "") for part in record.lstrip(b"{ ").split(b",")[:_PARTS_SHOWN]
    )
    return DataError(
        f"{answer.call} answered with a record whose {found[1].decode()} is {found[2].decode()}, which is no number ({redacted(said)}).",
        holds="Nothing was loaded.",
        next_step="Correct the record in Kinetic, or ask its administrator why this figure is shown so.",
    )
