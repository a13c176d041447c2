"""Vendors, bills, checks and purchase orders as records of the contract."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from mlc_pipelines.sandbox import chart, payables
from mlc_pipelines.sandbox.acumatica import periods
from mlc_pipelines.sandbox.acumatica.wire import Record, Value, record_id
from mlc_pipelines.sandbox.shapes import Batch, Line

if TYPE_CHECKING:
    from mlc_pipelines.sandbox.acumatica.site import Site

_ONE = 100  # a quantity of one, in hundredths like every decimal here


def vendors(site: "Site") -> Iterator[Record]:
    """All vendors, each with its main contact."""
    for one in sorted(site.vendors.values(), key=lambda vendor: vendor.code):
        values: dict[str, Value] = {
            "APAccount": chart.PAYABLES,
            "APSubaccount": chart.CORPORATE,
            "CashAccount": chart.BANK,
            "CreatedDateTime": one.created_at,
            "CurrencyID": site.books.currency,
            "F1099Vendor": False,
            "LastModifiedDateTime": one.modified_at,
            "LegalName": one.name,
            "PaymentMethod": "CHECK",
            "Status": one.status,
            "Terms": one.terms,
            "VendorClass": one.vendor_class,
            "VendorID": one.code,
            "VendorName": one.name,
        }
        yield Record(record_id("Vendor", one.code), values, {"MainContact": _contact(one)})


def _contact(one: payables.Vendor) -> Callable[[], list[Record]]:
    values: dict[str, Value] = {"DisplayName": f"Accounts, {one.name}", "Email": one.email}
    return lambda: [Record(record_id("Contact", one.code), values)]


def bills(site: "Site") -> Iterator[Record]:
    """The bills behind the AP journals; those of open periods are not paid yet."""
    for batch in payables.bill_batches(site.books):
        period, amount = site.books.periods[batch.period], payables.payable_minor(batch)
        vendor = site.vendors.get(payables.vendor_of(batch))
        terms = vendor.terms if vendor else "30D"
        values: dict[str, Value] = {
            "Amount": amount,
            "ApprovedForPayment": period.status != "Open",
            "Balance": amount if period.status == "Open" else 0,
            "BranchID": batch.branch,
            "CurrencyID": batch.currency,
            "Date": batch.date,
            "Description": batch.description or None,
            "DueDate": payables.due_on(batch, terms),
            "Hold": False,
            "LastModifiedDateTime": batch.modified_at,
            "PostPeriod": periods.shown(site, period),
            "ReferenceNbr": batch.number[2:],
            "Status": "Open" if period.status == "Open" else "Closed",
            "TaxTotal": 0,
            "Terms": terms,
            "Type": "Bill",
            "Vendor": payables.vendor_of(batch),
            "VendorRef": payables.reference_of(batch) or None,
        }
        yield Record(record_id("Bill", batch.number), values, {"Details": _charges(batch)})


def _charges(batch: Batch) -> Callable[[], list[Record]]:
    def rows() -> list[Record]:
        return [
            Record(record_id("BillDetail", batch.number, str(line.number)), _charge(line))
            for line in payables.charges(batch)
        ]

    return rows


def _charge(line: Line) -> dict[str, Value]:
    amount = line.debit_minor - line.credit_minor
    return {
        "Account": line.account,
        "Amount": amount,
        "Branch": line.branch,
        "ExtendedCost": amount,
        "NonBillable": False,
        "Qty": _ONE,
        "Subaccount": line.subaccount,
        "TransactionDescription": line.description or None,
        "UnitCost": amount,
    }


def checks(site: "Site") -> Iterator[Record]:
    """The payments behind the AP journals. Which bills they paid is not told."""
    for batch in payables.check_batches(site.books):
        values: dict[str, Value] = {
            "ApplicationDate": batch.date,
            "CashAccount": chart.BANK,
            "CurrencyID": batch.currency,
            "Description": batch.description or None,
            "Hold": False,
            "LastModifiedDateTime": batch.modified_at,
            "PaymentAmount": -payables.payable_minor(batch),
            "PaymentMethod": "CHECK",
            "PaymentRef": payables.reference_of(batch) or None,
            "ReferenceNbr": batch.number[2:],
            "Status": "Closed",
            "Type": "Payment",
            "UnappliedBalance": 0,
            "Vendor": payables.vendor_of(batch),
        }
        yield Record(record_id("Check", batch.number), values, {"Details": list})


def orders(site: "Site") -> Iterator[Record]:
    """All purchase orders."""
    for one in sorted(site.orders, key=lambda order: order.number):
        vendor = site.vendors.get(one.vendor)
        values: dict[str, Value] = {
            "Branch": one.branch,
            "ControlTotal": one.total_minor,
            "CurrencyID": site.books.currency,
            "Date": one.day,
            "Description": None,
            "Hold": False,
            "LastModifiedDateTime": one.modified_at,
            "LineTotal": one.total_minor,
            "OrderNbr": one.number,
            "OrderTotal": one.total_minor,
            "PromisedOn": one.day + timedelta(days=10),
            "Status": one.status,
            "TaxTotal": 0,
            "Terms": vendor.terms if vendor else None,
            "Type": "Normal",
            "VendorID": one.vendor,
            "VendorRef": one.reference or None,
        }
        yield Record(record_id("PurchaseOrder", one.number), values, {"Details": _ordered(one)})


def _ordered(order: payables.Order) -> Callable[[], list[Record]]:
    def rows() -> list[Record]:
        return [
            Record(record_id("PurchaseOrderDetail", order.number, str(at)), _order_line(at, line))
            for at, line in enumerate(order.lines, start=1)
        ]

    return rows


def _order_line(number: int, line: Line) -> dict[str, Value]:
    return {
        "Account": line.account,
        "BranchID": line.branch,
        "Cancelled": False,
        "Completed": True,
        "ExtendedCost": line.debit_minor,
        "LineDescription": line.description or None,
        "LineNbr": number,
        "LineType": "Service",
        "OrderQty": _ONE,
        "Subaccount": line.subaccount,
        "UnitCost": line.debit_minor,
    }
