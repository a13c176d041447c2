"""Any entity as a table: every record once, every digit kept, and a name for whatever does not fit."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from mlc_pipelines.acumatica.client import Acumatica
from mlc_pipelines.ledger.errors import DataError, PipelineError, SetupError
from mlc_pipelines.ledger.extracts import ExtractRead, ExtractRule, stamps_of
from mlc_pipelines.ledger.fiscal import FiscalPeriod
from mlc_pipelines.sandbox import payables
from mlc_pipelines.sandbox.acumatica.contract import ENTITIES
from mlc_pipelines.sandbox.server import Sandbox

Connect = Callable[..., Acumatica]

VENDORS = ExtractRule("vendors", ("VendorID",), entity="Vendor", modified="LastModifiedDateTime")
BILLS = ExtractRule(
    "bills",
    ("Type", "ReferenceNbr"),
    entity="Bill",
    select=("Amount", "Date", "Hold", "Details/Account", "Details/Amount"),
    expand=("Details",),
    modified="LastModifiedDateTime",
    by_period="PostPeriod",
    page=20,
)
WHOLE = r"GET .*/Bill\?.*[$]expand=Details"


def rule(base: ExtractRule, **changes: Any) -> ExtractRule:
    return ExtractRule(**{**{name: getattr(base, name) for name in base.__dataclass_fields__}, **changes})


@pytest.fixture(autouse=True)
def few_books(sandbox: Sandbox) -> None:
    """Two periods of the sample company are enough here."""
    sandbox.books.batches[:] = [one for one in sandbox.books.batches if one.period in {"FY2026-P02", "FY2026-P03"}]


def read(connect: Connect, what: ExtractRule, period: FiscalPeriod | None = None) -> ExtractRead:
    with connect() as ledger:
        return ledger.read_extract(what, period, {})


def refusal(connect: Connect, kind: type[PipelineError], what: ExtractRule, period: FiscalPeriod | None = None) -> str:
    with pytest.raises(kind) as caught:
        read(connect, what, period)
    return str(caught.value)


def bills_of(sandbox: Sandbox, period: str) -> dict[str, int]:
    """Number and amount of each bill, from the sandbox's own books."""
    found = payables.bill_batches(sandbox.books)
    return {one.number[2:]: payables.payable_minor(one) for one in found if one.period == period}


def amounts(table: pa.Table) -> dict[str, int]:
    numbers = table["ReferenceNbr"].to_pylist()
    assert len(set(numbers)) == len(numbers)
    return dict(zip(numbers, [int(amount * 100) for amount in table["Amount"].to_pylist()], strict=True))


def planted(sandbox: Sandbox, match: str, pattern: str, text: str, times: int = 1) -> Any:
    action = {"kind": "replace", "pattern": pattern, "with": text}
    return sandbox.traffic.plant({"match": match, "times": times, "action": action})


def test_bills_of_a_period_equal_the_journals_behind_them(
    connect: Connect, sandbox: Sandbox, march: FiscalPeriod
) -> None:
    """Each bill once, its amount and its details to the cent; columns as the endpoint types them, none of them floating."""
    sandbox.set_switches(acumatica={"order": "scrambled"})
    came = read(connect, BILLS, march)
    assert bills_of(sandbox, march.key) == amounts(came.rows)
    details = [sum(row["Amount"] for row in rows) for rows in came.rows["Details"].to_pylist()]
    assert came.rows["Amount"].to_pylist() == details
    assert {
        "Type": "string",
        "ReferenceNbr": "string",
        "Amount": "decimal128(28, 8)",
        "Date": "timestamp[us, tz=UTC]",
        "Hold": "bool",
        "LastModifiedDateTime": "timestamp[us, tz=UTC]",
        "PostPeriod": "string",
        "Details": "list<element: struct<Account: string, Amount: decimal128(28, 8)>>",
    } == {field.name: str(field.type) for field in came.rows.schema}
    assert "DecimalValue" == came.types["Details/Amount"]


def test_a_linked_record_stands_in_its_record_as_a_list_of_one(connect: Connect) -> None:
    """MainContact is one nested record on the wire."""
    came = read(connect, rule(VENDORS, select=("VendorName", "MainContact/Email"), expand=("MainContact",)))
    assert [{"Email": "accounts1@vendor.example"}] == came.rows["MainContact"][0].as_py()
    assert ["VendorID", "VendorName", "LastModifiedDateTime", "MainContact"] == came.rows.column_names


