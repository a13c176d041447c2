"""Purchase orders with their lines, as rows of Kinetic's tables. The lines spell the order's number PONUM [S SNO, KERI]."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from mlc_pipelines.sandbox.ironvale.coding import minor_to_decimal
from mlc_pipelines.sandbox.ironvale.rows import Row, Where, matching
from mlc_pipelines.sandbox.ironvale.shapes import Order
from mlc_pipelines.sandbox.ironvale.tables import TABLES, row_id

if TYPE_CHECKING:
    from mlc_pipelines.sandbox.ironvale.books import Ironvale


def _orders(books: "Ironvale", where: Where) -> Sequence[Row]:
    return matching([_order(order) for order in books.orders.values()], where)


def _order(order: Order) -> Row:
    total = minor_to_decimal(sum(line.minor for line in order.lines))
    return {
        **TABLES["POHeader"].blank,
        "Company": order.company,
        "PONum": order.number,
        "OrderDate": order.day,
        "OpenOrder": order.open,
        "VendorNum": order.vendor,
        "BuyerID": "BUYER1",
        "CurrencyCode": order.currency,
        "Approve": order.status == "A",
        "ApprovalStatus": order.status,
        "ApprovedDate": order.day if order.status == "A" else None,
        "Confirmed": order.status == "A",
        "TotalOrder": total,
        "DocTotalOrder": total,
        "ChangeDate": order.changed_on,
        "ChangedBy": "buyer1",
        "SysRevID": order.rev,
        "SysRowID": row_id("POHeader", order.company, order.number),
    }


def _order_lines(books: "Ironvale", where: Where) -> Sequence[Row]:
    made: list[Row] = []
    for order in books.orders.values():
        for at, line in enumerate(order.lines, start=1):
            cost = minor_to_decimal(line.minor)
            made.append(
                {
                    **TABLES["PODetail"].blank,
                    "Company": order.company,
                    "PONUM": order.number,
                    "POLine": at,
                    "PartNum": line.part,
                    "LineDesc": line.text,
                    "OrderQty": Decimal(line.quantity),
                    "UnitCost": (cost / line.quantity).quantize(Decimal("0.00001")),
                    "ExtCost": cost,
                    "OpenLine": order.open,
                    "DueDate": order.day + timedelta(days=21),
                    "ChangeDate": order.changed_on,
                    "SysRevID": order.rev + at,
                    "SysRowID": row_id("PODetail", order.company, order.number, at),
                }
            )
    return matching(made, where)


MAKERS = {"POHeader": _orders, "PODetail": _order_lines}
