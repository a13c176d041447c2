"""The verb chosen says what may happen twice: counted by the server that was called."""

import threading
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mlc_pipelines.ledger.errors import DataError, SetupError, TransientError, UncertainError, WaitingError
from mlc_pipelines.transport.caller import Caller, Limits
from mlc_pipelines.transport.secret import Secret

PAGE = b"<!DOCTYPE html><html><title>Sign in</title></html>"


@pytest.fixture
def slept() -> list[float]:
    """The pauses that the caller asked for, instead of waiting."""
    return []


@pytest.fixture
def make(server, slept: list[float]) -> Callable[..., Caller]:
    def make(url: str = "", explain: Any = None, **limits: float) -> Caller:
        small = replace(Limits(connect_seconds=10, read_seconds=10, deadline_seconds=30, attempts=3), **limits)
        return Caller("Site", url or server.url, explain=explain, limits=small, sleep=slept.append)

    return make


def test_a_read_brings_status_headers_and_body(server, make) -> None:
    """The plain case; the call is named without its query, which may hold codes or keys."""
    server.script["/entity"] = [server.whole('{"amount": 0.10}', X_Kind="sample")]
    with make() as caller:
        answer = caller.read("GET", "/entity", params={"$filter": "Account eq '0010'"})
    assert "Site GET /entity" == answer.call
    assert (200, "sample") == (answer.status, answer.headers["x-kind"])
    assert {"amount": Decimal("0.10")} == answer.json()
    assert "/entity?%24filter=Account+eq+%270010%27" == server.asked[0].path


def test_amounts_leave_with_their_own_digits(server, make) -> None:
    """A Decimal goes out as the number it is, never through a float."""
    server.script["/entity"] = [server.whole()]
    with make() as caller:
        caller.write("PUT", "/entity", json={"amount": Decimal("1234567890123456.78")})
    assert b'{"amount":1234567890123456.78}' == server.asked[0].body
    assert "application/json" == server.asked[0].headers["content-type"]


def test_a_write_without_a_body_states_its_length(server, make) -> None:
    """Some servers answer 411 to a POST without Content-Length."""
    server.script["/sign-out"] = [server.whole(b"", 204)]
    with make() as caller:
        caller.write("POST", "/sign-out")
    assert "0" == server.asked[0].headers["content-length"]


@pytest.mark.parametrize("verb", ["read", "repeat"])
def test_a01_a_refused_connection_is_tried_a_few_times_and_named(
    nobody: str, make, slept: list[float], verb: str
) -> None:
    """A01: bounded attempts, then an error that names the host."""
    with make(nobody) as caller, pytest.raises(TransientError, match=nobody.removeprefix("http://")) as refusal:
        getattr(caller, verb)("GET", "/entity")
    assert 2 == len(slept)
    assert "Check the address" in refusal.value.next_step


def test_a02_a_name_that_does_not_exist_is_named(make, slept: list[float]) -> None:
    """A02: no such host, within the same bounds."""
    with make("http://no-such-host.invalid") as caller, pytest.raises(TransientError, match=r"no-such-host\.invalid"):
        caller.read("GET", "/entity")
    assert 2 == len(slept)


def test_a_write_to_a_closed_port_surely_did_not_happen(nobody: str, make, slept: list[float]) -> None:
    """Nothing left this machine: TransientError, not UncertainError; and not retried here."""
    with make(nobody) as caller, pytest.raises(TransientError, match="cannot be reached"):
        caller.write("PUT", "/entity", json={})
    assert [] == slept


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_b14_a_busy_read_is_repeated_until_it_succeeds(server, make, slept: list[float], status: int) -> None:
    """B14: two busy answers, then the figures."""
    server.script["/entity"] = [server.whole(status=status), server.whole(status=status), server.whole("[]")]
    with make() as caller:
        assert [] == caller.read("GET", "/entity").json()
    assert 3 == server.count("GET", "/entity")
    assert 2 == len(slept)


def test_retries_end(server, make, slept: list[float]) -> None:
    """P14: as many attempts as stated, then the server's own words."""
    server.script["/entity"] = [server.whole("try later", 503)]
    with make(attempts=4) as caller, pytest.raises(TransientError, match="Site GET /entity answered 503: try later"):
        caller.read("GET", "/entity")
    assert 4 == server.count("GET", "/entity")
    assert 3 == len(slept)


def test_b10_retry_after_is_heeded_with_jitter_on_top(server, make, slept: list[float]) -> None:
    """B10: never earlier than asked; the jitter keeps many callers apart."""
    server.script["/entity"] = [server.whole(status=429, Retry_After="7")] * 2 + [server.whole()]
    with make() as caller:
        caller.read("GET", "/entity")
    assert all(7 <= seconds < 9 for seconds in slept)
    assert 2 == len(set(slept))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 422])
