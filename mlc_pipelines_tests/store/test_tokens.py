"""The newest refresh token of a log-in: encrypted, durable, and never used by two processes at once."""

import json
from pathlib import Path

import httpx
import pytest

from mlc_pipelines.ledger.errors import SetupError, TransientError
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.store import tokens
from mlc_pipelines.store.home import Store
from mlc_pipelines.store.tokens import LogIn
from mlc_pipelines.transport.oauth import OAuthClient
from mlc_pipelines.transport.secret import Secret

COMMAND = "mlc login acme --system anaplan"
APPLICATION = "f00d"
RENEWS = """
import json, sys
from pathlib import Path
from mlc_pipelines.store.home import Store
from mlc_pipelines.transport.caller import Caller
from mlc_pipelines.transport.oauth import OAuthClient, RefreshAuth
from mlc_pipelines.transport.secret import Secret
home, url, client_id = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
store = Store.open(home, f"sqlite:///{home / 'mlc.db'}")
client = OAuthClient(system="Anaplan", client_id=Secret(client_id, "id"), client_secret=None, scope="", token_url=f"{url}/oauth/token")
auth = RefreshAuth(client, store.log_in("acme-plan", command="mlc login acme"))
print("ready", flush=True)
sys.stdin.readline()
with Caller("Anaplan", url, auth=auth) as caller:
    for _ in range(20):
        auth.forget()
        caller.read("GET", "/2/0/workspaces")
print("done", flush=True)
"""


@pytest.fixture
def log_in(store: Store) -> LogIn:
    return store.log_in("acme-plan", command=COMMAND)


def test_the_newest_token_counts(log_in: LogIn) -> None:
    """Kept twice, read by anybody who asks for the same credential."""
    log_in.keep(Secret("refresh-1", "refresh token"), APPLICATION)
    log_in.keep(Secret("refresh-2", "refresh token"), APPLICATION)
    assert "refresh-2" == log_in.newest(APPLICATION).reveal()
    assert [("acme-plan (log-in)", 2)] == [row[:2] for row in log_in.vault.names()]


def test_each_credential_has_a_log_in_of_its_own(store: Store, log_in: LogIn) -> None:
    """Also where only signs differ that a file name does not take."""
    log_in.keep(Secret("refresh-1", "refresh token"), APPLICATION)
    other = store.log_in("acme/plan", command=COMMAND)
    other.keep(Secret("refresh-9", "refresh token"), APPLICATION)
    assert ("refresh-1", "refresh-9") == (log_in.newest(APPLICATION).reveal(), other.newest(APPLICATION).reveal())
    with log_in.held(), other.held():
        pass


def test_before_anybody_logged_in_the_command_is_named(log_in: LogIn) -> None:
    """Whoever reads it knows what to type."""
    with pytest.raises(SetupError, match="Nobody has logged in yet with credential 'acme-plan'") as caught:
        log_in.newest(APPLICATION)
    assert f"Log in once: `{COMMAND}`." == caught.value.next_step


def test_a_token_is_not_given_to_another_application(log_in: LogIn) -> None:
    """A changed address in a connection file must not lead a refresh token elsewhere."""
    log_in.keep(Secret("refresh-1", "refresh token"), APPLICATION)
    with pytest.raises(SetupError, match="another client id or address") as caught:
        log_in.newest("beef")
    assert "It was not used." == caught.value.holds
    assert COMMAND in caught.value.next_step


def test_no_file_holds_the_token(store: Store, log_in: LogIn) -> None:
    """Neither database nor lock."""
    with log_in.held():
        log_in.keep(Secret("canary-refresh-7f3a", "refresh token"), APPLICATION)
    store.engine.dispose()
    held = b"".join(path.read_bytes() for path in store.home.rglob("*") if path.is_file())
    assert b"acme-plan" in held
    assert b"canary-refresh" not in held


def test_two_hold_it_one_after_the_other(log_in: LogIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is too late is told, and nothing was sent."""
    monkeypatch.setattr(tokens, "_WAIT_SECONDS", 0.0)
    with log_in.held(), pytest.raises(TransientError, match="log-in acme-plan") as caught, log_in.held():
        pass
    assert "Nothing was sent." == caught.value.holds


def test_two_processes_renew_one_log_in_without_losing_it(
    store: Store, log_in: LogIn, start, sandbox: Sandbox, tmp_path: Path
) -> None:
    """20 rotations each, at the same time: 40 tokens, each used once, none refused, and the last one kept is good.

    A server that withdraws a log-in when an old token comes again would end it at the first mistake.
    """
    sandbox.set_switches(anaplan={"oauth_reuse_revokes": True, "rate_per_minute": 0})
    client = sandbox.tenant.oauth.device_client
    first = _granted(sandbox, client.id)
    known = OAuthClient(
        system="Anaplan",
        client_id=Secret(client.id, "id"),
        client_secret=None,
        scope="",
        token_url=f"{sandbox.url}/oauth/token",
    )
    log_in.keep(Secret(first, "refresh token"), known.application)
    sandbox.traffic.clear()
    both = [start(RENEWS, store.home, sandbox.url, client.id) for _ in range(2)]
    for process in both:
        assert "ready\n" == process.stdout.readline()
    for process in both:
        process.stdin.write("\n")
        process.stdin.flush()
    assert ["done\n"] * 2 == [process.stdout.readline() for process in both]
    asked = [one.status for one in sandbox.traffic.requests if one.path == "/oauth/token"]
    assert [200] * 40 == asked
    family = sandbox.tenant.oauth.refreshes
    unused = [value for value, one in family.items() if not one.used]
    assert [log_in.newest(known.application).reveal()] == unused


def _granted(sandbox: Sandbox, client_id: str) -> str:
    """A refresh token as a log-in by device brings it."""
    begun = httpx.post(f"{sandbox.url}/oauth/device/code", json={"client_id": client_id, "scope": "offline_access"})
    sandbox.tenant.oauth.decide("approve")
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
        "client_id": client_id,
        "device_code": begun.json()["device_code"],
    }
    return str(json.loads(httpx.post(f"{sandbox.url}/oauth/token", json=form).content)["refresh_token"])
