"""The contract of the emulated entities: fields, keys and forms, as the Default endpoint publishes them.

One table from which the records, the filters and the published schema are all made. The field lists are identical in
20.200 to 24.200; source: official endpoint definitions [C AcumaticaRESTAPIClientForCSharp: EndpointDefinitions,
EndpointMetadata]; that 25.200 keeps them is [S] (its change list names no GL change).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import MappingProxyType

TYPES = {
    "s": "StringValue",
    "d": "DecimalValue",
    "b": "BooleanValue",
    "t": "DateTimeValue",
    "i": "IntValue",
    "l": "LongValue",
    "h": "ShortValue",
}
"""Letter in the table -> value type of the contract. `d` is held as whole minor units (cents)."""


@dataclass(frozen=True, slots=True)
class Rows:
    """A detail collection: the name of its row type, and the fields of a row (name -> letter). `linked`: one nested record instead."""

    type: str
    fields: Mapping[str, str]
    linked: bool = False


@dataclass(frozen=True, slots=True)
class Entity:
    """One top-level entity. `form` names the screen, `keys` the fields that stand in a URL, in order; `actions` can be invoked.

    `stored` entities are written by PUT; an inquiry takes PUT and stores nothing.
    """

    name: str
    form: str
    fields: Mapping[str, str]
    keys: tuple[str, ...] = ()
    details: Mapping[str, Rows] = field(default_factory=lambda: MappingProxyType({}))
    view: str = ""
    inquiry: bool = False
    stored: bool = False
    actions: tuple[str, ...] = ()


def _fields(text: str) -> Mapping[str, str]:
    """Read "AccountCD s, Active b" as a mapping of names to letters."""
    return MappingProxyType(dict(part.split() for part in text.split(",")))


_PERIODS = Rows(
    "FinancialPeriodDetail",
    _fields(
        "AdjustmentPeriod b, ClosedInAP b, ClosedInAR b, ClosedInCA b, ClosedInFA b, ClosedInIN b, Description s,"
        "EndDate t, FinancialPeriodID s, LengthInDays i, PeriodNbr s, StartDate t, Status s"
    ),
)

ENTITIES: Mapping[str, Entity] = MappingProxyType(
    {
        entity.name: entity
        for entity in (
            Entity(
                "Account",
                "Chart of Accounts (GL202500)",
                _fields(
                    "AccountCD s, AccountClass s, AccountGroup s, AccountID i, Active b, CashAccount b,"
                    "ChartOfAccountsOrder i, ConsolidationAccount s, CreatedDateTime t, CurrencyID s, Description s,"
                    "LastModifiedDateTime t, PostOption s, RequireUnits b, RevaluationRateType s, Secured b,"
                    "TaxCategory s, Type s, UseDefaultSubaccount b"
                ),
                keys=("AccountCD",),
                view="PX.Objects.GL.AccountMaint/AccountRecords",
            ),
            Entity(
                "Subaccount",
                "Subaccounts (GL203000)",
                _fields("Active b, Description s, Secured b, SubaccountCD s, SubaccountID i"),
                keys=("SubaccountCD",),
                view="PX.Objects.GL.SubAccountMaint/SubRecords",
            ),
            Entity(
                "Ledger",
                "Ledgers (GL201500)",
                _fields("ConsolidationSource b, Currency s, Description s, LastModifiedDateTime t, LedgerID s, Type s"),
                keys=("LedgerID",),
                details={
                    "Branches": Rows("LedgerBranches", _fields("Active b, BranchID s, BranchName s, CompanyName s")),
                    "Companies": Rows("LedgerCompanies", _fields("Active b, Company s, CompanyName s, CompanyType s")),
                },
                view="PX.Objects.GL.GeneralLedgerMaint/LedgerRecords",
            ),
            Entity(
                "FinancialPeriod",
                "Master Financial Calendar (GL201000)",
                _fields(
                    "CreatedDateTime t, FinancialYear s, LastModifiedDateTime t, NbrOfPeriods h, StartDate t,"
                    "UserDefinedPeriods b"
                ),
                keys=("FinancialYear",),
                details={"Details": _PERIODS},
                view="PX.Objects.GL.FiscalPeriodMaint/FiscalYear",
            ),
            Entity(
                "CompanyFinancialPeriod",
                "(GL201100)",
                _fields("Company s, FinancialYear s, NbrOfPeriods h, StartDate t"),
                keys=("Company", "FinancialYear"),
                details={"Details": _PERIODS},
                view="PX.Objects.GL.OrganizationFinPeriodMaint/OrgFinYear",
            ),
            Entity(
                "JournalTransaction",
                "Journal Transactions (GL301000)",
                _fields(
                    "BatchNbr s, BranchID s, CreatedDateTime t, CurrencyID s, Description s, Hold b,"
                    "LastModifiedDateTime t, LedgerID s, Module s, PostPeriod s, Status s, TransactionDate t"
                ),
                keys=("Module", "BatchNbr"),
                details={
                    "Details": Rows(
                        "JournalTransactionDetail",
                        _fields(
                            "Account s, BranchID s, CostCode s, CreditAmount d, DebitAmount d, Description s, IsNonPM b,"
                            "LineNbr i, NonBillable b, Project s, ProjectTask s, ProjectTransactionID l, Qty d,"
                            "ReferenceNbr s, Subaccount s, TransactionDescription s, UOM s, VendorOrCustomer s"
                        ),
                    )
                },
                view="PX.Objects.GL.JournalEntry/BatchModule",
                stored=True,
                actions=("ReleaseJournalTransaction",),
            ),
            Entity(
                "Vendor",
                "Vendors (AP303000)",
                _fields(
                    "APAccount s, APSubaccount s, CashAccount s, CreatedDateTime t, CurrencyID s, F1099Vendor b,"
                    "LastModifiedDateTime t, LegalName s, PaymentMethod s, Status s, Terms s, VendorClass s, VendorID s,"
                    "VendorName s"
                ),
                keys=("VendorID",),
                details={"MainContact": Rows("Contact", _fields("DisplayName s, Email s"), linked=True)},
                view="PX.Objects.AP.VendorMaint/BAccount",
            ),
            Entity(
                "Bill",
                "Bills and Adjustments (AP301000)",
                _fields(
                    "Amount d, ApprovedForPayment b, Balance d, BranchID s, CurrencyID s, Date t, Description s, DueDate t,"
                    "Hold b, LastModifiedDateTime t, PostPeriod s, ReferenceNbr s, Status s, TaxTotal d, Terms s, Type s,"
                    "Vendor s, VendorRef s"
                ),
                keys=("Type", "ReferenceNbr"),
                details={
                    "Details": Rows(
                        "BillDetail",
                        _fields(
                            "Account s, Amount d, Branch s, ExtendedCost d, NonBillable b, Qty d, Subaccount s,"
                            "TransactionDescription s, UnitCost d"
                        ),
                    )
                },
                view="PX.Objects.AP.APInvoiceEntry/Document",
            ),
            Entity(
                "Check",
                "Checks and Payments (AP302000)",
                _fields(
                    "ApplicationDate t, CashAccount s, CurrencyID s, Description s, Hold b, LastModifiedDateTime t,"
                    "PaymentAmount d, PaymentMethod s, PaymentRef s, ReferenceNbr s, Status s, Type s, UnappliedBalance d,"
                    "Vendor s"
                ),
                keys=("Type", "ReferenceNbr"),
                details={
                    "Details": Rows(
                        "CheckDetail", _fields("AmountPaid d, Balance d, DocLineNbr i, DocType s, ReferenceNbr s")
                    )
                },
                view="PX.Objects.AP.APPaymentEntry/Document",
            ),
            Entity(
                "PurchaseOrder",
                "Purchase Orders (PO301000)",
                _fields(
                    "Branch s, ControlTotal d, CurrencyID s, Date t, Description s, Hold b, LastModifiedDateTime t,"
                    "LineTotal d, OrderNbr s, OrderTotal d, PromisedOn t, Status s, TaxTotal d, Terms s, Type s,"
                    "VendorID s, VendorRef s"
                ),
                keys=("Type", "OrderNbr"),
                details={
                    "Details": Rows(
                        "PurchaseOrderDetail",
                        _fields(
                            "Account s, BranchID s, Cancelled b, Completed b, ExtendedCost d, LineDescription s, LineNbr i,"
                            "LineType s, OrderQty d, Subaccount s, UnitCost d"
                        ),
                    )
                },
                view="PX.Objects.PO.POOrderEntry/Document",
            ),
            Entity(
                "AccountDetailsForPeriodInquiry",
                "Account Details for Period (GL404001)",
                _fields("FromPeriod s, IncludeUnposted b, IncludeUnreleased b, Ledger s, ToPeriod s"),
                details={
                    "Results": Rows(
                        "AccountDetailsForPeriodInquiryDetail",
                        _fields(
                            "Account s, BatchNumber s, Branch s, CreditAmount d, CreditAmountInBaseCurrency d,"
                            "Currency s, CustomerVendor s, DebitAmount d, DebitAmountInBaseCurrency d,"
                            "LastModifiedDateTime t, Ledger s, Module s, PeriodID s, Posted b, Project s,"
                            "ProjectTask s, RefNumber s, Released b, Subaccount s, TransactionDate t,"
                            "TransactionDescription s, TransactionType s"
                        ),
                    )
                },
                inquiry=True,
            ),
            Entity(
                "Budget",
                "Budgets (GL302010)",
                _fields(
                    "Branch s, ComparetoBranch s, ComparetoLedger s, ComparetoYear s, FinancialYear s, Ledger s,"
                    "SubaccountFilter s, TreeNodeFilter s"
                ),
                details={
                    "Details": Rows(
                        "BudgetDetail",
                        _fields(
                            "Account s, Amount d, Branch s, CreatedBy s, Description s, DistributedAmount d,"
                            "FinancialYear s, GroupID s, LastModifiedBy s, LedgerID s, Node b,"
                            + "".join(f"Period{number:02d} d," for number in range(1, 14))
                            + "Released b, Subaccount s"
                        ),
                    )
                },
                inquiry=True,
            ),
            Entity(
                "AccountSummaryInquiry",
                "Account Summary (GL401000)",
                _fields("AccountClass s, Branch s, Ledger s, Period s, Subaccount s"),
                details={
                    "Results": Rows(
                        "AccountSummaryRow",
                        _fields(
                            "Account s, AccountClass s, BeginningBalance d, Branch s, ConsolidationAccount s,"
                            "CreditTotal d, CurrencyBeginningBalance d, CurrencyCreditTotal d, CurrencyDebitTotal d,"
                            "CurrencyEndingBalance d, CurrencyID s, CurrencyPtdTotal d, DebitTotal d, Description s,"
                            "EndingBalance d, LastActivity s, LedgerID i, PtdTotal d, Subaccount s, Type s"
                        ),
                    )
                },
                inquiry=True,
            ),
        )
    }
)


@lru_cache(maxsize=16)
def without(removed: tuple[str, ...]) -> Mapping[str, Entity]:
    """The entities of a site whose upgrade removed some: "Account", "Account/Type" or "Ledger/Companies/Company"."""
    left = {name: entity for name, entity in ENTITIES.items() if name not in removed}
    return MappingProxyType({name: _reduced(entity, removed) for name, entity in left.items()})


def _reduced(entity: Entity, removed: tuple[str, ...]) -> Entity:
    details = {
        name: replace(rows, fields=_left(rows.fields, f"{entity.name}/{name}", removed))
        for name, rows in entity.details.items()
        if f"{entity.name}/{name}" not in removed
    }
    return replace(entity, fields=_left(entity.fields, entity.name, removed), details=details)


def _left(fields: Mapping[str, str], path: str, removed: tuple[str, ...]) -> Mapping[str, str]:
    return {name: letter for name, letter in fields.items() if f"{path}/{name}" not in removed}
