"""Signing in and out: one seat for a whole run, given back whatever happens, and no secret anywhere."""

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from mlc_pipelines.acumatica.auth import PasswordGrant
from mlc_pipelines.acumatica.client import Acumatica
from mlc_pipelines.acumatica.config import AcumaticaConfig, AcumaticaCredential
from mlc_pipelines.ledger.errors import DataError, PipelineError, SetupError, TransientError
from mlc_pipelines.ledger.fiscal import FiscalPeriod
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.transport.secret import Secret

Connect = Callable[..., Acumatica]
METHODS = ("oauth_password", "cookie")
SIGN_INS = ("/identity/connect/token", "/entity/auth/login")


def calls(sandbox: Sandbox, *parts: str) -> int:
    return sum(any(part in request.path for part in parts) for request in sandbox.traffic.requests)


@pytest.mark.parametrize("auth", METHODS)
def test_one_session_for_a_run_and_none_after(
    connect: Connect, sandbox: Sandbox, march: FiscalPeriod, auth: str
) -> None:
    """However much is read, there is one sign-in, one session meanwhile, one sign-out, and no session afterwards."""
    with connect(auth=auth) as ledger:
        ledger.identity()
        list(ledger.read_posted(march))
        ledger.read_accounts()
        assert 1 == sandbox.site.sessions_open()
    assert 0 == sandbox.site.sessions_open()
    assert (1, 1) == (calls(sandbox, *SIGN_INS), calls(sandbox, "/auth/logout"))


def test_nothing_is_called_before_the_first_question(connect: Connect, sandbox: Sandbox) -> None:
    """Opening and closing a client costs no call and no seat."""
    with connect():
        pass
    assert 0 == sandbox.traffic.counts()["acumatica"]


@pytest.mark.parametrize("auth", METHODS)
def test_b20_signs_out_after_a_failure(connect: Connect, sandbox: Sandbox, auth: str) -> None:
    """A read that fails still gives the seat back, and the failure is the one that is seen (B20)."""
    with pytest.raises(SetupError, match="NOPE"), connect(auth=auth, ledger="NOPE") as ledger:
        ledger.identity()
    assert 0 == sandbox.site.sessions_open()


def test_b20_a_failing_sign_out_is_told_beside_the_first_failure(connect: Connect, sandbox: Sandbox) -> None:
    """It never hides the first error; it is attached to it."""
    fault = sandbox.traffic.plant({"match": "auth/logout", "times": -1, "action": {"kind": "status", "status": 503}})
    with pytest.raises(SetupError, match="NOPE") as caught, connect(ledger="NOPE") as ledger:
        ledger.identity()
    assert 3 == fault.fired
    assert "Signing out failed as well" in caught.value.__notes__[0]


def test_a_failing_sign_out_alone_is_an_error(connect: Connect, sandbox: Sandbox) -> None:
    """A seat that could not be given back is not passed over in silence."""
    sandbox.traffic.plant({"match": "auth/logout", "times": -1, "action": {"kind": "status", "status": 503}})
    with pytest.raises(TransientError, match="auth/logout"), connect() as ledger:
        ledger.identity()


@pytest.mark.parametrize("auth", METHODS)
def test_b02_a_401_leads_to_one_new_sign_in(connect: Connect, sandbox: Sandbox, march: FiscalPeriod, auth: str) -> None:
    """401 on a session that was good: once signed in anew, the call repeated, the figures whole, even on a licence of one seat."""
    sandbox.set_switches(acumatica={"max_sessions": 1})
    fault = sandbox.traffic.plant({"match": "AccountDetails", "action": {"kind": "status", "status": 401}})
    with connect(auth=auth) as ledger:
        lines = sum(len(batch) for batch in ledger.read_posted(march))
    assert len(sandbox.books.posted_lines("ACTUAL", march.key)) == lines
    assert (1, 2) == (fault.fired, calls(sandbox, *SIGN_INS))


