"""Any entity set or query as a table: every record once, every digit kept, and a name for whatever does not fit."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import httpx
import pytest

from mlc_pipelines.epicor.client import Epicor
from mlc_pipelines.ledger.errors import DataError, PipelineError, SetupError, TransientError
from mlc_pipelines.ledger.extracts import ExtractRead, ExtractRule, stamps_of
from mlc_pipelines.ledger.fiscal import FiscalPeriod
from mlc_pipelines.sandbox.server import Sandbox

Connect = Callable[..., Epicor]

VENDORS = ExtractRule("vendors", ("VendorID",), entity="Erp.BO.VendorSvc/Vendors", modified="SysRevID")
INVOICES = ExtractRule(
    "invoices",
    ("VendorNum", "InvoiceNum"),
    entity="Erp.BO.APInvoiceSvc/APInvoices",
    select=("InvoiceAmt", "ApplyDate", "Posted", "APInvDtls/InvoiceLine", "APInvDtls/ExtCost"),
    expand=("APInvDtls",),
    modified="SysRevID",
    by_period="FiscalPeriod",
    page=30,
)
ORDERS = ExtractRule(
    "orders", ("PONum",), entity="Erp.BO.POSvc/POes", select=("OrderDate", "TotalOrder"), by_period="OrderDate"
)
QUERY = ExtractRule(
    "spend",
    ("Vendor_VendorID", "APInvHed_InvoiceNum", "APInvExp_InvoiceLine", "APInvExp_InvExpSeq"),
    inquiry="ML_APSpend",
    select=("APInvExpTGLC_BookDebitAmount", "APInvHed_ApplyDate"),
    parameters={"Company": "{company}", "FromDate": "{from}", "ToDate": "{to}"},
    by_period="APInvHed_FiscalPeriod",
    page=50,
)


def read(connect: Connect, rule: ExtractRule, period: FiscalPeriod | None = None, held: Any = None) -> ExtractRead:
    with connect() as ledger:
        return ledger.read_extract(rule, period, held or {})


def refusal(connect: Connect, kind: type[PipelineError], rule: ExtractRule, period: FiscalPeriod | None = None) -> str:
    with pytest.raises(kind) as caught:
        read(connect, rule, period)
    return str(caught.value)


def test_every_column_is_kept_where_none_is_chosen(connect: Connect) -> None:
    """As the service types them; a company and a version always stand beside them."""
    came = read(connect, VENDORS)
    assert len(came.rows) == len(came.announced) > 30
    types = {field.name: str(field.type) for field in came.rows.schema}
    assert {
        "VendorID": "string",
        "VendorNum": "int64",
        "Inactive": "bool",
        "SysRevID": "int64",
    }.items() <= types.items()
    assert {"IVM"} == {*came.rows["Company"].to_pylist()}
    assert "Edm.Int64" == came.types["SysRevID"]
    assert "0042" in came.rows["VendorID"].to_pylist()


def test_only_what_changed_is_read_again(connect: Connect, sandbox: Sandbox) -> None:
    """What is held in its present version is not fetched; a changed record, a new one, and one without a stamp are."""
    with connect() as ledger:
        first = ledger.read_extract(VENDORS, None, {})
        held = stamps_of(first.rows, VENDORS)
        assert 0 == len(ledger.read_extract(VENDORS, None, held).rows)
        again = ledger.read_extract(VENDORS, None, held | {("ACME",): "", ("0042",): "7"})
    assert ["0042", "ACME"] == sorted(again.rows["VendorID"].to_pylist())
    assert set(held) == set(again.announced)


def test_a_period_by_number_year_and_suffix(connect: Connect, sandbox: Sandbox, december: FiscalPeriod) -> None:
    """Amounts and details to the cent; dates as they are written; none of another period or company."""
    came = read(connect, INVOICES, december)
    assert {(3, 2026, "", "IVM")} == set(
        zip(
            *(came.rows[name].to_pylist() for name in ("FiscalPeriod", "FiscalYear", "FiscalYearSuffix", "Company")),
            strict=True,
        )
    )
    ours = [
        one for one in sandbox.ironvale.invoices.values() if one.company == "IVM" and one.period.key == december.key
    ]
    assert len(ours) == len(came.rows)
    assert {
        "VendorNum": "int64",
        "InvoiceNum": "string",
        "InvoiceAmt": "decimal128(28, 8)",
        "ApplyDate": "timestamp[us]",
        "Posted": "bool",
        "SysRevID": "int64",
        "FiscalPeriod": "int64",
        "FiscalYear": "int64",
        "FiscalYearSuffix": "string",
        "Company": "string",
        "APInvDtls": "list<element: struct<InvoiceLine: int64, ExtCost: decimal128(28, 8)>>",
    } == {field.name: str(field.type) for field in came.rows.schema}
    assert datetime(2025, 11, 24) in came.rows["ApplyDate"].to_pylist()  # noqa: DTZ001  (Kinetic names no zone)


def test_a_period_by_a_date(connect: Connect, december: FiscalPeriod) -> None:
    """From its first day to its last."""
    came = read(connect, ORDERS, december)
    days = [at.date() for at in came.rows["OrderDate"].to_pylist()]
    assert days
    assert december.start_on <= min(days)
    assert max(days) <= december.end_on


def test_a_query_as_an_inquiry(connect: Connect, december: FiscalPeriod) -> None:
    """Typed by its own description, parameters filled in, in pages."""
    came = read(connect, QUERY, december)
    assert len(came.rows) == len(came.announced) > 100
    assert "decimal128(28, 8)" == str(came.rows.schema.field("APInvExpTGLC_BookDebitAmount").type)


@pytest.mark.parametrize("page_max", [1, 7])
def test_pages_of_any_size(connect: Connect, sandbox: Sandbox, page_max: int) -> None:
    """Each record once."""
    whole = read(connect, VENDORS)
    sandbox.set_switches(epicor={"page_max": page_max})
    assert whole.announced == read(connect, replace(VENDORS, page=7)).announced


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("what", ["insert", "change", "delete"])
def test_d01_d02_records_that_move_while_we_read(
    connect: Connect, sandbox: Sandbox, december: FiscalPeriod, what: str, times: int
) -> None:
    """What is kept is what is there: listed again until two lists agree."""
    sandbox.set_switches(epicor={"meanwhile": what, "meanwhile_times": times})
    try:
        came = read(connect, replace(INVOICES, page=10), december)
    except (DataError, TransientError):
        return
    keys = list(zip(came.rows["VendorNum"].to_pylist(), came.rows["InvoiceNum"].to_pylist(), strict=True))
    assert sorted(keys) == sorted(came.announced)


def test_each_key_comes_once(connect: Connect, sandbox: Sandbox, december: FiscalPeriod) -> None:
    """Keys that do not tell the rows of a query apart are told, with the leg that shows them."""
    rule = replace(QUERY, keys=("Vendor_VendorID",))
    with connect() as ledger, pytest.raises(DataError) as caught:
        ledger.read_extract(rule, december, {})
    assert "came twice" in str(caught.value)
    assert "each_key_once" == caught.value.leg


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (replace(VENDORS, entity="Vendors"), "write it like Erp.BO.VendorSvc/Vendors"),
        (replace(VENDORS, entity="Erp.BO.VendorSvc/Suppliers"), "has no entity set Suppliers; it has"),
        (replace(VENDORS, entity="Erp.BO.NoSuchSvc/Vendors"), "this instance has no Erp.BO.NoSuchSvc"),
        (replace(VENDORS, modified="ChangeDate"), "what tells every change of a row is SysRevID"),
        (replace(VENDORS, select=("Nam",)), "does not publish Nam as something that can be kept"),
        (replace(VENDORS, keys=("Inactive",)), "key Inactive is Edm.Boolean"),
        (replace(VENDORS, expand=("Orders",)), "does not publish Orders"),
        (replace(VENDORS, by_period="Name"), "by_period Name is neither a date nor a FiscalPeriod"),
        (replace(QUERY, inquiry="ML_Nothing"), "has no query ML_Nothing"),
    ],
)
def test_declarations_that_cannot_be(connect: Connect, december: FiscalPeriod, rule: ExtractRule, said: str) -> None:
    """Told before anything is read, with what there is."""
    assert said in refusal(connect, SetupError, rule, december if rule.by_period else None)


@pytest.mark.parametrize(
    ("match", "pattern", "text", "said"),
    [
        (
            r"APInvoices\?.*expand",
            r'"InvoiceAmt":[\d.]+',
            '"InvoiceAmt":1e400',
            "InvoiceAmt is '1e400', which is larger",
        ),
        (r"APInvoices\?.*expand", r'"InvoiceAmt":[\d.]+', '"InvoiceAmt":0.0000000001', "finer than 8 digits"),
        (
            r"APInvoices\?.*expand",
            r'"ApplyDate":"[^"]+"',
            '"ApplyDate":"24/11/2025"',
            "ApplyDate is '24/11/2025', which is no date or time",
        ),
        (r"APInvoices\?", r'"FiscalPeriod":3', '"FiscalPeriod":4', "asked for was FY2026-P03"),
        (r"APInvoices\?", r'"InvoiceNum":"[^"]+"', '"InvoiceNum":null', "without its key"),
        (r"APInvoices\?", r'"Company":"IVM"', '"Company":"IVC"', "row of company IVC"),
    ],
)
def test_a_record_that_does_not_fit_is_named(
    connect: Connect, sandbox: Sandbox, december: FiscalPeriod, match: str, pattern: str, text: str, said: str
) -> None:
    """By extract, key, column and text; nothing is rounded or guessed."""
    sandbox.traffic.plant(
        {"match": match, "times": -1, "action": {"kind": "replace", "pattern": pattern, "with": text}}
    )
    assert said in refusal(connect, PipelineError, INVOICES, december)


def test_announced_records_that_do_not_come(connect: Connect, sandbox: Sandbox, december: FiscalPeriod) -> None:
    """Named, with the leg that shows them."""
    action = {"kind": "status", "status": 200, "headers": {"content-type": "application/json"}, "body": '{"value":[]}'}
    sandbox.traffic.plant({"match": r"APInvoices\?.*expand", "times": -1, "action": action})
    with connect() as ledger, pytest.raises(DataError):
        ledger.read_extract(INVOICES, december, {})


def test_a_filter_of_ones_own(connect: Connect) -> None:
    """In the ERP's filter language, together with whatever else narrows the reading."""
    came = read(connect, replace(VENDORS, filter="Inactive eq true or VendorID eq 'ACME'"))
    assert "ACME" in came.rows["VendorID"].to_pylist()
    assert 2 < len(came.rows) < 10


def test_a_changed_record_is_read_again(connect: Connect, sandbox: Sandbox, december: FiscalPeriod) -> None:
    """One more invoice in the period: it alone is fetched whole."""
    with connect() as ledger:
        first = ledger.read_extract(INVOICES, december, {})
        said = {
            "vendor": "ACME",
            "number": "NEW-1",
            "period": december.key,
            "expenses": [{"account": "6520", "dept": "420", "amount": "12.50"}],
        }
        assert 200 == httpx.post(f"{sandbox.url}/control/epicor/invoices", json=said).status_code
        again = ledger.read_extract(INVOICES, december, stamps_of(first.rows, INVOICES))
    assert ["NEW-1"] == again.rows["InvoiceNum"].to_pylist()
    assert len(first.announced) + 1 == len(again.announced)
