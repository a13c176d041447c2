"""The review journal: where posting parks what somebody must look at first, its group locked until then.

Which columns its tables have is ours [I]; the lock columns of the group are documented [S SNO]. Reference: epicor 6.2 E 5, 6.4.
"""

from collections.abc import Sequence

from mlc_pipelines.sandbox.epicor.dataset import Row
from mlc_pipelines.sandbox.epicor.groups import GROUP, HEADER, LINE, Groups
from mlc_pipelines.sandbox.epicor.site import Kinetic

UNLOCKED = {"IsLcked": False, "LockStatus": "", "RvnJrnUID": 0}
OF_JOURNAL = (
    *("Company", "BookID", "FiscalYear", "FiscalYearSuffix", "FiscalPeriod", "FiscalCalendarID", "JournalCode"),
    *("JournalNum", "GroupID", "JEDate", "Description", "CommentText"),
)
OF_LINE = (
    *("Company", "BookID", "JournalCode", "JournalNum", "JournalLine", "GroupID", "GLAccount"),
    *("SegValue1", "SegValue2", "SegValue3", "Description", "CommentText"),
)


class Review:
    """The review journals of one instance."""

    def __init__(self, site: Kinetic, groups: Groups) -> None:
        """Over these groups."""
        self._site, self._groups = site, groups

    def park(self, group: Row, headers: Sequence[Row], reasons: Sequence[str]) -> int:
        """Send a group's journals to review and lock the group; the number of the review journal."""
        books = self._site.books
        uid = max([key[0] for key in books.kept.get("RvJrn", {})], default=0) + 1
        about = {name: group[name] for name in ("Company", "GroupID", "BookID", "JournalCode")}
        told = {"Description": "; ".join(reasons) or "Sent to review", "EntryPerson": self._site.username}
        today = self._site.clock.now().date()
        books.put("RvJrn", {"RvJrnUID": uid, **about, **told, "Status": "Review", "SourceModule": "GL", "CreateDate": today})  # fmt: skip
        for at, header in enumerate(headers, start=1):
            key = {"RvJrnUID": uid, "RvJrnTrUID": at}
            books.put("RvJrnTr", {**key, **{name: header[name] for name in OF_JOURNAL}})
            for line in self._groups.inside(LINE, group):
                if line["JournalNum"] == header["JournalNum"]:
                    sides = {"BookDebitAmount": line["TotDebit"], "BookCreditAmount": line["TotCredit"]}
                    books.put("RvJrnTrDtl", {**key, **{name: line[name] for name in OF_LINE}, **sides})
        lock = {"IsLcked": True, "LockStatus": "Review", "RvnJrnUID": uid}
        for header in headers:
            books.put(HEADER, {**header, **lock})
        books.put(GROUP, {**group, **lock, "PostErrorLog": "; ".join(reasons)})
        return uid

    def release(self, company: str, group_id: str) -> Row:
        """Take a group's journals out of review again; the group, free."""
        books, group = self._site.books, self._groups.get(company, group_id)
        for table in ("RvJrnTrDtl", "RvJrnTr", "RvJrn"):
            for key in [one for one in books.kept.get(table, {}) if one[0] == group["RvnJrnUID"]]:
                books.drop(table, key)
        for header in self._groups.inside(HEADER, group):
            books.put(HEADER, {**header, **UNLOCKED})
        return dict(books.put(GROUP, {**group, **UNLOCKED}))
