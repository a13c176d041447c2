"""Group K of the fault catalogue, what is not told elsewhere.

K01, K02, K11  test_canary.py, here             K08  store/test_killed_vault.py
K04            store/test_vault.py, test_rollback.py    K13  here, epicor/test_paging.py
K05            store/test_rollback.py           K17  here, transport/test_wire.py, battery/test_tls.py
K07            store/test_vault.py, test_rings.py
"""

import ast
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mlc_pipelines
from mlc_pipelines.acumatica.records import quoted
from mlc_pipelines.ledger.errors import DataError, SetupError, TransientError
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.store.fence import fence
from mlc_pipelines.store.home import Store
from mlc_pipelines.transport.caller import Caller
from mlc_pipelines.wiring.connections import Named
from mlc_pipelines.wiring.rooms import open_desk

PACKAGE = Path(mlc_pipelines.__file__).parent

CRASHING = """
import ctypes, os, resource, sys
most = resource.getrlimit(resource.RLIMIT_CORE)[1]
resource.setrlimit(resource.RLIMIT_CORE, (1 << 20 if most < 0 else min(most, 1 << 20), most))  # enough to be seen
from mlc_pipelines.store.home import Store
store = Store.open()
if sys.argv[1] == "open":
    assert "canary-core" == store.vault.open("demo")["password"].reveal()
print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), flush=True)  # PR_GET_DUMPABLE
os.abort()
"""


def crashed(what: str) -> tuple[str, bool]:
    """What a process that crashes says of itself, and whether a core was dumped: as a file or into a program, the kernel tells."""
    command = [sys.executable, "-c", CRASHING, what]
    read, write = os.pipe()
    child = os.posix_spawn(
        sys.executable,
        command,
        {**os.environ, "PYTHONPATH": str(PACKAGE.parent)},
        file_actions=[(os.POSIX_SPAWN_DUP2, write, 1)],
    )
    os.close(write)
    with os.fdopen(read) as said:
        text = said.read()
    status = os.waitpid(child, 0)[1]
    assert signal.SIGABRT == os.WTERMSIG(status), text
    return text.strip(), os.WCOREDUMP(status)