def test_every_field_is_kept_where_none_is_chosen(connect: Connect, sandbox: Sandbox) -> None:
    """Without `select` all plain fields that the endpoint publishes are columns."""
    said = "LastModifiedDateTime gt datetimeoffset'2024-06-01T00:00:00Z'"
    with connect() as ledger:
        for kind in ("Vendor", "Bill", "PurchaseOrder", "Check"):
            came = ledger.read_extract(ExtractRule("all", ENTITIES[kind].keys, entity=kind, filter=said), None, {})
            assert {*ENTITIES[kind].fields} == {*came.rows.column_names}
            assert len(came.rows) == len(came.announced) > 0


def test_only_what_changed_is_read_again(connect: Connect, sandbox: Sandbox) -> None:
    """What is held with its present stamp is not fetched; what is new, or has no stamp, is."""
    with connect() as ledger:
        first = ledger.read_extract(VENDORS, None, {})
        held = stamps_of(first.rows, VENDORS)
        sandbox.site.vendors["V00003"].modified_at += timedelta(seconds=1)
        again = ledger.read_extract(VENDORS, None, held | {("V00005",): ""})
    assert ["V00003", "V00005"] == sorted(again.rows["VendorID"].to_pylist())
    assert set(held) == set(again.announced)


def test_d01_records_inserted_while_we_read_are_read_too(
    connect: Connect, sandbox: Sandbox, march: FiscalPeriod
) -> None:
    """Somebody enters vendors that sort before all others, and bills, after each list: none comes twice, none is missing."""
    sandbox.set_switches(acumatica={"meanwhile": "insert", "meanwhile_times": 2})
    came = read(connect, rule(VENDORS, page=3))
    assert sorted(sandbox.site.vendors) == sorted(came.rows["VendorID"].to_pylist())
    assert {"A00000", "A00001"} < set(came.rows["VendorID"].to_pylist())


def test_d02_records_deleted_while_we_read_are_not_kept(connect: Connect, sandbox: Sandbox) -> None:
    """A vendor that was announced and is gone before it is read, or after: the next reading of the keys says so."""
    sandbox.set_switches(acumatica={"meanwhile": "delete", "meanwhile_times": 1})
    came = read(connect, rule(VENDORS, page=3))
    assert sorted(sandbox.site.vendors) == sorted(came.rows["VendorID"].to_pylist())
    sandbox.set_switches(acumatica={"meanwhile": "nothing"})
    with connect() as ledger:
        held = stamps_of(ledger.read_extract(VENDORS, None, {}).rows, VENDORS)
        del sandbox.site.vendors["V00004"]
        again = ledger.read_extract(VENDORS, None, held)
    assert ("V00004",) not in again.announced
    assert sorted(sandbox.site.vendors) == sorted(key[0] for key in again.announced)


def test_a_record_changed_while_we_read_is_kept_as_it_is_now(connect: Connect, sandbox: Sandbox) -> None:
    """A list of records may take the newest state of each; only figures of a period must be of one piece."""
    sandbox.set_switches(acumatica={"meanwhile": "change", "meanwhile_times": 2})
    came = read(connect, VENDORS)
    names = dict(zip(came.rows["VendorID"].to_pylist(), came.rows["VendorName"].to_pylist(), strict=True))
    assert {code: vendor.name for code, vendor in sandbox.site.vendors.items()} == names


@pytest.mark.parametrize(
    "action",
    [
        pytest.param(
            {"kind": "status", "status": 200, "headers": {"content-type": "application/json"}, "body": "[]"}, id="empty"
        ),
        pytest.param({"kind": "replace", "pattern": r"(?s)\A\[(.*)\]\Z", "with": r"[\1,\1]"}, id="twice"),
    ],
)
def test_d04_a_page_amiss_is_asked_for_by_name(
    connect: Connect, sandbox: Sandbox, march: FiscalPeriod, action: dict[str, Any]
) -> None:
    """An empty page in the middle, or one that comes twice: its records are asked for by their keys."""
    fault = sandbox.traffic.plant({"match": WHOLE, "skip": 1, "action": action})
    assert bills_of(sandbox, march.key) == amounts(read(connect, BILLS, march).rows)
    assert 1 == fault.fired


def test_d04_records_that_never_come_are_named(connect: Connect, sandbox: Sandbox, march: FiscalPeriod) -> None:
    """Announced and not delivered: the failure names them, and the check on the screen is red with them."""
    answer = {"kind": "status", "status": 200, "headers": {"content-type": "application/json"}, "body": "[]"}
    sandbox.traffic.plant({"match": WHOLE, "times": -1, "action": answer})
    with pytest.raises(DataError, match=r"Bill 001146, .* more of extract bills FY2026-P03 are in the list") as caught:
        read(connect, BILLS, march)
    assert [("announced_came", 20)] == [(leg.name, len(leg.breaks)) for leg in caught.value.legs]


