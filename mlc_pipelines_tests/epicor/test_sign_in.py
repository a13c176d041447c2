"""Key, user, token, identity provider: each way leads in, each refusal names what is wrong and who can mend it, and no secret shows."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from mlc_pipelines.epicor.auth import life_seconds
from mlc_pipelines.epicor.client import Epicor
from mlc_pipelines.epicor.config import BaqRule, Baqs, EpicorConfig, EpicorCredential
from mlc_pipelines.ledger.errors import PipelineError, SetupError, TransientError
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.transport.answers import Answer
from mlc_pipelines.transport.caller import Limits
from mlc_pipelines.transport.secret import Secret

Connect = Callable[..., Epicor]
WRONG = Secret("wrong-canary-5150", "canary")


@pytest.fixture
def provider(sandbox: Sandbox) -> dict[str, Any]:
    """What a connection says that signs in through the identity provider."""
    return {"auth": "client_credentials", "identity_url": sandbox.info["epicor"]["token_url"]}


def calls(sandbox: Sandbox, part: str) -> int:
    return sum(part in request.path for request in sandbox.traffic.requests)


def refusal(connect: Connect, kind: type[PipelineError] = SetupError, **changes: Any) -> str:
    with pytest.raises(kind) as caught, connect(**changes) as ledger:
        ledger.identity()
    return str(caught.value)


def test_user_and_password_with_each_call(ledger: Epicor, sandbox: Sandbox) -> None:
    """Basic needs no call of its own."""
    assert "MAIN" == ledger.identity().ledger
    assert 0 == calls(sandbox, "TokenResource")


@pytest.mark.parametrize("kind", ["jwt", "opaque"])
@pytest.mark.parametrize("body", ["full", "bare"])
def test_one_token_of_the_instance_for_a_whole_run(connect: Connect, sandbox: Sandbox, kind: str, body: str) -> None:
    """Its life is read from the token or the answer; where nobody says it, it is used as long as it is taken."""
    sandbox.set_switches(epicor={"token_kind": kind, "token_body": body})
    with connect(auth="token") as ledger:
        ledger.read_accounts()
    assert 1 == calls(sandbox, "TokenResource")


def test_one_token_of_an_identity_provider(connect: Connect, sandbox: Sandbox, provider: dict[str, Any]) -> None:
    """It needs no user; further form fields are sent as declared."""
    with connect(**provider, identity_form={"audience": "kinetic"}) as ledger:
        ledger.read_accounts()
    assert 1 == calls(sandbox, "/connect/token")


@pytest.mark.parametrize("auth", ["token", "client_credentials"])
def test_b01_j07_a_token_that_ends_before_its_time_is_asked_for_anew(
    connect: Connect, sandbox: Sandbox, provider: dict[str, Any], auth: str
) -> None:
    """A 401 in the middle of a run costs one sign-in and one repetition."""
    way = provider if auth == "client_credentials" else {"auth": auth}
    with connect(**way) as ledger:
        ledger.identity()
        sandbox.kinetic.revoke()
        assert len(ledger.read_accounts()) > 100
    assert 2 == calls(sandbox, "/connect/token" if auth == "client_credentials" else "TokenResource")


def test_b01_a_token_is_renewed_before_its_end(connect: Connect, sandbox: Sandbox) -> None:
    """By its own span on our clock: a token of no length is asked for before each call, and none is refused."""
    sandbox.set_switches(epicor={"token_seconds": 1})
    with connect(auth="token") as ledger:
        ledger.identity()
        time.sleep(1.1)
        ledger.read_accounts()
    assert 401 not in {request.status for request in sandbox.traffic.requests}
    assert 1 < calls(sandbox, "TokenResource")


def test_b02_an_unexplained_401_leads_to_one_new_token(connect: Connect, sandbox: Sandbox) -> None:
    """Once; a second one is the answer."""
    fault = sandbox.traffic.plant({"match": "GLBooks", "times": -1, "action": {"kind": "status", "status": 401}})
    assert "answered 401, also after a new sign-in" in refusal(connect, auth="token")
    assert (2, 2) == (calls(sandbox, "TokenResource"), fault.fired)


@pytest.mark.parametrize("auth", ["basic", "token"])
def test_a_401_about_the_key_is_told_as_such(
    connect: Connect, credential: EpicorCredential, sandbox: Sandbox, auth: str
) -> None:
    """Who can mend it is another person than for a password; no new token is asked for, and the key is not repeated."""
    said = refusal(connect, credential=replace(credential, api_key=WRONG), auth=auth)
    assert "does not accept the API key of credential 'demo-epicor' for company IVM" in said
    assert "API Key Maintenance" in said
    assert WRONG.reveal() not in said
    assert calls(sandbox, "TokenResource") <= 1


def test_a_key_for_other_companies(connect: Connect, sandbox: Sandbox) -> None:
    """The key may be limited to companies: the message names ours."""
    sandbox.set_switches(epicor={"key_companies": ["IVC"]})
    assert "may be used for company IVM" in refusal(connect)


@pytest.mark.parametrize("auth", ["basic", "token"])
def test_a_401_about_the_password_is_told_as_such(
    connect: Connect, credential: EpicorCredential, sandbox: Sandbox, auth: str
) -> None:
    """One attempt: a second form of the same wrong password would only lock the user out sooner."""
    said = refusal(connect, credential=replace(credential, password=WRONG), auth=auth)
    assert "does not accept the user or password of credential 'demo-epicor'" in said
    assert calls(sandbox, "TokenResource") <= 1
    assert len(sandbox.traffic.requests) <= 2


@pytest.mark.parametrize("status", [401, 403])
def test_a_missing_right_is_told_as_such(connect: Connect, sandbox: Sandbox, status: int) -> None:
    """401 or 403: the service is named, and who gives the right."""
    sandbox.set_switches(epicor={"denied": ["Erp.BO.GLBookSvc"], "denied_status": status})
    said = refusal(connect, auth="token")
    assert "may not use Erp.BO.GLBook" in said
    assert "security manager" in said
    assert 1 == calls(sandbox, "TokenResource")


def test_a_company_that_the_user_may_not_enter(connect: Connect, sandbox: Sandbox) -> None:
    """The company is named."""
    sandbox.set_switches(epicor={"user_companies": ["IVC"]})
    assert "company IVM" in refusal(connect)


def test_the_other_form_of_asking_for_a_token(connect: Connect, sandbox: Sandbox) -> None:
    """Where the first form is refused for another reason than a wrong password, user and password go as headers."""
    sandbox.traffic.plant({"match": "TokenResource", "action": {"kind": "status", "status": 400}})
    with connect(auth="token") as ledger:
        assert "MAIN" == ledger.identity().ledger
    assert 2 == calls(sandbox, "TokenResource")


@pytest.mark.parametrize("body", ["{}", '{"AccessToken":""}', '{"AccessToken":null}'])
def test_b05_a_sign_in_without_a_token_is_refused(connect: Connect, sandbox: Sandbox, body: str) -> None:
    """Never is an empty token sent."""
    action = {"kind": "status", "status": 200, "headers": {"content-type": "application/json"}, "body": body}
    sandbox.traffic.plant({"match": "TokenResource", "times": -1, "action": action})
    assert "without a token" in refusal(connect, auth="token")
    assert 0 == calls(sandbox, "GLBooks")


def test_a_token_in_xml(connect: Connect, sandbox: Sandbox, credential: EpicorCredential) -> None:
    """What a server sends that does not heed what is accepted."""
    url = sandbox.info["epicor"]["url"] + "/TokenResource.svc/"
    names = {"username": credential.username.reveal(), "password": credential.password.reveal()}
    token = httpx.post(
        url, headers={**names, "x-api-key": credential.api_key.reveal(), "accept": "application/json"}
    ).json()["AccessToken"]
    xml = f'<Token xmlns="http://schemas.example.com"><AccessToken>{token}</AccessToken><ExpiresIn>3600</ExpiresIn></Token>'
    action = {"kind": "status", "status": 200, "headers": {"content-type": "application/xml"}, "body": xml}
    sandbox.traffic.plant({"match": "TokenResource", "times": -1, "action": action})
    with connect(auth="token") as ledger:
        assert "MAIN" == ledger.identity().ledger


def test_no_token_service(connect: Connect, sandbox: Sandbox) -> None:
    """Where people sign in elsewhere it may not exist: the message says what to write."""
    sandbox.set_switches(epicor={"token_resource": False})
    assert "`auth: client_credentials` with its `identity_url`" in refusal(connect, auth="token")


def test_a_wrong_client(connect: Connect, credential: EpicorCredential, provider: dict[str, Any]) -> None:
    """The provider's own code is told, and where to compare it."""
    said = refusal(connect, credential=replace(credential, client_secret=WRONG), **provider)
    assert "(invalid_client)" in said
    assert WRONG.reveal() not in said


