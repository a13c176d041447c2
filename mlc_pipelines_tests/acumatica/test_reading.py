"""What is read from the sandbox is what its books hold, to the cent, in both ways of reading lines."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from mlc_pipelines.acumatica.client import Acumatica
from mlc_pipelines.acumatica.config import SegmentRule
from mlc_pipelines.ledger.errors import DataError, SetupError
from mlc_pipelines.ledger.fiscal import FiscalCalendar, FiscalPeriod
from mlc_pipelines.ledger.journal import LINES, sum_lines
from mlc_pipelines.ledger.ports import GeneralLedger, LedgerIdentity, LedgerPeriod
from mlc_pipelines.sandbox.server import Sandbox

Connect = Callable[..., Acumatica]
WAYS = ("inquiry", "transactions")


def read(ledger: Acumatica, period: FiscalPeriod) -> pa.Table:
    return pa.Table.from_batches(ledger.read_posted(period))


def sums(lines: pa.Table) -> list[tuple[Any, ...]]:
    """Account, subaccount, branch, debit, credit, as the books give their truth."""
    frame = sum_lines(lines)[["account", "subaccount", "branch", "debit_minor", "credit_minor"]]
    return sorted(frame.itertuples(index=False, name=None))


def truth(sandbox: Sandbox, key: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in sandbox.books.truth("ACTUAL", key)]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("key", ["FY2025-P01", "FY2026-P03", "FY2026-P12", "FY2026-P13", "FY2027-P02"])
def test_posted_lines_are_the_books(
    connect: Connect, sandbox: Sandbox, calendar: FiscalCalendar, way: str, key: str
) -> None:
    """Both ways give exactly the posted lines of the Actual ledger: nothing on hold, unposted or statistical (D13), period 13 included."""
    with connect(lines_from=way) as ledger:
        lines = read(ledger, calendar.period(key))
    assert truth(sandbox, key) == sums(lines)
    assert len(sandbox.books.posted_lines("ACTUAL", key)) == len(lines)
    assert LINES.equals(lines.schema)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "switches",
    [
        {"order": "scrambled"},
        {"post_period_format": "MM-YYYY"},
        {"results_key_order": "before", "unexpanded": "empty"},
        {"extra_unknown_fields": True, "pretty_json": True},
    ],
    ids=lambda switches: "+".join(switches),
)
def test_unknown_habits_of_a_site_change_nothing(
    connect: Connect, sandbox: Sandbox, march: FiscalPeriod, way: str, switches: dict[str, Any]
) -> None:
    """Order of rows (D04), spelling of periods, layout and new fields may differ between sites; the figures do not."""
    sandbox.set_switches(acumatica=switches)
    with connect(lines_from=way) as ledger:
        assert truth(sandbox, march.key) == sums(read(ledger, march))
        assert 39 == len(ledger.read_periods())


def test_a_line_keeps_where_it_came_from(connect: Connect, sandbox: Sandbox, march: FiscalPeriod) -> None:
    """Batch, line, reference, day and description stand beside the amount, as text; the inquiry knows no line number."""
    first = sandbox.books.batches_of("ACTUAL", march.key)[0]
    line = first.lines[0]
    for way, number in (("inquiry", None), ("transactions", line.number)):
        with connect(lines_from=way) as ledger:
            found = next(
                row for row in read(ledger, march).to_pylist() if row["batch"] == f"{first.module} {first.number}"
            )
        assert (line.account, line.subaccount, line.branch) == (found["account"], found["subaccount"], found["branch"])
        assert (line.debit_minor, line.credit_minor) == (found["debit_minor"], found["credit_minor"])
        assert (line.reference, line.description) == (found["reference"], found["description"])
        assert (first.date.isoformat(), number) == (found["transaction_on"], found["line"])


@pytest.mark.parametrize("way", WAYS)
def test_a_period_without_postings_is_one_empty_batch(connect: Connect, calendar: FiscalCalendar, way: str) -> None:
    """A period in which nothing was posted gives a batch of the right shape without rows."""
    with connect(lines_from=way) as ledger:
        batches = list(ledger.read_posted(calendar.period("FY2027-P09")))
    assert [0] == [len(batch) for batch in batches]
    assert LINES.equals(batches[0].schema)


def test_identity_tells_which_books(ledger: Acumatica) -> None:
    """The identity is what the ERP itself says of the ledger."""
    port: GeneralLedger = ledger
    assert LedgerIdentity("Acumatica Meridian", "MERIDIAN", "ACTUAL", "Actual", "USD") == port.identity()


def test_only_an_actual_ledger_is_read(connect: Connect) -> None:
    """A statistical or budget ledger is refused by its type, and the message names the ledgers that would do (D13)."""
    with (
        connect(ledger="STAT") as ledger,
        pytest.raises(SetupError, match=r"(?s)STAT has the type Statistical.*: ACTUAL\."),
    ):
        ledger.identity()


def test_a_wrong_ledger_is_told_with_those_there_are(connect: Connect) -> None:
    """A name that does not exist is answered with the list of those that do."""
    with (
        connect(ledger="GLACT") as ledger,
        pytest.raises(SetupError, match="no ledger GLACT; it has ACTUAL, BUDGET, PLAN, STAT"),
    ):
        ledger.identity()


@pytest.mark.parametrize("method", ["identity", "read_accounts", "read_cost_centers", "read_periods"])
def test_a_wrong_company_stops_every_read(connect: Connect, sandbox: Sandbox, method: str) -> None:
    """A sign-in that led elsewhere is noticed by the company, before any other record is read."""
    with connect(company="OTHERCO") as ledger, pytest.raises(SetupError, match=r"OTHERCO.*belongs to MERIDIAN"):
        getattr(ledger, method)()
    assert ["swagger.json", "Ledger"] == [
        r.path.split("/")[5].partition("?")[0] for r in sandbox.traffic.requests if "/Default/" in r.path
    ]


def test_periods_are_the_erps_own(ledger: Acumatica) -> None:
    """Periods come in fiscal order with the ERP's status; open, closed and locked ones can be read, inactive ones not."""
    periods = ledger.read_periods()
    assert sorted(period.key for period in periods) == [period.key for period in periods]
    by_key = {period.key: period for period in periods}
    assert LedgerPeriod("FY2026-P13", "2026-06-30", "2026-06-30", "Open", True, True) == by_key["FY2026-P13"]
    assert LedgerPeriod("FY2026-P01", "2025-07-01", "2025-07-31", "Closed", False, True) == by_key["FY2026-P01"]
    assert ("Locked", True) == (by_key["FY2025-P01"].status, by_key["FY2025-P01"].readable)
    assert ("Inactive", False) == (by_key["FY2027-P09"].status, by_key["FY2027-P09"].readable)


