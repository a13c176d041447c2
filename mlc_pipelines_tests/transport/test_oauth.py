"""Access tokens by refresh token: the newest one kept before anything else, one process at a time, a clear end when it is dead."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import parse_qs

import httpx
import pytest

from mlc_pipelines.ledger.errors import PipelineError, SetupError, TransientError
from mlc_pipelines.transport.auth import Token
from mlc_pipelines.transport.caller import Caller, Limits
from mlc_pipelines.transport.oauth import OAuthClient, RefreshAuth
from mlc_pipelines.transport.secret import Secret

TOKEN = "/token"


class Drawer:
    """The simplest keeper: a value in memory. happened: what was done with it, in order."""

    remedy = "Log in again: `mlc login acme`."

    def __init__(self, token: str = "refresh-0") -> None:
        self.token = token
        self.happened: list[str] = []
        self._lock = threading.Lock()

    @contextmanager
    def held(self) -> Iterator[None]:
        with self._lock:
            self.happened.append("held")
            yield
        self.happened.append("given back")

    def newest(self, application: str) -> Secret:
        return Secret(self.token, "refresh token")

    def keep(self, refresh_token: Secret, application: str) -> None:
        self.token = refresh_token.reveal()
        self.happened.append(f"kept {self.token}")


def client_of(server, **changes) -> OAuthClient:
    plain = OAuthClient(
        system="Site",
        client_id=Secret("client-4711", "client_id"),
        client_secret=Secret("secret-4711", "client_secret"),
        scope="api offline_access",
        token_url=f"{server.url}{TOKEN}",
        authorize_url=f"{server.url}/authorize",
        device_url=f"{server.url}/device",
    )
    return replace(plain, **changes)


def caller_of(server, drawer: Drawer) -> tuple[Caller, RefreshAuth]:
    auth = RefreshAuth(client_of(server), drawer, sleep=lambda _s: None)
    limits = replace(Limits(), attempts=3)
    return Caller("Site", server.url, auth=auth, limits=limits, sleep=lambda _s: None), auth


def form_of(asked) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}


def rotates(server, before: Callable[[], None] = lambda: None, *, seconds: int = 2100) -> None:
    """A refresh ends the token sent and gives the next one; a dead one is an invalid grant."""
    living = ["refresh-0"]

    def choose(asked) -> bytes:
        before()
        if form_of(asked)["refresh_token"] != living[-1]:
            return server.whole('{"error":"invalid_grant"}', 400)
        living.append(f"refresh-{len(living)}")
        return server.whole(
            f'{{"access_token":"access-{len(living) - 1}","refresh_token":"{living[-1]}","expires_in":{seconds}}}'
        )

    server.script[TOKEN] = [server.by(choose)]


def accepts(server, good: Callable[[str], bool] = lambda _said: True) -> None:
    def choose(asked) -> bytes:
        return server.whole() if good(asked.headers["authorization"]) else server.whole(status=401)

    server.script["/data"] = [server.by(choose)]


def test_the_newest_token_is_kept_before_the_access_token_is_used(server) -> None:
    """All within one hold of the lock; the first call goes out afterwards."""
    drawer = Drawer()
    rotates(server)
    server.script["/data"] = [server.by(lambda asked: server.whole() if drawer.happened[-1] == "given back" else b"")]
    caller, _ = caller_of(server, drawer)
    with caller:
        assert 200 == caller.read("GET", "/data").status
    assert ["held", "kept refresh-1", "given back"] == drawer.happened
    assert ["POST /token", "GET /data"] == [f"{one.method} {one.path}" for one in server.asked]
    assert {
        "grant_type": "refresh_token",
        "refresh_token": "refresh-0",
        "client_id": "client-4711",
        "client_secret": "secret-4711",
    } == form_of(server.asked[0])


def test_without_rotation_the_token_stays(server) -> None:
    """No new one in the answer: the old one stays good and is used again."""
    drawer = Drawer()
    server.script[TOKEN] = [server.whole('{"access_token":"token-a","expires_in":2100}')]
    accepts(server)
    caller, auth = caller_of(server, drawer)
    with caller:
        caller.read("GET", "/data")
        auth.forget()
        caller.read("GET", "/data")
    assert "refresh-0" == drawer.token
    assert ["refresh-0"] * 2 == [form_of(one)["refresh_token"] for one in server.asked if one.path == TOKEN]


def test_a_client_without_a_secret_sends_none(server) -> None:
    """Device-grant clients have no secret, and a field that is empty is no field."""
    rotates(server)
    auth = RefreshAuth(client_of(server, client_secret=None), Drawer())
    assert "client_secret" not in auth.token_request(None).content.decode()


def test_b02_a_401_costs_one_refresh_with_the_newest_token(server) -> None:
    """The token was ended early: one refresh, one repetition."""
    drawer = Drawer()
    rotates(server)
    accepts(server, lambda said: said != "Bearer access-1")
    caller, _ = caller_of(server, drawer)
    with caller:
        assert 200 == caller.write("PUT", "/data", json={"amount": 1}).status
    assert (2, 2) == (server.count("POST", TOKEN), server.count("PUT", "/data"))
    assert "refresh-2" == drawer.token


def test_a_token_that_another_process_renewed_is_taken_over(server) -> None:
    """What was known before is of no interest: the newest one is read when the lock is ours, and no dead one is sent."""
    drawer = Drawer()
    rotates(server)
    accepts(server)
    ours, our_auth = caller_of(server, drawer)
    theirs, _ = caller_of(server, drawer)
    with ours, theirs:
        ours.read("GET", "/data")
        theirs.read("GET", "/data")
        our_auth.forget()
        assert 200 == ours.read("GET", "/data").status
    sent = [form_of(one)["refresh_token"] for one in server.asked if one.path == TOKEN]
    assert ["refresh-0", "refresh-1", "refresh-2"] == sent


def test_threads_of_two_clients_never_send_one_token_twice(server) -> None:
    """Six threads, two clients, each wants a new token ten times over: every refresh token is sent once."""
    drawer = Drawer()
    rotates(server)
    accepts(server)
    clients = [caller_of(server, drawer) for _ in range(2)]

    def work(number: int) -> int:
        caller, auth = clients[number % 2]
        auth.forget()
        return caller.read("GET", "/data").status

    with ThreadPoolExecutor(6) as threads:
        assert {200} == set(threads.map(work, range(20)))
    sent = [form_of(one)["refresh_token"] for one in server.asked if one.path == TOKEN]
    assert len(sent) == len(set(sent))
    for caller, _ in clients:
        caller.__exit__(None, None, None)


def test_a_lost_answer_is_tried_once_more_with_what_is_stored_and_then_told(server) -> None:
    """The server took the refresh, its answer got lost: the old token is dead. One attempt with it, then the way out is named."""
    drawer = Drawer()
    server.script[TOKEN] = [server.reset, server.whole('{"error":"invalid_grant"}', 400)]
    caller, _ = caller_of(server, drawer)
    with caller, pytest.raises(SetupError) as caught:
        caller.read("GET", "/data")
    assert "invalid_grant" in caught.value.what
    assert "Log in again: `mlc login acme`." == caught.value.next_step
    assert ["refresh-0"] * 2 == [form_of(one)["refresh_token"] for one in server.asked]
    assert "refresh-0" == drawer.token


def test_a_lost_answer_that_had_no_effect_costs_nothing(server) -> None:
    """The second attempt is taken, and the lock was given back in between."""
    drawer = Drawer()
    rotates(server)
    server.script[TOKEN].insert(0, server.reset)
    accepts(server)
    caller, _ = caller_of(server, drawer)
    with caller:
        assert 200 == caller.read("GET", "/data").status
    assert ["held", "held", "kept refresh-1", "given back"] == drawer.happened


@pytest.mark.parametrize("status", [429, 500, 503])
def test_b13_a_busy_service_does_not_end_a_living_token(server, status: int) -> None:
    """Asked for early, refused for now: the token in hand goes on and is asked for again later."""
    drawer = Drawer()
    rotates(server)
    accepts(server)
    caller, auth = caller_of(server, drawer)
    with caller:
        caller.read("GET", "/data")
        assert auth.token
        auth._token = Token(auth.token.value, ends_at=0.0)
        server.script[TOKEN] = [server.whole(status=status)]
        assert 200 == caller.read("GET", "/data").status
    assert ["Bearer access-1"] * 2 == [one.headers["authorization"] for one in server.asked if one.path == "/data"]


@pytest.mark.parametrize(
    "body", ["{}", "[]", '{"access_token":""}', '{"access_token":"token-b"}', '{"access_token":null,"expires_in":2100}']
)
def test_b05_an_answer_without_a_token_is_refused(server, body: str) -> None:
    """Never "Bearer None"; nothing is called."""
    server.script[TOKEN] = [server.whole(body)]
    caller, _ = caller_of(server, Drawer())
    with caller, pytest.raises(SetupError, match="without an access token"):
        caller.read("GET", "/data")
    assert (1, 0) == (server.count("POST", TOKEN), server.count("GET", "/data"))


def test_b05_a_refresh_token_beside_a_missing_access_token_is_kept(server) -> None:
    """The old one is dead whatever else is wrong with the answer."""
    drawer = Drawer()
    server.script[TOKEN] = [server.whole('{"refresh_token":"refresh-1"}')]
    caller, _ = caller_of(server, drawer)
    with caller, pytest.raises(SetupError):
        caller.read("GET", "/data")
    assert "refresh-1" == drawer.token


def test_no_part_of_a_token_answer_is_told(server) -> None:
    """Cut JSON carries tokens as well."""
    server.script[TOKEN] = [server.whole('{"access_token":"canary-access","refresh_token":"canary-refr')]
    caller, _ = caller_of(server, Drawer())
    with caller, pytest.raises(TransientError, match="unreadable JSON") as caught:
        caller.read("GET", "/data")
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "body", "kind", "said"),
    [
        (400, '{"error":"invalid_client"}', SetupError, "client id, its secret"),
        (401, '{"error":"unauthorized_client"}', SetupError, "unauthorized_client"),
        (403, '{"error":"invalid_grant"}', SetupError, "no longer accepts the stored log-in"),
        (400, '{"error":"invalid_scope"}', SetupError, "invalid_scope"),
        (400, '{"error":"<script>"}', PipelineError, "answered 400"),
        (400, '"no object"', PipelineError, "answered 400"),
        (500, '{"error":"invalid_grant"}', TransientError, "answered 500"),
    ],
)
def test_each_refusal_names_who_can_mend_it(server, status: int, body: str, kind: type, said: str) -> None:
    """By the code of the standard; what is not the standard's goes by its status."""
    server.script[TOKEN] = [server.whole(body, status)]
    caller, _ = caller_of(server, Drawer())
    with caller, pytest.raises(kind, match=said):
        caller.read("GET", "/data")


