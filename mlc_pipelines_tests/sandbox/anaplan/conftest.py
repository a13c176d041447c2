"""A planning tenant behind real HTTP, and a plain caller of it that knows the addresses and nothing else."""

import base64
import csv
import io
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from mlc_pipelines.sandbox.anaplan import Tenant, control_routes, routes, sample_tenant
from mlc_pipelines.sandbox.clock import Clock
from mlc_pipelines.sandbox.company import sample_company
from mlc_pipelines.sandbox.listener import Listener
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines_tests.sandbox.anaplan.proxy import Proxy, proxy_to

HEADER = "Account,Cost Center,Period,Version,Amount\n"
IMPORT, FILE, EXPORT, PROCESS = "112000000001", "113000000001", "116000000001", "118000000001"


@dataclass
class Caller:
    """Somebody who is logged in. Paths are below the main model unless they begin with "/" or "http"."""

    http: httpx.Client
    info: dict[str, str]
    token: str = ""

    def log_in(self, username: str = "", password: str = "") -> dict[str, Any]:
        """A new login; the whole answer."""
        name, word = username or self.info["username"], password or self.info["password"]
        basic = base64.b64encode(f"{name}:{word}".encode()).decode()
        answer = self.http.post("/token/authenticate", headers={"Authorization": f"Basic {basic}"})
        answer.raise_for_status()
        self.token = answer.json()["tokenInfo"]["tokenValue"]
        return dict(answer.json())

    def url(self, path: str) -> str:
        """The address of a path."""
        return path if path.startswith(("/", "http")) else f"/2/0/models/{self.info['model_id']}/{path}".rstrip("/")

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Any call, with the token."""
        headers = {"Authorization": f"AnaplanAuthToken {self.token}", **options.pop("headers", {})}
        return self.http.request(method, self.url(path), headers=headers, **options)

    def get(self, path: str, **options: Any) -> httpx.Response:
        """A reading call."""
        return self.call("GET", path, **options)

    def upload(self, text: str | bytes, file: str = FILE) -> None:
        """Put a whole file."""
        content = text.encode() if isinstance(text, str) else text
        assert 204 == self.call("PUT", f"files/{file}", content=content).status_code

    def start(self, kind: str = "imports", action: str = IMPORT, **more: Any) -> str:
        """Start an action, with more in the body; the task's id."""
        answer = self.call("POST", f"{kind}/{action}/tasks", json={"localeName": "en_US", **more})
        assert 200 == answer.status_code, answer.text
        return str(answer.json()["task"]["taskId"])

    def task(self, task: str, kind: str = "imports", action: str = IMPORT) -> dict[str, Any]:
        """The state of a task."""
        return dict(self.get(f"{kind}/{action}/tasks/{task}").json()["task"])

    def wait(self, task: str, kind: str = "imports", action: str = IMPORT) -> dict[str, Any]:
        """The task when it has ended."""
        for _ in range(400):
            body = self.task(task, kind, action)
            if body["taskState"] in ("COMPLETE", "CANCELLED"):
                return body
            time.sleep(0.005)
        raise AssertionError(f"task {task} does not end: {body}")

    def load(self, rows: str, *, header: str = HEADER) -> dict[str, Any]:
        """Upload rows, run the import, and give the task when it has ended."""
        self.upload(header + rows)
        return self.wait(self.start())

    def run(self, kind: str, action: str, **more: Any) -> dict[str, Any]:
        """Start an action, with more in the body; the task when it has ended."""
        return self.wait(self.start(kind, action, **more), kind, action)

    def dump(self, task: str, path: str = f"imports/{IMPORT}/tasks/{{}}/dump") -> list[dict[str, str]]:
        """The refused rows of a task."""
        answer = self.get(path.format(task))
        assert 200 == answer.status_code
        return list(csv.DictReader(io.StringIO(answer.text)))

    def export(self) -> str:
        """Run the export and download its file."""
        ended = self.wait(self.start("exports", EXPORT), "exports", EXPORT)
        assert ended["result"]["successful"], ended
        return self.get(f"files/{EXPORT}").content.decode()


@pytest.fixture(scope="session")
def served() -> Iterator[tuple[Tenant, Clock, str]]:
    """One tenant on one port for all tests of this room."""
    clock = Clock()
    tenant = sample_tenant(sample_company(), clock)
    listener = Listener(Starlette(routes=[*routes(tenant, clock), *control_routes(tenant)]), "127.0.0.1", 0)
    yield tenant, clock, f"http://127.0.0.1:{listener.port}"
    listener.stop()


@pytest.fixture
def tenant(served: tuple[Tenant, Clock, str]) -> Tenant:
    """The tenant at its seeded start, with quicker tasks."""
    served[0].reset()
    served[0].set_switches({"task_seconds": 0.005, "cancel_seconds": 0.005})
    return served[0]


@pytest.fixture
def clock(served: tuple[Tenant, Clock, str]) -> Clock:
    """The clock that the tenant goes by."""
    return served[1]


@pytest.fixture(scope="session")
def http(served: tuple[Tenant, Clock, str]) -> Iterator[httpx.Client]:
    """Connections to the port."""
    with httpx.Client(base_url=served[2], timeout=10) as client:
        yield client


@pytest.fixture
def new_caller(tenant: Tenant, served: tuple[Tenant, Clock, str], http: httpx.Client) -> Callable[..., Caller]:
    """Makes callers with a login of their own: the integration user unless named otherwise."""

    def make(user: int = 0) -> Caller:
        person = tenant.world.users[user]
        caller = Caller(http, tenant.info(served[2]))
        caller.log_in(person.email, person.password)
        return caller

    return make


@pytest.fixture
def caller(new_caller: Callable[..., Caller]) -> Caller:
    """The integration user, logged in."""
    return new_caller()


@pytest.fixture
def cells(tenant: Tenant) -> Callable[[], dict[tuple[str, str, str, str], str]]:
    """What the module holds: (account, cost center, period, version) -> amount."""

    def read() -> dict[tuple[str, str, str, str], str]:
        rows = tenant.truth_cells()
        return {(row["account"], row["cost_center"], row["period"], row["version"]): row["amount"] for row in rows}

    return read


@dataclass
class Internet:
    """The sandbox under Anaplan's own names, and the proxy that leads there."""

    sandbox: Sandbox
    proxy: Proxy


@pytest.fixture(scope="session")
def running_internet() -> Iterator[Internet]:
    with Sandbox.start(tls=True) as sandbox, proxy_to(int(sandbox.url.rsplit(":", 1)[1])) as proxy:
        yield Internet(sandbox, proxy)


@pytest.fixture
def anaplan_internet(running_internet: Internet, monkeypatch: pytest.MonkeyPatch) -> Internet:
    """A freshly seeded Anaplan at https://api.anaplan.com and its other names, as far as this process is concerned."""
    running_internet.sandbox.reset()
    running_internet.sandbox.set_switches(anaplan={"task_seconds": 0.005})
    running_internet.proxy.hosts.clear()
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HTTPS_PROXY", running_internet.proxy.url)
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.setenv(name, running_internet.sandbox.info["ca_file"])
    return running_internet