def test_a_calendar_that_shows_nothing_is_refused(ledger: Acumatica, sandbox: Sandbox) -> None:
    """An empty list of periods is a matter of set-up, never "no periods"."""
    sandbox.set_switches(acumatica={"calendar_rows": False})
    with pytest.raises(SetupError, match="shows no financial periods"):
        ledger.read_periods()


def test_accounts_keep_their_text(ledger: Acumatica, sandbox: Sandbox) -> None:
    """Codes like "0010" and "NA" and names with commas, quotes and other scripts come as they are; kind is the ERP's type."""
    accounts = ledger.read_accounts()
    want = [(a.code, a.description, a.account_class, a.type, a.active) for a in sandbox.books.accounts.values()]
    assert sorted(want) == list(accounts.itertuples(index=False, name=None))
    assert ["code", "name", "account_class", "kind", "active"] == list(accounts.columns)
    assert {"0010", "NA"} <= set(accounts["code"])


def test_cost_centers_come_from_subaccounts(ledger: Acumatica, sandbox: Sandbox) -> None:
    """One row per cost center; its name is the description of the subaccount whose other segments are zeros."""
    centers = ledger.read_cost_centers()
    assert sorted(sandbox.books.cost_centers) == list(centers["code"])
    general = {s.cost_center: s.description for s in sandbox.books.subaccounts.values() if s.code.endswith("-000")}
    assert general == dict(zip(centers["code"], centers["name"], strict=True))
    assert len(sandbox.books.subaccounts) == centers["subaccounts"].sum()