@pytest.mark.parametrize("status", [201, 202, 302, 404, 500])
def test_k02_the_text_of_an_answer_that_may_hold_tokens_is_never_told(server, status: int) -> None:
    """Whatever its status: a token endpoint may say more than it should."""
    server.script[TOKEN] = [server.whole('{"access_token":"canary-1","refresh_token":"canary-2"}', status)]
    caller, _ = caller_of(server, Drawer())
    with caller, pytest.raises(PipelineError) as caught:
        caller.read("GET", "/data")
    assert "canary" not in repr(caught.value)


def test_an_application_is_bound_to_address_and_client(server) -> None:
    """A changed address or client id is another application; the client id cannot be read from it."""
    one = client_of(server)
    others = [
        client_of(server, token_url="https://elsewhere.example/token"),
        client_of(server, client_id=Secret("another", "client_id")),
    ]
    assert one.application not in [other.application for other in others]
    assert one.application == client_of(server, client_secret=None).application
    assert "client-4711" not in one.application


def test_a_renewal_happens_before_the_end(server) -> None:
    """At four fifths of the life that the answer states."""
    rotates(server, seconds=100)
    auth = RefreshAuth(client_of(server), Drawer())
    request = auth.token_request(None)
    response = httpx.Response(200, json={"access_token": "a", "expires_in": 100}, request=request)
    left = auth.token_from(response).ends_at - time.monotonic()
    assert 79 < left <= 80