def test_b01_a_token_that_ended_is_replaced(connect: Connect, sandbox: Sandbox) -> None:
    """A token whose hour has passed on the ERP's clock brings a 401, a new token, and the answer."""
    with connect() as ledger:
        ledger.identity()
        sandbox.clock.advance(3700)
        assert len(sandbox.books.accounts) == len(ledger.read_accounts())
    assert 2 == calls(sandbox, *SIGN_INS)
    assert 0 == sandbox.site.sessions_open()


def test_lasting_401_names_who_can_help(connect: Connect, sandbox: Sandbox) -> None:
    """A second 401 is final: a matter of rights, with no third attempt."""
    fault = sandbox.traffic.plant({"match": "/Ledger", "times": -1, "action": {"kind": "status", "status": 401}})
    with connect() as ledger, pytest.raises(SetupError, match="SM303010"):
        ledger.identity()
    assert 2 == fault.fired


def test_a_token_near_its_end_is_signed_out_before_the_next(
    config: Callable[..., AcumaticaConfig], credential: AcumaticaCredential
) -> None:
    """The scope `api` has no refresh: the old session gives its seat back, then a new one is opened, then the call goes out."""
    auth = PasswordGrant(config(), credential)

    def first_call() -> list[str]:
        flow = auth.sync_auth_flow(httpx.Request("GET", "http://localhost/x"))
        sent, request = [], next(flow)
        while request.url.path != "/x":
            sent.append(f"{request.url.path} {request.headers.get('authorization', '')}".strip())
            answer = {"access_token": f"token-{len(sent)}", "expires_in": 0}
            request = flow.send(httpx.Response(200, json=answer, request=request))
        return [*sent, request.headers["authorization"]]

    token, logout = "/AcumaticaERP/identity/connect/token", "/AcumaticaERP/entity/auth/logout"
    assert [token, "Bearer token-1"] == first_call()
    assert [f"{logout} Bearer token-1", token, "Bearer token-2"] == first_call()


@pytest.mark.parametrize("auth", METHODS)
def test_a_wrong_password_names_the_credential(
    connect: Connect, credential: AcumaticaCredential, sandbox: Sandbox, auth: str
) -> None:
    """OAuth answers invalid_grant, the cookie sign-in 500; both name tenant and credential, and are not tried again."""
    wrong = replace(credential, password=Secret("a-wrong-password", "password"))
    with (
        connect(auth=auth, credential=wrong) as ledger,
        pytest.raises(SetupError, match="'demo-acumatica' for tenant 'Meridian'"),
    ):
        ledger.identity()
    assert 1 == calls(sandbox, *SIGN_INS)


def test_a_wrong_application_secret_names_the_application(connect: Connect, credential: AcumaticaCredential) -> None:
    """invalid_client points to the form on which applications are registered."""
    wrong = replace(credential, client_secret=Secret("another-secret", "client_secret"))
    with connect(credential=wrong) as ledger, pytest.raises(SetupError, match=r"(?s)invalid_client.*SM303010"):
        ledger.identity()


def test_an_application_that_may_not_sign_in_so(connect: Connect, sandbox: Sandbox) -> None:
    """An application registered for another flow is told apart from a wrong secret."""
    body = '{"error":"unauthorized_client"}'
    sandbox.traffic.plant({"match": "connect/token", "action": {"kind": "status", "status": 400, "body": body}})
    with connect() as ledger, pytest.raises(SetupError, match="Resource Owner Password"):
        ledger.identity()


@pytest.mark.parametrize("body", ["{}", '{"access_token":"","expires_in":3600}', '{"access_token":"x"}', "[]"])
def test_b05_a_sign_in_without_a_token_is_refused(connect: Connect, sandbox: Sandbox, body: str) -> None:
    """200 without a usable token never leads to a call without one."""
    action = {"kind": "status", "status": 200, "headers": {"content-type": "application/json"}, "body": body}
    sandbox.traffic.plant({"match": "connect/token", "action": action})
    with connect() as ledger, pytest.raises(SetupError, match="without a token"):
        ledger.identity()
    assert 0 == calls(sandbox, "/Ledger")


