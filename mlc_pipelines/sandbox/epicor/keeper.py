"""What the business objects that can be written have in common: Update, all or nothing, and UpdateExt, row by row.

UpdateExt answers 200 also when rows failed: `errorsOccurred` and BOUpdError tell of it [S SNO; C KDV]. A row that somebody else has changed since is
refused; status and words of that are not recorded [C MCP: 409; I]. Reference: epicor 6.1, 7.2.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from mlc_pipelines.sandbox.epicor import dataset
from mlc_pipelines.sandbox.epicor.dataset import ADDED, DELETED, Row, Tables, business, key_of
from mlc_pipelines.sandbox.epicor.errors import BUSINESS, RefusalError
from mlc_pipelines.sandbox.epicor.reading import Call
from mlc_pipelines.sandbox.epicor.site import Kinetic
from mlc_pipelines.sandbox.ironvale import Ironvale
from mlc_pipelines.sandbox.ironvale.tables import TABLES

Given = Mapping[str, Any]
Answer = dict[str, Any]
Method = Callable[[Call, Given], Answer]

DUPLICATE = "Ice.Common.DuplicateRecordException"


class Keeper:
    """One business object: its tables, the parent first, and how a row of them is stored."""

    tables: Sequence[str] = ()
    others: Sequence[str] = ()
    """Tables of its dataset in which nothing is kept here."""

    def __init__(self, site: Kinetic) -> None:
        """It writes into the books of this instance."""
        self.site = site

    @property
    def books(self) -> Ironvale:
        """The books behind the instance."""
        return self.site.books

    @property
    def methods(self) -> dict[str, Method]:
        """What may be called, by name."""
        return {"Update": self.update, "UpdateExt": self.update_ext}

    def store(self, call: Call, table: str, row: Row, ds: Tables) -> Row | None:
        """Store one row that is new, changed or deleted; what stands there now. Raises what is wrong with it."""
        raise NotImplementedError

    # -- datasets -----------------------------------------------------------------------------------------------------

    def read(self, given: Given) -> Tables:
        """The dataset that was sent."""
        return dataset.read(self.site, self.tables, given)

    def by_reference(self, ds: Tables, **more: Any) -> Answer:
        """The answer of a method that changes the dataset in place."""
        return {"parameters": {"ds": dataset.shown(self.site, ds, self.others), **more}}

    def same(self, one: str, other: str) -> bool:
        """Whether two codes are the same to this instance's collation."""
        return one.casefold() == other.casefold() if self.site.switches["ignore_case"] else one == other

    # -- Update -------------------------------------------------------------------------------------------------------

    def update(self, call: Call, given: Given) -> Answer:
        """Store the rows with a RowMod, all or none of them; the dataset as it stands then."""
        ds = self.read(given)
        with self.all_or_none():
            for table, row in self._touched(ds):
                self._require_whole(table, row)
                self._stored(call, table, row, ds)
        return self.by_reference(self._as_it_stands(ds))

    def update_ext(self, call: Call, given: Given) -> Answer:
        """Store each row by itself; the errors stand in the answer."""
        ds, failed = self.read(given), []
        go_on = bool(dataset.parameter(given, "continueProcessingOnError"))
        whole = bool(dataset.parameter(given, "rollbackParentOnChildError"))
        before = self._kept()
        for table, row in self._touched(ds):
            try:
                with self.all_or_none():
                    self._stored(call, table, row, ds)
            except RefusalError as refusal:
                failed.append(_told(table, row, refusal))
                if whole and table != self.tables[0]:
                    self._put_back(before)
                if not go_on:
                    break
        told = {"BOUpdError": failed, "ExtensionTables": []}
        return {"returnObj": told, **self.by_reference(self._as_it_stands(ds), errorsOccurred=bool(failed))}

    def _touched(self, ds: Tables) -> list[tuple[str, Row]]:
        """The rows to be stored: what is deleted first, children before their parents."""
        found = [(table, row) for table in self.tables for row in ds[table] if row.get("RowMod")]
        gone = [one for one in reversed(found) if one[1]["RowMod"] == DELETED]
        return [*gone, *(one for one in found if one[1]["RowMod"] != DELETED)]

    def _stored(self, call: Call, table: str, row: Row, ds: Tables) -> None:
        full = {**TABLES[table].blank, **row, "Company": call.company}
        if row["RowMod"] != ADDED:  # columns that were not sent stay as they are
            full = {**full, **(self.stored(table, full) or {}), **row, "Company": call.company}
        stands = self.store(call, table, full, ds)
        row.clear()
        row.update(stands if stands is not None else {"RowMod": DELETED})

    def _require_whole(self, table: str, row: Row) -> None:
        lacking = [name for name, (source, _) in self.site.shelf.columns(table).sources.items() if source not in row]
        if lacking and self.site.switches["partial_rows"] == "refused":
            raise business(f"{table}: the row lacks {', '.join(lacking[:5])}.", table, "Update")

    def _as_it_stands(self, ds: Tables) -> Tables:
        """Every row that is stored as it is stored now, each once, without those that were deleted."""
        made: Tables = {}
        for table, rows in ds.items():
            stored, seen = self.books.kept.get(table, {}), set()
            made[table] = []
            for row in rows:
                if row.get("RowMod") == DELETED:
                    continue
                key = key_of(table, {**TABLES[table].blank, **row})
                if key not in seen and (row.get("RowMod") or key in stored):
                    made[table].append(dict(stored.get(key, row)))
                seen.add(key)
        return made

    # -- the stored rows ----------------------------------------------------------------------------------------------

    def stored(self, table: str, row: Mapping[str, Any]) -> Row | None:
        """The row that stands under this key."""
        found = self.books.kept.get(table, {}).get(key_of(table, row))
        return None if found is None else dict(found)

    def require_new(self, table: str, row: Mapping[str, Any]) -> None:
        """Raise the 409 for a key that there is already [S EPG]."""
        wanted = [str(one) for one in key_of(table, row)]
        for key in self.books.kept.get(table, {}):
            if all(self.same(str(one), other) for one, other in zip(key, wanted, strict=True)):
                raise RefusalError(409, "Duplicate entry found.", DUPLICATE)

    def require_unchanged(self, table: str, row: Mapping[str, Any]) -> Row:
        """The row as it is stored. Raises when it is gone [C SUG: the form], or when its version is not the one that was sent."""
        stands = self.stored(table, row)
        if stands is None:
            raise business(f"{table} not available", table, "Update")
        if stands["SysRevID"] != row["SysRevID"]:
            text = "Row has been modified by another user and couldn't be updated."
            raise RefusalError(self.site.switches["clash_status"], text, BUSINESS)
        return stands

    def put(self, table: str, row: Mapping[str, Any]) -> Row:
        """Write a row."""
        return dict(self.books.put(table, row))

    def fitted(self, table: str, row: Row, widths: Mapping[str, int]) -> None:
        """Hold texts to the width of their columns: refused or cut, as the switch says. The widths are guesses [I]; 0 is none."""
        for name, width in widths.items():
            if width and len(row[name]) > width:
                if self.site.switches["over_width"] == "refused":
                    raise business(f"{name} is limited to {width} characters.", table)
                row[name] = row[name][:width]

    @contextmanager
    def all_or_none(self) -> Iterator[None]:
        """Undo what was written to the kept tables when it ends with a refusal."""
        before = self._kept()
        try:
            yield
        except RefusalError:
            self._put_back(before)
            raise

    def _kept(self) -> dict[str, dict[tuple[Any, ...], Mapping[str, Any]]]:
        return {table: dict(rows) for table, rows in self.books.kept.items()}

    def _put_back(self, before: Mapping[str, dict[tuple[Any, ...], Mapping[str, Any]]]) -> None:
        self.books.kept = {table: dict(rows) for table, rows in before.items()}
        self.books.next_revs()


def _told(table: str, row: Row, refusal: RefusalError) -> dict[str, Any]:
    return {
        "TableName": table,
        "ErrorLevel": "Error",
        "ErrorType": refusal.kind,
        "ErrorText": refusal.text,
        "ErrorSysRowID": row.get("SysRowID", dataset.NO_ROW_ID),
    }
