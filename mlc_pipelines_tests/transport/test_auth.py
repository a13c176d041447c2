"""Log-in as a conversation: counted by the server, on real connections."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import httpx
import pytest

from mlc_pipelines.ledger.errors import SetupError, TransientError
from mlc_pipelines.transport.answers import decode
from mlc_pipelines.transport.auth import Token, TokenAuth
from mlc_pipelines.transport.caller import Caller, Limits
from mlc_pipelines.transport.secret import Secret


class Tickets(TokenAuth):
    """The smallest real log-in: POST /login answers {"token": ..., "seconds": ...}."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self.renewed: list[str] = []

    def token_request(self, old: Token | None) -> httpx.Request:
        if old is not None:
            self.renewed.append(old.value.reveal())
        return httpx.Request("POST", f"{self.url}/login", content=b"ann:pw")

    def token_from(self, response: httpx.Response) -> Token:
        if response.status_code >= 500:
            raise TransientError(f"log-in answered {response.status_code}")
        if response.status_code != 200:
            raise SetupError(f"log-in answered {response.status_code}")
        said = decode(response.content)
        return Token(Secret(said["token"], "token"), time.monotonic() + said["seconds"])

    def header(self, token: Token) -> str:
        return f"Ticket {token.value.reveal()}"


def caller_of(server, **limits: float) -> tuple[Caller, Tickets]:
    auth = Tickets(server.url)
    return Caller(
        "Site", server.url, auth=auth, limits=replace(Limits(), attempts=3, **limits), sleep=lambda _s: None
    ), auth


def tickets(server, seconds: int = 3600) -> None:
    """Each log-in gives the next token: token-1, token-2, ..."""
    server.script["/login"] = [
        server.by(
            lambda _asked: server.whole(f'{{"token": "token-{server.count("POST", "/login")}", "seconds": {seconds}}}')
        )
    ]


def accepts(server, good: Callable[[str], bool]) -> None:
    """/data answers 200 to a good token, 401 to any other."""

    def choose(asked) -> bytes:
        return server.whole() if good(asked.headers["authorization"]) else server.whole('{"message": "expired"}', 401)

    server.script["/data"] = [server.by(choose)]


def test_one_log_in_serves_all_calls(server) -> None:
    """One token for a whole run."""
    tickets(server)
    accepts(server, lambda said: said == "Ticket token-1")
    caller, auth = caller_of(server)
    with caller:
        for _ in range(5):
            caller.read("GET", "/data")
    assert 1 == server.count("POST", "/login")
    assert 5 == server.count("GET", "/data")
    assert auth.token is not None


def test_threads_wait_for_one_log_in(server) -> None:
    """Log-in is single-flight: eight threads that start together lead to one token."""
    tickets(server)
    accepts(server, lambda said: said == "Ticket token-1")
    caller, _ = caller_of(server)
    together = threading.Barrier(8)

    def call(_number: int) -> int:
        together.wait()
        return caller.read("GET", "/data").status

    with caller, ThreadPoolExecutor(8) as threads:
        assert [200] * 8 == list(threads.map(call, range(8)))
    assert 1 == server.count("POST", "/login")


def test_threads_that_meet_the_same_401_log_in_once(server) -> None:
    """B02, B04: a token that ends for all of them is replaced once, not once per thread."""
    tickets(server)
    accepts(server, lambda said: said != "Ticket token-1")
    caller, _ = caller_of(server)
    together = threading.Barrier(6)

    def call(_number: int) -> int:
        together.wait()
        return caller.read("GET", "/data").status

    with caller, ThreadPoolExecutor(6) as threads:
        assert [200] * 6 == list(threads.map(call, range(6)))
    assert 2 == server.count("POST", "/login")


def test_b01_a_token_is_renewed_before_its_end(server) -> None:
    """A token that has reached its end here is not even tried; the renewal knows the old one."""
    tickets(server, seconds=-1)
    accepts(server, lambda _said: True)
    caller, auth = caller_of(server)
    with caller:
        caller.read("GET", "/data")
        caller.read("GET", "/data")
    assert ["Ticket token-1", "Ticket token-2"] == [
        one.headers["authorization"] for one in server.asked if one.path == "/data"
    ]
    assert ["token-1"] == auth.renewed


def test_b02_a_401_leads_to_one_log_in_and_one_repetition(server) -> None:
    """B02: also for a write, since 401 means that nothing was carried out; the same bytes go out again."""
    tickets(server)
    accepts(server, lambda said: said == "Ticket token-2")
    caller, auth = caller_of(server)
    with caller:
        assert 200 == caller.write("PUT", "/data", json={"amount": 1}).status
    assert [b'{"amount":1}'] * 2 == [one.body for one in server.asked if one.path == "/data"]
    assert 2 == server.count("POST", "/login")
    assert [] == auth.renewed


def test_J07_a_token_that_lives_shorter_than_said(server) -> None:
    """Said to last an hour, good for two calls: each end costs one log-in and one repetition, and every call goes through."""
    tickets(server)
    uses: Counter[str] = Counter()

    def lives(said: str) -> bool:
        uses[said] += 1
        return uses[said] <= 2

    accepts(server, lives)
    caller, _ = caller_of(server)
    with caller:
        assert [200] * 6 == [caller.read("GET", "/data").status for _ in range(6)]
    assert (3, 8) == (server.count("POST", "/login"), server.count("GET", "/data"))


