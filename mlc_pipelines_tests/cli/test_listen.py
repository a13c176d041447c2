"""mlc listen as an administrator starts it: it says its addresses, takes a notification, and ends on Ctrl-C."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from mlc_pipelines.store.home import Store
from mlc_pipelines.wiring.connections import folder

PUSH = "    push: {credential: demo-push, query: MLC GL Changes, period_field: PostPeriod}\n\n  anaplan:\n"
NOTE = {
    "Query": "MLC GL Changes",
    "CompanyId": "Meridian",
    "Id": "n1",
    "TimeStamp": 1,
    "Inserted": [{"PostPeriod": "032026"}],
}


def start(place: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "mlc_pipelines.cli", "listen", "--port", "0"],
        env={**os.environ, "MLC_CONNECTIONS": str(place), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def connection_with_push(tmp_path: Path) -> Path:
    text = (folder() / "demo.yaml").read_text().replace("\n  anaplan:\n", PUSH, 1)
    (tmp_path / "demo.yaml").write_text(text)
    return tmp_path


def knock(port: int) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("POST", "/push/demo", json.dumps(NOTE).encode(), {"X-MLC-Push": "a shared secret"})
    return connection.getresponse().status


def test_it_listens_keeps_and_ends(tmp_path: Path, home: Path) -> None:
    """The address is printed, a notification is kept, Ctrl-C ends it without a trace of the secret."""
    store = Store.open()
    store.vault.put("demo-push", {"header_value": "a shared secret"})
    listening = start(connection_with_push(tmp_path))
    assert listening.stdout is not None
    said = re.fullmatch(
        r"demo: http://127\.0\.0\.1:(\d+)/push/demo, secret in header X-MLC-Push\n", listening.stdout.readline()
    )
    assert said is not None
    assert 204 == knock(int(said[1]))
    listening.send_signal(signal.SIGINT)
    out, err = listening.communicate(timeout=30)
    assert 0 == listening.returncode, err
    assert [("FY2026-P03",)] == [one.periods for one in store.notices.after("demo", 0)]
    assert "a shared secret" not in out + err


def test_nothing_to_serve_is_said(tmp_path: Path, home: Path) -> None:
    """Without a connection that declares it, or without its secret, it does not pretend to listen."""
    listening = start(connection_with_push(tmp_path))
    _, err = listening.communicate(timeout=30)
    assert 3 == listening.returncode
    assert "demo-push" in err
