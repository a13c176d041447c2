"""mlc login and key files in mlc secrets: as a person types them."""

import base64
import os
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import yaml
from click.testing import CliRunner, Result

from mlc_pipelines.cli import cli
from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.store.home import Store
from mlc_pipelines.wiring.connections import Named

Run = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def acme(demo: Named, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Writes the connection `acme`: the demo's with another way to log in."""
    folder = tmp_path / "own"
    folder.mkdir()
    monkeypatch.setenv("MLC_CONNECTIONS", str(folder))

    def write(**parts: dict[str, Any]) -> None:
        said = yaml.safe_load(demo.file.read_text())
        for part, changes in parts.items():
            said["attributes"][part] |= changes
        (folder / "acme.yaml").write_text(yaml.safe_dump(said))

    return write


@pytest.fixture
def run() -> Iterator[Run]:
    """Starts mlc as a process of its own."""
    running: list[subprocess.Popen[str]] = []

    def start(*words: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "mlc_pipelines.cli", *words]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.communicate()


def by_browser(sandbox: Sandbox) -> dict[str, Any]:
    info = sandbox.info["anaplan"]
    secrets = {"client_id": info["oauth_client_id"], "client_secret": info["oauth_client_secret"]}
    Store.open().vault.put("acme-plan", secrets)
    return {"auth": "oauth_code", "credential": "acme-plan", "oauth_url": sandbox.url}


def shown_address(process: "subprocess.Popen[str]") -> str:
    assert process.stdout
    assert "Open this address in a browser on this machine:\n" == process.stdout.readline()
    return process.stdout.readline().strip()


def mlc(*words: str, typed: str = "") -> Result:
    """The same within this process, which takes a tenth of the time."""
    return CliRunner().invoke(cli, words, input=typed)


def test_login_by_browser(acme: Callable[..., None], sandbox: Sandbox, run: Run) -> None:
    """The address is shown at once, and the answer of the browser ends it."""
    acme(anaplan=by_browser(sandbox))
    process = run("login", "acme")
    asked = dict(parse_qsl(urlsplit(shown_address(process)).query))
    urllib.request.urlopen(sandbox.tenant.oauth.consent(asked), timeout=10).close()
    said, complaint = process.communicate(timeout=60)
    assert 0 == process.returncode, complaint
    assert "Logged in to anaplan. The log-in is kept, encrypted, beside credential acme-plan." in said
    assert "acme-plan (log-in)" in kept()


def test_login_by_device_shows_code_and_address(acme: Callable[..., None], sandbox: Sandbox) -> None:
    """Typed in on any other machine; no secret is needed. Which system is chosen where both need one."""
    sandbox.set_switches(anaplan={"oauth_interval_seconds": 1.0})
    Store.open().vault.put("acme-plan", {"client_id": sandbox.info["anaplan"]["oauth_device_client_id"]})
    device = {"auth": "oauth_device", "credential": "acme-plan", "oauth_url": sandbox.url}
    acme(erp={"auth": "oauth_code"}, anaplan=device)
    codes: list[str] = []

    def person() -> None:
        while not sandbox.tenant.oauth.devices:
            ended.wait(0.02)
        codes.append(sandbox.tenant.oauth.decide("approve").user_code)

    ended = threading.Event()
    somebody = threading.Thread(target=person, daemon=True)
    somebody.start()
    done = mlc("login", "acme", "--system", "anaplan")
    assert 0 == done.exit_code, done.output
    assert f"in any browser and type in the code {codes[0]}\n" in done.output
    assert "acme-plan (log-in)" in kept()


def test_ctrl_c_leaves_nothing_behind(acme: Callable[..., None], sandbox: Sandbox, run: Run) -> None:
    """Nothing is stored, no traceback is shown, and the exit code is no success."""
    acme(anaplan=by_browser(sandbox))
    process = run("login", "acme")
    shown_address(process)
    process.send_signal(signal.SIGINT)
    _, complaint = process.communicate(timeout=60)
    assert 1 == process.returncode
    assert "Traceback" not in complaint
    assert "acme-plan (log-in)" not in kept()


def test_login_asks_which_system_or_says_that_none_needs_it(acme: Callable[..., None], sandbox: Sandbox) -> None:
    """Wrong usage where both need one; a matter of set-up where none does: with what to type or to write."""
    acme(erp={"auth": "oauth_code"}, anaplan=by_browser(sandbox))
    both = mlc("login", "acme")
    assert (2, True) == (both.exit_code, "choose with --system" in both.output)
    acme()
    none = mlc("login", "acme").exception
    assert isinstance(none, SetupError)
    assert "auth: oauth_device" in none.next_step


def test_key_files_go_into_the_vault(home: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    """A file by its path, the passphrase by prompt; neither stands on the command line, and no file of ours holds the key."""
    info = sandbox.info["anaplan"]
    files = []
    for field, name in (("private_key", "private_key_encrypted"), ("certificate", "certificate")):
        (tmp_path / f"{name}.pem").write_text(info[name])
        files += ["--file", f"{field}={tmp_path / name}.pem"]
    password = info["certificate_password"]
    done = mlc("secrets", "set", "acme-plan", *files, "--field", "passphrase", typed=f"{password}\n")
    assert 0 == done.exit_code, done.output
    assert "version 1, with certificate, passphrase, private_key" in done.output
    assert password not in done.output
    opened = {name: secret.reveal() for name, secret in Store.open().vault.open("acme-plan").items()}
    assert (info["private_key_encrypted"], password) == (opened["private_key"], opened["passphrase"])
    assert b"PRIVATE KEY" not in b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())


def test_a_key_file_that_is_not_there_changes_nothing(home: Path, tmp_path: Path) -> None:
    """Nor does a field without a file."""
    gone = tmp_path / "gone.pem"
    missing = mlc("secrets", "set", "acme-plan", "--file", f"private_key={gone}").exception
    assert isinstance(missing, SetupError)
    assert f"{gone} cannot be read" in missing.what
    assert 2 == mlc("secrets", "set", "acme-plan", "--file", str(gone)).exit_code
    assert [] == kept()


def test_a_binary_key_file_is_kept_as_base64(home: Path, tmp_path: Path) -> None:
    """PKCS#12 and DER, whatever bytes they hold."""
    content = os.urandom(64)
    (tmp_path / "plan.p12").write_bytes(content)
    done = mlc("secrets", "set", "acme-plan", "--file", f"private_key={tmp_path / 'plan.p12'}")
    assert 0 == done.exit_code, done.output
    assert content == base64.b64decode(Store.open().vault.open("acme-plan")["private_key"].reveal())


def kept() -> list[str]:
    return [name for name, _, _ in Store.open().vault.names()]
