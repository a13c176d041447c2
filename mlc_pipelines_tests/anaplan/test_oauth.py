"""OAuth against the sandbox: a log-in by device and by browser, and runs that go on from its refresh token."""

import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from mlc_pipelines.anaplan.auth import oauth_client
from mlc_pipelines.anaplan.client import Anaplan
from mlc_pipelines.anaplan.config import AnaplanConfig, OAuthCredential
from mlc_pipelines.ledger.errors import SetupError, TransientError
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.sandbox.traffic import Request
from mlc_pipelines.transport.log_in import Invitation, log_in_by_browser, log_in_by_device
from mlc_pipelines.transport.secret import Secret
from mlc_pipelines_tests.transport.test_oauth import Drawer

Calls = Callable[[str], list[Request]]
Connect = Callable[..., Anaplan]
TOKEN = "POST /oauth/token"


@pytest.fixture
def config(configure: Callable[..., AnaplanConfig], sandbox: Sandbox) -> AnaplanConfig:
    return configure(oauth_url=sandbox.url)


@pytest.fixture
def device(sandbox: Sandbox) -> OAuthCredential:
    info = sandbox.info["anaplan"]
    return OAuthCredential(Secret(info["oauth_device_client_id"], "client_id"), None, Drawer(), "acme-plan")


@pytest.fixture
def browser(sandbox: Sandbox) -> OAuthCredential:
    info = sandbox.info["anaplan"]
    secret = Secret(info["oauth_client_secret"], "client_secret")
    return OAuthCredential(Secret(info["oauth_client_id"], "client_id"), secret, Drawer(), "acme-plan")


def by_device(
    sandbox: Sandbox, config: AnaplanConfig, credential: OAuthCredential, hands: Any, decision: str = "approve"
) -> Secret:
    """Somebody types the code in during the second pause."""
    shown: list[Invitation] = []

    def decide() -> None:
        sandbox.tenant.oauth.decide(decision, shown[0].code)

    hands.meanwhile.append(lambda: hands.meanwhile.append(decide))
    client = oauth_client(config, credential)
    return log_in_by_device(client, show=shown.append, sleep=hands.sleep)


def by_browser(
    sandbox: Sandbox, config: AnaplanConfig, credential: OAuthCredential, decision: str = "approve"
) -> Secret:
    """Somebody opens the address and agrees there; the browser follows the redirect to this machine."""

    def person(invitation: Invitation) -> None:
        asked = dict(parse_qsl(urlsplit(invitation.address).query))
        back = sandbox.tenant.oauth.consent(asked, decision=decision)
        urllib.request.urlopen(back, timeout=10).close()

    client = oauth_client(config, credential)
    return log_in_by_browser(client, port=0, wait_seconds=10, show=person)


def logged_in(credential: OAuthCredential, token: Secret) -> OAuthCredential:
    credential.keeper.keep(token, "this one")
    return credential


def test_a_device_log_in_is_asked_for_until_it_is_approved(
    sandbox: Sandbox, config: AnaplanConfig, device: OAuthCredential, hands: Any, calls: Calls
) -> None:
    """Pending once, then approved; never sooner than the server allows."""
    assert by_device(sandbox, config, device, hands).reveal()
    assert [403, 200] == [one.status for one in calls(TOKEN)]
    assert [5, 5] == hands.slept


def test_a_device_log_in_slows_down_when_told(
    sandbox: Sandbox, config: AnaplanConfig, device: OAuthCredential, hands: Any
) -> None:
    """A clock that runs fast asks too early once: from then on 10 s, as the server wants it."""

    def sleep(seconds: float) -> None:
        early = len(hands.slept) == 1
        hands.sleep(3 if early else seconds)
        hands.slept[-1] = seconds
        if len(hands.slept) == 4:
            sandbox.tenant.oauth.decide("approve")

    assert log_in_by_device(oauth_client(config, device), show=lambda _invitation: None, sleep=sleep).reveal()
    assert [5, 5, 10, 10] == hands.slept


def test_a_denied_device_log_in_is_told(
    sandbox: Sandbox, config: AnaplanConfig, device: OAuthCredential, hands: Any
) -> None:
    """Whoever sits at the browser said no."""
    with pytest.raises(SetupError, match="was refused there") as caught:
        by_device(sandbox, config, device, hands, "deny")
    assert "Nothing was stored." == caught.value.holds


def test_a_code_that_nobody_types_in_expires(
    sandbox: Sandbox, config: AnaplanConfig, device: OAuthCredential, hands: Any
) -> None:
    """After its time, and not before."""
    sandbox.set_switches(anaplan={"oauth_device_seconds": 60.0})
    client = oauth_client(config, device)
    with pytest.raises(TransientError, match="expired"):
        log_in_by_device(client, show=lambda _invitation: None, sleep=hands.sleep)
    assert 60 == sum(hands.slept)


def test_a_client_of_the_other_kind_is_told_so(
    sandbox: Sandbox, config: AnaplanConfig, browser: OAuthCredential, hands: Any
) -> None:
    """A client registered for the authorization code cannot log in by device."""
    with pytest.raises(SetupError, match="unauthorized_client"):
        by_device(sandbox, config, browser, hands)


def test_a_browser_log_in_brings_a_refresh_token(
    sandbox: Sandbox, config: AnaplanConfig, browser: OAuthCredential, calls: Calls
) -> None:
    """The address is the one that Anaplan documents; one exchange."""
    assert by_browser(sandbox, config, browser).reveal()
    assert [200] == [one.status for one in calls(TOKEN)]
    assert f"{sandbox.url}/auth/authorize" == oauth_client(config, browser).authorize_url


