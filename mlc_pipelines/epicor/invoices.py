"""Invoices with everything below them that was distributed, in one request a page: children are read through their parents alone.

    APInvoices -> APInvDtls -> APInvExps -> APInvExpTGLCs, and -> APIHAPInvExps where the invoice as a whole has expenses [S SNO]

Filtering a set of children by itself leaves rows out without a word, and a filter within $expand is ignored [C SUG]; so the filter stands at the
top and rows of other books are left out here. TGLC rows: R with amounts, A account only [S SNO].
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec
import pyarrow as pa
from msgspec import field

from mlc_pipelines.epicor import columns, metadata, wire
from mlc_pipelines.epicor.codec import Books
from mlc_pipelines.epicor.connection import Connection
from mlc_pipelines.epicor.lines import minor
from mlc_pipelines.epicor.odata import Feed, feed_of, pages, require_company
from mlc_pipelines.epicor.payables import Control, Piece, Vendors, of_period, spend_batch
from mlc_pipelines.ledger.errors import SetupError, TransientError
from mlc_pipelines.ledger.fiscal import FiscalPeriod

WITH_AMOUNTS = "R"
_PAGE = 500
_LINES, _EXPENSES, _OF_INVOICE, _DISTRIBUTIONS = "APInvDtls", "APInvExps", "APIHAPInvExps", "APInvExpTGLCs"


def read_spend(
    site: Connection, books: Books, period: FiscalPeriod, vendors: Vendors, control: Control
) -> Iterator[pa.RecordBatch]:
    """Distributions of the invoices posted in the period, in batches of journal.SPENT."""
    seen: dict[tuple[int, str], int] = {}
    for page in pages(site, _feed(site, books, period)):
        _require_of_period(page, books, period)
        totals = minor(page, "amount", books.currency, "InvoiceAmt", _namer(page))
        pieces = [
            piece
            for invoice, total in zip(page, totals.tolist(), strict=True)
            if _is_fresh(invoice, seen)
            for piece in _pieces(invoice, total, books, vendors)
        ]
        if pieces:
            yield spend_batch(pieces, books, control)


class _Line(wire.Row, kw_only=True):
    number: int = field(name="InvoiceLine")


def _feed(site: Connection, books: Books, period: FiscalPeriod) -> Feed[Any]:
    headers = feed_of(site, wire.INVOICES, where=of_period(books, period), of=period.key)
    distribution = _with(wire.Distribution, {}, books.chart.size)
    expense = _with(wire.Row, {_DISTRIBUTIONS: distribution})
    below: dict[str, type[Any]] = {_LINES: _with(_Line, {_EXPENSES: expense})}
    if site.config.check_fields:
        published = site.published(wire.INVOICES.service)
        header = published.rows_of(wire.INVOICES.set) or metadata.Kind()
        if _DISTRIBUTIONS in published.kind(header.children.get(_OF_INVOICE, "")).children:
            below[_OF_INVOICE] = expense
        _require_children(published, header, below, f"{wire.INVOICES.name} of {site.config.system}")
    expand = ",".join(f"{name}({_asked(row)})" for name, row in below.items())
    return replace(headers, row=_with(wire.InvoiceHeader, below), options={"$expand": expand}, page=_PAGE)


def _with(row: type[Any], children: Mapping[str, type[Any]], segments: int = 0) -> type[Any]:
    """The type of rows with segment values, with lists of children, and with the link beside each list that says that it was cut off."""
    more: list[tuple[str, Any, Any]] = [
        (f"s{number}", str | None, field(name=f"SegValue{number}", default=None)) for number in range(1, segments + 1)
    ]
    for number, (name, child) in enumerate(children.items()):
        more.append((f"below{number}", list[child], field(name=name)))  # type: ignore[valid-type]
        more.append((f"cut{number}", str | None, field(name=f"{name}@odata.nextLink", default=None)))
    return msgspec.defstruct(row.__name__, more, bases=(row,), kw_only=True)


def _plain(row: type[Any]) -> list[str]:
    """The columns of a type of rows."""
    return [one.encode_name for one in msgspec.structs.fields(row) if not one.name.startswith(("below", "cut"))]


def _children(row: type[Any]) -> dict[str, type[Any]]:
    """The children of a type of rows."""
    return {
        one.encode_name: one.type.__args__[0] for one in msgspec.structs.fields(row) if one.name.startswith("below")
    }


def _asked(row: type[Any]) -> str:
    """$select and $expand of a child; a nested $expand works [C SUG]."""
    nested = ",".join(f"{name}({_asked(child)})" for name, child in _children(row).items())
    return f"$select={','.join(_plain(row))}" + (f";$expand={nested}" if nested else "")


def _require_children(
    published: metadata.Published, kind: metadata.Kind, children: Mapping[str, type[Any]], what: str
) -> None:
    """Every child and its columns are published, down to the distributions (C08)."""
    for name, row in children.items():
        found = published.kind(kind.children[name]) if name in kind.children else None
        metadata.require_columns(_plain(row), found, f"{what}/{name}")
        _require_children(published, found or metadata.Kind(), _children(row), f"{what}/{name}")


def _require_of_period(page: Sequence[Any], books: Books, period: FiscalPeriod) -> None:
    where = _namer(page)
    columns.require_only([row.posted for row in page], {True}, "Posted", where)
    columns.require_only([row.calendar for row in page], {books.calendar}, "FiscalCalendarID", where)
    columns.require_only([row.year for row in page], {period.year}, "FiscalYear", where)
    columns.require_only([row.suffix or "" for row in page], {period.suffix}, "FiscalYearSuffix", where)
    columns.require_only([row.number for row in page], {period.number}, "FiscalPeriod", where)


def _is_fresh(invoice: Any, seen: dict[tuple[int, str], int]) -> bool:
    """Whether it comes for the first time. Raises TransientError for one that comes again with other distributions."""
    key, said = (invoice.vendor, invoice.invoice), hash(msgspec.json.encode(_distributions(invoice)))
    if key in seen and seen[key] != said:
        raise TransientError(
            f"{_named(invoice)} was changed while its period was read.",
            holds="Nothing was loaded.",
            next_step="Load it again.",
        )
    fresh = key not in seen
    seen[key] = said
    return fresh


def _pieces(invoice: Any, total_minor: int, books: Books, vendors: Vendors) -> Iterator[Piece]:
    """The distributions with amounts in these books; one piece of nothing where there are none."""
    vendor = vendors.code(invoice.vendor, f"Invoice {invoice.invoice}")
    found = _distributions(invoice)
    require_company([one for _, one in found], books.company, f"Distributions of {_named(invoice)}")
    own = [(line, one) for line, one in found if one.record_type == WITH_AMOUNTS and one.book == books.ledger]
    for line, one in own or [(None, None)]:
        yield Piece(vendor, invoice.invoice, line, invoice.day, total_minor, one)


def _distributions(invoice: Any) -> list[tuple[int | None, Any]]:
    """Line number and distribution, all that the invoice has. Raises SetupError where only a part of a list was sent."""
    found: list[tuple[int | None, Any]] = []
    for line in _whole(invoice, invoice, 0):
        found += [(line.number, one) for expense in _whole(invoice, line, 0) for one in _whole(invoice, expense, 0)]
    if hasattr(invoice, "below1"):
        found += [(None, one) for expense in _whole(invoice, invoice, 1) for one in _whole(invoice, expense, 0)]
    return found


def _whole(invoice: Any, row: Any, number: int) -> Collection[Any]:
    if getattr(row, f"cut{number}"):
        raise SetupError(
            f"Kinetic sent only a part of what stands below {_named(invoice)}.",
            holds="Nothing was loaded.",
            next_step="Declare a query for AP spend under `erp.baqs` in the connection file: it has no lists within rows.",
        )
    below: Collection[Any] = getattr(row, f"below{number}")
    return below


def _namer(page: Sequence[Any]) -> columns.Where:
    return lambda row: _named(page[row])


def _named(invoice: Any) -> str:
    return f"Invoice {invoice.invoice} of vendor number {invoice.vendor}"
