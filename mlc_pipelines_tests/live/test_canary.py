"""K01, K02, K11, P18: secrets that the systems repeat in their errors, and those of every other kind, stand nowhere afterwards.

Every secret is a made-up one that nobody could write by chance. What is left behind is searched, decoded, for each of them; then one is
planted in every single file of it, and must be found there.
"""

import base64
import gzip
import html
import json
import os
import shutil
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mlc_pipelines.cli.demo import project_folder
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.store.home import Store
from mlc_pipelines.wiring.connections import Named, find
from mlc_pipelines.wiring.log_in import log_in
from mlc_pipelines_tests.live.canaries import Canaries, canary
from mlc_pipelines_tests.live.conftest import Live
from mlc_pipelines_tests.live.scan import found_in, planted, spellings
from mlc_pipelines_tests.wiring.test_log_in import AcumaticaPerson, AnaplanPerson

PERIOD = "FY2026-P03"
TALKATIVE = """import logging, sys
logging.basicConfig(level=1, stream=sys.stderr, format="%(name)s %(message)s")
"""


@pytest.fixture
def places(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Everything that a run can write to: state, connections, Dagster's home, temporary files, what was printed, what /proc showed."""
    found = {name: tmp_path / name for name in ("home", "connections", "dagster", "temporary", "printed", "proc")}
    for place in found.values():
        place.mkdir(exist_ok=True)
    (found["dagster"] / "dagster.yaml").write_text((project_folder() / "dagster.yaml").read_text())
    (tmp_path / "talkative").mkdir()
    (tmp_path / "talkative" / "sitecustomize.py").write_text(TALKATIVE)
    monkeypatch.setenv("MLC_CONNECTIONS", str(found["connections"]))
    monkeypatch.setenv("DAGSTER_HOME", str(found["dagster"]))
    monkeypatch.setenv("TMPDIR", str(found["temporary"]))
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path / 'talkative'}:{project_folder()}")
    return found