def test_a_refusal_in_the_browser_is_told(sandbox: Sandbox, config: AnaplanConfig, browser: OAuthCredential) -> None:
    """The redirect carries access_denied."""
    with pytest.raises(SetupError, match="access_denied"):
        by_browser(sandbox, config, browser, "deny")


@pytest.mark.parametrize("way", ["device", "browser"])
def test_a_run_takes_one_token_and_keeps_the_newest_refresh_token(
    connect: Connect,
    sandbox: Sandbox,
    config: AnaplanConfig,
    device: OAuthCredential,
    browser: OAuthCredential,
    hands: Any,
    calls: Calls,
    way: str,
) -> None:
    """One refresh for the whole run; no log-out, which might end the log-in of the next run; the next run goes on from what was kept."""
    credential = (
        logged_in(device, by_device(sandbox, config, device, hands))
        if way == "device"
        else logged_in(browser, by_browser(sandbox, config, browser))
    )
    sandbox.traffic.clear()
    for runs in (1, 2):
        with connect(credential=credential, oauth_url=sandbox.url) as plan:
            plan.key()
            assert len(plan.read_members("Accounts")) > 100
        assert runs == len(calls(TOKEN))
    assert [] == calls("/token/logout")
    kept = credential.keeper.newest("").reveal()
    assert [False] == [one.used for value, one in sandbox.tenant.oauth.refreshes.items() if value == kept]


@pytest.mark.parametrize("rotation", ["always", "never"])
def test_b01_an_access_token_that_ended_is_renewed(
    connect: Connect, sandbox: Sandbox, config: AnaplanConfig, browser: OAuthCredential, calls: Calls, rotation: str
) -> None:
    """35 minutes later, with rotating and with lasting refresh tokens."""
    sandbox.set_switches(anaplan={"oauth_rotation": rotation})
    credential = logged_in(browser, by_browser(sandbox, config, browser))
    with connect(credential=credential, oauth_url=sandbox.url) as plan:
        plan.key()
        sandbox.clock.advance(2101)
        assert len(plan.read_members("Accounts")) > 100
    assert 3 == len(calls(TOKEN))


def test_b04_a_revoked_access_token_costs_one_refresh(
    connect: Connect, sandbox: Sandbox, config: AnaplanConfig, browser: OAuthCredential, calls: Calls
) -> None:
    """Ended by an administrator or by another process: renewed once, and on."""
    credential = logged_in(browser, by_browser(sandbox, config, browser))
    with connect(credential=credential, oauth_url=sandbox.url) as plan:
        plan.key()
        sandbox.tenant.revoke_tokens()
        assert len(plan.read_members("Accounts")) > 100
    assert 3 == len(calls(TOKEN))


@pytest.mark.parametrize("reuse_revokes", [False, True])
def test_a_refresh_whose_answer_is_lost_ends_in_a_new_log_in(
    connect: Connect,
    sandbox: Sandbox,
    config: AnaplanConfig,
    browser: OAuthCredential,
    calls: Calls,
    reuse_revokes: bool,
) -> None:
    """The successor was never seen: the stored one is tried once, then the command is named."""
    sandbox.set_switches(anaplan={"oauth_reuse_revokes": reuse_revokes})
    credential = logged_in(browser, by_browser(sandbox, config, browser))
    sandbox.traffic.clear()
    sandbox.traffic.plant({"match": TOKEN, "action": {"kind": "reset", "after": True}})
    with (
        connect(credential=credential, oauth_url=sandbox.url) as plan,
        pytest.raises(SetupError, match="no longer accepts the stored log-in") as caught,
    ):
        plan.key()
    assert "mlc login" in caught.value.next_step
    assert 2 == len(calls(TOKEN))


def test_a_refresh_that_did_not_arrive_is_made_up_for(
    connect: Connect, sandbox: Sandbox, config: AnaplanConfig, browser: OAuthCredential
) -> None:
    """Lost before it had an effect: the stored token is still good."""
    credential = logged_in(browser, by_browser(sandbox, config, browser))
    fault = sandbox.traffic.plant({"match": TOKEN, "action": {"kind": "reset"}})
    with connect(credential=credential, oauth_url=sandbox.url) as plan:
        assert plan.key()
    assert 1 == fault.fired


def test_a_withdrawn_log_in_names_the_command(
    connect: Connect, sandbox: Sandbox, config: AnaplanConfig, browser: OAuthCredential, calls: Calls
) -> None:
    """An administrator ended it: no storm of attempts."""
    credential = logged_in(browser, by_browser(sandbox, config, browser))
    sandbox.tenant.revoke_tokens(refresh=True)
    sandbox.traffic.clear()
    with connect(credential=credential, oauth_url=sandbox.url) as plan, pytest.raises(SetupError) as caught:
        plan.key()
    assert "mlc login" in caught.value.next_step
    assert 1 == len(calls(TOKEN))


def test_every_call_carries_anaplans_own_header(
    connect: Connect, sandbox: Sandbox, config: AnaplanConfig, browser: OAuthCredential
) -> None:
    """All services take it, with an OAuth token as well; Bearer is refused by some."""
    credential = logged_in(browser, by_browser(sandbox, config, browser))
    with connect(credential=credential, oauth_url=sandbox.url) as plan:
        plan.key()
        token = plan._api._auth.token
        assert token
        assert f"AnaplanAuthToken {token.value.reveal()}" == plan._api._auth.header(token)
