"""AP spend: what invoices were distributed to, by the subledger, by a query, and by the ledger's own lines."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from mlc_pipelines.epicor.baq import SUGGESTED
from mlc_pipelines.epicor.client import Epicor
from mlc_pipelines.epicor.config import Baqs
from mlc_pipelines.ledger.errors import DataError, SetupError
from mlc_pipelines.ledger.fiscal import FiscalPeriod, from_iso
from mlc_pipelines.ledger.journal import SPEND
from mlc_pipelines.sandbox.server import Sandbox

Connect = Callable[..., Epicor]
WAYS = {"entities": Baqs(), "query": Baqs(ap_spend=SUGGESTED["ap_spend"])}
INVOICES = r"APInvoices\?.*expand"


def spend(ledger: Epicor, period: FiscalPeriod) -> pa.Table:
    return pa.Table.from_batches(ledger.read_spend(period))


def net(table: pa.Table) -> dict[tuple[str, str, str], int]:
    """By vendor, account and department; debit positive."""
    sums: dict[tuple[str, str, str], int] = defaultdict(int)
    for row in table.to_pylist():
        sums[row["vendor"], row["account"], row["subaccount"].partition("|")[0]] += (
            row["debit_minor"] - row["credit_minor"]
        )
    return {key: amount for key, amount in sums.items() if amount}


def truth(sandbox: Sandbox, period: str) -> dict[tuple[str, str, str], int]:
    return {
        (vendor, account, dept): amount
        for vendor, account, dept, amount in sandbox.ironvale.spend_truth(period)
        if amount
    }


def test_vendors_in_code_order(ledger: Epicor) -> None:
    """Codes are text, "0042" and "NULL" too; of the sister company's vendors none."""
    vendors = ledger.read_vendors().set_index("code")
    assert vendors.index.is_monotonic_increasing
    assert {"0042", "ACME", "NULL"} <= {*vendors.index}
    assert (True, False) == (vendors["active"]["ACME"], vendors["active"]["NULL"])
    assert "Acme Steel Supply" == vendors["name"]["ACME"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("key", "first", "last"),
    [
        ("FY2024T-P02", "2024-07-28", "2024-08-31"),
        ("FY2026-P03", "2025-11-23", "2025-12-27"),
        ("FY2026-P12", "2026-08-23", "2026-09-26"),
    ],
)
def test_distributions_equal_the_books(
    connect: Connect, sandbox: Sandbox, way: str, key: str, first: str, last: str
) -> None:
    """Each distribution once, in the book's currency, debit memos and cancellations as booked; other books' rows, account-only rows and unposted invoices left aside."""
    with connect(baqs=WAYS[way]) as ledger:
        table = spend(ledger, from_iso(key, first, last))
    assert SPEND == table.schema
    assert truth(sandbox, key) == net(table)
    assert {"invoice"} == {*table["origin"].to_pylist()}


def test_an_invoice_that_was_distributed_to_nothing_is_there(ledger: Epicor, december: FiscalPeriod) -> None:
    """It only clears receipts: one row without account and amount, so that nobody misses it."""
    empty = [row for row in spend(ledger, december).to_pylist() if not row["account"]]
    assert empty
    assert {("", "", 0, 0, "invoice")} == {
        (row["account"], row["subaccount"], row["debit_minor"], row["credit_minor"], row["origin"]) for row in empty
    }
    assert all(row["vendor"] and row["invoice"] for row in empty)


def test_the_ledger_says_the_same_of_what_was_bought(ledger: Epicor, sandbox: Sandbox, december: FiscalPeriod) -> None:
    """Lines from payables on expense accounts, those of invoices: vendor by vendor, account by account what the invoices say."""
    expenses = set(ledger.read_accounts().query("kind == 'Expense'")["code"])
    lines = pa.Table.from_batches(ledger.read_ledger_spend(december))
    assert SPEND == lines.schema
    assert {"invoice", "payment"} == {*lines["origin"].to_pylist()}
    bought = [row for row in lines.to_pylist() if row["origin"] == "invoice"]
    of_invoices = net(pa.Table.from_pylist(bought, schema=SPEND))
    wanted = {key: amount for key, amount in truth(sandbox, december.key).items() if key[1] in expenses}
    found = {key: amount for key, amount in of_invoices.items() if key[1] in expenses}
    # Tax and rounding of foreign invoices stand in the ledger alone.
    assert wanted == {key: amount for key, amount in found.items() if key in wanted}


