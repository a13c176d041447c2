"""What goes wrong on the way or between two calls of one reading: the figures are right, or there is an error that names what it is about.

The other faults of groups A to D stand where their subject is: `test_faults`, `test_paging`, `test_sign_in`, `test_sessions`, `test_balances`, the
battery; A04 and A05 (a write whose answer is lost, or that is applied later) as G01 and G02 in `test_plan_faults`. These cannot touch
Epicor's client:

- B07, B08: Kinetic serves no endpoint versions, and nothing of it is run by an id; columns that an upgrade took away are C08.
- C07: no value of Kinetic has a wrapper around it.
- C11, C13, C14: mapping and CSV files lie between ledger and plan (`ledger/test_mapping`, `flows/test_bad_input`, `flows/test_lists`), the same for every ERP.
- D09, D10: what is changed later is E17 and the looks of the battery; D14: a connection reads one company of Kinetic, so none waits for another.
"""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pyarrow as pa
import pytest

from mlc_pipelines.epicor.client import Epicor
from mlc_pipelines.epicor.config import EpicorConfig, EpicorCredential
from mlc_pipelines.ledger.errors import DataError, PipelineError, SetupError, TransientError
from mlc_pipelines.ledger.fiscal import FiscalPeriod
from mlc_pipelines.sandbox.ironvale.chart import HEADCOUNT
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.transport.caller import Limits
from mlc_pipelines_tests.between import Alter, Answered, bad_line, go_between
from mlc_pipelines_tests.epicor.test_changes import LONG_AGO, post
from mlc_pipelines_tests.epicor.test_faults import BULK, answer, lines_of, plant, refusal
from mlc_pipelines_tests.epicor.test_paging import asked, require_true

Connect = Callable[..., Epicor]
STRANGE = (
    "0012",
    "=1+2",
    "-5",
    'a"b,c',
    "back\\slash",
    " lead",
    "trail ",
    "x" * 61,
    "line\nend",
    "\u202eabc",
    "a\u200bb",
    "\ufeffBOM",
    "e\u0301",
    "\U0001f600",
)


def by_way_of(sandbox: Sandbox, port: int) -> str:
    """The instance's address, by another port."""
    url = sandbox.info["epicor"]["url"]
    return str(httpx.URL(url).copy_with(port=port))


def port_of(sandbox: Sandbox) -> int:
    return int(httpx.URL(sandbox.info["epicor"]["url"]).port or 0)


def altered(connect: Connect, sandbox: Sandbox, period: FiscalPeriod, alter: Alter) -> pa.Table:
    """The lines of a period, each answer altered on its way."""
    with go_between(port_of(sandbox), alter) as there:
        return lines_of(connect, period, url=by_way_of(sandbox, there))


def whole(one: Answered) -> bytes:
    return one.head + one.body


# -- on the way -------------------------------------------------------------------------------------------------------


def test_a02_a_host_that_does_not_exist_is_named(connect: Connect, december: FiscalPeriod) -> None:
    """Tried a few times, then told with the host."""
    assert "no-such-host.invalid" in refusal(
        connect, december, TransientError, url="https://no-such-host.invalid/Kinetic"
    )


def test_a08_more_bytes_than_stated_belong_to_nothing(
    connect: Connect, sandbox: Sandbox, december: FiscalPeriod
) -> None:
    """The body ends where it said; what follows is not taken for the next answer either."""
    table = altered(connect, sandbox, december, lambda one: whole(one) + b'HTTP/1.1 200 OK\r\n\r\n{"value":[]}')
    require_true(table, sandbox, december)


def test_a10_a_chunked_answer_without_its_last_chunk_is_read_again(
    connect: Connect, sandbox: Sandbox, december: FiscalPeriod
) -> None:
    """Whole JSON, and yet not known to be whole: never used."""
    cut: list[bytes] = []

    def alter(one: Answered) -> bytes:
        if cut or b"SegValue1" not in one.request:
            return whole(one)
        cut.append(one.request)
        return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n" % (len(one.body), one.body)

    require_true(altered(connect, sandbox, december, alter), sandbox, december)
    assert 2 == [one.path for one in sandbox.traffic.requests].count(cut[0].split()[1].decode())


@pytest.mark.parametrize("auth", ["basic", "token"])
def test_a14_a_slow_server_and_a_token_that_ends_in_between(
    connect: Connect, sandbox: Sandbox, december: FiscalPeriod, auth: str
) -> None:
    """Half of an answer, a pause, the rest; and every token ends before a page: it is read all the same."""
    slow = {"match": BULK, "times": 2, "action": {"kind": "stall", "keep": 0.5, "seconds": 0.1}}
    ended = {"match": BULK, "action": {"kind": "control", "path": "/control/epicor/revoke-tokens"}}
    faults = sandbox.traffic.plant_all([slow, ended])
    require_true(lines_of(connect, december, auth=auth, page=100), sandbox, december)
    assert [2, 1] == [fault.fired for fault in faults]