def test_another_segment_may_be_the_cost_center(connect: Connect) -> None:
    """The connection says which segment counts; a name that nobody gave stays empty."""
    with connect(subaccount=SegmentRule(segment=2)) as ledger:
        centers = ledger.read_cost_centers()
        assert ["000", "ADV", "TAX", "TEC"] == list(centers["code"])
        assert {""} == set(centers["name"])
        assert ["ADV", "000"] == ledger.cost_centers_of(["010-ADV", "020-000"])


def test_a_site_without_subaccounts_has_one_cost_center(connect: Connect, sandbox: Sandbox) -> None:
    """Declared without subaccounts, everything belongs to the cost center "", and the form is not even asked for."""
    with connect(subaccount=None) as ledger:
        assert [("", "", True, 0)] == list(ledger.read_cost_centers().itertuples(index=False, name=None))
        assert ["", ""] == ledger.cost_centers_of(["010-000", ""])
    assert not [request for request in sandbox.traffic.requests if "Subaccount" in request.path]


def test_a_subaccount_of_another_shape_is_named(ledger: Acumatica) -> None:
    """A code that does not fit the declared shape stops the load by name."""
    with pytest.raises(DataError, match="'-000'"):
        ledger.cost_centers_of(["010-000", "-000"])


@pytest.mark.parametrize("sign", ["Normal", "Reversed"])
@pytest.mark.parametrize("key", ["FY2025-P01", "FY2026-P03", "FY2026-P13", "FY2027-P01", "FY2027-P09"])
def test_trial_balance_in_our_sign(
    ledger: Acumatica, sandbox: Sandbox, calendar: FiscalCalendar, sign: str, key: str
) -> None:
    """Whatever sign the site prefers, debit is positive here, and the copy of the year's result is left out."""
    sandbox.set_switches(acumatica={"trial_balance_sign": sign, "order": "scrambled"})
    balances = ledger.read_trial_balance(calendar.period(key))
    want = [
        (b.account, b.beginning_minor, b.debit_minor, b.credit_minor, b.ending_minor)
        for b in sandbox.books.balances("ACTUAL", key)
    ]
    assert want == list(balances.itertuples(index=False, name=None))
    assert 0 == balances["closing_minor"].sum()


@pytest.mark.parametrize("way", WAYS)
def test_d11_lines_agree_with_the_trial_balance(connect: Connect, march: FiscalPeriod, way: str) -> None:
    """The turnover of the lines is that of the ERP's own balances, account by account."""
    with connect(lines_from=way) as ledger:
        lines = sum_lines(read(ledger, march)).groupby("account")[["debit_minor", "credit_minor"]].sum()
        balances = ledger.read_trial_balance(march).set_index("account")[["debit_minor", "credit_minor"]]
    moved = balances[(balances != 0).any(axis=1)]
    pd.testing.assert_frame_equal(moved, lines[(lines != 0).any(axis=1)], check_index_type=False, check_names=False)


def test_a_declared_net_income_account_is_left_out(connect: Connect, sandbox: Sandbox, march: FiscalPeriod) -> None:
    """Where the connection names the YTD Net Income account, it is not searched for."""
    with connect(net_income_account="3999") as ledger:
        assert sandbox.books.net_income not in set(ledger.read_trial_balance(march)["account"])
    with connect(net_income_account="1010") as ledger:
        assert sandbox.books.net_income in set(ledger.read_trial_balance(march)["account"])