def test_what_waiting_does_not_cure_is_asked_once(server, make, status: int) -> None:
    """A wrong code or a missing right is not retried."""
    server.script["/entity"] = [server.whole('{"message": "no"}', status)]
    with make() as caller, pytest.raises((DataError, SetupError), match=f"answered {status}"):
        caller.read("GET", "/entity")
    assert 1 == server.count("GET", "/entity")


@pytest.mark.parametrize("status", [429, 500, 503])
def test_b13_a_write_is_sent_once_and_a_busy_answer_leaves_it_uncertain(
    server, make, slept: list[float], status: int
) -> None:
    """P02, B13: whatever the server says, the write is looked up by somebody and not repeated here."""
    server.script["/entity"] = [server.whole(status=status)]
    with make() as caller, pytest.raises(UncertainError, match=f"answered {status}"):
        caller.write("PUT", "/entity", json={"amount": 1})
    assert 1 == server.count("PUT", "/entity")
    assert [] == slept


def test_a04_a_write_without_an_answer_is_uncertain_and_sent_once(server, make, slept: list[float]) -> None:
    """A04: the server took it and broke off; it may have been carried out."""
    server.script["/entity"] = [server.reset]
    with make() as caller, pytest.raises(UncertainError) as doubt:
        caller.write("PUT", "/entity", json={"amount": 1})
    assert "It may have been carried out." == doubt.value.holds
    assert 1 == server.count("PUT", "/entity")
    assert [] == slept


