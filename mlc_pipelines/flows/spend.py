"""AP spend of one fiscal period: what vendors charged, by vendor, expense account and cost center, proved against the general ledger.

Spend is what posted invoices are distributed to on expense accounts: credit memos and cancellations count with their sides as booked. What
stands on other accounts is told apart, not added: tax, prepayments, receipts that an invoice only clears. Payments are not spend either; where
one of them touches an expense account (a fee, a discount) it is shown.

    spend_matches_ledger      distributions of the invoices = the ledger's own lines from payables, every vendor, account and cost center
    invoices_match_ledger     every invoice that was read has lines in the ledger, and every invoice in the ledger was read
"""

from dataclasses import dataclass

import pandas as pd

from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.extract import require_readable
from mlc_pipelines.flows.files import keep_centers, keep_frame, keep_spend, read_frame, read_spend
from mlc_pipelines.flows.load import load_slice
from mlc_pipelines.flows.report import Report, money_table
from mlc_pipelines.flows.shape import write_slice
from mlc_pipelines.flows.steps import INVOICES_MATCH_LEDGER, NOTHING_SENT, SPEND, SPEND_MATCHES_LEDGER, VENDORS
from mlc_pipelines.flows.trail import record_step
from mlc_pipelines.ledger.control import ROWS, Leg, compare
from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.ledger.mapping import ACCOUNT, COST_CENTER, VENDOR
from mlc_pipelines.ledger.money import Money
from mlc_pipelines.ledger.ports import LedgerIdentity, Payables
from mlc_pipelines.store.clock import timestamp

SPEND_KEYS = [VENDOR, ACCOUNT, COST_CENTER]
_SUMS = ["debit_minor", "credit_minor", "amount_minor", "lines"]


def load_spend(desk: Desk, period: str) -> list[Report]:
    """Bring one period's AP spend into the planning model, proved equal on every leg."""
    spend = desk.on_spend()
    return [read_spend_slice(spend, period), write_slice(spend, period), load_slice(spend, period)]


def read_spend_slice(desk: Desk, key: str) -> Report:
    """Read the period's invoices and the ledger's lines from payables, and hold the two against each other."""
    payables = _payables(desk)
    period = desk.calendar.period(key)
    books = desk.ledger.identity()
    status = require_readable(desk.ledger.read_periods(), period).status
    begun = {"begun_at": timestamp(), "read_at": now.isoformat() if (now := desk.ledger.now()) else ""}
    desk.progress(f"{key}: reading invoices of {books.company}, and the ledger's lines from payables")
    read = _read(desk, payables, key, books)
    legs = (_spend_leg(key, read), _invoices_leg(key, read))
    for leg in legs:
        leg.require_agreed(
            holds=NOTHING_SENT,
            next_step=f"Materialize ap_spend for {key} again: invoices may have been posted while they were read. If it fails again, compare the vendors "
            "and accounts named above: an invoice in the ledger without its distributions, or the other way round.",
        )
    facts = {
        "extract": read.extract,
        "ledger_lines": read.ledger_lines,
        "centers": read.centers,
        "currency": books.currency,
        "erp_status": status,
    }
    return _report(desk, key, read, legs, {**facts, **begun})


@dataclass(frozen=True)
class _Read:
    """Both sides by vendor, account, cost center, with kind of account and origin. extract, ledger_lines: hashes of what was read, whole; centers: of
    the cost center that each subaccount had then.
    """

    books: LedgerIdentity
    extract: str
    ledger_lines: str
    centers: str
    invoices: pd.DataFrame
    ledger: pd.DataFrame
    invoice_keys: pd.DataFrame
    ledger_keys: pd.DataFrame

    @property
    def spend(self) -> pd.DataFrame:
        return _on_expense(self.invoices)


def _read(desk: Desk, payables: Payables, key: str, books: LedgerIdentity) -> _Read:
    period = desk.calendar.period(key)
    chart = desk.ledger.read_accounts()
    kinds = dict(zip(chart["code"], chart["kind"], strict=True))
    extract = keep_spend(desk, payables.read_spend(period))
    ledger_lines = keep_spend(desk, payables.read_ledger_spend(period))
    sides = [read_spend(desk, one) for one in (extract, ledger_lines)]
    summed = [_by_account(desk, lines, kinds) for lines in sides]
    codes = sides[0].loc[sides[0][ACCOUNT] != "", "subaccount"].unique()
    return _Read(
        books, extract, ledger_lines, keep_centers(desk, codes), *summed, *(_invoices_of(lines) for lines in sides)
    )


