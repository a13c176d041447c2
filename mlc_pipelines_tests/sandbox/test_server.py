"""The server: it starts, serves every system, speaks TLS, and stops without a trace."""

import json
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from mlc_pipelines.sandbox import tls
from mlc_pipelines.sandbox.server import Sandbox

SERVE = "from mlc_pipelines.sandbox.server import serve; serve(as_json={as_json})"


def acumatica_client(info: dict[str, Any]) -> httpx.Client:
    """A client of the emulated ERP, signed in by password grant."""
    erp = info["acumatica"]
    form = {name: erp[name] for name in ("client_id", "client_secret", "username", "password")}
    answer = httpx.post(f"{erp['url']}/identity/connect/token", data={**form, "grant_type": "password", "scope": "api"})
    token = answer.json()["access_token"]
    return httpx.Client(base_url=f"{erp['url']}/entity/Default/{erp['version']}", headers=bearer(token))


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_every_system_answers() -> None:
    """One port serves both ERPs, the planning side and the control door, and an ERP shows what its books hold."""
    with Sandbox.start() as sandbox:
        with acumatica_client(sandbox.info) as erp:
            ask = {"FromPeriod": "032026", "ToPeriod": "032026", "Ledger": "ACTUAL"}
            body = {name: {"value": value} for name, value in ask.items()}
            answer = erp.put("/AccountDetailsForPeriodInquiry", params={"$expand": "Results"}, json=body)
            assert len(sandbox.books.posted_lines("ACTUAL", "FY2026-P03")) == len(answer.json()["Results"])
            assert 1 == sandbox.site.sessions_open()
        kinetic = sandbox.info["epicor"]
        headers = {"x-api-key": kinetic["api_key"], "Accept": "application/json"}
        address = f"{kinetic['url']}/api/v2/odata/{kinetic['company']}/Erp.BO.GLBookSvc/GLBooks?$select=BookID"
        books = httpx.get(address, headers=headers, auth=(kinetic["username"], kinetic["password"])).json()["value"]
        assert {kinetic["book"], kinetic["plan_book"]} <= {row["BookID"] for row in books}
        plan = sandbox.info["anaplan"]
        login = httpx.post(f"{plan['auth_url']}/token/authenticate", auth=(plan["username"], plan["password"]))
        token = {"Authorization": f"AnaplanAuthToken {login.json()['tokenInfo']['tokenValue']}"}
        workspaces = httpx.get(f"{plan['api_url']}/workspaces", headers=token).json()["workspaces"]
        assert plan["workspace_id"] in [workspace["id"] for workspace in workspaces]
        assert {"acumatica": 2, "epicor": 1, "anaplan": 2} == sandbox.traffic.counts()


def test_two_sandboxes_at_once() -> None:
    """Each has its own port, books, log and clock."""
    with Sandbox.start() as one, Sandbox.start() as other:
        assert one.url != other.url
        one.clock.advance(3600)
        one.books.batches.clear()
        httpx.get(one.info["acumatica"]["url"] + "/entity")
        assert 0 < len(other.books.batches)
        assert (
            {"acumatica": 1, "epicor": 0, "anaplan": 0},
            {"acumatica": 0, "epicor": 0, "anaplan": 0},
        ) == (
            one.traffic.counts(),
            other.traffic.counts(),
        )
        assert 3000 < (one.clock.now() - other.clock.now()).total_seconds()


def test_stop_leaves_nothing_behind() -> None:
    """Threads, port and certificate are gone, though a connection was open and a call under way; twice is once."""
    threads = set(threading.enumerate())
    sandbox = Sandbox.start(tls=True)
    folder = Path(sandbox.info["ca_file"]).parent
    trust = ssl.create_default_context(cafile=sandbox.info["ca_file"])
    sandbox.traffic.plant({"match": "entity", "action": {"kind": "delay", "seconds": 60}})
    with httpx.Client(verify=trust, timeout=30) as client, httpx.Client(verify=trust, timeout=30) as slow:
        assert 200 == client.get(f"{sandbox.url}/control/info").status_code
        pool = ThreadPoolExecutor(1)
        under_way = pool.submit(slow.get, f"{sandbox.url}/AcumaticaERP/entity")
        while not sandbox.traffic.requests:
            time.sleep(0.005)
        began = time.monotonic()
        sandbox.stop()
        sandbox.stop()
        assert time.monotonic() - began < 10
        with pytest.raises(httpx.TransportError):
            under_way.result(timeout=30)
        pool.shutdown()
    assert threads == set(threading.enumerate())
    assert not folder.exists()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(sandbox.url.rsplit(":", 1)[1])), timeout=5)