def test_a_write_whose_answer_is_cut_is_uncertain(server, make) -> None:
    """Half an answer is no answer."""
    server.script["/entity"] = [server.cut(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")]
    with make() as caller, pytest.raises(UncertainError):
        caller.write("POST", "/entity", json={})
    assert 1 == server.count("POST", "/entity")


def test_a_write_with_an_unreadable_answer_is_uncertain(server, make) -> None:
    """200 and broken JSON: it was carried out, and what it made is not known."""
    server.script["/entity"] = [server.whole('{"id": ')]
    with make() as caller, pytest.raises(UncertainError):
        caller.write("POST", "/entity", json={}).json()


def test_a_write_with_a_huge_answer_is_uncertain(server, make) -> None:
    """The answer is not read, but the write was carried out."""
    server.script["/entity"] = [server.whole(b"x" * 5000)]
    with make(body_bytes_max=1000) as caller, pytest.raises(UncertainError, match="more than 1,000 bytes"):
        caller.write("POST", "/entity", json={})


def test_a_chunk_may_be_repeated(server, make) -> None:
    """A chunk has a number, so sending it twice is the same as once: the same bytes go out again."""
    server.script["/chunks/7"] = [server.reset, server.whole(b"", 204)]
    with make() as caller:
        assert 204 == caller.repeat("PUT", "/chunks/7", content=b"a,b\n1,2\n").status
    assert [b"a,b\n1,2\n"] * 2 == [one.body for one in server.asked]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("verb", ["read", "write", "download"])
def test_redirects_are_not_followed(server, second_server, make, tmp_path: Path, status: int, verb: str) -> None:
    """A16, P25: neither figures nor credentials go to a host that the connection file does not name."""
    server.script["/entity"] = [server.whole(b"", status, Location=f"{second_server.url}/elsewhere")]
    rest = (tmp_path / "file",) if verb == "download" else ()
    with make() as caller, pytest.raises(SetupError, match="was redirected to http://127"):
        getattr(caller, verb)("GET", "/entity", *rest)
    assert 1 == len(server.asked)
    assert [] == second_server.asked


def test_b17_a_sign_in_page_is_not_taken_for_data(server, make) -> None:
    """B17: 200, JSON by its header, HTML by its body."""
    server.script["/entity"] = [server.whole(PAGE)]
    with make() as caller, pytest.raises(SetupError, match="a web page instead of data"):
        caller.read("GET", "/entity").json()


def test_b19_no_content_where_content_is_expected_is_refused(server, make) -> None:
    """B19: only the statuses that the call expects are an answer to it."""
    server.script["/entity"] = [server.whole(b"", 204)]
    with make() as caller:
        with pytest.raises(SetupError, match="answered 204"):
            caller.read("GET", "/entity")
        assert 204 == caller.read("GET", "/entity", expect=(204,)).status


def test_a_system_may_explain_its_own_errors(server, make) -> None:
    """What a client knows better goes before the general table; what it does not know stays there."""
    server.script["/entity"] = [server.whole("period closed", 422), server.whole("odd", 422)]

    def explain(answer) -> DataError | None:
        return DataError("Period 02-2026 is closed.") if b"closed" in answer.body else None

    with make(explain=explain) as caller:
        with pytest.raises(DataError, match="02-2026 is closed"):
            caller.read("GET", "/entity")
        with pytest.raises(DataError, match="answered 422: odd"):
            caller.read("GET", "/entity")


def test_an_echoed_secret_does_not_reach_the_message(server, make) -> None:
    """K02: the server repeats the header it did not like."""
    token = Secret("canary-" + "t" * 1500, "token")
    server.script["/entity"] = [server.by(lambda asked: server.whole(asked.headers["authorization"], 400))]
    with make() as caller, pytest.raises(DataError) as refusal:
        caller.read("GET", "/entity", headers={"Authorization": f"Bearer {token.reveal()}"})
    assert "Bearer [secret]" in str(refusal.value)
    assert "canary" not in str(refusal.value)


def test_an_error_does_not_carry_query_or_library_text(nobody: str, make) -> None:
    """K01: built fresh, without the library's exception behind it."""
    with make(nobody) as caller, pytest.raises(TransientError) as refusal:
        caller.write("GET", "/entity?key=canary-query", params={"more": "canary-param"})
    assert "canary" not in str(refusal.value)
    assert refusal.value.__suppress_context__


def test_an_impossible_address_is_a_matter_of_setup(make) -> None:
    """A typing error in the connection file is named at once and not retried."""
    with make("htp://site") as caller, pytest.raises(SetupError, match="cannot be sent"):
        caller.read("GET", "/entity")


def test_an_address_inside_a_query_is_not_taken_for_the_address(server, make) -> None:
    """Only a path that begins with a scheme is an address of its own."""
    server.script["/entity"] = [server.whole()]
    with make() as caller:
        caller.read("GET", "/entity?$filter=Url eq 'http://127.0.0.1:9/x'")
        caller.read("GET", f"{server.url}/entity")
    assert 2 == server.count("GET", "/entity")


def test_a_large_answer_is_the_same_however_its_end_is_told(server, make) -> None:
    """By its size, by a last chunk, or by the end of the connection."""
    content = bytes(range(256)) * 4000
    head, chunk = b"HTTP/1.1 200 OK\r\n", b"%x\r\n%b\r\n" % (len(content), content)
    server.script["/large"] = [
        server.whole(content, kind="application/octet-stream"),
        server.cut(head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk + b"0\r\n\r\n"),
        server.cut(head + b"\r\n" + content),
    ]
    with make() as caller:
        assert [content] * 3 == [caller.read("GET", "/large").body for _ in range(3)]


def test_a_download_is_whole_or_not_there(server, make, tmp_path: Path) -> None:
    """P16: the first attempt is cut, the second one whole; nothing of the first remains."""
    content = b"a,b\n" * 1000
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(content)}\r\n\r\n".encode()
    server.script["/file"] = [server.cut(head + content[:100]), server.whole(content, kind="text/csv")]
    with make() as caller:
        answer = caller.download("GET", "/file", tmp_path / "got.csv")
    assert (200, b"") == (answer.status, answer.body)
    assert content == (tmp_path / "got.csv").read_bytes()
    assert 2 == server.count("GET", "/file")


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", TransientError),
        (b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", TransientError),
        (b"HTTP/1.1 404 Gone\r\nContent-Length: 0\r\n\r\n", SetupError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n" + PAGE, SetupError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Type: text/html\r\n\r\nbye", SetupError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n" + b"x" * 4000, SetupError),
    ],
)
def test_a_failed_download_leaves_no_file(server, make, tmp_path: Path, reply: bytes, kind: type[Exception]) -> None:
    """Whatever went wrong, nobody can take a part, a page or an error for the file."""
    server.script["/file"] = [server.cut(reply)]
    with make(download_bytes_max=2000) as caller, pytest.raises(kind):
        caller.download("GET", "/file", tmp_path / "got.csv")
    assert [] == list(tmp_path.iterdir())


def test_a_full_disk_leaves_no_half_file(server, make, tmp_path: Path) -> None:
    """I10: the device is full; the error is the system's own, and no file is left behind."""
    full = tmp_path / "got.csv"
    full.symlink_to("/dev/full")
    server.script["/file"] = [server.whole(b"x" * 100_000, kind="text/csv")]
    with make() as caller, pytest.raises(OSError, match="No space left"):
        caller.download("GET", "/file", full)
    assert [] == list(tmp_path.iterdir())


def test_an_empty_download_is_an_empty_file(server, make, tmp_path: Path) -> None:
    """No bytes can be a right answer; what they mean is for the caller to judge."""
    server.script["/file"] = [server.whole(b"", kind="text/csv")]
    with make() as caller:
        caller.download("GET", "/file", tmp_path / "got.csv")
    assert b"" == (tmp_path / "got.csv").read_bytes()


# -- one site, one budget ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a16_a_read_may_be_sent_on_within_the_same_site(server, make, status: int) -> None:
    """Where a system allows it: same scheme, host and port, for a GET; the new address brings its own query."""
    server.script["/entity"] = [server.whole(b"", status, Location="/moved?page=2")]
    server.script["/moved"] = [server.whole("[1]")]
    with make() as caller:
        caller.follow_same_site = True
        assert [1] == caller.read("GET", "/entity", params={"page": "1"}).json()
    assert ["/entity?page=1", "/moved?page=2"] == [one.path for one in server.asked]


@pytest.mark.parametrize("verb", ["read", "write"])
def test_a16_other_sites_and_writes_are_never_followed(server, second_server, verb: str) -> None:
    """P25: not to another port, and a write not even within the site."""
    for location in (f"{second_server.url}/moved", "/moved" if verb == "write" else f"https://{server.host}/moved"):
        server.script["/entity"] = [server.whole(b"", 307, Location=location)]
        follows = Caller("Site", server.url, follow_same_site=True)
        with follows as caller, pytest.raises(SetupError, match="was redirected to"):
            getattr(caller, verb)("POST" if verb == "write" else "GET", "/entity")
    assert [] == second_server.asked
    assert 0 == server.count("GET", "/moved")


def test_a16_a_circle_ends(server) -> None:
    """Every loop ends."""
    server.script["/entity"] = [server.whole(b"", 302, Location="/entity")]
    follows = Caller("Site", server.url, follow_same_site=True)
    with follows as caller, pytest.raises(SetupError, match="was redirected"):
        caller.read("GET", "/entity")
    assert 3 == server.count("GET", "/entity")


def test_p25_a_whole_address_of_another_site_is_not_called(server, second_server, make) -> None:
    """A link in an answer may name any host; only the configured one is called, with its scheme and port."""
    server.script["/entity"] = [server.whole("[]")]
    with make() as caller:
        assert [] == caller.read("GET", f"{server.url}/entity").json()
        with pytest.raises(SetupError, match="another site") as refusal:
            caller.read("GET", f"{second_server.url}/entity?ticket=1")
    assert "ticket" not in str(refusal.value)
    assert [] == second_server.asked


@pytest.mark.parametrize("status", [206, 304])
def test_b19_an_unexpected_status_is_named(server, make, status: int) -> None:
    """A part of an answer, or none because of a cache that we do not have, is not an answer."""
    server.script["/entity"] = [server.whole(b"", status)]
    with make() as caller, pytest.raises(SetupError, match=f"answered {status}"):
        caller.read("GET", "/entity")


class Tally:
    """A budget that writes down what it was asked and told."""

    def __init__(self) -> None:
        self.taken = 0
        self.refusals: list[float] = []

    def take(self) -> float:
        self.taken += 1
        return 0.0

    def refused(self, seconds: float) -> None:
        self.refusals.append(seconds)


def test_every_request_takes_its_share_and_every_429_is_told(server, slept: list[float]) -> None:
    """B10: repetitions count too, and the others hear how long the pause is."""
    tally = Tally()
    server.script["/entity"] = [server.whole(status=429, Retry_After="7"), server.whole(status=503), server.whole()]
    with Caller("Site", server.url, sleep=slept.append, budget=tally) as caller:
        caller.read("GET", "/entity")
    assert (3, [7.0]) == (tally.taken, tally.refusals)


class UsedUp(Tally):
    def take(self) -> float:
        super().take()
        raise WaitingError("the 600 requests a minute are used up.")


def test_whoever_waited_as_long_as_allowed_does_not_begin_anew(server, slept: list[float]) -> None:
    """Reads repeat what may be repeated, but not the waiting itself."""
    tally = UsedUp()
    with (
        Caller("Site", server.url, sleep=slept.append, budget=tally) as caller,
        pytest.raises(WaitingError, match="WAITING: the 600"),
    ):
        caller.read("GET", "/entity")
    assert (1, [], []) == (tally.taken, slept, server.asked)


def test_waiting_for_the_budget_does_not_use_up_the_deadline(server) -> None:
    """The deadline of a call begins when it may leave."""

    class Slow(Tally):
        def take(self) -> float:
            threading.Event().wait(0.3)
            return 0.3

    server.script["/entity"] = [server.whole("[]")]
    small = Limits(deadline_seconds=0.25, attempts=1)
    with Caller("Site", server.url, limits=small, budget=Slow()) as caller:
        assert [] == caller.read("GET", "/entity").json()