def _by_account(desk: Desk, lines: pd.DataFrame, kinds: dict[str, str]) -> pd.DataFrame:
    """One row per vendor, account, cost center and origin: the sums, and the kind of the account."""
    distributed = lines[lines[ACCOUNT] != ""]  # an invoice that only clears receipts has no distribution
    subaccounts = distributed["subaccount"].drop_duplicates().tolist()
    centers = dict(zip(subaccounts, desk.ledger.cost_centers_of(subaccounts), strict=True))
    rows = distributed.assign(
        cost_center=distributed["subaccount"].map(centers).astype(object),
        amount_minor=distributed["debit_minor"] - distributed["credit_minor"],
        lines=1,
    )
    sums = rows.groupby([*SPEND_KEYS, "origin"], as_index=False, sort=True)[_SUMS].sum()
    return sums.assign(kind=sums[ACCOUNT].map(kinds).fillna("").astype(object))


def _invoices_of(lines: pd.DataFrame) -> pd.DataFrame:
    """Each invoice once: vendor, invoice, amount_minor 1."""
    of_invoices = lines[(lines["origin"] == "invoice") & (lines["invoice"] != "")]
    return of_invoices[[VENDOR, "invoice"]].drop_duplicates().assign(amount_minor=1)


def _on_expense(sums: pd.DataFrame) -> pd.DataFrame:
    """What is spend: invoices, on accounts of the kind Expense. An account that the chart does not know counts, so that it cannot vanish."""
    return sums[(sums["origin"] == "invoice") & sums["kind"].isin(["Expense", ""])]


def _spend_leg(key: str, read: _Read) -> Leg:
    sides = ("distributions of invoices", read.spend), ("ledger lines from payables", _on_expense(read.ledger))
    return compare(SPEND_MATCHES_LEDGER, key, *sides, keys=SPEND_KEYS, unit=read.books.currency)


def _invoices_leg(key: str, read: _Read) -> Leg:
    sides = ("invoices read", read.invoice_keys), ("invoices in the ledger", read.ledger_keys)
    return compare(INVOICES_MATCH_LEDGER, key, *sides, keys=[VENDOR, "invoice"], unit=ROWS)


def _payables(desk: Desk) -> Payables:
    if desk.payables is None:
        raise SetupError(
            f"Connection {desk.connection} reads no payables.",
            holds=NOTHING_SENT,
            next_step="AP spend is read from Epicor Kinetic; delete `ap_spend` from the connection file.",
        )
    return desk.payables


def _report(desk: Desk, key: str, read: _Read, legs: tuple[Leg, ...], facts: dict[str, str]) -> Report:
    """Record the step, and tell it: what goes on, and what was told apart."""
    currency, spend = read.books.currency, read.spend
    amounts = spend.groupby(SPEND_KEYS, as_index=False, sort=True)[_SUMS].sum()
    total, apart = int(amounts["amount_minor"].sum()), _apart(read)
    artefact = keep_frame(desk, amounts)
    counts = {
        "invoices": len(read.invoice_keys),
        "distributions": int(amounts["lines"].sum()),
        "vendors": amounts[VENDOR].nunique(),
        "accounts": amounts[ACCOUNT].nunique(),
    }
    recorded = {**facts, **counts, "amount_minor": total, "legs": [leg.facts for leg in legs]}
    record_step(desk, SPEND.extract, key, artefact, recorded)
    return Report(
        SPEND.extract,
        key,
        f"{counts['invoices']:,} invoices of {counts['vendors']:,} vendors, spend {Money(total, currency)}, equal to the ledger's expense from payables.",
        artefact,
        counts=counts,
        amounts={"spend": Money(total, currency)},
        texts={
            "period in the ERP": facts["erp_status"],
            "distributions kept as": read.extract,
            "ledger lines kept as": read.ledger_lines,
        },
        tables={
            "Largest vendors": money_table(_largest(desk, amounts), currency),
            "On other accounts, and payments: not spend": money_table(apart, currency),
        },
        legs=legs,
    )


def _largest(desk: Desk, amounts: pd.DataFrame) -> pd.DataFrame:
    """The vendors with the most spend: vendor, name (as ap_vendors read it last), amount_minor, lines."""
    by_vendor = amounts.groupby(VENDOR, as_index=False, sort=True)[["amount_minor", "lines"]].sum()
    largest = by_vendor.sort_values("amount_minor", key=abs, ascending=False, kind="stable").head(15)
    step = desk.store.history.latest_step(desk.connection, VENDORS)
    names = read_frame(desk, step).set_index("code")["name"].to_dict() if step else {}
    largest.insert(1, "name", largest[VENDOR].map(names).fillna(""))
    return largest


def _apart(read: _Read) -> pd.DataFrame:
    """Tax, prepayments, cleared receipts, by account; and what payments booked on expense accounts: account, kind, origin, amount_minor, lines."""
    others = read.invoices[(read.invoices["origin"] == "invoice") & ~read.invoices["kind"].isin(["Expense", ""])]
    fees = read.ledger[(read.ledger["origin"] != "invoice") & (read.ledger["kind"] == "Expense")]
    rows = pd.concat([others, fees], ignore_index=True)
    return rows.groupby([ACCOUNT, "kind", "origin"], as_index=False, sort=True)[["amount_minor", "lines"]].sum()
