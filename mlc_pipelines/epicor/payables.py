"""Accounts payable: vendors, what posted invoices were distributed to, and what the ledger says came from payables.

    distributions  invoices with everything below them, see `invoices`, or a query in their place
    ledger         GLJrnDtl lines of module AP, which carry vendor and invoice [S SNO]

The payables control account stands on the other side of every invoice and is left out of both. Where it is not declared, it is any liability
account that took exactly an invoice's amount, credit for an invoice and debit for a debit memo [I].
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from mlc_pipelines.epicor import columns, wire
from mlc_pipelines.epicor.bulk import listed
from mlc_pipelines.epicor.codec import SYSTEM, Books
from mlc_pipelines.epicor.connection import Connection
from mlc_pipelines.epicor.lines import POSTED, Priced, ledger, minor, read_pages
from mlc_pipelines.epicor.odata import both, read_all
from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.ledger.fiscal import FiscalPeriod
from mlc_pipelines.ledger.journal import SPENT

INVOICE, PAYMENT = "invoice", "payment"
_BATCH_ROWS = 50_000
_JOURNAL = "journal"

InvoiceKey = tuple[str, str]
"""Vendor code and invoice number."""


@dataclass(frozen=True)
class Vendors:
    """Vendor numbers and the codes that people know."""

    codes: Mapping[int, str]

    def code(self, number: int | None, where: str) -> str:
        """The code; "" where no vendor is named. Raises DataError for a number that the list of vendors does not have."""
        if not number:
            return ""
        if number not in self.codes:
            raise DataError(
                f"{where} names vendor number {number}, which the list of vendors does not have.",
                holds="Nothing was loaded.",
                next_step="Ask the Kinetic administrator whether the user may see all vendors.",
            )
        return self.codes[number]


@dataclass(frozen=True)
class Control:
    """How the payables control account is told from what was bought: declared, or found among the liabilities."""

    declared: Collection[str]
    liabilities: Collection[str]

    def accounts(self, totals: Mapping[InvoiceKey, int], nets: Mapping[tuple[InvoiceKey, str], int]) -> set[str]:
        """The control accounts. totals: amount of each invoice; nets: what each liability account took of an invoice, debit positive."""
        if self.declared:
            return set(self.declared)
        return {account for (invoice, account), net in nets.items() if net and net == -totals.get(invoice, 0)}


def to_vendors(rows: Sequence[wire.Vendor]) -> pd.DataFrame:
    """Vendors in code order: code, name, active. Raises DataError for a code that stands twice."""
    codes = [row.code for row in rows]
    if len(set(codes)) < len(codes):
        twice = min(code for code in codes if codes.count(code) > 1)
        raise DataError(f"Vendor {twice} stands twice.", holds="Nothing was loaded.", next_step=SYSTEM)
    frame = pd.DataFrame(
        {"code": codes, "name": [row.name or "" for row in rows], "active": [not row.inactive for row in rows]}
    )
    return frame.astype({"code": object, "name": object}).sort_values("code", ignore_index=True)


def of_period(books: Books, period: FiscalPeriod) -> str:
    """The condition for invoices posted in the period. Invoices belong to no book, their distributions do [S SNO]."""
    return both(books.in_period(period), POSTED)


# -- distributions ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Piece:
    """One distribution of an invoice, and the invoice's amount. row carries segments and amounts; None: the invoice was distributed to nothing."""

    vendor: str
    invoice: str
    line: int | None
    day: str | None
    total_minor: int
    row: Any

    @property
    def where(self) -> str:
        return f"Invoice {self.invoice} of vendor {self.vendor}" + (f" line {self.line}" if self.line else "")


def spend_batch(pieces: Sequence[Piece], books: Books, control: Control) -> pa.RecordBatch:
    """Some distributions in the shape SPENT, those of the control account left out. All pieces of an invoice are among them."""
    booked = [one for one in pieces if one.row is not None]
    rows = [one.row for one in booked]

    def where(row: int) -> str:
        return booked[row].where

    accounts = columns.account_column(rows, books.chart, where)
    debit = minor(rows, "debit", books.currency, "BookDebitAmount", where)
    credit = minor(rows, "credit", books.currency, "BookCreditAmount", where)
    nets: dict[tuple[InvoiceKey, str], int] = defaultdict(int)
    for one, account, net in zip(booked, accounts, (debit - credit).tolist(), strict=True):
        if account in control.liabilities:
            nets[(one.vendor, one.invoice), account] += net
    out = control.accounts({(one.vendor, one.invoice): one.total_minor for one in pieces}, nets)
    stays = np.array([account not in out for account in accounts], bool)
    nothing = [one for one in pieces if one.row is None]
    shown = [one for one, stay in zip(booked, stays, strict=True) if stay] + nothing
    zeros = np.zeros(len(nothing), np.int64)
    return _batch(
        {
            "vendor": columns.codes([one.vendor for one in shown]),
            "invoice": columns.texts([one.invoice for one in shown]),
            "line": pa.array([one.line for one in shown], pa.int32()),
            "account": columns.codes(_kept(accounts, stays) + [""] * len(nothing)),
            "subaccount": columns.codes(
                _kept(columns.subaccount_column(rows, books.chart), stays) + [""] * len(nothing)
            ),
            "origin": columns.codes([INVOICE] * len(shown)),
            "transaction_on": columns.days([one.day for one in shown], "ApplyDate", lambda row: shown[row].where),
            "description": columns.texts([""] * len(shown)),
            "debit_minor": pa.array(np.concatenate([debit[stays], zeros])),
            "credit_minor": pa.array(np.concatenate([credit[stays], zeros])),
        }
    )


