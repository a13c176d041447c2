"""The way to one site: the pinned version is checked before anything else, sign-in happens at the first read, sign-out always.

Before the first record is read, the tenant that answered is the one that was asked for, and the endpoint has every field that is used.
"""

import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote

import httpx
import msgspec

from mlc_pipelines.acumatica import actions, openapi, sessions, tenants, wire
from mlc_pipelines.acumatica.auth import sign_in_for
from mlc_pipelines.acumatica.config import AcumaticaConfig, AcumaticaCredential
from mlc_pipelines.acumatica.refusals import NoRecordError, Refusals, SeatsTakenError
from mlc_pipelines.ledger.errors import DataError, PipelineError, SetupError, TransientError
from mlc_pipelines.transport.answers import Answer
from mlc_pipelines.transport.caller import Caller, Limits
from mlc_pipelines.transport.rows import read_rows
from mlc_pipelines.transport.seats import Alone, Seats, when_free

T = TypeVar("T")

_SIGN_OUT_ATTEMPTS = 3
_EDGE_BYTES = 1024


class Connection:
    """All calls to one endpoint of one site, as one user in one session."""

    def __init__(
        self,
        config: AcumaticaConfig,
        credential: AcumaticaCredential,
        *,
        sleep: Callable[[float], None],
        seats: Seats | None = None,
        contracts: openapi.Contracts | None = None,
    ) -> None:
        self.config = config
        self._credential = credential
        self._sleep = sleep
        self._seats = seats or Alone()
        self._contracts = contracts or openapi.Forgetful()
        self._sign_in = sign_in_for(config, credential)
        self._recorded = sessions.Recorded(self._sign_in)
        self._endpoint = f"/entity/{config.endpoint}/{config.version}"
        self._in_the_open = in_the_open(config, sleep)
        self._with_session = _caller(config, sleep, config.limits, self._recorded)
        basic = httpx.BasicAuth(credential.username.reveal(), credential.password.reveal())
        self._by_name = _caller(config, sleep, config.limits, basic)
        self._held = ExitStack()
        self._seated = False
        self._offered: Offered | None = None
        self._ready = False

    def list(self, entity: str, record: type[T], *, select: str = "", expand: str = "", where: str = "") -> list[T]:
        """All records of an entity, in no promised order. Without $top the site answers with every one [S Parameter_top]."""
        path = self._path(entity, select=select, expand=expand, filter=where)
        return self._decoded(lambda: self._read("GET", path), list[record])  # type: ignore[valid-type]

    def one(self, entity: str, keys: Sequence[str], record: type[T], *, select: str = "", expand: str = "") -> T | None:
        """One record by its keys, in the contract's order; None where there is none."""
        path = self._path(_keyed(entity, keys), select=select, expand=expand)
        try:
            return self._decoded(lambda: self._read("GET", path), record)
        except NoRecordError:
            return None

    def put(self, entity: str, record: Mapping[str, Any], *, update_only: bool = False) -> Answer:
        """Write one record, once. update_only: never make a new one; NoRecordError where it is gone [S DOC Update_Record: If-Match]."""
        headers = {"If-Match": "*"} if update_only else {}
        self._when_free(self._caller)
        return self._with_session.write("PUT", self._path(entity), json=record, headers=headers)

    def delete(self, entity: str, keys: Sequence[str]) -> None:
        """Delete one record by its keys, once."""
        self._when_free(self._caller)
        self._with_session.write("DELETE", self._path(_keyed(entity, keys)), expect=(200, 204))

    def stream(self, entity: str, record: type[T], *, select: str, where: str) -> Iterator[Sequence[T]]:
        """The same, some thousands at a time: for lists that grow with the year. The whole answer is on disk before the first is looked at."""
        path, decode = self._path(entity, select=select, filter=where), msgspec.json.Decoder(list[record]).decode  # type: ignore[valid-type]
        with tempfile.TemporaryDirectory(prefix="acumatica-") as folder:
            file = Path(folder) / "list.json"
            call = self._to_file("GET", path, file, brackets=b"[]").call

            def records(block: bytes) -> Sequence[T]:
                try:
                    return decode(block)
                except msgspec.ValidationError:
                    wire.require_no_refusal(call, block)
                    raise

            yield from read_rows(file, records, what=call)

    def ask(self, inquiry: str, parameters: Mapping[str, str], shape: type[T], *, expand: str = "Results") -> T:
        """The whole answer of an inquiry. Sent by PUT but stores nothing, so it is read like any other [S DOC; HT]."""
        path, body = self._path(inquiry, expand=expand), wire.wrap(parameters)
        return self._decoded(lambda: self._read("PUT", path, json=body), shape)

    def download(self, inquiry: str, parameters: Mapping[str, str], into: Path) -> Answer:
        """The answer of a large inquiry in a file; read once more when its end is missing. TransientError when it is missing again."""
        return self._to_file(
            "PUT", self._path(inquiry, expand="Results"), into, brackets=b"{}", json=wire.wrap(parameters)
        )

    def _to_file(self, method: str, path: str, into: Path, *, brackets: bytes, **request: Any) -> Answer:
        for _ in range(2):
            answer = self._when_free(lambda: self._caller().download(method, path, into, **request))
            start, end = _edges(into)
            replace(answer, body=start).require_no_html()
            if brackets == b"[]" and start.lstrip().startswith(b"{"):  # one record in place of a list: what went wrong
                wire.require_no_refusal(answer.call, into.read_bytes())
            if end.rstrip().endswith(brackets[1:]):
                return answer
        raise TransientError(f"{answer.call} answered twice with JSON that has no end.", holds="Nothing was loaded.")

    def contract(self) -> openapi.Contract:
        """What the endpoint publishes about its entities. Errors as `openapi.contract`."""
        caller = self._caller()
        build = self._offered.build if self._offered else ""
        return openapi.contract(caller, self.config, build, self._contracts)

    def page(self, path: str, shape: type[T]) -> T:
        """A page of an inquiry over OData; path is below the site, or an address on it."""
        return self._decoded(lambda: self._odata(path, "application/json"), shape)

    def text(self, path: str) -> bytes:
        """A document that describes inquiries, as it stands."""
        answer = self._odata(path, "application/xml")
        answer.require_no_html()
        return answer.body

    def _odata(self, path: str, accept: str) -> Answer:
        """Signed in as ever, or by name and password: then it counts as no API session [S DOC GI OData]."""
        if self.config.odata_auth == "basic" or (not self.config.odata_auth and self.config.auth == "cookie"):
            self._caller()
            return self._by_name.read("GET", path, headers={"Accept": accept})
        return self._read("GET", path, headers={"Accept": accept})

    def now(self) -> datetime | None:
        """The site's clock: its first answer says it to the second [S RFC 9110 Date], ours only counts on from there. None where it is not told."""
        self._caller()
        if self._offered is None or self._offered.said_at is None:
            return None
        return self._offered.said_at + timedelta(seconds=time.monotonic() - self._offered.heard_at)

    def invoke(self, entity: str, action: str, keys: Mapping[str, Any]) -> None:
        """Invoke an action on one record, once, and wait for its end; read the record afterwards. Errors as `actions.invoke`."""
        path = f"{self._endpoint}/{entity}/{action}"
        self._when_free(self._caller)
        actions.invoke(self._with_session, self.config, path, keys, self._sleep)

    @contextmanager
    def others(self, most: int) -> "Iterator[Sequence[Connection]]":
        """Up to so many further sessions at the same site; fewer where this installation or the licence has no more to spare now.

        The site runs the requests of one session one after another [C acumatica-cli SessionPool], so who reads side by side needs one each.
        """
        with ExitStack() as opened:
            sites = deque[Connection]()
            while len(sites) < most and (another := self._another()):
                sites.append(opened.enter_context(another))
            yield sites

    def _another(self) -> "Connection | None":
        """One more session, signed in; None where no seat is free at once, or the site is too busy to give one."""
        config = replace(self.config, check_fields=False)
        another = Connection(config, self._credential, sleep=self._sleep, seats=self._seats, contracts=self._contracts)
        another._offered = self._offered
        try:
            caller = another._signed_in(wait_seconds=0.0)
            with replace(caller, limits=replace(config.limits, attempts=1)) as once:
                once.read("GET", "/entity")
        except BaseException as error:
            another.close(error)
            if isinstance(error, TransientError):
                return None
            raise
        return another

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(error)

    def close(self, error: BaseException | None) -> None:
        """Sign out whatever happened, so that no seat stays taken. A failure of it never hides the first error."""
        try:
            self._sign_out()
        except PipelineError as problem:
            if error is None:
                raise
            error.add_note(f"Signing out failed as well: {problem}")
        finally:
            self._held.close()
            self._with_session.__exit__(None, None, None)
            self._by_name.__exit__(None, None, None)
            self._in_the_open.__exit__(None, None, None)

    def _sign_out(self) -> None:
        if proof := self._sign_in.proof():
            sessions.sign_out(self._in_the_open, proof)
            self._sign_in.forget()
        self._recorded.seat.closed()

    def _read(self, method: str, path: str, **request: Any) -> Answer:
        return self._when_free(lambda: self._caller().read(method, path, **request))

    def _when_free(self, call: Callable[[], T]) -> T:
        return when_free(call, SeatsTakenError, self.config.session_wait_seconds, self._sleep)

    def _caller(self) -> Caller:
        """The signed-in caller, after the site has shown that it serves what this connection is pinned to."""
        if not self._ready:
            self.require_version()
            self.require_tenant()
            if self.config.check_fields:
                build = self._offered.build if self._offered else ""
                openapi.require_fields(self._signed_in(), self.config, build, self._contracts)
            self._ready = True
        return self._with_session

    # -- the same steps one by one, for whoever wants to know how far they lead ---------------------------------------------

    def look(self) -> "Offered":
        """What the site tells without a sign-in."""
        return _offered(self._in_the_open.read("GET", "/entity"))

    def sign_in(self) -> None:
        """Sign in, without asking for a record."""
        self._signed_in().read("GET", "/entity")

    def require_version(self) -> None:
        """Raises SetupError, naming what there is, where the site does not serve the pinned endpoint and version."""
        self._offered = self._offered or self._require_version()

    def require_tenant(self) -> None:
        """Raises SetupError when the session stands in another tenant."""
        tenants.require_tenant(self._signed_in(), self.config)

    def sample(self, entity: str, where: str = "") -> None:
        """Read no more than one record of an entity, to see whether it may be read."""
        self._read("GET", self._path(entity, top="1", filter=where)).require_no_html()

    def _signed_in(self, *, wait_seconds: float | None = None) -> Caller:
        """The caller that signs in at its first call; before, one of the sessions that this installation may have is taken."""
        wait = self.config.session_wait_seconds if wait_seconds is None else wait_seconds
        if not self._seated:
            claim = self._seats.claim(
                self.config.site,
                sessions=self.config.sessions,
                wait_seconds=wait,
                sign_out=lambda proof: sessions.sign_out_left(self._in_the_open, proof),
                sleep=self._sleep,
            )
            self._recorded.seat = self._held.enter_context(claim)
            self._seated = True
        return self._with_session

    def _require_version(self) -> "Offered":
        """Without sign-in the site lists its system endpoints, signed in also the tenant's own [S DOC Basic_Get_List_of_Endpoints]."""
        wanted = (self.config.endpoint, self.config.version)
        site = _offered(self._in_the_open.read("GET", "/entity"))
        if wanted[0] not in {name for name, _ in site.endpoints}:
            site = _offered(self._signed_in().read("GET", "/entity"))
        if wanted not in site.endpoints:
            versions = sorted(version for name, version in site.endpoints if name == wanted[0])
            names = sorted({name for name, _ in site.endpoints})
            raise SetupError(
                f"{self.config.system} does not serve endpoint {wanted[0]} in version {wanted[1]}. "
                + (f"It serves {wanted[0]} in {', '.join(versions)}." if versions else f"It has {', '.join(names)}."),
                holds="Nothing else was called.",
                next_step="Write one of these into `erp.version` of the connection file."
                if versions
                else "Correct `erp.endpoint` in the connection file.",
            )
        return site

    def _path(self, entity: str, **options: str) -> str:
        said = "&".join(f"${name}={quote(value, safe=',()/')}" for name, value in options.items() if value)
        return f"{self._endpoint}/{entity}" + (f"?{said}" if said else "")

    def _decoded(self, fetch: Callable[[], Answer], shape: type[T]) -> T:
        """The typed answer. Cut or malformed JSON is fetched once more; TransientError when it comes again."""
        for _ in range(2):
            answer = fetch()
            answer.require_no_html()
            try:
                return msgspec.json.decode(answer.body, type=shape)
            except msgspec.ValidationError as error:
                wire.require_no_refusal(answer.call, answer.body)
                raise DataError(
                    f"{answer.call} answered {answer.status} with a record that cannot be read ({error}).",
                    holds="Nothing was loaded.",
                    next_step="Ask the Acumatica administrator whether the endpoint was changed or the site upgraded.",
                ) from None
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                problem = str(error)
        raise TransientError(
            f"{answer.call} answered twice with malformed JSON ({problem}).", holds="Nothing was loaded."
        )


