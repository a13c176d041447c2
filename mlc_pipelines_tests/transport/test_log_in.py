"""A person logs in once: by a code typed in elsewhere, or by a browser that comes back to this machine."""

import re
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from mlc_pipelines.ledger.errors import PipelineError, SetupError, TransientError
from mlc_pipelines.transport.log_in import Invitation, log_in_by_browser, log_in_by_device
from mlc_pipelines.transport.loopback import RedirectReceiver
from mlc_pipelines.transport.secret import Secret
from mlc_pipelines_tests.transport.test_oauth import client_of, form_of

DEVICE = '{"device_code":"device-4711","user_code":"1GMV-ATBA","verification_uri":"https://iam.example/activate","expires_in":900,"interval":5}'
TOKENS = '{"access_token":"token-a","refresh_token":"refresh-1","expires_in":2100}'


def error(code: str, status: int = 403) -> tuple[str, int]:
    return f'{{"error":"{code}","error_description":"..."}}', status


def by_device(server, *polls: tuple[str, int]) -> tuple[Callable[[], Secret], list[float], list[Invitation]]:
    server.script["/device"] = [server.whole(DEVICE)]
    server.script["/token"] = [server.whole(*poll) for poll in polls]
    slept: list[float] = []
    shown: list[Invitation] = []
    client = client_of(server, client_secret=None)
    return lambda: log_in_by_device(client, show=shown.append, sleep=slept.append), slept, shown


def test_a_device_log_in_waits_until_somebody_agrees(server) -> None:
    """Code and address are shown; pending is asked again after the interval; slow_down makes it five seconds longer for good."""
    log_in, slept, shown = by_device(
        server, error("authorization_pending"), error("slow_down"), error("authorization_pending", 400), (TOKENS, 200)
    )
    assert "refresh-1" == log_in().reveal()
    assert [5, 5, 10, 10] == slept
    assert [Invitation("https://iam.example/activate", "1GMV-ATBA", 15)] == shown
    first, *polls = [form_of(one) for one in server.asked]
    assert {"client_id": "client-4711", "scope": "api offline_access"} == first
    assert {("urn:ietf:params:oauth:grant-type:device_code", "device-4711")} == {
        (poll["grant_type"], poll["device_code"]) for poll in polls
    }


@pytest.mark.parametrize(
    ("poll", "kind", "said"),
    [
        (error("access_denied"), SetupError, "was refused there"),
        (error("expired_token"), TransientError, "expired before somebody typed it in"),
        (error("invalid_grant"), TransientError, "no longer accepts the code"),
        (error("unauthorized_client"), SetupError, "unauthorized_client"),
        (("<html>sign in</html>", 403), PipelineError, "403"),
        (('{"access_token":"token-b","expires_in":2100}', 200), SetupError, "offline_access"),
    ],
)
def test_every_end_of_a_device_log_in_is_told(server, poll: tuple[str, int], kind: type, said: str) -> None:
    """Denied, expired, not allowed, nonsense, no refresh token: nothing was stored, and what to do."""
    log_in, _, _ = by_device(server, poll)
    with pytest.raises(kind, match=said) as caught:
        log_in()
    assert "Nothing was stored." == caught.value.holds


def test_a_device_log_in_that_nobody_answers_ends(server) -> None:
    """A server that says pending for ever does not hold the terminal for ever."""
    log_in, slept, _ = by_device(server, error("authorization_pending"))
    with pytest.raises(TransientError, match="expired"):
        log_in()
    assert 900 == sum(slept)


@pytest.mark.parametrize(
    "changed",
    [("device_code", "d"), ("user_code", "u"), ("verification_uri", "v"), ("expires_in", "e"), ("https:", "file:")],
)
def test_a_half_answer_to_a_device_log_in_is_refused(server, changed: tuple[str, str]) -> None:
    """Without code, address or life time nobody can log in; an address of another kind is not shown."""
    log_in, _, shown = by_device(server, (TOKENS, 200))
    server.script["/device"] = [server.whole(DEVICE.replace(*changed))]
    with pytest.raises(SetupError, match="answered 200 without"):
        log_in()
    assert [] == shown


def test_a_wish_to_poll_without_pause_is_not_granted(server) -> None:
    """interval 0 would be a flood, a huge one a hang."""
    for interval, pause in (("0", 1.0), ("99999", 60.0)):
        log_in, slept, _ = by_device(server, (TOKENS, 200))
        server.script["/device"] = [server.whole(DEVICE.replace('"interval":5', f'"interval":{interval}'))]
        log_in()
        assert [pause] == slept


def visit(address: str, **headers: str) -> tuple[int, str]:
    """A browser's GET."""
    try:
        with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read().decode()


