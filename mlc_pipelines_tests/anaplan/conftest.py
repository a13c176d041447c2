"""The client pointed at the sandbox, with time that passes on the sandbox's own clock instead of on the wall."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from mlc_pipelines.anaplan.api import Api
from mlc_pipelines.anaplan.client import Anaplan
from mlc_pipelines.anaplan.config import AnaplanConfig, AnaplanCredential
from mlc_pipelines.sandbox.faults import Fault
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.sandbox.traffic import Request
from mlc_pipelines.transport.caller import Limits
from mlc_pipelines.transport.secret import Secret

Calls = Callable[[str], list[Request]]
Connect = Callable[..., Anaplan]
Plant = Callable[..., Fault]
WriteFile = Callable[..., Path]

HEADER = ("Account", "Cost Center", "Period", "Version", "Amount")


class Hands:
    """Sleep and clock as a test hands them in: a pause moves the sandbox's clock and takes no time.

    slept: every pause, in seconds. meanwhile: what happens elsewhere during the next pause.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._now = 0.0
        self.slept: list[float] = []
        self.meanwhile: list[Callable[[], object]] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self._now += seconds
        self._sandbox.clock.advance(seconds)
        due, self.meanwhile = self.meanwhile, []
        for happening in due:
            happening()

    def clock(self) -> float:
        return self._now


@pytest.fixture
def sandbox(running_sandbox: Sandbox) -> Sandbox:
    """The planning tenant as it was seeded. The books are left as they are: nothing here touches them, and to seed them takes longest.

    Its clock stands still between the pauses that a test hands in, so that no figure depends on how fast this machine is.
    """
    running_sandbox.clock.reset()
    running_sandbox.clock.run(0)
    running_sandbox.tenant.reset()
    running_sandbox.traffic.clear()
    return running_sandbox


@pytest.fixture
def hands(sandbox: Sandbox) -> Hands:
    return Hands(sandbox)


@pytest.fixture
def configure(sandbox: Sandbox) -> Callable[..., AnaplanConfig]:
    """A connection to the sandbox; few attempts, so that a lasting fault is short."""
    info = sandbox.info["anaplan"]

    def build(**changes: Any) -> AnaplanConfig:
        said = {name: info[name] for name in ("auth_url", "api_url", "workspace", "model")}
        return AnaplanConfig(**{**said, "limits": Limits(attempts=3), **changes})

    return build


@pytest.fixture
def credential(sandbox: Sandbox) -> AnaplanCredential:
    info = sandbox.info["anaplan"]
    return AnaplanCredential(Secret(info["username"], "username"), Secret(info["password"], "password"), "demo-anaplan")


@pytest.fixture
def connect(configure: Callable[..., AnaplanConfig], credential: AnaplanCredential, hands: Hands) -> Connect:
    """Builds a client of the sandbox, to be used as a context manager."""

    def build(
        *, credential: AnaplanCredential = credential, given: Mapping[str, Any] | None = None, **changes: Any
    ) -> Anaplan:
        return Anaplan(configure(**changes), credential, sleep=hands.sleep, clock=hands.clock, **(given or {}))

    return build


@pytest.fixture
def api(configure: Callable[..., AnaplanConfig], credential: AnaplanCredential, hands: Hands) -> Iterator[Api]:
    """The calls below the client, for files cut into chunks far smaller than a connection may ask for."""
    api = Api(configure(), credential, sleep=hands.sleep)
    yield api
    api.close(None)


@pytest.fixture
def place(sandbox: Sandbox) -> str:
    """Where the model's resources begin."""
    info = sandbox.info["anaplan"]
    return f"/workspaces/{info['workspace_id']}/models/{info['model_id']}"


@pytest.fixture
def calls(sandbox: Sandbox) -> Calls:
    """The requests so far in whose "METHOD /path?query" the pattern is found."""

    def matching(pattern: str) -> list[Request]:
        return [one for one in sandbox.traffic.requests if re.search(pattern, f"{one.method} {one.path}")]

    return matching


@pytest.fixture
def plant(sandbox: Sandbox) -> Plant:
    """Plants a fault on the calls in which the pattern is found."""

    def put(match: str, *, skip: int = 0, times: int = 1, **action: Any) -> Fault:
        return sandbox.traffic.plant({"match": match, "skip": skip, "times": times, "action": action})

    return put


@pytest.fixture
def plan(connect: Connect) -> Iterator[Anaplan]:
    """A client that is logged out at the end of the test."""
    with ExitStack() as open_ones:
        yield open_ones.enter_context(connect())


@pytest.fixture
def names(sandbox: Sandbox) -> dict[str, str]:
    """What the model builder called the import, the export and the file."""
    return {name: sandbox.info["anaplan"][name] for name in ("import", "export", "file", "module")}


@pytest.fixture
def write_file(tmp_path: Path) -> WriteFile:
    """Writes a file as the import wants it; a row is account, cost center, amount and perhaps a period."""

    def write(*rows: tuple[str, ...], header: tuple[str, ...] = HEADER) -> Path:
        lines = [",".join(header)]
        for account, center, amount, *period in rows:
            lines.append(f'"{account}","{center}","{period[0] if period else "Sep 25"}","Actual",{amount}')
        path = tmp_path / "to_load.csv"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return write


@pytest.fixture
def three_rows(write_file: WriteFile) -> Path:
    return write_file(("A1010", "CC_010", "10.00"), ("A1010", "CC_020", "-2.50"), ("A0010", "CC_010", "0.01"))


@pytest.fixture
def control(sandbox: Sandbox) -> Callable[[str, dict[str, Any]], Any]:
    """A door for tests by name, and what is said there: POST /control/anaplan/{door}."""

    def post(door: str, body: dict[str, Any]) -> Any:
        answer = httpx.post(f"{sandbox.url}/control/anaplan/{door}", json=body, trust_env=False)
        assert 200 <= answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    return post
