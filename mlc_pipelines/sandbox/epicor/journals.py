"""Erp.BO.GLJournalEntrySvc: journals in entry, a header and its lines. Reference: epicor 6.2 B and C, 6.4, 11.7.

The header gets its number with Update: the last one of journal code and year that was used, plus one, so that a number not posted may be given
again [S SNO]. New rows stand last in the dataset. What GetNew fills in is copied from the group and the header [S; I for which columns].
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from mlc_pipelines.sandbox.epicor.accounts import Rules
from mlc_pipelines.sandbox.epicor.dataset import (
    ADDED,
    DELETED,
    Row,
    Tables,
    at_hand,
    blank,
    business,
    parameter,
    shown,
)
from mlc_pipelines.sandbox.epicor.errors import no_record
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


class Journals(Keeper):
    """The journals in entry of all companies."""

    tables = (HEADER, LINE)
    others = (
        *("GLJrnHedAttch", "GLJrnDtlMnlAttch", "GLJrnDtlMnlDEASch", "GLJrnDtlMnlTranGLC"),
        *("GlAllocations", "LegalNumGenOpts"),
    )

    def __init__(self, site: Kinetic, groups: Groups) -> None:
        """They belong to these groups."""
        super().__init__(site)
        self._groups = groups

    @property
    def methods(self) -> dict[str, Method]:
        """All of entry."""
        return {
            **super().methods,
            "Update": self.update_lines,
            "GetNewGlJrnHedTran": self.get_new_header,
            "OnChangeTranDocTypeID": self.change_document_type,
            "PreUpdate": self.before_update,
            "GetNewGLJrnDtlMnl": self.get_new_line,
            "ChangeGlAcct1": self.change_account,
            "ConvertDebitAmount": self.convert_debit,
            "ConvertCreditAmount": self.convert_credit,
            "GetByGroupID": self.of_group,
            "DeleteByID": self.delete,
            "VoidLegalNumber": self.void_legal_number,
        }

    # -- before it is stored ------------------------------------------------------------------------------------------

    def get_new_header(self, call: Call, given: Given) -> Answer:
        """One more header, as its group has it. Raises when there is no such group."""
        ds, group = self.read(given), self._group(call, parameter(given, "GroupID"))
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
        header = self._header(call, key, ds)
        more = {name: header[name] for name in OF_HEADER}
        ds[LINE].append(blank(LINE, Company=call.company, **key, **more, COACode=chart.COA, SourceModule="GL"))
        return self.by_reference(ds)

    def change_account(self, call: Call, given: Given) -> Answer:
        """ChangeGlAcct1: segments and names of the account that was set on a line."""
        ds, line = self._line_at_hand(given)
        self._take_account(line, Rules(self.site, call.company).segments(line))
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
        _spread(line)
        return self.by_reference(ds)

    def _line_at_hand(self, given: Given) -> tuple[Tables, Row]:
        ds, number = self.read(given), int(parameter(given, "iLineNum"))
        found = [row for row in ds[LINE] if row.get("JournalLine") == number]
        return ds, at_hand(found or ds[LINE], LINE)

    def _group(self, call: Call, group_id: Any) -> Row:
        group = self._groups.find(call.company, str(group_id))
        if group is None:
            raise business(f"Group {group_id} does not exist.", GROUP)
        return group

    def _header(self, call: Call, key: Mapping[str, Any], ds: Tables) -> Row:
        wanted = {"Company": call.company, **key}
        stored = [dict(row) for row in self.books.kept.get(HEADER, {}).values()]
        for row in (*ds[HEADER], *stored):
            if all(row.get(name) == value for name, value in wanted.items()):
                return {**blank(HEADER), **row}
        raise business(f"Journal {key['JournalCode']} {key['JournalNum']} does not exist.", HEADER)

    # -- storing ------------------------------------------------------------------------------------------------------

    def update_lines(self, call: Call, given: Given) -> Answer:
        """Update; several new lines at once are taken, refused, or all but one forgotten, as the switch says."""
        kind = self.site.switches["lines_per_update"]
        rows = given.get("ds", {}).get(LINE) or [] if isinstance(given.get("ds"), dict) else []
        new = [row for row in rows if isinstance(row, dict) and row.get("RowMod") == ADDED]
        if len(new) > 1 and kind == "refused":
            raise business("Only one new line can be saved at a time.", LINE, "Update")
        if len(new) > 1 and kind == "first only":
            kept = [row for row in rows if row is new[0] or row not in new]
            given = {**given, "ds": {**given["ds"], LINE: kept}}
        return self.update(call, given)

    def store(self, call: Call, table: str, row: Row, ds: Tables) -> Row | None:
        """A header or a line that is new, changed or deleted."""
        return self._store_header(call, row) if table == HEADER else self._store_line(call, row, ds)

    def _store_header(self, call: Call, row: Row) -> Row | None:
        stands = None if row["RowMod"] == ADDED else self.require_unchanged(HEADER, row)
        group = self._groups.mine(self._group(call, row["GroupID"]))
        if stands is not None and row["RowMod"] == DELETED:
            self._groups.remove_header(stands)
            self._count(group)
            return None
        self._fit(HEADER, row)
        rules = Rules(self.site, call.company)
        rules.journal_code(row["JournalCode"])
        period = rules.require_open(row)
        if (row["BookID"], row["CurrencyCode"]) != (group["BookID"], rules.book(row["BookID"]).currency):
            raise business("Book and currency of a journal are those of its group.", HEADER)
        if stands is None:
            if self.site.switches["legal_number"] and not row["LegalNumber"]:
                raise business("Legal Number is required.", HEADER)
            row["JournalNum"] = self._number(row, period.year_key)
        row["AllowUnbalancedEntries"] = row["BookID"] in self.site.switches["unbalanced_books"]
        stored = self.put(HEADER, row)
        if stands is not None:
            self._total(stored, {HEADER: []})
        self._count(group)
        return self.stored(HEADER, stored)

    def _number(self, header: Row, year_key: str) -> int:
        """One more than the last of code and year, posted or in entry. That one in entry counts as well is ours [I]."""
        shared = ("Company", "BookID", "FiscalYear", "FiscalYearSuffix", "JournalCode")
        wanted = [header[name] for name in shared]
        rows = self.books.kept.get(HEADER, {}).values()
        entered = [row["JournalNum"] for row in rows if [row[name] for name in shared] == wanted]
        posted = self.books.last_number(header["Company"], header["BookID"], year_key, header["JournalCode"])
        return 1 + max([posted, *map(int, entered)])

    def _store_line(self, call: Call, row: Row, ds: Tables) -> Row | None:
        if row["RowMod"] == ADDED and not row["JournalNum"]:
            row |= {name: at_hand_or_last(ds[HEADER])[name] for name in (*KEY, "FiscalCalendarID", "GroupID")}
        if row["RowMod"] != ADDED:
            self.require_unchanged(LINE, row)
        header = self._header(call, {name: row[name] for name in KEY}, {HEADER: []})
        self._groups.mine(self._group(call, header["GroupID"]))
        if row["RowMod"] == DELETED:
            self.books.drop(LINE, tuple(row[name] for name in ("Company", *KEY, "JournalLine", "FiscalCalendarID")))
            self._total(header, ds)
            return None
        self._fit(LINE, row)
        if row["RowMod"] == ADDED:
            row["JournalLine"] = max([line["JournalLine"] for line in self.lines(header)], default=0) + 1
        row |= {"FiscalCalendarID": header["FiscalCalendarID"], "GroupID": header["GroupID"]}
        self._check_line(call, row)
        stored = self.put(LINE, row)
        self._total(header, ds)
        return stored

    def _check_line(self, call: Call, row: Row) -> None:
        rules = Rules(self.site, call.company)
        rules.require_open(row)
        coding = rules.segments(row)
        wrong = rules.wrong_account(coding, row["JEDate"])
        text = f"Invalid GL Account {gl_account(*coding)} for Journal {row['JournalNum']} Line {row['JournalLine']}: {wrong}"
        if wrong and self.site.switches["account_check"] == "update":
            raise business(text, LINE)
        row |= {"InvalidGLAccount": bool(wrong), "InvalidGLAccountMessage": text if wrong else ""}
        self._take_account(row, coding)
        _spread(row)
        if min(row["TotDebit"], row["TotCredit"]) < 0 or (row["TotDebit"] and row["TotCredit"]):
            raise business("A line has either a debit or a credit amount, and it is positive.", LINE)
        if not wrong and rules.unit(coding[0]) and (row["TotDebit"] or row["TotCredit"]):
            raise business(f"Account {coding[0]} is statistical and takes no amounts.", LINE)

    def _take_account(self, row: Row, coding: Sequence[str]) -> None:
        value = self.books.values[chart.ACCOUNT].get(coding[0])
        row |= {f"SegValue{at}": code for at, code in enumerate(coding, start=1)}
        row |= {"GLAccount": gl_account(*coding), "GLGLAcctDisp": display(*coding)}
        row["GLAccountDesc"] = value.name if value else ""

    def _fit(self, table: str, row: Row) -> None:
        switches = self.site.switches
        widths = {"Description": switches["description_width"], "CommentText": switches["comment_width"]}
        self.fitted(table, row, widths)

    def lines(self, header: Mapping[str, Any]) -> list[Row]:
        """The lines of a journal in entry."""
        return [
            row for row in self._groups.inside(LINE, header) if all(row[name] == header[name] for name in KEY)
        ]  # fmt: skip

    def _total(self, header: Row, ds: Tables) -> None:
        """Sums of the header, which is written anew with each of its lines; the dataset follows."""
        lines = self.lines(header)
        debit, credit = (sum((line[side] for line in lines), NONE) for side in ("TotDebit", "TotCredit"))
        stands = self.put(HEADER, {**header, "TotDebit": debit, "TotCredit": credit, "Balance": debit - credit})
        for row in ds[HEADER]:
            if row.get("RowMod") and all(row.get(name) == header[name] for name in KEY):
                row["SysRevID"] = stands["SysRevID"]

    def _count(self, group: Row) -> None:
        has = bool(self._groups.inside(HEADER, group))
        if has != group["HasDetails"]:
            self.put(GROUP, {**group, "HasDetails": has})

    # -- the rest -----------------------------------------------------------------------------------------------------

    def of_group(self, call: Call, given: Given) -> Answer:
        """GetByGroupID: all journals in entry of a group; an empty dataset for a group that has none, or that is not there [I]."""
        group = {"Company": call.company, "GroupID": str(parameter(given, "GroupID"))}
        found = self._groups.find(call.company, group["GroupID"]) or group
        ds = {table: self._groups.inside(table, found) for table in self.tables}
        return {"returnObj": shown(self.site, ds, self.others), "parameters": {}}

    def delete(self, call: Call, given: Given) -> Answer:
        """DeleteByID: a journal in entry with its lines."""
        names = dict(zip((*KEY, "FiscalCalendarID"), (*PARAMETERS, "fiscalCalendarID"), strict=True))
        key = {"Company": call.company, **{name: parameter(given, said) for name, said in names.items()}}
        header = self.stored(HEADER, {**blank(HEADER), **key})
        if header is None:
            raise no_record()
        with self.all_or_none():
            group = self._groups.mine(self._group(call, header["GroupID"]))
            self._groups.remove_header(header)
            self._count(group)
        return {}

    def void_legal_number(self, _: Call, given: Given) -> Answer:
        """Take the legal number off again, with a reason."""
        ds = self.read(given)
        parameter(given, "ipVoidedReason")
        at_hand(ds[HEADER], HEADER)["LegalNumber"] = ""
        return self.by_reference(ds)


def at_hand_or_last(headers: Sequence[Row]) -> Row:
    """The header that new lines without a number belong to: the last one of the dataset."""
    if not headers or not headers[-1].get("JournalNum"):
        raise business("The journal of the line does not exist.", HEADER)
    return headers[-1]


def _spread(line: Row) -> None:
    """The amount of a line in the columns that repeat it; from TransAmt, debit above zero, where no side is given."""
    debit, credit, signed = (line.get(name, NONE) for name in ("TotDebit", "TotCredit", "TransAmt"))
    if not debit and not credit and signed:
        debit, credit = max(signed, NONE), max(-signed, NONE)
    line |= {"TotDebit": debit, "TotCredit": credit, "DebitAmount": debit, "CreditAmount": credit}
    line |= {"TotCurrDebit": debit, "TotCurrCredit": credit, "TransAmt": debit - credit, "DocTransAmt": debit - credit}