class Person:
    """Shown an address, goes there in a browser of its own and comes back with an answer. pages: what the browser showed at last."""

    def __init__(self, **answer: str) -> None:
        self.answer = answer
        self.pages: list[tuple[int, str]] = []
        self.query: dict[str, str] = {}

    def __call__(self, invitation: Invitation) -> None:
        self.query = {name: values[0] for name, values in parse_qs(urlsplit(invitation.address).query).items()}
        self.browser = threading.Thread(target=self.come_back)
        self.browser.start()

    def come_back(self) -> None:
        said = {"state": self.query["state"]} | self.answer
        self.pages.append(visit(f"{self.query['redirect_uri']}?{urlencode(said)}"))


def test_a_browser_log_in_exchanges_the_code_it_brings_back(server) -> None:
    """The address names client, scope, redirect and state; the page sends the person back to the terminal; code and address go to the exchange."""
    server.script["/token"] = [server.whole(TOKENS)]
    person = Person(code="code-4711")
    token = log_in_by_browser(client_of(server), port=0, wait_seconds=10, show=person)
    person.browser.join(10)
    assert "refresh-1" == token.reveal()
    assert ("code", "client-4711", "api offline_access") == tuple(
        person.query[name] for name in ("response_type", "client_id", "scope")
    )
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/callback", person.query["redirect_uri"])
    assert {"code_challenge"}.isdisjoint(person.query)
    [(status, page)] = person.pages
    assert (200, True) == (status, "Return to the terminal" in page)
    assert {
        "grant_type": "authorization_code",
        "code": "code-4711",
        "redirect_uri": person.query["redirect_uri"],
        "client_id": "client-4711",
        "client_secret": "secret-4711",
    } == form_of(server.asked[0])


def test_a_refusal_in_the_browser_is_told(server) -> None:
    """error=access_denied comes by redirect; nothing is exchanged."""
    person = Person(error="access_denied")
    with pytest.raises(SetupError, match=r"was refused there \(access_denied\)") as caught:
        log_in_by_browser(client_of(server), port=0, wait_seconds=10, show=person)
    person.browser.join(10)
    assert "Nothing was stored." == caught.value.holds
    assert [] == server.asked


def test_a_browser_that_never_comes_is_not_waited_for_for_ever(server) -> None:
    """The stated limit, then how to go on."""
    with pytest.raises(TransientError, match="Nobody finished the log-in in the browser"):
        log_in_by_browser(client_of(server), port=0, wait_seconds=0.05, show=lambda _invitation: None)


def test_a_lost_exchange_is_told_as_a_log_in_to_repeat(server) -> None:
    """A code is good once, so its exchange is not repeated."""
    server.script["/token"] = [server.reset]
    with pytest.raises(TransientError, match="token") as caught:
        log_in_by_browser(client_of(server), port=0, wait_seconds=10, show=Person(code="code-4711"))
    assert "Nothing was stored." == caught.value.holds
    assert 1 == server.count("POST", "/token")


@pytest.mark.parametrize(
    ("path", "host", "status"),
    [
        ("/callback?code=stolen&state=wrong", None, 400),
        ("/callback?code=stolen", None, 400),
        ("/callback?state=right", None, 400),
        ("/callback?code=a&code=b&state=right", None, 400),
        ("/callback?code=stolen&state=right&state=right", None, 400),
        ("/callback?code=stolen&state=right", "evil.example", 404),
        ("/elsewhere?code=stolen&state=right", None, 404),
    ],
)
def test_an_answer_that_does_not_belong_here_is_waited_past(path: str, host: str | None, status: int) -> None:
    """Another page of the browser can neither slip in a code nor end the log-in: the right answer still counts."""
    with RedirectReceiver(0, Secret("right", "state")) as receiver:
        origin = receiver.redirect_uri.removesuffix("/callback")
        assert status == visit(f"{origin}{path}", **({"Host": host} if host else {}))[0]
        assert 200 == visit(f"{receiver.redirect_uri}?code=mine&state=right")[0]
        assert {"code": "mine"} == receiver.wait(10)


def test_a_port_in_use_is_named() -> None:
    """With the setting that chooses another."""
    with RedirectReceiver(0, Secret("s", "state")) as receiver:
        port = int(receiver.redirect_uri.rpartition(":")[2].partition("/")[0])
        with pytest.raises(SetupError, match=f"Port {port} of this machine") as caught:
            RedirectReceiver(port, Secret("s", "state"))
    assert "redirect_port" in caught.value.next_step


def test_nothing_listens_after_a_log_in() -> None:
    """The door is closed whatever happened, so that no second answer is taken."""
    with RedirectReceiver(0, Secret("s", "state")) as receiver:
        address = receiver.redirect_uri
    with pytest.raises(urllib.error.URLError):
        visit(address)
