"""Erp.BO.GLJournalEntrySvc: journals in entry, a header and its lines. Reference: epicor 6.2 B and C, 6.4, 11.7.

The header gets its number with Update: the last one of journal code and year that was used, plus one, so that a number not posted may be given
again [S SNO].
"""

from collections.abc import Mapping, Sequence
from typing import Any

from mlc_pipelines.sandbox.epicor.accounts import Rules
from mlc_pipelines.sandbox.epicor.dataset import (
    ADDED,
    DELETED,
    Row,
    Tables,
    blank,
    business,
    parameter,
    shown,
)
from mlc_pipelines.sandbox.epicor.drafts import KEY, NONE, PARAMETERS, Drafts, spread
from mlc_pipelines.sandbox.epicor.errors import no_record
from mlc_pipelines.sandbox.epicor.groups import GROUP, HEADER, LINE
from mlc_pipelines.sandbox.epicor.keeper import Answer, Given, Method
from mlc_pipelines.sandbox.epicor.reading import Call
from mlc_pipelines.sandbox.ironvale.coding import gl_account


class Journals(Drafts):
    """The journals in entry of all companies."""

    @property
    def methods(self) -> dict[str, Method]:
        """All of entry."""
        return {
            **super().methods,
            "Update": self.update_lines,
            "GetByGroupID": self.of_group,
            "DeleteByID": self.delete,
        }

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
        group = self.groups.mine(self.group_of(call, row["GroupID"]))
        if stands is not None and row["RowMod"] == DELETED:
            self.groups.remove_header(stands)
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
        header = self.header_of(call, {name: row[name] for name in KEY}, {HEADER: []})
        self.groups.mine(self.group_of(call, header["GroupID"]))
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
        self.take_account(row, coding)
        spread(row)
        if min(row["TotDebit"], row["TotCredit"]) < 0 or (row["TotDebit"] and row["TotCredit"]):
            raise business("A line has either a debit or a credit amount, and it is positive.", LINE)
        if not wrong and rules.unit(coding[0]) and (row["TotDebit"] or row["TotCredit"]):
            raise business(f"Account {coding[0]} is statistical and takes no amounts.", LINE)

    def _fit(self, table: str, row: Row) -> None:
        switches = self.site.switches
        widths = {"Description": switches["description_width"], "CommentText": switches["comment_width"]}
        self.fitted(table, row, widths)

    def lines(self, header: Mapping[str, Any]) -> list[Row]:
        """The lines of a journal in entry."""
        return [
            row for row in self.groups.inside(LINE, header) if all(row[name] == header[name] for name in KEY)
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
        has = bool(self.groups.inside(HEADER, group))
        if has != group["HasDetails"]:
            self.put(GROUP, {**group, "HasDetails": has})

    # -- the rest -----------------------------------------------------------------------------------------------------

    def of_group(self, call: Call, given: Given) -> Answer:
        """GetByGroupID: all journals in entry of a group; an empty dataset for a group that has none, or that is not there [I]."""
        group = {"Company": call.company, "GroupID": str(parameter(given, "GroupID"))}
        found = self.groups.find(call.company, group["GroupID"]) or group
        ds = {table: self.groups.inside(table, found) for table in self.tables}
        return {"returnObj": shown(self.site, ds, self.others), "parameters": {}}

    def delete(self, call: Call, given: Given) -> Answer:
        """DeleteByID: a journal in entry with its lines."""
        names = dict(zip((*KEY, "FiscalCalendarID"), (*PARAMETERS, "fiscalCalendarID"), strict=True))
        key = {"Company": call.company, **{name: parameter(given, said) for name, said in names.items()}}
        header = self.stored(HEADER, {**blank(HEADER), **key})
        if header is None:
            raise no_record()
        with self.all_or_none():
            group = self.groups.mine(self.group_of(call, header["GroupID"]))
            self.groups.remove_header(header)
            self._count(group)
        return {}


def at_hand_or_last(headers: Sequence[Row]) -> Row:
    """The header that new lines without a number belong to: the last one of the dataset."""
    if not headers or not headers[-1].get("JournalNum"):
        raise business("The journal of the line does not exist.", HEADER)
    return headers[-1]