@pytest.fixture
def canaries(sandbox: Sandbox, places: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> Canaries:
    """Planted wherever a secret would be, and everything that is handed out from now on."""
    monkeypatch.setenv("MLC_SANDBOX_URL", sandbox.url)
    made = Canaries(sandbox)
    made.install(Store.open(), places["connections"])
    made.record(monkeypatch)
    return made


def searched(places: dict[str, Path], canaries: Canaries) -> list[str]:
    """Where something was found; the keys of the ring are looked for too, everywhere but in the ring."""
    ring = places["home"] / "keys" / "vault.key"
    for number, line in enumerate(ring.read_text().splitlines()):
        key = line.split()[0]
        canaries.given |= {f"ring-{number}": key, f"ring-{number}-hex": base64.b64decode(key).hex()}
    aside = ring.rename(places["home"].parent / "ring")
    try:
        return found_in(places.values(), canaries)
    finally:
        aside.rename(ring)


def blind_spots(places: dict[str, Path]) -> list[Path]:
    """Files in which a planted secret would not be found."""
    control, blind = canary("control"), []
    for place in places.values():
        shutil.copytree(place, place.with_name(f"{place.name}-copy"), dirs_exist_ok=True)
        for file in place.with_name(f"{place.name}-copy").rglob("*"):
            if file.is_file() and not file.name.endswith(("-wal", "-shm")):
                file.chmod(0o600)
                planted(file, control)
                blind += [] if found_in([file], [control]) else [file]
    return blind


class Driver:
    """The process that runs commands; see canary_driver.py."""

    def __init__(self, places: dict[str, Path]) -> None:
        read, write = os.pipe()
        command = [
            sys.executable,
            "-c",
            f"import os; os.dup2({write}, 3); import runpy; runpy.run_path({str(DRIVER)!r}, run_name='__main__')",
        ]
        self.printed = [(places["printed"] / name).open("w") for name in ("out.txt", "err.txt")]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=self.printed[0], stderr=self.printed[1], pass_fds=(write,), text=True
        )
        os.close(write)
        self.answers = os.fdopen(read)

    def __call__(self, *words: str, typed: str = "", **environment: str) -> bool:
        """Run one; whether it succeeded."""
        assert self.process.stdin
        self.process.stdin.write(json.dumps([words, typed, environment]) + "\n")
        self.process.stdin.flush()
        answer = self.answers.readline().strip()
        assert answer, "the driver has ended"
        return answer == "0"

    def end(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(60)
        self.answers.close()
        for file in self.printed:
            file.close()


DRIVER = Path(__file__).with_name("canary_driver.py")


@pytest.fixture
def mlc(places: dict[str, Path], canaries: Canaries) -> Iterator[Driver]:
    with watched(places["proc"]):
        driver = Driver(places)
        yield driver
        driver.end()


class watched:  # noqa: N801  reads like a verb where it is used
    """Environment and command line of every process that this one starts, again and again while the block runs."""

    def __init__(self, place: Path) -> None:
        self.place, self.ended = place, threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> None:
        self.thread.start()

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.thread.join()

    def _watch(self) -> None:
        while not self.ended.wait(0.3):
            for process in _descendants(os.getpid()):
                for what in ("environ", "cmdline"):
                    try:
                        said = Path(f"/proc/{process}/{what}").read_bytes()
                    except OSError:
                        continue  # it has ended, or keeps its memory private
                    (self.place / f"{process}-{what}").write_bytes(said)


def _descendants(process: int) -> list[int]:
    children = []
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        try:
            children += [int(one) for one in task.read_text().split()]
        except OSError:
            continue
    return [one for child in children for one in (child, *_descendants(child))]


def echo(
    canaries: Canaries,
    match: str,
    names: str | tuple[str, ...],
    *,
    status: int = 400,
    kind: str = "application/json",
    times: int = -1,
) -> None:
    """Calls that match are answered with an error that repeats those secrets, and the newest token, as it stands and as it was sent."""
    known = [value for name, value in canaries.given.items() if name.startswith(names)]
    known += canaries.handed_out[-1:]
    body = json.dumps({"error": "refused", "headers": known, "form": [f"x={one}" for one in known]})
    if kind == "text/html":
        body = f"<html><body>{html.escape(body)}</body></html>"
    action = {"kind": "status", "status": status, "headers": {"content-type": kind}, "body": body}
    canaries.sandbox.traffic.plant({"match": match, "times": times, "action": action})


def log_in_by_person(canaries: Canaries) -> None:
    """Once for both systems of acme_oauth: refresh tokens go into the vault."""
    named, password = find("acme_oauth"), canaries.given["acumatica-password"]
    person = AcumaticaPerson(canaries.sandbox, username=canaries.given["acumatica-user"], password=password)
    log_in(named, "acumatica", show=person, wait_seconds=20)
    log_in(named, "anaplan", show=AnaplanPerson(canaries.sandbox), wait_seconds=20)


def stories(canaries: Canaries, mlc: Driver, dagster: "subprocess.Popen[bytes]") -> Iterator[tuple[str, bool, bool]]:
    """What is done, whether it succeeded, and whether it should have. The run in Dagster goes on beside what succeeds, and meets no refusal."""
    sandbox, given = canaries.sandbox, canaries.given
    yield "a good load", mlc("load", "demo", PERIOD), True
    for name in ("acme-plan", "acme-oauth", "acme-epicor", "acme-push", "demo-acumatica"):
        yield f"test {name}", mlc("secrets", "test", name), True
    yield "rotate-key", mlc("secrets", "rotate-key"), True
    yield "list", mlc("secrets", "list"), True
    yield "the run in Dagster", 0 == dagster.wait(240), True
    new = json.dumps({"password": given["passphrase"]})
    yield "a wrong new password", mlc("secrets", "rotate", "demo-anaplan", "--stdin", typed=new), False
    yield "Anaplan repeats the log-in", refused(canaries, mlc, "demo", "POST .*token/authenticate", "anaplan"), False
    yield "Acumatica repeats the form", refused(canaries, mlc, "demo", "POST .*connect/token", "acumatica"), False
    in_a_page = {"status": 500, "kind": "text/html"}
    yield "... in a page", refused(canaries, mlc, "demo", "GET .*/entity/Default", "acumatica", **in_a_page), False
    yield "Anaplan repeats the header", refused(canaries, mlc, "demo", "PUT .*/chunks", "anaplan", status=500), False
    sandbox.set_switches(epicor={"echo_key": True, "denied": ["Erp.BO.GLJrnDtlSvc"]})
    yield "Kinetic repeats key and header", mlc("load", "demo_epicor", PERIOD), False
    no_tls = sandbox.url.replace("http://", "https://")
    yield "no TLS where it should be", mlc("load", "demo", PERIOD, MLC_SANDBOX_URL=no_tls), False


def refused(
    canaries: Canaries, mlc: Driver, connection: str, match: str, names: str | tuple[str, ...], **how: Any
) -> bool:
    """A load in which matching calls are answered with the secrets of that system and the newest token; whether it succeeded."""

    def repeat(_token: str = "") -> None:
        canaries.sandbox.traffic.clear()
        echo(canaries, match, names, **{"status": 401, **how})

    repeat()
    canaries.on_token = repeat
    succeeded = mlc("load", connection, PERIOD)
    canaries.on_token = lambda _token: None
    canaries.sandbox.traffic.clear()
    return succeeded


def test_K01_K02_no_secret_is_left_by_a_load_nor_by_a_refusal(
    places: dict[str, Path], canaries: Canaries, mlc: Driver
) -> None:
    """The short form: what is kept and printed, as talkative as it can be, where a log-in is taken and where its answer repeats the password."""
    assert mlc("load", "demo", PERIOD)
    assert not refused(canaries, mlc, "demo", "POST .*token/authenticate", "anaplan")
    mlc.end()
    assert [] == searched(places, canaries)
    assert [] == blind_spots(places)


@pytest.mark.prove
def test_K01_K02_no_secret_is_left_anywhere(places: dict[str, Path], canaries: Canaries, mlc: Driver) -> None:
    """Every way of logging in, every kind of secret, happy and refused; and a run in Dagster beside it."""
    log_in_by_person(canaries)
    dagster = launch(places, "demo")
    told = list(stories(canaries, mlc, dagster))
    assert [] == [title for title, succeeded, expected in told if succeeded != expected]
    mlc.end()
    assert "the net under the logs caught 0" in (places["printed"] / "out.txt").read_text()
    assert (12, 12) < (len(canaries.given), len(canaries.handed_out))
    assert [] == searched(places, canaries)
    assert {"home", "dagster", "printed", "proc", "connections"} <= {
        name for name in places if any(places[name].iterdir())
    }
    assert [] == blind_spots(places)


def test_the_search_would_find_it(tmp_path: Path) -> None:
    """Positive control: each spelling, plain and packed, in a file of any depth."""
    control = canary("control")
    for number, spelled in enumerate(sorted(spellings(control))):
        place = tmp_path / "deep" / str(number)
        place.mkdir(parents=True)
        body = b"before " + spelled + b" after"
        for packed in (body, gzip.compress(body), b"x" + gzip.compress(body), base64.b64encode(zlib.compress(body))):
            (place / "left.bin").write_bytes(packed)
            assert found_in([tmp_path], [control]), (spelled, packed)
        (place / "left.bin").unlink()


_HOWS = ({"status": 400}, {"status": 403, "kind": "text/html"})
_BROKEN = ({"status": 500}, {"status": 403, "kind": "text/html"})
MATRIX = [
    (connection, match, system, how)
    for connection, match, system, hows in (
        ("demo", "POST .*token/authenticate", "anaplan", _HOWS),
        ("acme", "POST .*token/authenticate", ("anaplan", "certificate", "passphrase"), _HOWS),
        ("acme_oauth", "POST .*oauth/token", "anaplan", _HOWS),
        ("demo", "POST .*connect/token", "acumatica", _BROKEN),
        ("acme", "POST .*auth/login", "acumatica", _HOWS),
        ("acme_oauth", "POST .*connect/token", "acumatica", _HOWS),
        ("acme_epicor", "POST .*connect/token", "epicor", _HOWS),
        ("demo", "(GET|PUT) .*/entity/Default", "acumatica", _BROKEN),
        ("demo", "GET .*/models", "anaplan", _HOWS[:1]),
        ("demo", "PUT .*/chunks", "anaplan", _HOWS[1:2]),
        ("demo", "GET .*/tasks/", "anaplan", _HOWS[1:2]),
    )
    for how in hows
]
_CUTS = [
    ("POST .*token/authenticate", "before"),
    ("POST .*token/authenticate", "truncate"),
    ("POST .*connect/token", "after"),
    ("PUT .*/chunks", "after"),
]
_ACTIONS = {
    "before": {"kind": "reset", "after": False},
    "after": {"kind": "reset", "after": True},
    "truncate": {"kind": "truncate"},
}


def impatient(place: Path) -> None:
    """Nobody waits long for a task or for the model: the driver's clock runs on while it does not sleep."""
    for file in place.glob("*.yaml"):
        file.write_text(file.read_text().replace("\n    workspace:", "\n    task_minutes: 0.02\n    workspace:"))


@pytest.mark.prove
def test_K01_K02_no_secret_is_left_by_any_refusal(places: dict[str, Path], canaries: Canaries, mlc: Driver) -> None:
    """Every call that carries a secret, refused with that secret in the answer; connections cut; a disk that takes nothing, with all that Python says of it."""
    log_in_by_person(canaries)
    impatient(places["connections"])
    for connection, match, system, how in MATRIX:
        assert not refused(canaries, mlc, connection, match, system, **how), (connection, match, how)
    for match, cut in _CUTS:
        canaries.sandbox.traffic.plant({"match": match, "times": -1, "action": _ACTIONS[cut]})
        assert not mlc("load", "demo", PERIOD), (match, cut)
        canaries.sandbox.traffic.clear()
    (places["home"] / "artefacts").rename(places["home"] / "moved")
    (places["home"] / "artefacts").write_text("in the way")
    assert not mlc("load", "demo", PERIOD)
    mlc.end()
    assert "artefacts" in (places["printed"] / "err.txt").read_text()
    assert "the net under the logs caught 0" in (places["printed"] / "out.txt").read_text()
    assert [] == searched(places, canaries)
    assert [] == blind_spots(places)


def wrong_key(canaries: Canaries) -> None:
    """The site refuses the key and repeats it: "Invalid API Key ..."."""
    canaries.sandbox.kinetic.api_key = "another"


def wrong_password(canaries: Canaries) -> None:
    """The site repeats the whole Authorization header."""
    canaries.sandbox.set_switches(epicor={"echo_key": True})
    canaries.sandbox.kinetic.password = "another"


def no_rights(canaries: Canaries) -> None:
    """Key and login are good, a service is denied midway, and the error repeats both."""
    canaries.sandbox.set_switches(epicor={"echo_key": True, "denied": ["Erp.BO.GLJrnDtlSvc"]})


def refused_in_html(canaries: Canaries) -> None:
    """The same, and the error is a web page."""
    no_rights(canaries)
    canaries.sandbox.set_switches(epicor={"error_shape": "html"})


@pytest.mark.prove
@pytest.mark.parametrize("story", [wrong_key, wrong_password, no_rights, refused_in_html])
def test_K02_what_the_site_repeats_is_not_left_by_a_run_in_dagster(
    places: dict[str, Path], canaries: Canaries, story: Callable[[Canaries], None]
) -> None:
    """The run fails, with a message all the same."""
    story(canaries)
    with watched(places["proc"]):
        assert 1 == launch(places, "demo_epicor").wait(240)
    assert len(list(places["dagster"].rglob("*"))) > 5
    assert [] == searched(places, canaries)
    assert [] == blind_spots(places)


_EVENTS = """query($id: ID!) { logsForRun(runId: $id) { ... on EventConnection { events { __typename
  ... on MessageEvent { message } ... on ExecutionStepFailureEvent { error { message stack cause { message stack } }
      failureMetadata { metadataEntries { label ... on TextMetadataEntry { text } } } } } } } }"""
_RUNS = "{ runsOrError { ... on Runs { results { runId status runConfigYaml tags { key value } } } } }"
_RESOURCES = """{ repositoriesOrError { ... on RepositoryConnection { nodes { schedules { name } sensors { name }
  allTopLevelResourceDetails { name description configuredValues { key value } } } } } }"""


@pytest.mark.prove
@pytest.mark.parametrize("story", [wrong_key, no_rights])
def test_K02_what_the_site_repeats_cannot_be_asked_for_in_dagit(
    demo_epicor: Named, live: Live, sandbox: Sandbox, home: Path, tmp_path: Path, story: Callable[[Canaries], None]
) -> None:
    """Runs, events, errors with their causes, configuration, resources, by Dagit's own interface; and all files below its home."""
    canaries, kinetic = Canaries(sandbox), sandbox.kinetic
    canaries.given = {name: canary(name) for name in ("key", "password")}
    kinetic.api_key, kinetic.username, kinetic.password = canaries.given["key"], "planning", canaries.given["password"]
    fields = {"api_key": kinetic.api_key, "username": "planning", "password": kinetic.password}
    Store.open().vault.put("demo-epicor", fields)
    story(canaries)
    run = live.launch(
        "demo_epicor_reference" if story is wrong_key else "demo_epicor_actuals",
        "" if story is wrong_key else PERIOD,
    )
    assert live.wait(run).startswith("FAILURE")
    answers = [live.ask(_EVENTS, id=run), live.ask(_RUNS), live.ask(_RESOURCES)]
    (tmp_path / "answers.txt").write_text(repr(answers))
    assert "ExecutionStepFailureEvent" in repr(answers)
    assert [] == found_in([tmp_path], canaries)


def launch(places: dict[str, Path], connections: str) -> "subprocess.Popen[bytes]":
    """A Dagster run in a process of its own, as talkative as it can be; everything printed goes into a file."""
    command = [sys.executable, "-m", "mlc_pipelines.assets.launch", connections, PERIOD]
    with (places["printed"] / f"dagster-{time.monotonic_ns()}.txt").open("wb") as printed:
        return subprocess.Popen(command, cwd=places["dagster"], stdout=printed, stderr=printed)
