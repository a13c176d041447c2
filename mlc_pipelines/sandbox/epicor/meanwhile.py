"""What others do while somebody reads page after page: a row is inserted, changed or deleted after a page was answered.

Switched on by `meanwhile`, so many times as `meanwhile_times` says. Lines and balances change by a journal that is really posted, or by a line that
is really coded anew; other tables by a row that lies over the books. What is inserted sorts before all others by key, where a reader who pages by
position sees a row twice; the first row is what is deleted, where that reader misses one.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mlc_pipelines.sandbox.epicor import schema
from mlc_pipelines.sandbox.ironvale import Line

if TYPE_CHECKING:
    from mlc_pipelines.sandbox.epicor.site import Kinetic

Row = Mapping[str, Any]
OF_LEDGER = ("GLJrnDtl", "GLPeriodBal")
MINOR = 4200
CODE = "AA"
"""A journal code that comes before all others."""


class Meddling:
    """What lies over the books: rows that others have put in, changed or taken out."""

    def __init__(self, site: "Kinetic") -> None:
        """Nothing so far."""
        self._site = site
        self._gone: dict[str, set[str]] = {}
        self._extra: dict[str, list[Row]] = {}

    def lies_over(self, table: str) -> bool:
        """Whether a table shows anything that is not in the books."""
        return bool(self._extra.get(table))

    def applied(self, table: str, rows: Sequence[Row]) -> Sequence[Row]:
        """The rows of a table with all of it. What was put in is shown whatever was looked up: the reader tests each row."""
        gone, extra = self._gone.get(table), self._extra.get(table, [])
        if gone:
            rows = [row for row in rows if row["SysRowID"] not in gone]
        return [*extra, *rows] if extra else rows

    def happen(self, table: str, page: Sequence[Row]) -> None:
        """Do it once to what was just shown, if the switch says so and the times are not used up."""
        switches = self._site.switches
        with self._site.lock:
            if switches["meanwhile"] == "nothing" or not switches["meanwhile_times"] or not page:
                return
            switches["meanwhile_times"] -= 1
        if table in OF_LEDGER and switches["meanwhile"] != "delete":
            self._in_ledger(table, switches["meanwhile"], page)
        else:
            self._over(switches["meanwhile"], table, page[0])
        self._site.touch()

    def _in_ledger(self, table: str, deed: str, page: Sequence[Row]) -> None:
        books, now = self._site.books, self._site.clock.now()
        first, last = page[0], page[-1]
        period = f"FY{first['FiscalYear']}{first['FiscalYearSuffix']}-P{max(1, first['FiscalPeriod']):02d}"
        if deed == "change" and table == "GLJrnDtl":
            name = f"{first['JournalCode']} {first['JournalNum']}"
            books.recode(period, name, first["JournalLine"], dept=last["SegValue2"], book=first["BookID"])
            return
        lines = [
            Line(first["SegValue1"], first["SegValue2"], first["SegValue3"], MINOR, 0),
            Line(last["SegValue1"], last["SegValue2"], last["SegValue3"], 0, MINOR),
        ]
        books.post(
            first["BookID"], period, lines, description="Meanwhile", code=CODE, company=first["Company"], now=now
        )

    def _over(self, deed: str, table: str, first: Row) -> None:
        kept = [row for row in self._extra.get(table, []) if deed == "insert" or row is not first]
        if deed != "insert":
            self._gone.setdefault(table, set()).add(first["SysRowID"])
        if deed != "delete":
            new = {**first, "SysRevID": self._site.books.next_revs()}
            if deed == "insert":
                name = schema.tables()[table].keys[-1]
                new |= {name: -self._site.changes if isinstance(first[name], int) else f"!{self._site.changes}"}
                new["SysRowID"] = f"ffffffff-0000-4000-8000-{new['SysRevID']:012x}"
            else:
                new |= {name: f"{first[name]} (edited)" for name in ("Description", "Name") if name in first}
            kept.insert(0, new)
        self._extra[table] = kept