@pytest.mark.parametrize("match", ["TokenResource", "GLBooks"])
def test_b13_b14_a_busy_server_is_asked_again(connect: Connect, sandbox: Sandbox, match: str) -> None:
    """A sign-in as well as a read."""
    action = {"kind": "status", "status": 503, "headers": {"retry-after": "7"}}
    fault = sandbox.traffic.plant({"match": match, "times": 2, "action": action})
    with connect(auth="token") as ledger:
        ledger.identity()
    assert 2 == fault.fired


def test_p25_credentials_go_nowhere_else(connect: Connect, sandbox: Sandbox, provider: dict[str, Any]) -> None:
    """A16: a redirect is an error, of a read and of a sign-in; the API key is not sent to the identity provider."""
    for match in ("GLBooks", "connect/token"):
        sandbox.traffic.plant(
            {
                "match": match,
                "action": {"kind": "status", "status": 307, "headers": {"location": "https://elsewhere.example.com/x"}},
            }
        )
        said = refusal(connect, **provider)
        assert "elsewhere.example.com" in said
        assert "neither data nor credentials are sent there" in said
        sandbox.traffic.faults.clear()


@pytest.mark.parametrize("shape", ["kinetic", "odata", "text", "html"])
@pytest.mark.parametrize("auth", ["basic", "token"])
def test_k02_no_secret_is_shown_even_if_the_server_repeats_it(
    connect: Connect, sandbox: Sandbox, credential: EpicorCredential, shape: str, auth: str
) -> None:
    """Key, password, token and the Authorization header, whatever form the error has."""
    sandbox.set_switches(epicor={"echo_key": True, "error_shape": shape, "denied": ["Erp.BO.COASvc"]})
    said = refusal(connect, PipelineError, auth=auth)
    for secret in (credential.api_key, credential.username, credential.password):
        assert secret.reveal() not in said
    assert "Bearer ey" not in said
    assert "aW50ZWdyYXRpb24" not in said


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"url": "http://erp.example.com/Instance"}, "`erp.url` starts with http"),
        ({"url": "https://user:secret@erp.example.com/I"}, "`erp.url`"),
        ({"url": "erp.example.com"}, "`erp.url`"),
        ({"company": " "}, "`erp.company` is empty"),
        ({"book": ""}, "`erp.book` is empty"),
        ({"auth": "ntlm"}, "`erp.auth` is 'ntlm'"),
        ({"auth": "client_credentials"}, "`erp.identity_url` is empty"),
        ({"identity_url": "https://login.example.com"}, "`erp.identity_url` is given, but nothing is done with it"),
        (
            {"auth": "client_credentials", "identity_url": "http://login.example.com/t"},
            "`erp.identity_url` starts with http",
        ),
        (
            {"auth": "client_credentials", "identity_url": "https://l.example.com/t", "identity_form": {"scope": "x"}},
            "`erp.identity_form` has scope",
        ),
        ({"cost_center_segment": 1}, "`erp.cost_center_segment` is the segment of the account itself"),
        ({"cost_center_segment": 21}, "`erp.cost_center_segment` is 21"),
        ({"read": "both"}, "`erp.read`"),
        ({"balance_type": "B"}, "`erp.balance_type`"),
        ({"page": 1}, "`erp.page` is 1"),
        ({"license": "web_service", "session": False}, "`erp.license` is claimed for a session"),
    ],
)
def test_contradictions_are_refused_when_a_connection_is_built(changes: dict[str, Any], message: str) -> None:
    """Before anything is called."""
    said: dict[str, Any] = {
        "url": "https://erp.example.com/I",
        "company": "IVM",
        "book": "MAIN",
        "cost_center_segment": 2,
    }
    with pytest.raises(SetupError, match=message) as caught:
        EpicorConfig(**{**said, **changes})
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"name": "a/../b"}, "names a query"),
        ({"name": "Q", "parameters": {"CurrentCompany": "{company}"}}, "constant of every query"),
        ({"name": "Q", "parameters": {"Year": "{jahr}"}}, r"has \{jahr\} in parameter Year"),
        ({"name": "Q", "columns": {"BookID": ""}}, "empty column name"),
    ],
)
def test_queries_that_cannot_be_are_refused(rule: dict[str, Any], message: str) -> None:
    """A parameter named like a constant makes a query return nothing."""
    with pytest.raises(SetupError, match=message):
        Baqs(BaqRule(**rule))