KEPT = {
    "0.00000001": "0.00000001",
    "12.500000000": "12.5",
    "1e-2": "0.01",
    "99999999999999999999.9": "99999999999999999999.9",
}


def test_every_digit_of_a_number_is_kept(connect: Connect, sandbox: Sandbox, march: FiscalPeriod) -> None:
    """Rates and quantities have more digits than money; none passes through a floating number."""
    with connect() as ledger:
        for text, kept in KEPT.items():
            planted(sandbox, WHOLE, r'"Amount":\{"value":[\d.]+\}', f'"Amount":{{"value":{text}}}')
            assert Decimal(kept) in ledger.read_extract(BILLS, march, {}).rows["Amount"].to_pylist()


AMOUNT, DATE, HOLD = r'"Amount":\{"value":[\d.]+\}', r'"Date":\{"value":"[^"]+"\}', r'"Hold":\{"value":false\}'
MISFITS = [
    (AMOUNT, '"Amount":{"value":0.000000001}', "Amount is '0.000000001', which is finer than 8 digits"),
    (AMOUNT, '"Amount":{"value":1e30}', "Amount is '1e30', which is larger"),
    (AMOUNT, '"Amount":{"value":true}', "Amount is 'true', which is no number"),
    (DATE, '"Date":{"value":"2025-09-01T00:00:00"}', "does not say its offset from UTC"),
    (r'"PostPeriod":\{"value":"\d+"\}', '"PostPeriod":{"value":"202603"}', "is '202603', asked for was 032026 or"),
    (r'"ReferenceNbr":\{"value":"\d+"\}', '"ReferenceNbr":{}', "came without its key"),
    (r'"Details":\[', '"Lines":[', "came without Details"),
    (HOLD, '"Hold":{"value":"no"}', "cannot be read"),
    (HOLD, '"Hold":{"value":false,"error":"No right."}', "with an error inside: .*No right."),
]


def test_a_record_that_does_not_fit_is_named(connect: Connect, sandbox: Sandbox, march: FiscalPeriod) -> None:
    """Nothing is rounded, guessed or left out: the message names record, field and text."""
    with connect() as ledger:
        for pattern, text, complaint in MISFITS:
            fault = planted(sandbox, WHOLE, pattern, text)
            with pytest.raises(DataError, match=complaint):
                ledger.read_extract(BILLS, march, {})
            assert 1 == fault.fired


UNFIT: list[tuple[dict[str, Any], str]] = [
    ({"entity": "Bil"}, "does not publish Type, ReferenceNbr"),
    ({"select": ("Amout", "Details/Acount")}, "does not publish Amout, Details/Acount of Bill"),
    ({"expand": ("Detail",), "select": ()}, "does not publish Detail of Bill"),
    ({"keys": ("Amount",)}, "key Amount is DecimalValue"),
    ({"modified": "Vendor"}, "modified Vendor is StringValue, not a time"),
    ({"by_period": "Date"}, "by_period Date is DateTimeValue, not a text"),
]


def test_a_declaration_that_does_not_fit_the_endpoint_reads_nothing(
    connect: Connect, sandbox: Sandbox, march: FiscalPeriod
) -> None:
    """Fields and their types are held against what the endpoint publishes, before a record is read; the remedy names the extract."""
    with connect() as ledger:
        for changes, complaint in UNFIT:
            with pytest.raises(SetupError, match=complaint) as caught:
                ledger.read_extract(rule(BILLS, **changes), march, {})
            assert "extracts.bills" in str(caught.value)
    assert not [one for one in sandbox.traffic.requests if "/Bill?" in one.path]


def test_what_an_upgrade_removed_is_named_and_red(connect: Connect, sandbox: Sandbox, march: FiscalPeriod) -> None:
    """The leg for the screen has the field that is gone."""
    sandbox.set_switches(acumatica={"removed": ["Bill/Details/Amount"]})
    with pytest.raises(SetupError, match="Details/Amount of Bill") as caught:
        read(connect, BILLS, march)
    assert [("fields_published", ["Details/Amount"])] == [
        (leg.name, list(leg.breaks["field"])) for leg in caught.value.legs
    ]


def test_a_filter_of_ones_own_chooses_records(connect: Connect, sandbox: Sandbox) -> None:
    """It stands beside our own conditions, in brackets."""
    came = read(connect, rule(VENDORS, filter="VendorID eq 'V00001' or VendorID eq 'V00002'", page=1))
    assert ["V00001", "V00002"] == came.rows["VendorID"].to_pylist()
    assert datetime(2024, 7, 1, 8, tzinfo=UTC) == came.rows["LastModifiedDateTime"][0].as_py()
