"""Generic inquiries of the site, as their author laid them out: columns with EDM types, rows from the books.

APBills        one row per bill of the AP journals
GLBalances     posted debits and credits per period, account, subaccount and branch; parameters Ledger, Period
PayrollDetail  exists, but is not exposed via OData
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from mlc_pipelines.sandbox.acumatica import payables, periods
from mlc_pipelines.sandbox.acumatica.site import Site
from mlc_pipelines.sandbox.acumatica.wire import Record, Value

EDM = {
    "s": "Edm.String",
    "d": "Edm.Decimal",
    "b": "Edm.Boolean",
    "t": "Edm.DateTimeOffset",
    "i": "Edm.Int32",
}
"""Letter of a column -> its EDM type."""


@dataclass(frozen=True, slots=True)
class Inquiry:
    """One inquiry: columns (name -> letter), parameters it takes, whether it is exposed (SM208000), and where its rows come from."""

    name: str
    columns: Mapping[str, str]
    rows: Callable[[Site, Mapping[str, str]], Iterator[Record]]
    parameters: tuple[str, ...] = ()
    exposed: bool = True
    kind: str = field(default="")


def _bills(site: Site, _given: Mapping[str, str]) -> Iterator[Record]:
    for bill in payables.bills(site):
        vendor = site.vendors.get(str(bill.values["Vendor"]))
        name = vendor.name if vendor else None
        shown: dict[str, Value] = {column: bill.values.get(column) for column in _BILLS}
        yield Record(bill.id, shown | {"VendorName": name})


def _balances(site: Site, given: Mapping[str, str]) -> Iterator[Record]:
    """What was posted, summed in one pass over the books: a period at a time would take one pass each."""
    spelled = {key: periods.shown(site, period) for key, period in site.books.periods.items()}
    wanted = {
        key for key, period in site.books.periods.items() if given.get("Period", "") in ("", period.id, spelled[key])
    }
    sums: defaultdict[tuple[str, str, str, str], list[int]] = defaultdict(lambda: [0, 0])
    for batch in site.books.batches:
        if batch.status == "Posted" and batch.ledger == given.get("Ledger", "ACTUAL") and batch.period in wanted:
            for line in batch.lines:
                sides = sums[line.account, line.subaccount, line.branch, batch.period]
                sides[0] += line.debit_minor
                sides[1] += line.credit_minor
    for (account, subaccount, branch, period), (debit, credit) in sums.items():
        values: dict[str, Value] = {"Account": account, "Subaccount": subaccount, "Branch": branch}
        yield Record("", values | {"Period": spelled[period], "Debit": debit, "Credit": credit})


_BILLS = {
    "Type": "s",
    "ReferenceNbr": "s",
    "Vendor": "s",
    "VendorName": "s",
    "Date": "t",
    "PostPeriod": "s",
    "Amount": "d",
    "Balance": "d",
    "Hold": "b",
    "LastModifiedDateTime": "t",
}
_BALANCES = {"Account": "s", "Subaccount": "s", "Branch": "s", "Period": "s", "Debit": "d", "Credit": "d"}

INQUIRIES = {
    one.name: one
    for one in (
        Inquiry("APBills", _BILLS, _bills, kind="Bill"),
        Inquiry("GLBalances", _BALANCES, _balances, ("Ledger", "Period")),
        Inquiry("PayrollDetail", {"Employee": "s"}, lambda _site, _given: iter(()), exposed=False),
    )
}


def metadata() -> str:
    """The EDMX document of the exposed inquiries; container "Default" [C easy-acumatica]."""
    exposed = [one for one in INQUIRIES.values() if one.exposed]
    types = "".join(
        f'<EntityType Name="{one.name}">'
        + "".join(f'<Property Name="{name}" Type="{EDM[letter]}" />' for name, letter in one.columns.items())
        + "</EntityType>"
        for one in exposed
    )
    sets = "".join(f'<EntitySet Name="{one.name}" EntityType="PX.Data.{one.name}" />' for one in exposed)
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        '<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>'
        f'<Schema Namespace="PX.Data" xmlns="http://docs.oasis-open.org/odata/ns/edm">{types}'
        f'<EntityContainer Name="Default">{sets}</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>'
    )
