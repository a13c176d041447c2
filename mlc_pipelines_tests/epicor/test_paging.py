"""Pages: however the server cuts, orders or links them, every row comes exactly once, or the reading says that it did not."""

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlc_pipelines.epicor.client import Epicor
from mlc_pipelines.epicor.odata import any_of, text
from mlc_pipelines.ledger.errors import DataError, PipelineError, SetupError, TransientError
from mlc_pipelines.ledger.fiscal import FiscalPeriod
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.transport.caller import Limits
from mlc_pipelines_tests.epicor.test_reading import summed, truth

Connect = Callable[..., Epicor]
LINES = "GLJrnDtls"
QUERY = {"kind": "status", "status": 200, "headers": {"content-type": "application/json"}}


def read(connect: Connect, period: FiscalPeriod, **changes: Any) -> pa.Table:
    with connect(**{"page": 100, **changes}) as ledger:
        return pa.Table.from_batches(ledger.read_posted(period))


def refusal(connect: Connect, kind: type[PipelineError], period: FiscalPeriod, **changes: Any) -> str:
    with pytest.raises(kind) as caught:
        read(connect, period, **changes)
    return str(caught.value)


def require_true(table: pa.Table, sandbox: Sandbox, period: FiscalPeriod) -> None:
    sums = {pair: sides for pair, sides in summed(table).items() if sides != (0, 0)}
    assert {pair: sides for pair, sides in truth(sandbox, period.key).items() if sides != (0, 0)} == sums
    keys = [(row["batch"], row["line"]) for row in table.select(["batch", "line"]).to_pylist()]
    assert len(set(keys)) == len(keys)


def asked(sandbox: Sandbox) -> list[str]:
    return [one.path for one in sandbox.traffic.requests if LINES in one.path and "%20desc" not in one.path]


@pytest.mark.parametrize(
    "switches",
    [
        {"page_max": 0},
        {"page_max": 37},
        {"page_short": 3},
        {"nextlink": "given"},
        {"nextlink": "other host"},
        {"nextlink": "loops"},
        {"order": "scrambled", "count_off": 50},
    ],
    ids=str,
)
def test_d04_d05_pages_of_any_size_and_links_of_any_kind(
    connect: Connect, sandbox: Sandbox, december: FiscalPeriod, switches: dict[str, Any]
) -> None:
    """A cap below what was asked for, a short page in the middle, links to a next page, to another host or in a circle: each row once; no link is followed."""
    sandbox.set_switches(epicor=switches)
    require_true(read(connect, december, page=250), sandbox, december)


def test_d04_a_server_that_gives_one_row_a_call(connect: Connect, sandbox: Sandbox) -> None:
    """However few: the last row is known by its version, not by the length of a page."""
    with connect() as ledger:
        wanted = ledger.read_periods()
    sandbox.set_switches(epicor={"page_max": 1})
    with connect() as ledger:
        assert wanted == ledger.read_periods()


@pytest.mark.parametrize("page", [100, 350, 700, 701, 5000])
def test_a_last_page_that_is_full_short_or_empty(
    connect: Connect, sandbox: Sandbox, december: FiscalPeriod, page: int
) -> None:
    """A period whose rows are a multiple of the page, one fewer, and far fewer; sizes and order are always said."""
    require_true(read(connect, december, page=page), sandbox, december)
    assert all("$top=" in path and "$orderby=SysRevID" in path for path in asked(sandbox))


@pytest.mark.parametrize("what", ["insert", "change", "delete"])
@pytest.mark.parametrize("times", [1, 3])
def test_d01_d02_rows_that_move_while_we_read(
    connect: Connect, sandbox: Sandbox, december: FiscalPeriod, what: str, times: int
) -> None:
    """Others post, match and remove after each page: what is read is what the books held at some moment, each line once; or it is said."""
    before = truth(sandbox, december.key)
    sandbox.set_switches(epicor={"meanwhile": what, "meanwhile_times": times})
    try:
        table = read(connect, december)
    except (DataError, TransientError):
        return
    keys = [(row["batch"], row["line"]) for row in table.select(["batch", "line"]).to_pylist()]
    assert len(set(keys)) == len(keys)
    after = truth(sandbox, december.key)
    sums = {pair: sides for pair, sides in summed(table).items() if sides != (0, 0)}
    assert sums in [{pair: sides for pair, sides in one.items() if sides != (0, 0)} for one in (before, after)]


def test_d01_a_line_that_is_written_again_while_we_read_counts_once(
    connect: Connect, sandbox: Sandbox, december: FiscalPeriod
) -> None:
    """Matching and reconciling give lines a new version: they come a second time, at the end, and are left out."""
    sandbox.set_switches(epicor={"meanwhile": "change", "meanwhile_times": 3})
    require_true(read(connect, december), sandbox, december)


@pytest.mark.parametrize("times", [1, 2])
def test_d04_an_empty_page_in_the_middle(
    connect: Connect, sandbox: Sandbox, december: FiscalPeriod, times: int
) -> None:
    """Asked for once more; when it stays empty although there are higher versions, that is said, with the newest row's name."""
    fault = {
        "match": rf"{LINES}\?.*SysRevID gt ",
        "skip": 1,
        "times": times,
        "action": {**QUERY, "body": '{"value":[]}'},
    }
    sandbox.traffic.plant(fault)
    if times == 1:
        require_true(read(connect, december), sandbox, december)
        return
    said = refusal(connect, DataError, december)
    assert "GLJrnDtls of FY2026-P03: no rows come behind row version" in said


