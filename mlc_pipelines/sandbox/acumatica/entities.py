"""The books as records of the contract: what `GET` finds.

Ids are stable: made from the keys, or a batch's note id [I that the note id is used; SW says "session ID"].
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from operator import attrgetter

from mlc_pipelines.sandbox.acumatica import payables, periods
from mlc_pipelines.sandbox.acumatica.site import Site
from mlc_pipelines.sandbox.acumatica.wire import Record, Value, record_id
from mlc_pipelines.sandbox.company import Account, Batch, Company, Ledger, Line, Period

NO_PROJECT = "X"
"""The code that stands for "no project" where projects are installed [I]."""


def records_of(site: Site, entity: str) -> Iterator[Record]:
    """All records of an entity, in the order of their keys, made one by one: thousands at once would only be collected again. KeyError when the entity has no list."""
    return SOURCES[entity](site)


def candidates(site: Site, entity: str, ids: str) -> Iterator[Record]:
    """The records that "key1/key2" or an id may mean; all of a short list, the one batch of a long one."""
    if entity != "JournalTransaction":
        return records_of(site, entity)
    number = ids.rpartition("/")[2]
    named = [one for one in site.books.batches if ids == one.note_id or number == one.number]
    return _batches(site, named)


def account_ids(site: Site) -> dict[str, int]:
    """The inner numbers of the accounts."""
    return dict(zip(site.books.accounts, count(1101)))


def ledger_ids(site: Site) -> dict[str, int]:
    """The inner numbers of the ledgers."""
    return dict(zip(site.books.ledgers, count(1)))


def _founded(site: Site) -> datetime:
    """When the master data was entered: the start of the first period."""
    first = min(site.books.periods.values(), key=lambda period: period.start).start
    return datetime(first.year, first.month, first.day, 8, tzinfo=UTC)


def _accounts(site: Site) -> Iterator[Record]:
    founded, ids = _founded(site), account_ids(site)
    for order, account in enumerate(site.books.accounts.values(), start=1):
        yield Record(record_id("Account", account.code), _account(account, ids[account.code], order, founded))


def _account(account: Account, inner_id: int, order: int, founded: datetime) -> dict[str, Value]:
    return {
        "AccountCD": account.code,
        "AccountClass": account.account_class,
        "AccountID": inner_id,
        "Active": account.active,
        "CashAccount": False,
        "ChartOfAccountsOrder": order,
        "CreatedDateTime": founded,
        "Description": account.description,
        "LastModifiedDateTime": founded,
        "PostOption": account.post_option,
        "RequireUnits": False,
        "Secured": False,
        "Type": account.type,
        "UseDefaultSubaccount": account.type in ("Asset", "Liability"),
    }


def _subaccounts(site: Site) -> Iterator[Record]:
    for inner_id, subaccount in zip(count(501), site.books.subaccounts.values()):
        values: dict[str, Value] = {
            "Active": subaccount.active,
            "Description": subaccount.description,
            "Secured": False,
            "SubaccountCD": subaccount.code,
            "SubaccountID": inner_id,
        }
        yield Record(record_id("Subaccount", subaccount.code), values)


def _ledgers(site: Site) -> Iterator[Record]:
    founded = _founded(site)
    for ledger in site.books.ledgers.values():
        values: dict[str, Value] = {
            "ConsolidationSource": False,
            "Currency": ledger.currency,
            "Description": ledger.description,
            "LastModifiedDateTime": founded,
            "LedgerID": ledger.code,
            "Type": ledger.type,
        }
        details = {"Branches": _branches(site, ledger), "Companies": _companies(site, ledger)}
        yield Record(record_id("Ledger", ledger.code), values, details)


def _branches(site: Site, ledger: Ledger) -> Callable[[], list[Record]]:
    def rows() -> list[Record]:
        names = {company.code: company.name for company in _keepers(site, ledger)}
        return [
            Record(
                record_id("LedgerBranches", ledger.code, branch.code),
                {
                    "Active": True,
                    "BranchID": branch.code,
                    "BranchName": branch.name,
                    "CompanyName": names[branch.company],
                },
            )
            for branch in site.books.branches.values()
            if branch.company in names
        ]

    return rows


def _companies(site: Site, ledger: Ledger) -> Callable[[], list[Record]]:
    def rows() -> list[Record]:
        return [
            Record(
                record_id("LedgerCompanies", ledger.code, company.code),
                {
                    "Active": True,
                    "Company": company.code,
                    "CompanyName": company.name,
                    "CompanyType": "With Branches Not Requiring Balancing",
                },
            )
            for company in _keepers(site, ledger)
        ]

    return rows


def _keepers(site: Site, ledger: Ledger) -> list[Company]:
    return [company for company in site.books.companies if ledger.code in company.ledgers]


def _financial_years(site: Site) -> Iterator[Record]:
    founded = _founded(site)
    for year, of_year in _years(site):
        values: dict[str, Value] = {
            "CreatedDateTime": founded,
            "FinancialYear": str(year),
            "LastModifiedDateTime": founded,
            "NbrOfPeriods": len(of_year),
            "StartDate": of_year[0].start,
            "UserDefinedPeriods": False,
        }
        yield Record(record_id("FinancialPeriod", str(year)), values, {"Details": _period_rows(site, of_year, "")})


def _company_years(site: Site) -> Iterator[Record]:
    for company in site.books.companies:
        for year, of_year in _years(site):
            values: dict[str, Value] = {
                "Company": company.code,
                "FinancialYear": str(year),
                "NbrOfPeriods": len(of_year),
                "StartDate": of_year[0].start,
            }
            own = [replace(one, status=company.statuses.get(one.key, one.status)) for one in of_year]
            rows = _period_rows(site, own, company.code)
            yield Record(record_id("CompanyFinancialPeriod", company.code, str(year)), values, {"Details": rows})


def _years(site: Site) -> Iterator[tuple[int, list[Period]]]:
    in_order = sorted(site.books.periods.values(), key=lambda period: period.key)
    for year in sorted({period.year for period in in_order}):
        yield year, [period for period in in_order if period.year == year]


def _period_rows(site: Site, of_year: list[Period], company: str) -> Callable[[], list[Record]]:
    def rows() -> list[Record]:
        return [Record(record_id("Period", company, period.id), _period(site, period)) for period in of_year]

    return rows


def _period(site: Site, period: Period) -> dict[str, Value]:
    closed = period.status in ("Closed", "Locked")
    modules: dict[str, Value] = dict.fromkeys(
        ("ClosedInAP", "ClosedInAR", "ClosedInCA", "ClosedInFA", "ClosedInIN"), closed
    )
    return modules | {
        "AdjustmentPeriod": period.adjustment,
        "Description": "Adjustment Period" if period.adjustment else f"{period.start:%B}",
        "EndDate": period.end,
        "FinancialPeriodID": periods.shown(site, period),
        "LengthInDays": 0 if period.adjustment else (period.end - period.start).days + 1,
        "PeriodNbr": f"{period.number:02d}",
        "StartDate": period.start,
        "Status": period.status,
    }


def _all_batches(site: Site) -> Iterator[Record]:
    """As they are now, whatever is posted while they are read; or, once after a write, as they were before it, by switch."""
    behind, site.journals_before = site.journals_before, None
    return _batches(site, list(site.books.batches) if behind is None else behind)


def _batches(site: Site, batches: Iterable[Batch]) -> Iterator[Record]:
    spelled = {key: periods.shown(site, period) for key, period in site.books.periods.items()}
    for batch in batches:
        yield Record(
            batch.note_id,
            _Shown(batch, spelled),
            {"Details": _line_rows(site, batch)},
            {"BatchModule.OrigBatchNbr": batch.original, "BatchModule.AutoReverse": batch.auto_reversing},
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Shown(Mapping[str, Value]):
    """A batch by the fields of the contract. Each is worked out when asked for: a filter passes thousands of batches by and looks at two fields."""

    batch: Batch
    spelled: Mapping[str, str]

    def __getitem__(self, name: str) -> Value:
        return self.spelled[self.batch.period] if name == "PostPeriod" else _OF_BATCH[name](self.batch)

    def __iter__(self) -> Iterator[str]:
        return iter([*_OF_BATCH, "PostPeriod"])

    def __len__(self) -> int:
        return len(_OF_BATCH) + 1


_OF_BATCH: dict[str, Callable[[Batch], Value]] = {
    "BatchNbr": attrgetter("number"),
    "BranchID": attrgetter("branch"),
    "CreatedDateTime": attrgetter("created_at"),
    "CurrencyID": attrgetter("currency"),
    "Description": lambda batch: batch.description or None,
    "Hold": lambda batch: batch.status == "On Hold",
    "LastModifiedDateTime": attrgetter("modified_at"),
    "LedgerID": attrgetter("ledger"),
    "Module": attrgetter("module"),
    "Status": attrgetter("status"),
    "TransactionDate": attrgetter("date"),
}


def _line_rows(site: Site, batch: Batch) -> Callable[[], Iterator[Record]]:
    def rows() -> Iterator[Record]:
        root, accounts = batch.note_id[:-6], site.books.accounts
        for line in batch.lines:
            yield Record(f"{root}{line.number:06x}", _line(line, accounts[line.account].description))

    return rows


def _line(line: Line, account_name: str) -> dict[str, Value]:
    return {
        "Account": line.account,
        "BranchID": line.branch,
        "CreditAmount": line.credit_minor,
        "DebitAmount": line.debit_minor,
        "Description": account_name,
        "IsNonPM": False,
        "LineNbr": line.number,
        "NonBillable": False,
        "Project": NO_PROJECT,
        "Qty": 0,
        "ReferenceNbr": line.reference or None,
        "Subaccount": line.subaccount,
        "TransactionDescription": line.description or None,
    }


SOURCES: dict[str, Callable[[Site], Iterator[Record]]] = {
    "Account": _accounts,
    "Subaccount": _subaccounts,
    "Ledger": _ledgers,
    "FinancialPeriod": _financial_years,
    "CompanyFinancialPeriod": _company_years,
    "JournalTransaction": _all_batches,
    "Vendor": payables.vendors,
    "Bill": payables.bills,
    "Check": payables.checks,
    "PurchaseOrder": payables.orders,
}