@dataclass(frozen=True, slots=True)
class Offered:
    """What GET /entity tells: name and version of all endpoints, the site's build ("" where it is not told), and its time.

    said_at: the site's own clock, None where it was not told; heard_at: our monotonic clock at that moment.
    """

    endpoints: frozenset[tuple[str, str]]
    build: str
    said_at: datetime | None
    heard_at: float


def _offered(answer: Answer) -> Offered:
    """Very old sites answer with the bare list of endpoints [C acumatica-cli]."""
    said = answer.json()
    enveloped = isinstance(said, dict) and "endpoints" in said
    version = said.get("version") if enveloped else None
    try:
        endpoints = {(one["name"], one["version"]) for one in (said["endpoints"] if enveloped else said)}
    except (TypeError, KeyError):
        raise SetupError(
            f"{answer.call} answered 200, but not with a list of endpoints: {answer.excerpt()}",
            next_step="Check `erp.url` in the connection file: it must be the site with its virtual directory.",
        ) from None
    build = version.get("acumaticaBuildVersion") if isinstance(version, dict) else None
    date = answer.headers.get("Date")
    return Offered(
        frozenset(endpoints), str(build or ""), parsedate_to_datetime(date) if date else None, time.monotonic()
    )


def in_the_open(config: AcumaticaConfig, sleep: Callable[[float], None]) -> Caller:
    """A caller that does not sign in: for what needs no session, and for leaving one."""
    few = replace(config.limits, attempts=min(config.limits.attempts, _SIGN_OUT_ATTEMPTS))
    return _caller(config, sleep, few, None)


def sign_out_all_left(config: AcumaticaConfig, seats: Seats, sleep: Callable[[float], None]) -> int:
    """Sign out what dead processes left open at this site; returns how many. Needs no credential."""
    with in_the_open(config, sleep) as caller:
        return seats.close_left(config.site, lambda proof: sessions.sign_out_left(caller, proof))


def _caller(config: AcumaticaConfig, sleep: Callable[[float], None], limits: Limits, auth: httpx.Auth | None) -> Caller:
    branch = {"PX-CbApiBranch": config.branch} if config.branch else {}
    return Caller(
        system=config.system,
        base_url=config.site,
        auth=auth,
        headers={"Accept": "application/json", **branch},
        explain=Refusals(config),
        limits=limits,
        ca_file=config.ca_file,
        sleep=sleep,
    )


def _keyed(entity: str, keys: Sequence[str]) -> str:
    return "/".join([entity, *(quote(key, safe="") for key in keys)])


def _edges(path: Path) -> tuple[bytes, bytes]:
    """The first and the last bytes of a file."""
    with path.open("rb") as file:
        start = file.read(_EDGE_BYTES)
        file.seek(max(0, path.stat().st_size - _EDGE_BYTES))
        return start, file.read()