def test_the_payables_account_is_left_out_of_both(connect: Connect, december: FiscalPeriod) -> None:
    """Found by the totals of invoices, or declared; nothing else is left out with it."""
    with connect() as ledger:
        found = pa.Table.from_batches(ledger.read_ledger_spend(december))
    with connect(payables_accounts=("2010",)) as ledger:
        accounts = {*pa.Table.from_batches(ledger.read_ledger_spend(december))["account"].to_pylist()}
        kinds = ledger.read_accounts().set_index("code")["kind"]
        names = ledger.read_accounts().set_index("code")["name"]
    control = {account for account in accounts if "payable, trade" in names[account].lower()} | {"2010"}
    assert not control & {*found["account"].to_pylist()}
    assert {"Expense"} <= {kinds[account] for account in found["account"].to_pylist()}
    assert len(found) > 100


@pytest.mark.parametrize("page", [2, 7, 500])
def test_invoices_in_pages_of_any_size(connect: Connect, sandbox: Sandbox, december: FiscalPeriod, page: int) -> None:
    """Children stay with their invoice."""
    with connect(page=page) as ledger:
        assert truth(sandbox, december.key) == net(spend(ledger, december))


@pytest.mark.parametrize("times", [1, 2])
def test_an_invoice_that_is_written_again_while_we_read_counts_once(
    connect: Connect, sandbox: Sandbox, december: FiscalPeriod, times: int
) -> None:
    """Its new version comes at the end; it says the same."""
    sandbox.set_switches(epicor={"meanwhile": "change", "meanwhile_times": times})
    with connect(page=20) as ledger:
        assert truth(sandbox, december.key) == net(spend(ledger, december))


def test_lists_that_are_cut_off_are_refused(connect: Connect, sandbox: Sandbox, december: FiscalPeriod) -> None:
    """A link beside an expanded list says that there is more: the invoice is named, and the way out."""
    sandbox.set_switches(epicor={"expand_max": 1})
    with (
        connect() as ledger,
        pytest.raises(
            SetupError, match=r"only a part of what stands below Invoice \S+ of vendor number \d+(?s:.*)`erp.baqs`"
        ),
    ):
        spend(ledger, december)


@pytest.mark.parametrize(
    ("removed", "named"),
    [
        ("APInvHed/InvoiceAmt", "APInvoices of Epicor IVM has no column InvoiceAmt"),
        (
            "APInvExpTGLC/RecordType",
            "APInvoices of Epicor IVM/APInvDtls/APInvExps/APInvExpTGLCs has no column RecordType",
        ),
        ("APInvDtl/InvoiceLine", "APInvoices of Epicor IVM/APInvDtls has no column InvoiceLine"),
    ],
)
def test_c08_columns_below_are_checked_too(
    connect: Connect, sandbox: Sandbox, december: FiscalPeriod, removed: str, named: str
) -> None:
    """Down to the distributions, before an invoice is read."""
    sandbox.set_switches(epicor={"removed": [removed]})
    with connect() as ledger, pytest.raises(SetupError) as caught:
        spend(ledger, december)
    assert named in str(caught.value)


@pytest.mark.parametrize(
    ("pattern", "text", "said"),
    [
        (r'"Posted":true', '"Posted":false', "Posted is False"),
        (r'"FiscalPeriod":3', '"FiscalPeriod":4', "FiscalPeriod is 4"),
        (r'("RecordType":"R".*?"BookDebitAmount":)[\d.]+', r'\g<1>"x"', "BookDebitAmount"),
        (r'("RecordType":"R".*?"SegValue1":)"\d+"', r'\g<1>""', "SegValue1, the account, is missing"),
        (r'"VendorNum":\d+', '"VendorNum":999999', "names vendor number 999999"),
        (r'("APInvExpTGLCs":\[\{"Company":)"IVM"', r'\g<1>"IVC"', "of company IVC"),
    ],
)
def test_an_invoice_that_is_wrong_is_named(
    connect: Connect, sandbox: Sandbox, december: FiscalPeriod, pattern: str, text: str, said: str
) -> None:
    """By invoice and vendor."""
    action: dict[str, Any] = {"kind": "replace", "pattern": pattern, "with": text}
    sandbox.traffic.plant({"match": INVOICES, "times": -1, "action": action})
    with connect() as ledger, pytest.raises((DataError, SetupError)) as caught:
        spend(ledger, december)
    assert said in str(caught.value)


def test_a_period_without_invoices(ledger: Epicor) -> None:
    """One batch without rows, from both sides."""
    period = from_iso("FY2027-P05", "2027-01-24", "2027-02-20")
    for read in (ledger.read_spend, ledger.read_ledger_spend):
        [batch] = read(period)
        assert (0, SPEND) == (len(batch), batch.schema)