@pytest.mark.parametrize("auth", METHODS)
@pytest.mark.parametrize("status", [None, 400, 429, 500])
def test_b20_all_seats_taken_is_said_and_waited_for(
    config: Callable[..., AcumaticaConfig],
    credential: AcumaticaCredential,
    sandbox: Sandbox,
    auth: str,
    status: int | None,
) -> None:
    """API Login Limit, whatever its status: waited for within the limits; here the other integration leaves meanwhile."""
    sandbox.set_switches(acumatica={"max_sessions": 0, "login_limit_status": status})
    with (
        Acumatica(config(auth=auth), credential, sleep=lambda _: None) as ledger,
        pytest.raises(TransientError, match="API Login Limit"),
    ):
        ledger.identity()

    def somebody_leaves(_: float) -> None:
        sandbox.set_switches(acumatica={"max_sessions": 1})

    with Acumatica(config(auth=auth), credential, sleep=somebody_leaves) as ledger:
        assert "ACTUAL" == ledger.identity().ledger


@pytest.mark.parametrize("client_id", ["A1B2@Other", "A1B2", ""])
def test_an_application_of_another_tenant_is_refused(
    config: Callable[..., AcumaticaConfig], credential: AcumaticaCredential, sandbox: Sandbox, client_id: str
) -> None:
    """The client id names its tenant; a mix-up with the connection file is refused before any call."""
    with pytest.raises(SetupError, match="connected application"):
        Acumatica(config(), replace(credential, client_id=Secret(client_id, "client_id")))
    assert 0 == sandbox.traffic.counts()["acumatica"]


def test_an_unknown_tenant_by_cookie(connect: Connect) -> None:
    """The cookie sign-in names the tenant in its body; a site that does not know it says so."""
    with connect(auth="cookie", tenant="Nowhere") as ledger, pytest.raises(SetupError, match="no tenant of this name"):
        ledger.identity()


@pytest.mark.parametrize("url", ["ftp://erp.example.com", "erp.example.com/Site", "http://erp.example.com/Site"])
def test_addresses_that_cannot_be_right(url: str) -> None:
    """The site is an https address; plain http would show the password and is for loopback only."""
    with pytest.raises(SetupError, match=r"erp\.url"):
        AcumaticaConfig(url=url, tenant="T", company="C", ledger="L")


def test_k02_no_secret_in_any_message(
    connect: Connect,
    config: Callable[..., AcumaticaConfig],
    credential: AcumaticaCredential,
    sandbox: Sandbox,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Even a server that echoes what it was sent cannot get a secret into an error, a note, a repr or a log."""
    caplog.set_level(logging.DEBUG)
    secrets = [sandbox.info["acumatica"][name] for name in ("password", "client_secret")]
    echo = " ".join(secrets)
    told: list[object] = [config(), credential]
    for status, match in (
        (400, "connect/token"),
        (500, "connect/token"),
        (500, "/Ledger"),
        (422, "/Ledger"),
        (403, "/Ledger"),
    ):
        for body in (echo, f'{{"error":"{echo}","message":"{echo}","exceptionMessage":"{echo}"}}'):
            sandbox.traffic.clear_faults()
            sandbox.traffic.plant(
                {"match": match, "times": -1, "action": {"kind": "status", "status": status, "body": body}}
            )
            told.append(_failure_of(connect))
    assert 12 == len(told)
    said = "\n".join(repr(item) + str(item) for item in told) + caplog.text
    assert [] == [secret for secret in secrets if secret in said]


def _failure_of(connect: Connect) -> PipelineError:
    with pytest.raises((SetupError, DataError, TransientError)) as caught, connect() as ledger:
        ledger.identity()
    error: Any = caught.value
    return error  # type: ignore[no-any-return]
