"""mlc lists as docs/lists.md shows it: its example is taken from the page itself."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.wiring.connections import Named, read_one

PAGE = Path(__file__).parents[2] / "docs" / "lists.md"


@pytest.fixture
def declared(demo: Named, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The demo connection with the lists of the page."""
    [lists, _] = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    file = tmp_path / "own" / "yourname.yaml"
    file.parent.mkdir()
    file.write_text(demo.file.read_text() + lists)
    monkeypatch.setenv("MLC_CONNECTIONS", str(file.parent))
    return file


def mlc(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "mlc_pipelines.cli", *words],
        capture_output=True,
        text=True,
        env=dict(os.environ),
        timeout=120,
        check=False,
    )


@pytest.mark.prove
def test_lists_are_shown_first_then_written(declared: Path, sandbox: Sandbox) -> None:
    """--dry-run names what would be new and sends nothing; then it is written, and a second time there is nothing to write."""
    shown = mlc("lists", "sync", "yourname", "--dry-run")
    assert 0 == shown.returncode, shown.stderr
    assert re.search(r"new\s+A7770", shown.stdout)
    assert "dry run: nothing was sent" in shown.stdout
    assert "A7770" not in {one["code"] for one in sandbox.tenant.truth_members("Accounts")}
    done = mlc("lists", "sync", "yourname")
    assert 0 == done.returncode, done.stderr
    assert "2 new members; read back as planned." in done.stdout
    assert {"A7770", "A8880"} <= {one["code"] for one in sandbox.tenant.truth_members("Accounts")}


def test_the_other_way_of_reading_back_is_one_line(demo: Named, tmp_path: Path) -> None:
    """The second example of the page, in place of the export."""
    [_, said] = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    line = said.splitlines()[1]
    file = tmp_path / "yourname.yaml"
    file.write_text(demo.file.read_text().replace("    export: Export GL Actuals", line))
    way = read_one(file).settings.actuals.read_back
    assert way is not None
    assert ("view", "GL01 Actuals.Integration") == (way.by, way.name)


def test_a_connection_without_lists_is_told_what_to_declare(demo: Named, sandbox: Sandbox) -> None:
    """Exit code 3: the set-up lacks something; and "nothing was read" is true."""
    done = mlc("lists", "sync", "demo")
    assert 3 == done.returncode
    assert "declares no lists" in done.stderr
    assert not any(sandbox.traffic.counts().values())