@pytest.mark.parametrize(
    ("auth", "lacking"), [("basic", "api_key"), ("basic", "password"), ("client_credentials", "client_id")]
)
def test_a_credential_without_a_part_is_told_before_any_call(
    connect: Connect, credential: EpicorCredential, sandbox: Sandbox, provider: dict[str, Any], auth: str, lacking: str
) -> None:
    """By the name of the part."""
    way = provider if auth == "client_credentials" else {}
    with pytest.raises(SetupError, match=f"has no {lacking}"):
        connect(credential=replace(credential, **{lacking: Secret("", lacking)}), **way)
    assert [] == sandbox.traffic.requests


@pytest.mark.parametrize(
    ("claims", "said", "date", "seconds"),
    [
        ('{"exp":2000000000,"iat":1999996400}', None, "", 3600),
        ('{"exp":2000000000,"iat":1999996400}', 600, "", 600),
        ('{"exp":1000003600}', None, "Sun, 09 Sep 2001 01:46:40 GMT", 3600),
        ('{"exp":1000003600,"iat":5}', 9000, "Sun, 09 Sep 2001 01:46:40 GMT", 3600),
        ("{}", "1800", "", 1800),
        ("no json", None, "", float("inf")),
        ('{"exp":5,"iat":50}', None, "", 0),
    ],
)
def test_how_long_a_token_lives(claims: str, said: object, date: str, seconds: float) -> None:
    """A span, by the server's clock or the token's own beginning; the least of what is said; clocks need not agree."""
    import base64

    token = f"e30.{base64.urlsafe_b64encode(claims.encode()).decode().rstrip('=')}.sig"
    assert seconds == life_seconds(token, said, Answer("", 200, {"date": date}, b""))


def test_a01_an_address_where_nobody_listens(connect: Connect) -> None:
    """Tried as often as allowed, then told with the host."""
    said = refusal(
        connect, TransientError, url="http://127.0.0.1:9/Kinetic", limits=Limits(attempts=2, connect_seconds=1)
    )
    assert "127.0.0.1:9" in said