def test_a_second_401_is_the_callers_answer(server) -> None:
    """Credentials that are simply not accepted do not lead to a storm of log-ins."""
    tickets(server)
    accepts(server, lambda _said: False)
    caller, _ = caller_of(server)
    with caller, pytest.raises(SetupError, match="Site GET /data answered 401"):
        caller.read("GET", "/data")
    assert 2 == server.count("POST", "/login")
    assert 2 == server.count("GET", "/data")


def test_a_refused_log_in_is_not_repeated(server) -> None:
    """A wrong password tried six times locks the account."""
    server.script["/login"] = [server.whole(status=403)]
    caller, _ = caller_of(server)
    with caller, pytest.raises(SetupError, match="log-in answered 403"):
        caller.read("GET", "/data")
    assert 1 == server.count("POST", "/login")
    assert 0 == server.count("GET", "/data")


def test_a_busy_log_in_is_waited_out(server) -> None:
    """B13: the log-in service is busy once; the read goes through, and the lock of the log-in was given back."""
    server.script["/login"] = [server.whole(status=503), server.whole('{"token": "t", "seconds": 60}')]
    accepts(server, lambda _said: True)
    caller, _ = caller_of(server)
    with caller:
        assert 200 == caller.read("GET", "/data").status
    assert 2 == server.count("POST", "/login")


def test_a_log_in_that_breaks_off_gives_its_lock_back(server) -> None:
    """A reset during the log-in of one write: the write surely did not happen, and the next call can log in."""
    server.script["/login"] = [server.reset, server.whole('{"token": "t", "seconds": 60}')]
    accepts(server, lambda _said: True)
    caller, _ = caller_of(server)
    with caller:
        with pytest.raises(TransientError, match="broke off"):
            caller.write("PUT", "/data")
        assert 200 == caller.write("PUT", "/data").status


def test_a_trickling_log_in_ends(server) -> None:
    """A13: a log-in service that never finishes its answer cannot hold a run for ever."""
    server.script["/login"] = [server.trickle(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b"x")]
    caller, _ = caller_of(server, read_seconds=0.05)
    with caller, pytest.raises(TransientError, match=r"trickling|in time"):
        caller.write("PUT", "/data")


def test_a_bloated_log_in_is_refused(server) -> None:
    """P15: nor can it fill the memory."""
    server.script["/login"] = [server.whole(b"x" * (2 << 20))]
    caller, _ = caller_of(server)
    with caller, pytest.raises(SetupError, match="an answer of more than 1,048,576 bytes"):
        caller.read("GET", "/data")
    assert 1 == server.count("POST", "/login")


def test_a_forgotten_token_is_asked_for_anew(server) -> None:
    """After a sign-out the next call logs in again."""
    tickets(server)
    accepts(server, lambda _said: True)
    caller, auth = caller_of(server)
    with caller:
        caller.read("GET", "/data")
        auth.forget()
        caller.read("GET", "/data")
    assert 2 == server.count("POST", "/login")


class ProbedTickets(Tickets):
    """The same where the system can tell whether a token still lives: GET /alive."""

    def __init__(self, url: str, sleep: Callable[[float], None]) -> None:
        super().__init__(url)
        self._sleep = sleep

    def probe(self, token: Token) -> httpx.Request:
        return httpx.Request("GET", f"{self.url}/alive", headers={"Authorization": self.header(token)})


def probed_caller_of(server, slept: list[float]) -> Caller:
    auth = ProbedTickets(server.url, slept.append)
    return Caller("Site", server.url, auth=auth, limits=replace(Limits(), attempts=3), sleep=lambda _s: None)


def alive(server, good: Callable[[str], bool]) -> None:
    def choose(asked) -> bytes:
        return server.whole() if good(asked.headers["authorization"]) else server.whole(status=401)

    server.script["/alive"] = [server.by(choose)]


def test_b04_a_new_token_that_another_process_ended_is_replaced_after_a_pause(server) -> None:
    """The second log-in's token was ended by somebody else's: a pause of a random length, then a third round, and it goes on."""
    tickets(server)
    accepts(server, lambda said: said == "Ticket token-3")
    alive(server, lambda _said: False)
    slept: list[float] = []
    with probed_caller_of(server, slept) as caller:
        assert 200 == caller.read("GET", "/data").status
    assert (3, 1) == (server.count("POST", "/login"), server.count("GET", "/alive"))
    assert [True] == [0 <= pause <= 4 for pause in slept]


def test_b04_two_processes_do_not_fight_for_ever(server) -> None:
    """Three new log-ins at most, with longer and longer pauses; then the 401 is the caller's answer."""
    tickets(server)
    accepts(server, lambda _said: False)
    alive(server, lambda _said: False)
    slept: list[float] = []
    with probed_caller_of(server, slept) as caller, pytest.raises(SetupError, match="401"):
        caller.read("GET", "/data")
    assert (4, 4, 2) == (server.count("POST", "/login"), server.count("GET", "/data"), len(slept))


def test_b02_a_living_token_that_is_refused_leads_to_no_further_log_in(server) -> None:
    """The token is good, so it is a matter of rights: asked one last time, and that answer counts."""
    tickets(server)
    accepts(server, lambda _said: False)
    alive(server, lambda _said: True)
    slept: list[float] = []
    with probed_caller_of(server, slept) as caller, pytest.raises(SetupError, match="Site GET /data answered 401"):
        caller.read("GET", "/data")
    assert (2, []) == (server.count("POST", "/login"), slept)
