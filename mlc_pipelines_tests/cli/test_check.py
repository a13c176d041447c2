"""mlc check, as a user types it: the exit code, the object for scripts, the page."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mlc_pipelines.cli import cli
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.store.home import Store
from mlc_pipelines.wiring.connections import Named


def mlc(*words: str) -> Result:
    return CliRunner().invoke(cli, words, prog_name="mlc")


def test_ready(demo: Named, tmp_path: Path) -> None:
    """0: what is to beware of stands with the person who can mend it, and the page is there."""
    done = mlc("check", "demo", "--html", str(tmp_path / "fit.html"))
    assert 0 == done.exit_code, done.output
    assert "model builder:" in done.output
    assert "demo is ready for its first load" in done.output
    assert "demo is ready for its first load" in (tmp_path / "fit.html").read_text()


def test_not_yet_for_scripts(demo: Named, sandbox: Sandbox) -> None:
    """1: one object, and nothing else on standard output."""
    sandbox.set_switches(anaplan={"model_state": "LOCKED"})
    done = mlc("check", "demo", "--json")
    [said] = json.loads(done.stdout)["connections"]
    assert (1, "not yet") == (done.exit_code, said["state"])
    [missing] = [one for one in said["findings"] if one["state"] == "missing"]
    assert ("plan.state", "Anaplan workspace administrator") == (missing["check"], missing["who"])


def test_broken(demo: Named, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """3: a file that cannot be used is a line of the report, beside the connection that can; without a name all are looked at."""
    (tmp_path / "demo.yaml").write_text(demo.file.read_text())
    (tmp_path / "other.yaml").write_text(demo.file.read_text().replace("ledger: ACTUAL", "ledgr: ACTUAL"))
    monkeypatch.setenv("MLC_CONNECTIONS", str(tmp_path))
    Store.open().vault.put("demo-anaplan", {"username": "integration"})
    done = mlc("check")
    assert 3 == done.exit_code
    assert "other.yaml" in done.output
    assert "Credential 'demo-anaplan' lacks password" in done.output
    assert "other is broken" in done.output


def test_no_such_connection(demo: Named) -> None:
    """The names that there are."""
    done = mlc("check", "nobody")
    assert "demo" in str(done.exception)
