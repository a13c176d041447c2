"""The way to one site: the pinned version is checked before anything else, sign-in happens at the first read, sign-out always."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from mlc_pipelines.acumatica import wire
from mlc_pipelines.acumatica.auth import sign_in_for
from mlc_pipelines.acumatica.config import AcumaticaConfig, AcumaticaCredential
from mlc_pipelines.acumatica.refusals import Refusals
from mlc_pipelines.ledger.errors import DataError, PipelineError, SetupError, TransientError
from mlc_pipelines.transport.answers import Answer
from mlc_pipelines.transport.caller import Caller

T = TypeVar("T")

_SIGN_OUT_ATTEMPTS = 3
_EDGE_BYTES = 1024


class Connection:
    """All calls to one endpoint of one site, as one user in one session."""

    def __init__(
        self, config: AcumaticaConfig, credential: AcumaticaCredential, *, sleep: Callable[[float], None]
    ) -> None:
        self.config = config
        self._sign_in = sign_in_for(config, credential)
        self._endpoint = f"/entity/{config.endpoint}/{config.version}"
        common: dict[str, Any] = {
            "system": config.system,
            "base_url": config.site,
            "headers": {"Accept": "application/json"},
            "explain": Refusals(config),
            "ca_file": config.ca_file,
            "sleep": sleep,
        }
        self._signed_in = Caller(**common, auth=self._sign_in, limits=config.limits)
        in_the_open = replace(config.limits, attempts=min(config.limits.attempts, _SIGN_OUT_ATTEMPTS))
        self._in_the_open = Caller(**common, limits=in_the_open)
        self._version_offered = False

    def list(self, entity: str, record: type[T], *, select: str = "", expand: str = "", where: str = "") -> list[T]:
        """All records of an entity, in no promised order. Without $top the site answers with every one [S Parameter_top]."""
        path = self._path(entity, select=select, expand=expand, filter=where)
        return self._decoded(lambda: self._caller().read("GET", path), list[record])  # type: ignore[valid-type]

    def ask(self, inquiry: str, parameters: Mapping[str, str], shape: type[T]) -> T:
        """The whole answer of an inquiry. Sent by PUT but stores nothing, so it is read like any other [S DOC; HT]."""
        path, body = self._path(inquiry, expand="Results"), wire.wrap(parameters)
        return self._decoded(lambda: self._caller().read("PUT", path, json=body), shape)

    def download(self, inquiry: str, parameters: Mapping[str, str], into: Path) -> Answer:
        """The answer of a large inquiry in a file; read once more when its end is missing. TransientError when it is missing again."""
        path, body = self._path(inquiry, expand="Results"), wire.wrap(parameters)
        for _ in range(2):
            answer = self._caller().download("PUT", path, into, json=body)
            start, end = _edges(into)
            replace(answer, body=start).require_no_html()
            if end.rstrip().endswith(b"}"):
                return answer
        raise TransientError(f"{answer.call} answered twice with JSON that has no end.", holds="Nothing was loaded.")

    def close(self, error: BaseException | None) -> None:
        """Sign out whatever happened, so that no seat stays taken. A failure of it never hides the first error."""
        try:
            self._sign_out()
        except PipelineError as problem:
            if error is None:
                raise
            error.add_note(f"Signing out failed as well: {problem}")
        finally:
            self._signed_in.__exit__(None, None, None)
            self._in_the_open.__exit__(None, None, None)

    def _sign_out(self) -> None:
        """Twice is the same as once; 401 says that the session has ended by itself."""
        if proof := self._sign_in.proof():
            self._in_the_open.repeat("POST", "/entity/auth/logout", expect=(200, 204, 401), headers=proof)
            self._sign_in.forget()

    def _caller(self) -> Caller:
        """The signed-in caller, after the site has shown that it serves the pinned version."""
        if not self._version_offered:
            self._require_version()
            self._version_offered = True
        return self._signed_in

    def _require_version(self) -> None:
        """Without sign-in the site lists its system endpoints, signed in also the tenant's own [S DOC Basic_Get_List_of_Endpoints]."""
        wanted = (self.config.endpoint, self.config.version)
        offered = _endpoints(self._in_the_open.read("GET", "/entity"))
        if wanted not in offered and wanted[0] not in {name for name, _ in offered}:
            offered = _endpoints(self._signed_in.read("GET", "/entity"))
        if wanted not in offered:
            versions = sorted(version for name, version in offered if name == wanted[0])
            names = sorted({name for name, _ in offered})
            raise SetupError(
                f"{self.config.system} does not serve endpoint {wanted[0]} in version {wanted[1]}. "
                + (f"It serves {wanted[0]} in {', '.join(versions)}." if versions else f"It has {', '.join(names)}."),
                holds="Nothing else was called.",
                next_step="Write one of these into `erp.version` of the connection file."
                if versions
                else "Correct `erp.endpoint` in the connection file.",
            )

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


def _endpoints(answer: Answer) -> set[tuple[str, str]]:
    """Name and version of all endpoints. Very old sites answer with the bare list [C acumatica-cli]."""
    said = answer.json()
    listed = said["endpoints"] if isinstance(said, dict) and "endpoints" in said else said
    try:
        return {(endpoint["name"], endpoint["version"]) for endpoint in listed}
    except (TypeError, KeyError):
        raise SetupError(
            f"{answer.call} answered 200, but not with a list of endpoints: {answer.excerpt()}",
            next_step="Check `erp.url` in the connection file: it must be the site with its virtual directory.",
        ) from None


def _edges(path: Path) -> tuple[bytes, bytes]:
    """The first and the last bytes of a file."""
    with path.open("rb") as file:
        start = file.read(_EDGE_BYTES)
        file.seek(max(0, path.stat().st_size - _EDGE_BYTES))
        return start, file.read()