def test_d04_a_page_that_comes_twice(connect: Connect, sandbox: Sandbox, december: FiscalPeriod) -> None:
    """A filter that is not heeded would read the first page for ever."""
    with connect(page=100) as ledger:
        list(ledger.read_posted(december))
    first = asked(sandbox)[1]
    import httpx

    erp = sandbox.info["epicor"]
    page = httpx.get(
        sandbox.url + first, auth=(erp["username"], erp["password"]), headers={"x-api-key": erp["api_key"]}
    ).text
    sandbox.traffic.plant(
        {"match": rf"{LINES}\?.*SysRevID gt ", "skip": 1, "times": -1, "action": {**QUERY, "body": page}}
    )
    said = refusal(connect, DataError, december)
    assert "the filter or the page was not heeded" in said


def test_d04_an_order_that_is_not_kept(connect: Connect, sandbox: Sandbox, december: FiscalPeriod) -> None:
    """Rows out of order would be left out behind the last one."""
    pattern = r'"SysRevID":(\d)(\d+)'
    action = {"kind": "replace", "pattern": pattern, "with": r'"SysRevID":9\1\2', "count": 1}
    sandbox.traffic.plant({"match": rf"{LINES}\?.*top=100", "action": action})
    said = refusal(connect, DataError, december)
    assert "came before rows of lower versions" in said


@pytest.mark.parametrize(
    ("switch", "message"), [("drop_rows", "do not balance|no rows come behind"), ("repeat_rows", "came twice")]
)
def test_d01_d02_lost_and_repeated_rows_are_named(
    connect: Connect, sandbox: Sandbox, december: FiscalPeriod, switch: str, message: str
) -> None:
    """By the journal that no longer balances, or by the row's own key."""
    import re

    sandbox.set_switches(epicor={switch: {LINES: 2}})
    said = refusal(connect, DataError, december)
    assert re.search(message, said)
    assert re.search(r"[A-Z]{2} \d+", said)


@pytest.mark.parametrize("sets", [[LINES], ["GLBooks"], ["GLPeriodBalSearches"], ["APInvoices"], ["Vendors"]])
def test_a_row_of_another_company_is_refused(
    connect: Connect, sandbox: Sandbox, december: FiscalPeriod, sets: list[str]
) -> None:
    """Wherever it stands; its company is named."""
    sandbox.set_switches(epicor={"foreign_rows": sets})

    def everything(ledger: Epicor) -> None:
        list(ledger.read_posted(december))
        ledger.read_trial_balance(december)
        list(ledger.read_spend(december))

    with (
        connect() as ledger,
        pytest.raises(SetupError, match="brought a row of company IVC; asked for was company IVM"),
    ):
        everything(ledger)


@pytest.mark.parametrize("status", [408, 504])
def test_a_page_that_takes_too_long_is_asked_for_in_smaller_ones(
    connect: Connect, sandbox: Sandbox, december: FiscalPeriod, status: int
) -> None:
    """A quarter as large, and so on; each row once."""
    sandbox.traffic.plant(
        {"match": rf"{LINES}\?.*top=(1000|250)&?", "times": -1, "action": {"kind": "status", "status": status}}
    )
    require_true(read(connect, december, page=1000), sandbox, december)
    assert {"1000", "250", "100"} == {path.partition("$top=")[2].partition("&")[0] for path in asked(sandbox)}


def test_a_page_that_is_too_large_is_asked_for_in_smaller_ones(
    connect: Connect, sandbox: Sandbox, december: FiscalPeriod
) -> None:
    """Answers have a limit in bytes; what is beyond it is never half used."""
    limits = Limits(attempts=3, body_bytes_max=200_000)
    require_true(read(connect, december, page=5000, limits=limits), sandbox, december)
    assert "5000" == asked(sandbox)[0].partition("$top=")[2]
    assert int(asked(sandbox)[-1].partition("$top=")[2]) < 1000


def test_the_smallest_page_that_takes_too_long_is_a_busy_server(
    connect: Connect, sandbox: Sandbox, december: FiscalPeriod
) -> None:
    """Then it is tried as often as any read, and told."""
    sandbox.traffic.plant({"match": rf"{LINES}\?", "times": -1, "action": {"kind": "status", "status": 504}})
    assert "504" in refusal(connect, TransientError, december)


def test_every_address_is_short_enough_for_what_stands_in_front(
    connect: Connect, sandbox: Sandbox, december: FiscalPeriod
) -> None:
    """Hosted instances refuse more than 8 KB (414)."""
    with connect() as ledger:
        list(ledger.read_posted(december))
        list(ledger.read_spend(december))
        ledger.read_trial_balance(december)
    assert max(len(one.path) for one in sandbox.traffic.requests) < 8000


@given(st.lists(st.one_of(st.integers(0, 10**12), st.text(max_size=20)), max_size=400))
def test_lists_of_values_are_cut_into_short_conditions(values: list[int | str]) -> None:
    """Each value once, in order, in none too long."""
    from urllib.parse import quote

    conditions = list(any_of("JournalNum", values))
    assert all(len(quote(one)) < 7000 for one in conditions)
    together = " or ".join(one[1:-1] for one in conditions)
    assert " or ".join(f"JournalNum eq {text(one) if isinstance(one, str) else one}" for one in values) == together


@given(st.text())
def test_k13_a_text_in_a_filter_stays_one_text(value: str) -> None:
    """A quote inside is doubled, so nothing in a code is taken for a condition."""
    literal = text(value)
    assert ("'", "'") == (literal[0], literal[-1])
    assert value == literal[1:-1].replace("''", "'")
    assert 0 == literal[1:-1].replace("''", "").count("'")


def test_k13_a_book_with_a_quote_in_its_name(connect: Connect) -> None:
    """`x' or 1 eq 1` is a book that does not exist, and no condition."""
    with connect(book="x' or BookID ne '") as ledger, pytest.raises(SetupError, match="has no book x' or BookID ne '"):
        ledger.identity()
