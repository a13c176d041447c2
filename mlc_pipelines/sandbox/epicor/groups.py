"""Erp.BO.GLJrnGrpSvc: groups of journals in entry, and who holds them. Posting is the business of `posting`.

Parameters are those of the schemas [S SNO], `proposeBookID` without a d among them; those of the Change methods that the schemas' excerpts do not
name are proposed + column [I]. What GetNew fills in is not told: multi-book mode, the main book, today [I]. Reference: epicor 6.2 A, D.
"""

from collections.abc import Mapping
from datetime import date
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
    day_of,
    parameter,
)
from mlc_pipelines.sandbox.epicor.errors import no_record
from mlc_pipelines.sandbox.epicor.keeper import Answer, Given, Keeper, Method
from mlc_pipelines.sandbox.epicor.reading import Call
from mlc_pipelines.sandbox.ironvale import chart
from mlc_pipelines.sandbox.ironvale.shapes import FiscalPeriod

GROUP, HEADER, LINE = "GLJrnGrp", "GLJrnHed", "GLJrnDtlMnl"
FIRST_CODE = "GJ"


class Groups(Keeper):
    """The groups of all companies."""

    tables = (GROUP,)

    @property
    def methods(self) -> dict[str, Method]:
        """All but those that post."""
        return {
            **super().methods,
            "UpdateNoLock": self.update,
            "GetNewGLJrnGrp": self.get_new,
            "GetNewGLJrnGrpNoLock": self.get_new,
            "CheckFiscalYear": self.check_fiscal_year,
            "ChangeEntryMode": self.change_entry_mode,
            "ChangeBookID": self.change_book,
            "ChangeJournalCode": self.change_journal_code,
            "ChangeFiscalYear": self.change_period,
            "ChangeFiscalYearSuffix": self.change_period,
            "ChangeFiscalPeriod": self.change_period,
            "ChangeFiscalPeriodType": self.change_period_type,
            "UnlockGroup": self.unlock,
            "GroupLock": self.lock,
            "GroupUnlock": self.lock_off,
            "DeleteByID": self.delete,
            "CheckDocumentIsLocked": self.check_document,
        }

    # -- finding ------------------------------------------------------------------------------------------------------

    def find(self, company: str, group_id: str) -> Row | None:
        """The group of this id."""
        for (owner, code), row in self.books.kept.get(GROUP, {}).items():
            if owner == company and self.same(code, group_id):
                return dict(row)
        return None

    def get(self, company: str, group_id: Any) -> Row:
        """The same. Raises 404 when there is none."""
        found = self.find(company, str(group_id))
        if found is None:
            raise no_record()
        return found

    def mine(self, group: Row) -> Row:
        """A group that may be written to. Raises when somebody else holds it, or review does."""
        if group["ActiveUserID"] not in ("", self.site.username):
            raise business(f"Group {group['GroupID']} is in use by user {group['ActiveUserID']}.", GROUP)
        if group["IsLcked"]:
            text = f"Group {group['GroupID']} is locked by review journal {group['RvnJrnUID']}."
            raise business(text, GROUP)
        if group["Posted"]:
            raise business(f"Group {group['GroupID']} has been posted.", GROUP)
        return group

    def inside(self, table: str, group: Mapping[str, Any]) -> list[Row]:
        """Headers or lines of a group that are in entry, in the order of their numbers."""
        rows = [
            dict(row)
            for row in self.books.kept.get(table, {}).values()
            if (row["Company"], row["GroupID"]) == (group["Company"], group["GroupID"])
        ]
        return sorted(rows, key=lambda row: (row["JournalNum"], row.get("JournalLine", 0)))

    # -- before it is stored ------------------------------------------------------------------------------------------

    def get_new(self, call: Call, given: Given) -> Answer:
        """One more row with what a new group starts from."""
        ds, rules, today = self.read(given), Rules(self.site, call.company), self.site.clock.now().date()
        row = blank(GROUP, Company=call.company, CreatedBy=self.site.username, BookMode="M", JournalCode=FIRST_CODE)
        row |= {"JEDate": today, "COACode": chart.COA, "FiscalPeriodType": "O", "ActiveUserID": self.site.username}
        self._set_book(row, rules, rules.main_book.code)
        ds[GROUP].append(row)
        return self.by_reference(ds)

    def check_fiscal_year(self, call: Call, given: Given) -> Answer:
        """Take the date and its period; a message when that is not the present one. Raises when no period holds the date."""
        ds, row, rules = self._at_hand(call, given)
        parameter(given, "cGroupID")
        day = day_of(parameter(given, "cJEDate"), "cJEDate")
        if day is None:
            raise business("The date is required.", GROUP)
        period = rules.period_of(row["BookID"], day)
        if period is None:
            raise business(f"No fiscal period holds {day}.", GROUP)
        row["JEDate"] = day
        _set_period(row, period)
        today = rules.period_of(row["BookID"], self.site.clock.now().date())
        away = today is None or today.key != period.key
        return self.by_reference(ds, opMessage="The date is not in the current fiscal period." if away else "")

    def change_entry_mode(self, call: Call, given: Given) -> Answer:
        """S for one book, M for all books of the rules."""
        ds, row, rules = self._at_hand(call, given)
        mode = parameter(given, "proposedBookMode")
        if mode not in ("S", "M"):
            raise business(f"Entry mode {mode} is not valid.", GROUP)
        row["BookMode"] = mode
        if mode == "M":
            self._set_book(row, rules, rules.main_book.code)
        return self.by_reference(ds)

    def change_book(self, call: Call, given: Given) -> Answer:
        """Another book, with its currency, chart and calendar; only in the mode of a single one [I]."""
        ds, row, rules = self._at_hand(call, given)
        code = parameter(given, "proposeBookID")
        if row["BookMode"] != "S":
            raise business("The book cannot be changed in multi-book mode.", GROUP)
        self._set_book(row, rules, str(code))
        return self.by_reference(ds)

    def change_journal_code(self, call: Call, given: Given) -> Answer:
        """Another journal code, of this module."""
        ds, row, rules = self._at_hand(call, given)
        code = str(parameter(given, "proposedJournalCode"))
        rules.journal_code(code)
        row["JournalCode"] = code
        return self.by_reference(ds)

    def change_period(self, call: Call, given: Given) -> Answer:
        """Another year, suffix or period: whichever of the three is proposed."""
        ds, row, rules = self._at_hand(call, given)
        names = {"proposedFiscalYear": int, "proposedFiscalYearSuffix": str, "proposedFiscalPeriod": int}
        proposed = {name: kind(given[name]) for name, kind in names.items() if name in given}
        if not proposed:
            parameter(given, "proposedFiscalPeriod")
        row |= {name.removeprefix("proposed"): value for name, value in proposed.items()}
        _set_period(row, rules.period(row))
        return self.by_reference(ds)

    def change_period_type(self, call: Call, given: Given) -> Answer:
        """O for an ordinary period, that of the date; C for the closing period of the year."""
        ds, row, rules = self._at_hand(call, given)
        kind = parameter(given, "proposedFiscalPeriodType")
        if kind not in ("O", "C"):
            raise business(f"Fiscal period type {kind} is not valid.", GROUP)
        periods = self.books.calendar_of(row["BookID"], call.company).values()
        closing = [one for one in periods if one.closing and (one.year, one.suffix) == (row["FiscalYear"], row["FiscalYearSuffix"])]  # fmt: skip
        period = closing[0] if kind == "C" and closing else rules.period_of(row["BookID"], row["JEDate"])
        if period is None or bool(period.closing) != (kind == "C"):
            raise business("There is no such fiscal period.", GROUP)
        _set_period(row, period)
        return self.by_reference(ds)

    def _at_hand(self, call: Call, given: Given) -> tuple[Tables, Row, Rules]:
        ds = self.read(given)
        return ds, at_hand(ds[GROUP], GROUP), Rules(self.site, call.company)

    def _set_book(self, row: Row, rules: Rules, code: str) -> None:
        book = rules.book(code)
        row |= {"BookID": book.code, "CurrencyCode": book.currency, "FiscalCalendarID": book.calendar}
        day: date | None = row["JEDate"]
        period = rules.period_of(book.code, day) if day else None
        if period is not None:
            _set_period(row, period)

    # -- storing ------------------------------------------------------------------------------------------------------

    def store(self, call: Call, table: str, row: Row, ds: Tables) -> Row | None:  # noqa: ARG002
        """A group that is new, changed or deleted."""
        if row["RowMod"] == ADDED:
            return self._add(call, row)
        if row["RowMod"] == DELETED:
            self.remove(self.mine(self.require_unchanged(GROUP, row)))
            return None
        stands = self.mine(self.require_unchanged(GROUP, row))
        self._check(call, row)
        return self.put(GROUP, {**row, "GroupID": stands["GroupID"]})

    def _add(self, call: Call, row: Row) -> Row:
        self.fitted(GROUP, row, {"GroupID": self.site.switches["group_id_width"]})
        if not row["GroupID"].strip():
            raise business("Group ID is required.", GROUP)
        self.require_new(GROUP, row)
        self._check(call, row)
        holder = self.site.switches["new_groups_taken_by"] or self.site.username
        return self.put(GROUP, {**row, "CreatedBy": self.site.username, "ActiveUserID": holder})

    def _check(self, call: Call, row: Row) -> None:
        rules = Rules(self.site, call.company)
        rules.journal_code(row["JournalCode"])
        rules.require_open(row)
        if row["BookMode"] == "M" and row["BookID"] != rules.main_book.code:
            raise business("A group of all books belongs to the main book.", GROUP)

    def remove(self, group: Row) -> None:
        """Delete a group. Raises while it holds journals, unless the switch lets them go with it."""
        headers = self.inside(HEADER, group)
        if headers and self.site.switches["full_group"] == "refused":
            raise business(f"Group {group['GroupID']} contains journals and cannot be deleted.", GROUP)
        for header in headers:
            self.remove_header(header)
        self.books.drop(GROUP, (group["Company"], group["GroupID"]))

    def remove_header(self, header: Row) -> None:
        """Delete a journal that is in entry, with its lines."""
        shared = tuple(header[name] for name in ("Company", "BookID", "FiscalYear", "FiscalYearSuffix", "JournalCode"))
        key = (*shared, header["JournalNum"])
        for line in [one for one in self.books.kept.get(LINE, {}) if one[:6] == key]:
            self.books.drop(LINE, line)
        self.books.drop(HEADER, (*key, header["FiscalCalendarID"]))

    def delete(self, call: Call, given: Given) -> Answer:
        """DeleteByID."""
        with self.all_or_none():
            self.remove(self.mine(self.get(call.company, parameter(given, "groupID"))))
        return {}

    # -- who holds it -------------------------------------------------------------------------------------------------

    def unlock(self, call: Call, given: Given) -> Answer:
        """Give a group back. Raises when it is somebody else's."""
        group = self.mine(self.get(call.company, parameter(given, "inGroupID")))
        self.put(GROUP, {**group, "ActiveUserID": ""})
        return {}

    def lock(self, call: Call, given: Given) -> Answer:
        """Take a group. Raises when somebody else holds it."""
        return self._hold(call, given, self.site.username)

    def lock_off(self, call: Call, given: Given) -> Answer:
        """Give it back, by the other method."""
        return self._hold(call, given, "")

    def _hold(self, call: Call, given: Given, user: str) -> Answer:
        ds = self.read(given)
        group = self.mine(self.get(call.company, parameter(given, "groupID")))
        held = self.put(GROUP, {**group, "ActiveUserID": user})
        ds[GROUP] = [held if row.get("GroupID") == held["GroupID"] else row for row in ds[GROUP]] or [held]
        return self.by_reference(ds)

    def check_document(self, call: Call, given: Given) -> Answer:
        """CheckDocumentIsLocked: raises when it is."""
        self.mine(self.get(call.company, parameter(given, "keyValue")))
        return {}


def _set_period(row: Row, period: FiscalPeriod) -> None:
    row |= {
        "FiscalYear": period.year,
        "FiscalYearSuffix": period.suffix,
        "FiscalPeriod": period.number,
        "CloseFiscalPeriod": period.closing,
        "FiscalPeriodType": "C" if period.closing else "O",
    }