def test_a14_slower_than_the_deadline_is_told(connect: Connect, sandbox: Sandbox, december: FiscalPeriod) -> None:
    """A page that does not come whole in time is named."""
    plant(sandbox, times=-1, kind="stall", keep=0.5, seconds=2)
    limits = Limits(attempts=1, deadline_seconds=0.3)
    assert "GLJrnDtls got no whole answer" in refusal(connect, december, TransientError, limits=limits)


def test_a17_answers_that_belong_to_the_question_before(
    connect: Connect, sandbox: Sandbox, december: FiscalPeriod
) -> None:
    """From some answer on each one is that to the request before: no answer is taken for another's."""
    held: list[bytes] = []

    def late(one: Answered) -> bytes:
        if not held and b"GLJrnDtls?" not in one.request:
            return whole(one)
        held.append(whole(one))
        return held[-2] if len(held) > 1 else b'HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{"value":[]}'

    with pytest.raises(PipelineError, match=r"GLJrnDtls|Logout"):
        altered(connect, sandbox, december, late)


def test_a17_an_answer_about_another_period(
    connect: Connect, config: Callable[..., EpicorConfig], sandbox: Sandbox, december: FiscalPeriod
) -> None:
    """Rows of a period that was not asked for are no rows of this one."""
    lines_of(connect, december)
    path = next(one.path for one in sandbox.traffic.requests if "GLJrnDtls?" in one.path and "SegValue1" in one.path)
    erp = sandbox.info["epicor"]
    other = path.replace("FiscalPeriod%20eq%203", "FiscalPeriod%20eq%204")
    assert other != path
    identity = {"auth": (erp["username"], erp["password"]), "headers": {"x-api-key": erp["api_key"]}}
    answer(sandbox, httpx.get(sandbox.url + other, **identity).text)
    assert "FiscalPeriod is 4, expected was 3" in refusal(connect, december)


def test_a19_a_bad_line_is_slower_only(connect: Connect, sandbox: Sandbox, december: FiscalPeriod) -> None:
    """However the bytes are cut on their way, the same lines arrive."""
    with bad_line(port_of(sandbox), seed=19) as there:
        table = lines_of(connect, december, url=by_way_of(sandbox, there))
    require_true(table, sandbox, december)


@pytest.mark.parametrize(
    "action", [{"kind": "html"}, {"kind": "status", "status": 407, "body": "<html>Proxy</html>"}], ids=["portal", "407"]
)
@pytest.mark.parametrize("match", ["GLBooks", BULK])
def test_a20_a_proxys_page_is_not_parsed(
    connect: Connect, sandbox: Sandbox, december: FiscalPeriod, match: str, action: dict[str, Any]
) -> None:
    """A captive portal, or a proxy that wants a password, answers in the instance's place: never data, never no lines."""
    plant(sandbox, match, -1, **action)
    assert match.partition("\\")[0] in refusal(connect, december, SetupError)


# -- signed in and out --------------------------------------------------------------------------------------------------


def test_b04_two_processes_whose_tokens_end_each_other(connect: Connect, sandbox: Sandbox) -> None:
    """Whoever signs in ends the other's token: both come through, each call with one sign-in more at most."""
    ended = {
        "match": "TokenResource",
        "times": -1,
        "action": {"kind": "control", "path": "/control/epicor/revoke-tokens"},
    }
    sandbox.traffic.plant(ended)
    with connect(auth="token") as ours, connect(auth="token") as theirs:
        for _ in range(2):
            assert len(ours.read_accounts()) == len(theirs.read_accounts())
    paths = [one.path for one in sandbox.traffic.requests]
    signed_in = sum("TokenResource" in path for path in paths)
    assert 2 < signed_in <= 2 + sum(one.status == 401 for one in sandbox.traffic.requests)
    assert 0 == sandbox.kinetic.sessions_open()


@pytest.mark.parametrize("said", ["-7", "9999999", "soon", "Mon, 05 Jan 2015 12:00:00 GMT"])
def test_b11_an_odd_retry_after_does_not_stop_us(
    config: Callable[..., EpicorConfig], credential: EpicorCredential, sandbox: Sandbox, said: str
) -> None:
    """The past, a negative, garbage and months: the pause stays within two minutes and the jitter of our own."""
    pauses: list[float] = []
    answer(sandbox, "", match="COASegValues", status=429, times=1, **{"retry-after": said})
    with Epicor(config(), credential, sleep=pauses.append) as ledger:
        assert len(ledger.read_accounts())
    assert [True] == [0 <= pause <= 180 for pause in pauses]