@pytest.mark.skipif(sys.platform != "linux", reason="prctl")
def test_K10_a_crash_after_a_secret_was_opened_dumps_no_core(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Limit 0 and not dumpable, whatever the shell allowed; without an opened vault the process is like any other."""
    Store.open().vault.put("demo", {"password": "canary-core"})
    monkeypatch.chdir(tmp_path)
    assert ("(0, 0) 0", False) == crashed("open")
    assert [] == [path.name for path in tmp_path.iterdir() if path.name != "home"]
    said, dumped = crashed("nothing")
    assert said.endswith(" 1")
    allowed = resource.getrlimit(resource.RLIMIT_CORE)[1] != 0
    if allowed and not Path("/proc/sys/kernel/core_pattern").read_text().startswith("|"):
        assert dumped  # the control: here a core would have been written


@given(st.text())
def test_K13_a_text_in_a_filter_stays_one_text(value: str) -> None:
    """A quote inside is doubled, so nothing in a code is taken for a condition. Kinetic's: epicor/test_paging.py."""
    literal = quoted(value)
    assert ("'", "'", value) == (literal[0], literal[-1], literal[1:-1].replace("''", "'"))
    assert 0 == literal[1:-1].replace("''", "").count("'")


def test_K13_a_code_that_looks_like_a_condition_finds_nothing(demo: Named, sandbox: Sandbox) -> None:
    """`x' or 1 eq 1` is a ledger that does not exist."""
    erp = demo.settings.erp.model_copy(update={"ledger": "x' or LedgerID ne '"})
    named = Named(demo.name, demo.file, demo.settings.model_copy(update={"erp": erp}))
    with open_desk(named) as desk, pytest.raises(SetupError, match="x' or LedgerID ne '"):
        desk.ledger.identity()


@pytest.mark.parametrize("name", ["../../x", "model ../x", "a/b", "/etc/passwd"])
def test_K14_a_lock_lies_in_its_folder(tmp_path: Path, name: str) -> None:
    """Its name holds ids that foreign systems gave."""
    folder = tmp_path / "home" / "locks"
    with pytest.raises(SetupError, match="cannot name a lock"), fence(folder, name, holder="me", wait_seconds=0):
        pass
    assert [] == list(tmp_path.rglob("*.lock"))


def test_K14_a_model_that_calls_itself_a_path_is_refused(demo: Named, sandbox: Sandbox, tmp_path: Path) -> None:
    """Whatever the planning system says: nothing is written beside our folders."""
    true_id = sandbox.info["anaplan"]["model_id"]
    action = {"kind": "replace", "pattern": f'"{true_id}"', "with": '"../../stray"', "count": 0}
    sandbox.traffic.plant({"match": "GET .*/models", "times": -1, "action": action})
    with open_desk(demo) as desk, pytest.raises(SetupError), desk.fence("FY2026-P03"):
        pass
    assert [] == list(tmp_path.rglob("*stray*"))


@pytest.mark.parametrize("name", ["../../x", "/etc/passwd", "..\\x", "a\0b"])
def test_K14_names_from_outside_are_no_paths(demo: Named, tmp_path: Path, name: str) -> None:
    """An export is asked for by its name, a kept file by its hash: both are looked up, none is opened."""
    with open_desk(demo) as desk:
        with pytest.raises(SetupError, match="has no export named"):
            desk.plan.export_file(name, tmp_path / "into")
        with pytest.raises((DataError, ValueError)):
            desk.store.artefacts.path(name)
    assert {"home"} == {path.name for path in tmp_path.iterdir()}


def test_K17_a_swapped_certificate_ends_it_before_anything_is_sent() -> None:
    """Same address, same host name, another authority than the connection trusts: no request, hence no password, leaves."""
    with Sandbox.start(tls=True) as ours, Sandbox.start(tls=True) as theirs:
        trusted = ours.info["ca_file"]
        with Caller("Site", ours.url, ca_file=trusted) as caller:
            assert 200 == caller.read("GET", "/control/info").status
        sent = sum(theirs.traffic.counts().values())
        with (
            Caller("Site", theirs.url, ca_file=trusted, sleep=lambda _seconds: None) as caller,
            pytest.raises(TransientError, match="no certificate this machine trusts"),
        ):
            caller.write("PUT", "/entity", json={"password": "x"})
        assert sent == sum(theirs.traffic.counts().values())


REVEALING = {
    "transport": {"auth.py", "log_in.py", "oauth.py"},
    "acumatica": {"auth.py", "sessions.py", "connection.py"},
    "epicor": {"auth.py", "sessions.py"},
    "anaplan": {"auth.py", "config.py", "certificate.py"},
    "store": {"tokens.py", "vault.py", "ringserver.py"},
    "messengers": {"mail.py", "webhook.py"},
}
"""Where log-ins are put together, the address of a webhook, which is a secret in itself, and the vault."""


def test_a_secret_is_revealed_only_where_a_log_in_is_put_together() -> None:
    """Not in flows, assets, wiring or the command line; whoever needs it elsewhere explains it here."""
    strange = []
    for file in PACKAGE.rglob("*.py"):
        room, text = file.relative_to(PACKAGE).parts[0], file.read_text()
        if ".reveal" in text and file.name not in REVEALING.get(room, set()):
            calls = (node.func for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call))
            strange += [file for call in calls if isinstance(call, ast.Attribute) and call.attr == "reveal"]
    assert [] == strange


def test_K11_a_secret_in_the_environment_is_no_way_in(home: Path) -> None:
    """Nothing in the package reads a variable that is named like a secret: names and places only."""
    lines = subprocess.run(
        ["grep", "-rnE", r"environ[^#]*(PASSWORD|SECRET|API_KEY|TOKEN)\b", str(PACKAGE), "--include=*.py"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    assert "" == lines
