"""A journal before it is stored: what GetNew fills in, and what the screen's own methods change on a dataset. Reference: epicor 6.2 B and C.

New rows stand last in the dataset. What GetNew fills in is copied from the group and the header [S; I for which columns].
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from mlc_pipelines.sandbox.epicor.accounts import Rules
from mlc_pipelines.sandbox.epicor.dataset import Row, Tables, at_hand, blank, business, parameter
from mlc_pipelines.sandbox.epicor.groups import GROUP, HEADER, LINE, Groups
from mlc_pipelines.sandbox.epicor.keeper import Answer, Given, Keeper, Method
from mlc_pipelines.sandbox.epicor.reading import Call
from mlc_pipelines.sandbox.epicor.site import Kinetic
from mlc_pipelines.sandbox.ironvale import chart
from mlc_pipelines.sandbox.ironvale.coding import display, gl_account

OF_GROUP = (
    *("BookID", "FiscalYear", "FiscalYearSuffix", "FiscalPeriod", "FiscalCalendarID", "CloseFiscalPeriod"),
    *("JournalCode", "JEDate", "GroupID", "CurrencyCode"),
)
"""Columns that a new header takes from its group."""

OF_HEADER = ("FiscalPeriod", "FiscalCalendarID", "JEDate", "GroupID", "CurrencyCode", "Description", "CommentText")
"""Columns that a new line takes from its header, beside the key."""

KEY = ("BookID", "FiscalYear", "FiscalYearSuffix", "JournalCode", "JournalNum")
PARAMETERS = ("bookID", "fiscalYear", "fiscalYearSuffix", "journalCode", "journalNum")
NONE = Decimal("0.00")


class Drafts(Keeper):
    """Journals that are only a dataset so far."""

    tables = (HEADER, LINE)
    others = (
        *("GLJrnHedAttch", "GLJrnDtlMnlAttch", "GLJrnDtlMnlDEASch", "GLJrnDtlMnlTranGLC"),
        *("GlAllocations", "LegalNumGenOpts"),
    )

    def __init__(self, site: Kinetic, groups: Groups) -> None:
        """They belong to these groups."""
        super().__init__(site)
        self.groups = groups

    @property
    def methods(self) -> dict[str, Method]:
        """Those that store nothing, and the ways to store."""
        return {
            **super().methods,
            "GetNewGlJrnHedTran": self.get_new_header,
            "OnChangeTranDocTypeID": self.change_document_type,
            "PreUpdate": self.before_update,
            "GetNewGLJrnDtlMnl": self.get_new_line,
            "ChangeGlAcct1": self.change_account,
            "ConvertDebitAmount": self.convert_debit,
            "ConvertCreditAmount": self.convert_credit,
            "VoidLegalNumber": self.void_legal_number,
        }

    def get_new_header(self, call: Call, given: Given) -> Answer:
        """One more header, as its group has it. Raises when there is no such group."""
        ds, group = self.read(given), self.group_of(call, parameter(given, "GroupID"))
        today = self.site.clock.now().date()
        about = {"EnteredBy": self.site.username, "CreateDate": today}
        ds[HEADER].append(blank(HEADER, Company=call.company, **about, **{name: group[name] for name in OF_GROUP}))
        return self.by_reference(ds)

    def change_document_type(self, _: Call, given: Given) -> Answer:
        """Another document type."""
        ds = self.read(given)
        at_hand(ds[HEADER], HEADER)["TranDocTypeID"] = parameter(given, "ipTranDocTypeID")
        return self.by_reference(ds)

    def before_update(self, _: Call, given: Given) -> Answer:
        """PreUpdate: whether a legal number is wanted from the user."""
        wanted: bool = self.site.switches["legal_number"]
        return self.by_reference(self.read(given), RequiresUserInput=wanted)

    def get_new_line(self, call: Call, given: Given) -> Answer:
        """One more line at the end, as its header has it. Raises when neither dataset nor books know the header."""
        ds = self.read(given)
        key = {name: parameter(given, said) for name, said in zip(KEY, PARAMETERS, strict=True)}
        parameter(given, "journalLine")
        header = self.header_of(call, key, ds)
        more = {name: header[name] for name in OF_HEADER}
        ds[LINE].append(blank(LINE, Company=call.company, **key, **more, COACode=chart.COA, SourceModule="GL"))
        return self.by_reference(ds)

    def change_account(self, call: Call, given: Given) -> Answer:
        """ChangeGlAcct1: segments and names of the account that was set on a line."""
        ds, line = self._line_at_hand(given)
        self.take_account(line, Rules(self.site, call.company).segments(line))
        return self.by_reference(ds)

    def convert_debit(self, _: Call, given: Given) -> Answer:
        """A debit on a line, in all its currencies."""
        return self._convert(given, "TotDebit", "TotCredit")

    def convert_credit(self, _: Call, given: Given) -> Answer:
        """A credit."""
        return self._convert(given, "TotCredit", "TotDebit")

    def _convert(self, given: Given, side: str, other: str) -> Answer:
        ds, line = self._line_at_hand(given)
        line[side], line[other] = Decimal(str(parameter(given, "proposedAmount"))), NONE
        spread(line)
        return self.by_reference(ds)

    def _line_at_hand(self, given: Given) -> tuple[Tables, Row]:
        ds, number = self.read(given), int(parameter(given, "iLineNum"))
        found = [row for row in ds[LINE] if row.get("JournalLine") == number]
        return ds, at_hand(found or ds[LINE], LINE)

    def group_of(self, call: Call, group_id: Any) -> Row:
        """The group of this id. Raises when there is none."""
        group = self.groups.find(call.company, str(group_id))
        if group is None:
            raise business(f"Group {group_id} does not exist.", GROUP)
        return group

    def header_of(self, call: Call, key: Mapping[str, Any], ds: Tables) -> Row:
        """The header of a key, of the dataset or else of the books. Raises when neither has it."""
        wanted = {"Company": call.company, **key}
        stored = [dict(row) for row in self.books.kept.get(HEADER, {}).values()]
        for row in (*ds[HEADER], *stored):
            if all(row.get(name) == value for name, value in wanted.items()):
                return {**blank(HEADER), **row}
        raise business(f"Journal {key['JournalCode']} {key['JournalNum']} does not exist.", HEADER)

    def take_account(self, row: Row, coding: Sequence[str]) -> None:
        """Set the account of a line, in all columns that tell it."""
        value = self.books.values[chart.ACCOUNT].get(coding[0])
        row |= {f"SegValue{at}": code for at, code in enumerate(coding, start=1)}
        row |= {"GLAccount": gl_account(*coding), "GLGLAcctDisp": display(*coding)}
        row["GLAccountDesc"] = value.name if value else ""

    def void_legal_number(self, _: Call, given: Given) -> Answer:
        """Take the legal number off again, with a reason."""
        ds = self.read(given)
        parameter(given, "ipVoidedReason")
        at_hand(ds[HEADER], HEADER)["LegalNumber"] = ""
        return self.by_reference(ds)


def spread(line: Row) -> None:
    """The amount of a line in the columns that repeat it; from TransAmt, debit above zero, where no side is given."""
    debit, credit, signed = (line.get(name, NONE) for name in ("TotDebit", "TotCredit", "TransAmt"))
    if not debit and not credit and signed:
        debit, credit = max(signed, NONE), max(-signed, NONE)
    line |= {"TotDebit": debit, "TotCredit": credit, "DebitAmount": debit, "CreditAmount": credit}
    line |= {"TotCurrDebit": debit, "TotCurrCredit": credit, "TransAmt": debit - credit, "DocTransAmt": debit - credit}
