"""The log-in that a person made once, against the sandbox: rotating or not, shared between runs, and never signed out under another's feet."""

import urllib.request
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlencode

import pytest

from mlc_pipelines.acumatica.auth import oauth_client
from mlc_pipelines.acumatica.client import Acumatica
from mlc_pipelines.acumatica.config import AcumaticaConfig, AcumaticaCredential
from mlc_pipelines.ledger.errors import SetupError, TransientError
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.transport.log_in import Invitation, log_in_by_browser
from mlc_pipelines_tests.transport.test_oauth import Drawer

Connect = Callable[..., Acumatica]
TOKEN, LOGOUT = "/identity/connect/token", "/entity/auth/logout"


@pytest.fixture
def sandbox(running_sandbox: Sandbox) -> Sandbox:
    """The site as it was seeded; its books stay, since nothing here writes to them."""
    running_sandbox.clock.reset()
    running_sandbox.site.reset_switches()
    running_sandbox.site.close_all()
    running_sandbox.traffic.clear()
    return running_sandbox


@pytest.fixture
def logged_in(
    sandbox: Sandbox, config: Callable[..., AcumaticaConfig], credential: AcumaticaCredential
) -> AcumaticaCredential:
    """A credential whose log-in was made by browser."""
    erp = sandbox.info["acumatica"]
    form = {"username": erp["username"], "password": erp["password"], "decision": "allow"}

    def person(invitation: Invitation) -> None:
        urllib.request.urlopen(invitation.address, urlencode(form).encode(), timeout=10).close()

    drawer = Drawer()
    credential = replace(credential, keeper=drawer)
    client = oauth_client(config(auth="oauth_code"), credential)
    drawer.keep(log_in_by_browser(client, port=0, wait_seconds=10, show=person), "this one")
    sandbox.site.close_all()
    sandbox.traffic.clear()
    return credential


def statuses(sandbox: Sandbox, path: str) -> list[int]:
    return [one.status for one in sandbox.traffic.requests if path in one.path]


def test_a_run_takes_one_token_and_leaves_the_session_to_the_others(
    connect: Connect, logged_in: AcumaticaCredential, sandbox: Sandbox
) -> None:
    """One refresh per run, one session for both, no sign-out: the site closes it when it rests."""
    with (
        connect(auth="oauth_code", credential=logged_in) as ours,
        connect(auth="oauth_code", credential=logged_in) as theirs,
    ):
        assert ours.identity() == theirs.identity()
        assert 1 == sandbox.site.sessions_open()
    assert ([200, 200], []) == (statuses(sandbox, TOKEN), statuses(sandbox, LOGOUT))
    sandbox.clock.advance(601)
    assert 0 == sandbox.site.sessions_open()


@pytest.mark.parametrize("rotate", [True, False])
def test_b01_a_token_that_ended_is_renewed_with_the_newest(
    connect: Connect, logged_in: AcumaticaCredential, sandbox: Sandbox, rotate: bool
) -> None:
    """An hour later; also where refresh tokens stay."""
    sandbox.set_switches(acumatica={"rotate_refresh": rotate})
    with connect(auth="oauth_code", credential=logged_in) as ledger:
        ledger.identity()
        sandbox.clock.advance(3601)
        assert len(ledger.read_accounts()) > 100
    assert [200, 200] == statuses(sandbox, TOKEN)


def test_b20_all_seats_taken_is_no_dead_log_in(
    connect: Connect, logged_in: AcumaticaCredential, sandbox: Sandbox
) -> None:
    """The site says invalid_grant to that as well; the words tell them apart, and nobody is sent to log in again."""
    sandbox.set_switches(acumatica={"max_sessions": 0})
    with (
        connect(auth="oauth_code", credential=logged_in, session_wait_seconds=0) as ledger,
        pytest.raises(TransientError, match="API Login Limit"),
    ):
        ledger.identity()


def test_a_chain_that_ended_names_the_command(
    connect: Connect, logged_in: AcumaticaCredential, sandbox: Sandbox
) -> None:
    """30 days after the first authorization by default [S DOC SlidingExpiration]."""
    sandbox.clock.advance(31 * 86_400)
    with connect(auth="oauth_code", credential=logged_in) as ledger, pytest.raises(SetupError) as caught:
        ledger.identity()
    assert "mlc login" in caught.value.next_step
    assert [400] == statuses(sandbox, TOKEN)


def test_without_a_keeper_nothing_is_called(
    config: Callable[..., AcumaticaConfig], credential: AcumaticaCredential, sandbox: Sandbox
) -> None:
    """A log-in that nobody keeps cannot be used."""
    with pytest.raises(SetupError, match="Nobody keeps the log-in of credential 'demo-acumatica'"):
        Acumatica(config(auth="oauth_code"), credential)
    assert [] == sandbox.traffic.requests