def test_a_taken_port_is_refused() -> None:
    """Two sandboxes cannot share a port; the second one says so and leaves no folder."""
    with Sandbox.start() as sandbox, pytest.raises(OSError, match="Address already in use"):
        Sandbox.start(int(sandbox.url.rsplit(":", 1)[1]), tls=True)


def test_lines_in_reaches_the_books() -> None:
    """A bench gets a period of the size that it names."""
    with Sandbox.start(lines_in=("FY2026-P03", 5_000)) as sandbox:
        answer = httpx.get(f"{sandbox.url}/control/truth/actuals", params={"period": "FY2026-P03"})
        assert 5_000 == answer.json()["lines"]


def test_tls_is_verified_by_the_ca_file() -> None:
    """A client that trusts the CA file connects, under each vendor's name too; another one refuses."""
    with Sandbox.start(tls=True) as sandbox:
        trust = ssl.create_default_context(cafile=sandbox.info["ca_file"])
        trust.verify_flags |= ssl.VERIFY_X509_STRICT
        with httpx.Client(verify=trust) as client:
            assert sandbox.info == client.get(f"{sandbox.url}/control/info").json()
        port = int(sandbox.url.rsplit(":", 1)[1])
        for host in (*tls.HOSTS, "127.0.0.1"):
            plain = socket.create_connection(("127.0.0.1", port))
            with trust.wrap_socket(plain, server_hostname=host) as secured:
                assert str(secured.version()).startswith("TLSv1")
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            httpx.get(f"{sandbox.url}/control/info")


def test_a_reset_is_real_over_tls_too() -> None:
    """Faults cut a secured connection as they cut a plain one."""
    with Sandbox.start(tls=True) as sandbox:
        trust = ssl.create_default_context(cafile=sandbox.info["ca_file"])
        script: list[dict[str, Any]] = [{"kind": "reset"}, {"kind": "truncate"}]
        faults = sandbox.traffic.plant_all({"match": "entity$", "action": action} for action in script)
        with httpx.Client(verify=trust) as client:
            with pytest.raises(httpx.TransportError):
                client.get(f"{sandbox.url}/AcumaticaERP/entity")
            with pytest.raises(httpx.RemoteProtocolError, match="peer closed connection"):
                client.get(f"{sandbox.url}/AcumaticaERP/entity")
            assert 200 == client.get(f"{sandbox.url}/AcumaticaERP/entity").status_code
        assert [1, 1] == [fault.fired for fault in faults]


def test_the_certificates_are_what_strict_clients_ask_for(tmp_path: Path) -> None:
    """The authority may sign, the leaf may serve and names its authority; the key is for its owner's eyes only."""
    paths = tls.write_certificates(tmp_path)
    authority, leaf = (x509.load_pem_x509_certificate(path.read_bytes()) for path in paths[:2])
    assert authority.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert authority.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    assert [ExtendedKeyUsageOID.SERVER_AUTH] == list(
        leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    )
    named = leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    assert authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest == named
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert list(tls.HOSTS) == names.get_values_for_type(x509.DNSName)
    assert 0o600 == paths[2].stat().st_mode & 0o777


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_serve_in_the_foreground(stop: signal.Signals) -> None:
    """One line of JSON says that it is ready; a stop signal ends it cleanly, without a word."""
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE.format(as_json=True)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    info = json.loads(process.stdout.readline())
    assert info == httpx.get(f"{info['control_url']}/info").json()
    process.send_signal(stop)
    out, errors = process.communicate(timeout=30)
    assert (0, "", "") == (process.returncode, out, errors)


def test_serve_speaks_to_a_person() -> None:
    """Without JSON it prints a short table of addresses and credentials."""
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE.format(as_json=False)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    shown = list(iter(process.stdout.readline, "    module         GL01 Actuals\n"))
    process.send_signal(signal.SIGTERM)
    assert ("", "") == process.communicate(timeout=30)
    assert 0 == process.returncode
    assert shown[0].startswith("The sandbox is ready")
    assert "    ledger         ACTUAL\n" in shown
    assert not [line for line in shown if "PRIVATE KEY" in line]
