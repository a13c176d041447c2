"""K01, K02: an API key and a password that Kinetic repeats in its errors stand nowhere afterwards: not on disk, not in what Dagit can ask."""

import gzip
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mlc_pipelines.cli.demo import project_folder
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.store.home import Store
from mlc_pipelines.wiring.connections import Named
from mlc_pipelines_tests.live.conftest import Live
from mlc_pipelines_tests.live.scan import found_in, spellings

KEY, PASSWORD = "cnry-Key+7f3a/9Q=&x1", 'cnry Pass"wörd%2F8'
CANARIES = (KEY, PASSWORD)


def wrong_key(sandbox: Sandbox) -> None:
    """The site refuses the key and repeats it: "Invalid API Key ..."."""
    _store(KEY, sandbox.info["epicor"]["password"])


def wrong_password(sandbox: Sandbox) -> None:
    """The site repeats the whole Authorization header."""
    sandbox.set_switches(epicor={"echo_key": True})
    _store(sandbox.info["epicor"]["api_key"], PASSWORD)


def no_rights(sandbox: Sandbox) -> None:
    """Key and login are good, a service is denied midway, and the error repeats both."""
    sandbox.kinetic.api_key, sandbox.kinetic.password = KEY, PASSWORD
    sandbox.set_switches(epicor={"echo_key": True, "denied": ["Erp.BO.GLJrnDtlSvc"]})
    _store(KEY, PASSWORD)


def refused_in_html(sandbox: Sandbox) -> None:
    """The same, and the error is a web page."""
    no_rights(sandbox)
    sandbox.set_switches(epicor={"error_shape": "html"})


def good(sandbox: Sandbox) -> None:
    """Everything goes well."""
    sandbox.kinetic.api_key, sandbox.kinetic.password = KEY, PASSWORD
    _store(KEY, PASSWORD)


def _store(key: str, password: str) -> None:
    Store.open().vault.put("demo-epicor", {"api_key": key, "username": "planning", "password": password})


_LONG = pytest.mark.prove
STORIES = (
    wrong_key,
    no_rights,
    pytest.param(wrong_password, marks=_LONG),
    pytest.param(refused_in_html, marks=_LONG),
    pytest.param(good, marks=_LONG),
)


@pytest.fixture
def known_user(demo_epicor: Named, sandbox: Sandbox) -> Sandbox:
    sandbox.kinetic.username = "planning"
    return sandbox


@pytest.mark.parametrize("story", STORIES)
def test_K02_what_the_site_repeats_is_written_nowhere(
    known_user: Sandbox, home: Path, tmp_path: Path, story: Callable[[Sandbox], None]
) -> None:
    """A run in Dagster, with everything it prints and keeps; the run fails where the story says so, with a message all the same."""
    story(known_user)
    place = tmp_path / "dagster"
    place.mkdir()
    (place / "dagster.yaml").write_text((project_folder() / "dagster.yaml").read_text())
    command = [sys.executable, "-m", "mlc_pipelines.assets.launch", "demo_epicor", "FY2026-P03"]
    environment = {**os.environ, "DAGSTER_HOME": str(place)}
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False)
    (place / "printed.txt").write_text(done.stdout + done.stderr)
    assert (0 if story is good else 1) == done.returncode
    assert len(list(place.rglob("*"))) > 5
    assert [] == found_in([place, home], CANARIES)


def test_the_search_would_find_it(tmp_path: Path) -> None:
    """Positive control: each spelling, plain and packed, in a file of any depth."""
    for canary in CANARIES:
        for number, spelled in enumerate(sorted(spellings(canary))):
            for body in (b"before " + spelled + b" after", gzip.compress(b"before " + spelled + b" after")):
                place = tmp_path / "deep" / str(number)
                place.mkdir(parents=True, exist_ok=True)
                (place / "left.bin").write_bytes(body)
                assert found_in([tmp_path], [canary])
                (place / "left.bin").unlink()


_EVENTS = """query($id: ID!) { logsForRun(runId: $id) { ... on EventConnection { events { __typename
  ... on MessageEvent { message } ... on ExecutionStepFailureEvent { error { message stack cause { message stack } }
      failureMetadata { metadataEntries { label ... on TextMetadataEntry { text } } } } } } } }"""
_RUNS = "{ runsOrError { ... on Runs { results { runId status runConfigYaml tags { key value } } } } }"


@pytest.mark.prove
@pytest.mark.parametrize("story", [wrong_key, no_rights])
def test_K02_what_the_site_repeats_cannot_be_asked_for_in_dagit(
    known_user: Sandbox, live: Live, home: Path, tmp_path: Path, story: Callable[[Sandbox], None]
) -> None:
    """Runs, events, errors with their causes, configuration, by Dagit's own interface; and all files below its home."""
    story(known_user)
    run = live.launch(
        "demo_epicor_reference" if story is wrong_key else "demo_epicor_actuals",
        "" if story is wrong_key else "FY2026-P03",
    )
    assert live.wait(run).startswith("FAILURE")
    answers = [live.ask(_EVENTS, id=run), live.ask(_RUNS)]
    (tmp_path / "answers.txt").write_text(repr(answers))
    assert "ExecutionStepFailureEvent" in repr(answers)
    assert [] == found_in([tmp_path], CANARIES)
