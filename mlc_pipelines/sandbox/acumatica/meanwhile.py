"""What others do while somebody reads page after page: a record is inserted, deleted or changed after a list of its kind was answered.

Switched on by `meanwhile`, so many times as `meanwhile_times` says. Inserted vendors and orders sort before all others, where a reader who pages by
position sees a row twice; the first one is deleted, where that reader misses one.
"""

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from mlc_pipelines.sandbox import chart
from mlc_pipelines.sandbox.payables import Order, Vendor, bill_batches, check_batches
from mlc_pipelines.sandbox.shapes import Batch, Line

if TYPE_CHECKING:
    from mlc_pipelines.sandbox.acumatica.site import Site

_PAPERS = {"Bill": bill_batches, "Check": check_batches, "JournalTransaction": bill_batches}


def happen(site: "Site", kind: str) -> None:
    """Do it once for this kind of record ("Bill"), if the switch says so and the times are not used up."""
    deed = site.switches["meanwhile"]
    if deed == "nothing" or not site.switches["meanwhile_times"]:
        return
    if kind not in {"Vendor", "PurchaseOrder", *_PAPERS}:
        return
    site.switches["meanwhile_times"] -= 1
    left, now = site.switches["meanwhile_times"], site.clock.now()
    if kind == "Vendor":
        _to_vendors(site.vendors, deed, left, now)
    elif kind == "PurchaseOrder":
        _to_orders(site.orders, deed, left, now)
    else:
        _to_batches(site, kind, deed, now)


def _to_vendors(vendors: dict[str, Vendor], deed: str, left: int, now: datetime) -> None:
    first = vendors[min(vendors)]
    if deed == "insert":
        code = f"A{left:05d}"
        vendors[code] = replace(first, code=code, name=f"New vendor {left}", created_at=now, modified_at=now)
    elif deed == "delete":
        del vendors[first.code]
    else:
        first.name, first.modified_at = f"{first.name} (renamed)", now


def _to_orders(orders: list[Order], deed: str, left: int, now: datetime) -> None:
    if deed == "insert":
        orders.append(replace(orders[0], number=f"A{left:06d}", modified_at=now, lines=list(orders[0].lines)))
    elif deed == "delete":
        orders.remove(min(orders, key=lambda order: order.number))
    else:
        orders[0].status, orders[0].modified_at = "Cancelled", now


def _to_batches(site: "Site", kind: str, deed: str, now: datetime) -> None:
    first: Batch = next(_PAPERS[kind](site.books))
    if deed == "insert":
        lines = [
            Line(0, "6100", chart.CORPORATE, first.branch, 4200, 0),
            Line(0, chart.PAYABLES, chart.CORPORATE, first.branch, 0, 4200),
        ]
        if kind == "Check":
            lines = [
                Line(0, chart.PAYABLES, chart.CORPORATE, first.branch, 4200, 0),
                Line(0, chart.BANK, chart.CORPORATE, first.branch, 0, 4200),
            ]
        site.books.post(first.ledger, first.period, first.branch, "Posted", "Meanwhile", lines, now=now, module="AP")
    elif deed == "delete":
        site.books.batches.remove(first)
    else:
        first.description, first.modified_at = f"{first.description} (edited)", now