# -- in the answers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "text", "kind", "said"),
    [
        ("BookDebitAmount", "1" * 30 + ".00", DataError, "more digits"),
        ("BookCreditAmount", "1" * 5000, DataError, "more digits"),
        ("JournalLine", "1" * 30, DataError, "too many digits"),
        ("JournalNum", "1" * 5000, DataError, "JournalNum|cannot be read|digits"),
        ("JournalLine", "4294967297", DataError, "JournalLine is no number of a line"),
    ],
)
def test_c05_a_number_with_endless_digits_is_refused(
    connect: Connect,
    sandbox: Sandbox,
    december: FiscalPeriod,
    column: str,
    text: str,
    kind: type[PipelineError],
    said: str,
) -> None:
    """As an amount, as a journal's number, as a line's: never cut, never wrapped round."""
    plant(sandbox, times=-1, kind="replace", pattern=rf'"{column}":[\d.]+', **{"with": f'"{column}":{text}'})
    with pytest.raises(kind, match=said):
        lines_of(connect, december)


def test_c10_codes_travel_as_they_are(connect: Connect, sandbox: Sandbox, december: FiscalPeriod) -> None:
    """Every letter of a code arrives, whatever it looks like; nothing is trimmed, turned round or made a number. One strange code a page."""
    for code in STRANGE:
        text = json.dumps(code).replace("\\", r"\\")
        plant(sandbox, kind="replace", pattern=r'"SegValue1":"\w+"', **{"with": f'"SegValue1":{text}'})
    accounts = lines_of(connect, december, page=45)["account"].to_pylist()
    assert {*STRANGE} <= {*accounts}


def test_c10_half_a_letter_is_refused(connect: Connect, sandbox: Sandbox, december: FiscalPeriod) -> None:
    """A lone surrogate is no letter of any alphabet; it is not replaced by a question mark."""
    plant(sandbox, times=-1, kind="replace", pattern=r'"SegValue1":"\w+"', **{"with": r'"SegValue1":"\\ud800"'})
    assert "GLJrnDtls" in refusal(connect, december, PipelineError)


# -- reading the ledger -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("links", ["other host", "loops"])
def test_d05_a_link_to_the_next_page_is_never_followed(
    connect: Connect, sandbox: Sandbox, december: FiscalPeriod, links: str
) -> None:
    """To another host, or in a circle: every address is our own, and none is asked for twice."""
    sandbox.set_switches(epicor={"nextlink": links, "page_max": 200})
    require_true(lines_of(connect, december), sandbox, december)
    paths = asked(sandbox)
    assert all("$orderby=SysRevID" in path for path in paths)
    assert len({*paths}) == len(paths)


@pytest.mark.parametrize("minutes", [-10, 10])
def test_d07_the_erps_clock_decides(ledger: Epicor, sandbox: Sandbox, minutes: int) -> None:
    """An ERP ten minutes ahead or behind loses nothing: its row versions and its own days are compared, never our clock."""
    sandbox.clock.advance(60 * minutes)
    first = ledger.read_changes(LONG_AGO, ledger.cursor())
    sandbox.clock.advance(1)
    name = post(sandbox, "FY2027-P02")
    found = ledger.read_changes(LONG_AGO, first.cursor)
    assert [(name, "FY2027-P02")] == list(zip(found.batches["batch"], found.batches["period"], strict=True))


def test_d13_only_posted_lines_of_the_actual_book_count(
    connect: Connect, sandbox: Sandbox, december: FiscalPeriod
) -> None:
    """Unposted, planned in another book, counting heads: they stand in the same table and are not read; what was reversed is."""
    left_out = [post(sandbox, december.key, **more) for more in ({"posted": False}, {"book": "PLAN"})]
    table = lines_of(connect, december)
    require_true(table, sandbox, december)
    assert HEADCOUNT in {
        line.account for one in sandbox.ironvale.journals_of("MAIN", december.key) for line in one.lines
    }
    assert {HEADCOUNT}.isdisjoint(table["account"].to_pylist())
    plan = {one.name for one in sandbox.ironvale.journals_of("PLAN", december.key)}
    assert len(plan) > 0
    assert left_out[0] not in table["batch"].to_pylist()
    assert "Penalty, booked in error" in table["description"].to_pylist()
