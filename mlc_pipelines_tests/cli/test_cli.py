"""The command line as a user types it: real processes, exit codes, messages."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.wiring.connections import Named

PERIOD = "FY2026-P03"


def mlc(*words: str, typed: str = "", **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "mlc_pipelines.cli", *words],
        input=typed,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=120,
        check=False,
    )


def test_load_says_what_agreed(demo: Named) -> None:
    """One line per step and a last one that a person can trust."""
    done = mlc("load", "demo", PERIOD)
    assert 0 == done.returncode, done.stderr
    assert f"demo {PERIOD}: plan and ledger agree." == done.stdout.strip().splitlines()[-1]


def test_load_says_what_asks_for_a_look(demo: Named, sandbox: Sandbox) -> None:
    """S38: a code that lost its member stands below its step, not in Dagit and --json alone; good news takes no line."""
    assert "codes_unchanged" not in mlc("load", "demo", PERIOD).stdout
    sandbox.tenant.edit_member("Accounts", "A1020", remove=True)
    told = mlc("load", "demo", PERIOD).stdout.splitlines()
    [line] = [at for at, said in enumerate(told) if said.startswith("  codes_unchanged: ") and "1020" in said]
    assert told[line - 1].startswith("member_map: ")


def test_load_for_scripts(demo: Named, sandbox: Sandbox) -> None:
    """--json is one object; --dry-run sends nothing."""
    done = mlc("load", "demo", PERIOD, "--dry-run", "--json")
    said = json.loads(done.stdout)
    assert (0, False) == (done.returncode, said["sent"])
    legs = ["lines_match_ledger", "signs_match_classes", "cells_match_lines"]
    assert legs == [leg["leg"] for step in said["steps"] for leg in step["legs"]]
    assert [] == sandbox.tenant.log()["uploads"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("load", "nobody", PERIOD), 3, "There is no connection 'nobody'"),
        (("load", "demo", "FY2031-P01"), 1, "FY2031-P01"),
        (("load",), 2, "Missing argument"),
        (("replay", "demo", PERIOD, "--load", "1"), 2, "Add --as-then for its figures"),
    ],
)
def test_exit_codes(demo: Named, words: tuple[str, ...], code: int, said: str) -> None:
    """1 data, 2 usage, 3 set-up; the message goes to standard error."""
    done = mlc(*words)
    assert code == done.returncode
    assert said in done.stderr


def test_a_period_that_does_not_exist_is_told_before_anything_is_read(demo: Named, sandbox: Sandbox) -> None:
    """ "Nothing was read or sent" is true: neither system was called."""
    done = mlc("load", "demo", "FY2031-P01")
    assert 1 == done.returncode
    assert "Nothing was read or sent." in done.stderr
    assert not any(sandbox.traffic.counts().values())


def test_an_unreachable_system_ends_with_4(demo: Named) -> None:
    """Nothing happened; the same call may work later."""
    done = mlc("load", "demo", PERIOD, MLC_SANDBOX_URL="http://127.0.0.1:9")
    assert 4 == done.returncode
    assert "127.0.0.1:9" in done.stderr


def test_connections_check_is_strict(tmp_path: Path, demo: Named) -> None:
    """A broken file is named with line and field, and the exit code tells a script."""
    assert 0 == mlc("connections", "check").returncode
    (tmp_path / "demo.yaml").write_text(demo.file.read_text())
    (tmp_path / "acme.yaml").write_text(demo.file.read_text().replace("ledger: ACTUAL", "ledgr: ACTUAL"))
    done = mlc("connections", "check", MLC_CONNECTIONS=str(tmp_path))
    assert 3 == done.returncode
    assert "acme.yaml" in done.stderr
    assert "ledgr" in done.stderr
    listed = mlc("connections", "list", MLC_CONNECTIONS=str(tmp_path)).stdout
    assert "acme: broken." in listed
    assert "demo: acumatica MERIDIAN ledger ACTUAL" in listed


@pytest.mark.prove
def test_secrets_are_stored_and_never_shown(home: Path) -> None:
    """By prompt or by standard input; the list shows names and versions; no file holds the value."""
    done = mlc("secrets", "set", "acme-plan", "--stdin", typed='{"username": "ann", "password": "canary-8123"}')
    assert 0 == done.returncode, done.stderr
    assert (
        "version 2"
        in mlc("secrets", "set", "acme-plan", "--stdin", typed='{"username": "ann", "password": "canary-8123"}').stdout
    )
    assert "acme-plan  version 2" in mlc("secrets", "list").stdout
    assert 3 == mlc("secrets", "set", "acme-plan", "--stdin", typed="nonsense").returncode
    held = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    assert b"canary-8123" not in held


def test_the_sandbox_tells_where_it_is_and_ends_on_a_signal() -> None:
    """One line of JSON once it is ready; SIGTERM ends it cleanly."""
    with subprocess.Popen(
        [sys.executable, "-m", "mlc_pipelines.cli", "sandbox", "--port", "0", "--json"],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        info = json.loads(process.stdout.readline())
        with urllib.request.urlopen(f"{info['acumatica']['url']}/entity", timeout=10) as answer:
            assert 200 == answer.status
        process.send_signal(signal.SIGTERM)
        assert 0 == process.wait(20)


@pytest.mark.prove
def test_demo_once_agrees_and_leaves_no_process(home: Path, tmp_path: Path) -> None:
    """The whole job without a screen: exit code 0 only if both periods agreed with the sandbox's own books."""
    root = Path(__file__).parents[2]
    for name in ("dagster.yaml", "workspace.yaml"):
        (tmp_path / name).write_text((root / name).read_text())
    done = subprocess.run(
        [sys.executable, "-m", "mlc_pipelines.cli", "demo", "--once"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, "DAGSTER_HOME": str(tmp_path)},
        start_new_session=True,
        timeout=180,
        check=False,
    )
    assert 0 == done.returncode, done.stdout + done.stderr
    rows = [line.split() for line in done.stdout.splitlines() if line.strip().startswith("FY2026")]
    periods = ["FY2026-P01", "FY2026-P02"]
    expected = [(period, "actuals", "yes") for period in periods]  # Acumatica, then Epicor with its spend
    expected += [(period, figures, "yes") for period in periods for figures in ("actuals", "ap_spend")]
    assert expected == [(row[0], row[1], row[-1]) for row in rows]
    assert [] == [
        path.parent.name for path in Path("/proc").glob("[0-9]*/cmdline") if str(tmp_path).encode() in _read(path)
    ]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes() + (path.parent / "environ").read_bytes()
    except OSError:
        return b""  # ended meanwhile