def _kept(values: Sequence[str], stays: Iterable[bool]) -> list[str]:
    return [value for value, stay in zip(values, stays, strict=True) if stay]


def _batch(of: Mapping[str, pa.Array]) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([of[one.name] for one in SPENT], schema=SPENT)


def nothing_spent() -> pa.RecordBatch:
    """What a period without a distribution gives."""
    return pa.RecordBatch.from_pylist([], schema=SPENT)


# -- the ledger's own lines ---------------------------------------------------------------------------------------------


def read_ledger_spend(
    site: Connection, books: Books, period: FiscalPeriod, vendors: Vendors, control: Control
) -> Iterator[pa.RecordBatch]:
    """Lines of the period that came from payables, in the shape SPENT, those on control accounts left out.

    A line belongs to a payment when a line of its journal names a check or a bank account; else to an invoice.
    """
    headers = read_all(site, wire.INVOICES, where=of_period(books, period), of=period.key)
    amounts = minor(headers, "amount", books.currency, "InvoiceAmt", lambda row: f"Invoice {headers[row].invoice}")
    totals = {
        (vendors.code(one.vendor, f"Invoice {one.invoice}"), one.invoice): amount
        for one, amount in zip(headers, amounts.tolist(), strict=True)
    }
    nets: dict[tuple[InvoiceKey, str], int] = defaultdict(int)
    paying: set[str] = set()
    held: list[pa.RecordBatch] = []
    # The journals come without their lines of other modules, so they need not balance here.
    source = ledger(site, books, period, "SourceModule eq 'AP'", wire.PAYABLES_LINES)
    for page in read_pages(site, books, period, source, whole=False):
        paid_by = zip(page.names.to_pylist(), listed(page.rows, "bank"), listed(page.rows, "check"), strict=True)
        paying |= {name for name, bank, check in paid_by if bank or (check or "0").strip() not in {"", "0"}}
        held.append(_from_ledger(page, vendors, control, nets))
    if held:
        yield from _told(pa.Table.from_batches(held), control.accounts(totals, nets), paying)


def _from_ledger(
    page: Priced, vendors: Vendors, control: Control, nets: dict[tuple[InvoiceKey, str], int]
) -> pa.RecordBatch:
    """A page of lines as SPENT with the journal beside it; what liability accounts took is added to nets."""
    names = page.names.to_pylist()
    numbers = listed(page.rows, "vendor")
    codes = [vendors.code(number, f"Journal {name}") for number, name in zip(numbers, names, strict=True)]
    invoices = [one or "" for one in listed(page.rows, "vendor_invoice")]
    net = (page.debit_minor - page.credit_minor).tolist()
    for vendor, invoice, account, amount in zip(codes, invoices, page.accounts.to_pylist(), net, strict=True):
        if account in control.liabilities:
            nets[(vendor, invoice), account] += amount
    of = {
        "vendor": columns.codes(codes),
        "invoice": columns.texts(invoices),
        "line": pa.nulls(len(codes), pa.int32()),
        "account": page.accounts,
        "subaccount": page.subaccounts,
        "origin": columns.codes([INVOICE] * len(codes)),
        "transaction_on": columns.days(page.rows.column("day"), "JEDate", lambda row: f"journal {names[row]}"),
        "description": page.rows.column("description").fill_null(""),
        "debit_minor": pa.array(page.debit_minor),
        "credit_minor": pa.array(page.credit_minor),
    }
    arrays = [*(of[one.name] for one in SPENT), page.names]
    return pa.RecordBatch.from_arrays(arrays, schema=SPENT.append(pa.field(_JOURNAL, arrays[-1].type)))


def _told(lines: pa.Table, control_accounts: set[str], paying: set[str]) -> Iterator[pa.RecordBatch]:
    """The lines without those on control accounts, each with its origin, some at a time."""
    on_control = pc.is_in(lines["account"].cast(pa.string()), pa.array(sorted(control_accounts), pa.string()))
    lines = lines.filter(pc.invert(on_control)).unify_dictionaries()
    pays = pc.is_in(lines[_JOURNAL].cast(pa.string()), pa.array(sorted(paying), pa.string()))
    origin = pc.if_else(pays, PAYMENT, INVOICE).dictionary_encode()
    lines = lines.set_column(lines.schema.get_field_index("origin"), "origin", origin).select(SPENT.names)
    yield from lines.cast(SPENT).to_batches(max_chunksize=_BATCH_ROWS)
