"""Building a plan journal in entry, and taking one away. Order of calls [C GLC1, GLC2], their parameters [S SNO].

The dataset that came back is always sent on; rows are not made up. GetNew and Change methods store nothing, so they may be asked again; each
Update, UnlockGroup and the like is sent once, and after the first that fails nothing more is sent: whoever looks decides what follows.

Two guards against requests that Kinetic applies late. Each line is stored together with its header as that was read, so one that belongs to an
earlier build is refused for its row version. And debits come before credits, so a journal that must balance cannot be posted half built.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from mlc_pipelines.epicor.config import PlanJournalsRule
from mlc_pipelines.epicor.connection import Connection
from mlc_pipelines.epicor.datasets import ENTRY, GROUP, Row, dataset_of
from mlc_pipelines.epicor.draftnames import Mark, Number, group_of, new_token, token_in
from mlc_pipelines.epicor.planbook import NOTHING, PlanBook, PlanPeriod
from mlc_pipelines.ledger.drafts import DraftLine, JournalDraft
from mlc_pipelines.ledger.errors import DataError, PipelineError, SetupError
from mlc_pipelines.ledger.fiscal import split_key
from mlc_pipelines.ledger.money import Money

_GROUP, _HEADER, _LINE = "GLJrnGrp", "GLJrnHed", "GLJrnDtlMnl"
_CHANGED, _DELETED = "U", "D"
_CLOSING = "C"


class Entry:
    """Journal entry of one plan book."""

    def __init__(self, site: Connection, book: PlanBook, rule: PlanJournalsRule) -> None:
        self._site, self._book, self._rule = site, book, rule

    # -- building ---------------------------------------------------------------------------------------------------------

    def build(self, draft: JournalDraft, period: PlanPeriod) -> None:
        """A group with one journal, its finished mark set with the last write. A failed build is cleared away where Kinetic refused it for good."""
        group, mark = group_of(draft.reference), Mark(draft.reference, new_token())
        self._save(GROUP, self._new_group(group, draft.period, period))
        try:
            ds = self._new_header(draft, group, mark, period)
            for block in self._blocks(draft.lines):
                ds = self._add(ds, block, draft.currency, mark)
            ds[_HEADER][0] |= {"CommentText": mark.finished, "RowMod": _CHANGED}
            self._save(ENTRY, ds)
        except (DataError, SetupError) as error:
            raise self._cleared_up(error, group, mark) from None
        self._site.write(GROUP, "UnlockGroup", {"inGroupID": group})

    def _blocks(self, lines: Sequence[DraftLine]) -> Iterator[list[DraftLine]]:
        ordered = sorted(lines, key=lambda line: line.credit_minor > 0)
        size = self._rule.lines_per_update
        return (ordered[at : at + size] for at in range(0, len(ordered), size))

    def _new_group(self, group: str, key: str, period: PlanPeriod) -> Row:
        """The dataset of the group before it is stored. Raises DataError unless Kinetic made of it what was meant."""
        ds = self._ask(GROUP, "GetNewGLJrnGrp", {_GROUP: []})
        ds[_GROUP][-1] |= {"GroupID": group, "JournalCode": self._rule.journal_code}
        ds = self._ask(GROUP, "ChangeEntryMode", ds, proposedBookMode="S")
        ds = self._ask(GROUP, "ChangeBookID", ds, proposeBookID=self._book.code)
        day = f"{period.last_on}T00:00:00"
        # Its message says that the day is not in the present period [S SNO]: of a plan, it never is.
        ds = self._ask(GROUP, "CheckFiscalYear", ds, cGroupID=group, cJEDate=day)
        if period.closing:
            ds = self._ask(GROUP, "ChangeFiscalPeriodType", ds, proposedFiscalPeriodType=_CLOSING)
        self._require_meant(ds[_GROUP][-1], key)
        return ds

    def _require_meant(self, row: Row, key: str) -> None:
        year, suffix, number = split_key(key)
        meant = {"BookID": self._book.code, "JournalCode": self._rule.journal_code, "FiscalYear": year}
        meant |= {"FiscalYearSuffix": suffix, "FiscalPeriod": number, "FiscalCalendarID": self._book.calendar}
        if wrong := [f"{name} {row.get(name)!r}" for name, value in meant.items() if (row.get(name) or "") != value]:
            raise DataError(
                f"Kinetic made a group with {', '.join(wrong)} for period {key} of book {self._book.code}.",
                holds=NOTHING,
                next_step="Look at the fiscal calendar and the defaults of journal entry in Kinetic.",
            )

    def _new_header(self, draft: JournalDraft, group: str, mark: Mark, period: PlanPeriod) -> Row:
        """The stored header. Raises SetupError where Kinetic wants a number typed, or has no room for the reference (G19)."""
        ds = dataset_of(self._site.ask(ENTRY, "GetNewGlJrnHedTran", {"ds": {}, "GroupID": group}))
        about = {"Description": self._described(draft), "CommentText": mark.being_built}
        ds[_HEADER][-1] |= {**about, "JEDate": f"{period.last_on}T00:00:00", "CurrencyCode": draft.currency}
        answer = self._site.ask(ENTRY, "PreUpdate", {"ds": ds})
        if answer.get("parameters", {}).get("RequiresUserInput"):
            raise SetupError(
                f"Kinetic wants a legal number typed for each journal of code {self._rule.journal_code}.",
                holds="Nothing of it is posted.",
                next_step="Set its legal numbers to automatic in Kinetic, or declare another journal code.",
            )
        ds = self._save(ENTRY, dataset_of(answer))
        if (held := ds[_HEADER][0].get("CommentText")) != mark.being_built:
            raise SetupError(
                f"Kinetic keeps {len(held or '')} characters of a journal's comment; the reference needs {len(mark.being_built)}.",
                holds="Nothing of it is posted.",
                next_step="Ask the Kinetic administrator for a wider CommentText of journals.",
            )
        return ds

    def _add(self, ds: Row, lines: list[DraftLine], currency: str, mark: Mark) -> Row:
        """The dataset after some lines were stored: one as Kinetic gives it, filled in for each of them."""
        header = ds[_HEADER][0]
        key = {"bookID": header["BookID"], "fiscalYear": header["FiscalYear"], "journalCode": header["JournalCode"]}
        key |= {"fiscalYearSuffix": header["FiscalYearSuffix"], "journalNum": header["JournalNum"], "journalLine": 0}
        ds = self._ask(ENTRY, "GetNewGLJrnDtlMnl", {**ds, _LINE: []}, **key)
        new = ds[_LINE].pop()  # the last row is the new one [C GLC1]
        ds[_LINE] = [new | self._filled(line, currency, mark) for line in lines]
        ds[_HEADER][0]["RowMod"] = _CHANGED
        ds = self._save(ENTRY, ds)
        if len(stored := [row for row in ds[_LINE] if row.get("JournalLine")]) != len(lines):
            raise DataError(
                f"Kinetic stored {len(stored)} of {len(lines)} lines that were sent at once.",
                holds="Nothing of it is posted.",
                next_step="Declare one line per Update for this connection.",
            )
        return ds

    def _filled(self, line: DraftLine, currency: str, mark: Mark) -> Row:
        values = self._book.account(line.account, line.subaccount)
        debit, credit = (Money(minor, currency).decimal for minor in (line.debit_minor, line.credit_minor))
        return {
            "GLAccount": self._book.in_full(values),
            **{f"SegValue{number}": value for number, value in values.items()},
            "TotDebit": debit,
            "TotCredit": credit,
            "TransAmt": debit - credit,
            "Description": self._cut(line.description),
            "CommentText": mark.finished,
        }

    def _described(self, draft: JournalDraft) -> str:
        """What the journal is; and the head of the audit trail behind it, where the declared width has room for both."""
        said = draft.description or draft.plan
        whole = f"{said} {draft.witness}"
        return whole if draft.witness and len(whole) <= self._rule.description_width else self._cut(said)

    def _cut(self, said: str) -> str:
        return said[: self._rule.description_width]

    def _cleared_up(self, error: PipelineError, group: str, mark: Mark) -> PipelineError:
        """The error, after what was built has been taken away; if that fails too, what stands there is unfinished, and is seen as such."""
        try:
            self._remove(group, lambda row: _is_of(mark, row["CommentText"]))
        except PipelineError as problem:
            error.add_note(f"Clearing it up failed as well: {problem}")
            return error.within(holds=f"Group {group} stands half built in Kinetic; it is never posted.")
        return error.within(holds="What had been built of it was deleted again.")

    # -- taking away ------------------------------------------------------------------------------------------------------

    def delete(self, number: Number) -> None:
        """A journal in entry, or none, with its group if nothing else is in it [C GLC1]; by row version: refused when anybody touched it since."""
        self._remove(number.group, lambda row: number.fits(row["JournalNum"], token_in(row["CommentText"])))

    def _remove(self, group: str, meant: Callable[[Row], bool]) -> None:
        ds = dataset_of(self._site.ask(ENTRY, "GetByGroupID", {"GroupID": group}))
        for header in filter(meant, ds[_HEADER]):
            self._remove_header(ds, header)
        if all(map(meant, ds[_HEADER])):
            self._remove_group(group)

    def _remove_header(self, ds: Row, header: Row) -> None:
        only: Row = {name: [] if isinstance(rows, list) else rows for name, rows in ds.items()}
        if header.get("LegalNumber"):
            void = {"ds": {**only, _HEADER: [{**header, "RowMod": _CHANGED}]}, "ipVoidedReason": "Plan withdrawn"}
            only = dataset_of(self._site.write(ENTRY, "VoidLegalNumber", void), wrote=True)
            header = only[_HEADER][0]
        self._site.write(ENTRY, "Update", {"ds": {**only, _HEADER: [{**header, "RowMod": _DELETED}]}})

    def _remove_group(self, group: str) -> None:
        ds = dataset_of(self._site.ask(GROUP, "GetByID", {"groupID": group}))
        self._site.ask(GROUP, "CheckDocumentIsLocked", {"keyValue": group})
        ds[_GROUP] = [{**row, "RowMod": _DELETED} for row in ds[_GROUP]]
        self._site.write(GROUP, "Update", {"ds": ds})

    # -- calls --------------------------------------------------------------------------------------------------------------

    def _ask(self, service: str, method: str, ds: Row, **parameters: Any) -> Row:
        return dataset_of(self._site.ask(service, method, {"ds": ds, **parameters}))

    def _save(self, service: str, ds: Row) -> Row:
        return dataset_of(self._site.write(service, "Update", {"ds": ds}), wrote=True)


def _is_of(mark: Mark, comment: str | None) -> bool:
    """Whether a journal is of this build, also where its comment was cut."""
    return token_in(comment) == mark.token or (bool(comment) and mark.being_built.startswith(comment or ""))
