"""Looking plan journals up: in entry, in review and in the ledger, by the id of their group.

All places are asked, in the order in which a journal moves, so that one that moves meanwhile is seen twice rather than never. A filter is not
relied on: Kinetic usually compares without case [I], so what does not stand there to the letter is left out here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from mlc_pipelines.epicor import planwire, wire
from mlc_pipelines.epicor.codec import key_of
from mlc_pipelines.epicor.connection import Connection
from mlc_pipelines.epicor.datasets import ENTRY, GROUP, Row, amount, dataset_of
from mlc_pipelines.epicor.draftnames import Number, like_ours, mark_in, token_in
from mlc_pipelines.epicor.odata import both, feed_of, pages, read_all, some, text
from mlc_pipelines.epicor.planbook import PlanBook
from mlc_pipelines.ledger.drafts import PREFIX, DraftLine
from mlc_pipelines.ledger.fiscal import period_key, split_key
from mlc_pipelines.ledger.money import to_minor
from mlc_pipelines.ledger.ports import ON_HOLD, POSTED, RELEASED, BookedJournal, ReadJournal

_ROWS = 100
_UNFINISHED_FIRST = -(10**10)


@dataclass(frozen=True, slots=True)
class InEntry:
    """A group and its journals in entry; group is None where there is none, or one of another book. me: the user that this client signs in as."""

    group: planwire.Group | None
    headers: tuple[planwire.Header, ...]
    me: str = ""

    @property
    def waiting(self) -> str:
        """Who has the right of way over the group; "" where nobody has."""
        if self.group is None:
            return ""
        if self.group.locked:
            return f"review journal {self.group.review or ''} of group {self.group.code} in Epicor".replace("  ", " ")
        who, ours = self.group.held_by or "", self.me or self.group.made_by or ""
        return f"group {self.group.code}, which {who} has open" if who and who.casefold() != ours.casefold() else ""

    @property
    def begun(self) -> bool:
        """Whether it is a group of ours that has no journal yet."""
        made_by = self.group.made_by or "" if self.group else ""
        return (
            self.group is not None and not self.headers and made_by.casefold() in ("", (self.me or made_by).casefold())
        )


class Lookup:
    """The journals of one plan book, as they stand now. Reads only."""

    def __init__(self, site: Connection, book: PlanBook) -> None:
        self._site, self._book = site, book

    # -- by reference ---------------------------------------------------------------------------------------------------

    def find(self, group: str, reference: str) -> list[BookedJournal]:
        """Everything that stands under the group. A group without a journal is unfinished work on the reference."""
        entry = self.in_entry(group)
        found = self.booked(entry, reference)
        if not entry.headers and (entry.group is None or entry.group.locked):
            found = self._in_review(group) or found
        if posted := self._posted(group):
            found = [*posted, *(self.booked(self.in_entry(group), reference) if found else [])]
        return found

    def in_entry(self, group: str) -> InEntry:
        """The group and its headers. Journals of another book are none of ours, whatever their group is called."""
        headers = some(self._site, feed_of(self._site, planwire.HEADERS, where=f"GroupID eq {text(group)}"), _ROWS)
        own = tuple(one for one in headers if self._ours(one) and one.group == group and not one.posted)
        found = self.group(group)
        return InEntry(found, own, self.me if found else "")

    @cached_property
    def me(self) -> str:
        """The user that this client signs in as, as a new group says it; "" where it does not. Nothing is stored by asking."""
        ds = dataset_of(self._site.ask(GROUP, "GetNewGLJrnGrp", {"ds": {"GLJrnGrp": []}}))
        row = ds["GLJrnGrp"][-1] if ds.get("GLJrnGrp") else {}
        return str(row.get("CreatedBy") or row.get("ActiveUserID") or "")

    def group(self, code: str) -> planwire.Group | None:
        """The group of this id, in this book; one that was posted and kept is none."""
        found = self.any_group(code)
        return found if found and found.code == code and found.book == self._book.code and not found.posted else None

    def any_group(self, code: str) -> planwire.Group | None:
        """Whatever stands in the way of a new group of this id: also of another book, or in another spelling."""
        rows = some(self._site, feed_of(self._site, planwire.GROUPS, where=f"GroupID eq {text(code)}"), _ROWS)
        fitting = [row for row in rows if row.code.casefold() == code.casefold() and self._of_company(row)]
        return next((row for row in fitting if row.code == code), fitting[0] if fitting else None)

    def booked(self, entry: InEntry, reference: str) -> list[BookedJournal]:
        if entry.headers:
            return [_on_hold(header, entry.waiting) for header in entry.headers]
        if entry.group is None or not entry.begun:
            return []
        return [BookedJournal(entry.group.code, _UNFINISHED_FIRST, reference, ON_HOLD, entry.waiting, unfinished=True)]

    def _in_review(self, group: str) -> list[BookedJournal]:
        """Journals that only review still has: whether they stay in entry meanwhile is not told [I]."""
        return [*self._reviewed(group)]

    def _posted(self, group: str) -> list[BookedJournal]:
        """Journals of the ledger under the group, each from its lines."""
        return [_booked_of(lines) for lines in self._posted_lines(group).values()]

    def _posted_lines(self, group: str) -> dict[tuple[Any, ...], list[Any]]:
        """The lines by journal. Every year is asked: where Kinetic put it, not where it was meant to be."""
        return self._by_journal(f"GroupID eq {text(group)}", f"group {group}", lambda row: row.group == group)

    def _by_journal(self, where: str, of: str, meant: Callable[[Any], bool]) -> dict[tuple[Any, ...], list[Any]]:
        """Posted lines of the book by journal, in their order."""
        entity = wire.with_segments(planwire.POSTED_LINES, self._book.chart.size)
        found: dict[tuple[Any, ...], dict[int, Any]] = {}
        for page in pages(self._site, feed_of(self._site, entity, where=both(where, self._of_book), of=of)):
            for row in page:
                if row.book == self._book.code and meant(row):
                    key = (row.year, row.suffix or "", row.journal, row.journal_number)
                    found.setdefault(key, {})[row.line] = row
        return {key: [lines[line] for line in sorted(lines)] for key, lines in found.items()}

    def released(self, periods: Sequence[str]) -> list[BookedJournal]:
        """Journals of these periods in the ledger that carry a reference of ours; text: what their lines say."""
        years = sorted({split_key(period)[0] for period in periods})
        where = f"({' or '.join(f'FiscalYear eq {year}' for year in years)})"
        lines = self._by_journal(where, "plan journals", lambda row: like_ours(row.group or ""))
        found = [
            replace(_booked_of(rows), text="; ".join(dict.fromkeys(row.description or "" for row in rows)))
            for rows in lines.values()
            if key_of(rows[0]) in set(periods)
        ]
        return sorted((one for one in found if one.reference.startswith(PREFIX)), key=lambda one: one.order)

    # -- all drafts -----------------------------------------------------------------------------------------------------

    def drafts(self) -> list[BookedJournal]:
        """Journals in entry in this book that carry a reference of ours, and groups of our form without a journal.

        A group does not tell its reference: it is taken from what was posted under it, else only as much of it as the group has.
        """
        headers = [one for one in read_all(self._site, planwire.HEADERS, where=self._of_book) if self._ours(one)]
        groups = [
            one
            for one in read_all(self._site, planwire.GROUPS, where=self._of_book)
            if one.book == self._book.code and not one.posted
        ]
        by_code = {one.code: one for one in groups}
        found = []
        for header in headers:
            journal = _on_hold(header, InEntry(by_code.get(header.group), (), self.me).waiting)
            if journal.reference.startswith(PREFIX) and not header.posted:
                found.append(journal)
        filled = {header.group for header in headers}
        for group in groups:
            if group.code not in filled and like_ours(group.code):
                posted = [one.reference for one in self._posted(group.code)]
                found += self.booked(InEntry(group, (), self.me), posted[0] if posted else PREFIX + group.code[1:])
        return found

    @property
    def _of_book(self) -> str:
        return f"BookID eq {text(self._book.code)}"

    # -- one by its number ------------------------------------------------------------------------------------------------

    def read(self, text_of_number: str) -> ReadJournal | None:
        """One journal with its lines: in entry, in review or in the ledger; None where there is none of this number."""
        number = Number.parse(text_of_number)
        if not number.journal:
            return None
        entry = self.in_entry(number.group)
        header = next((one for one in entry.headers if number.fits(one.journal_number, token_in(one.comment))), None)
        if header is not None and (lines := self._lines_in_entry(header)) is not None:
            booked = _on_hold(header, entry.waiting)
            period = period_key(header.year, header.number, header.suffix or "")
            return _read(booked, text_of_number, period, header.currency, lines)
        for one in self._reviewed(number.group):
            named = Number.parse(one.number)
            if number.fits(named.journal, named.token):
                return replace(one, number=text_of_number)
        for posted in self._posted_lines(number.group).values():
            token = token_in(posted[0].comment)  # posting may have given it another number
            if token == number.token if token else posted[0].journal_number == number.journal:
                lines = tuple(self._line_of(row) for row in posted if not row.statistical)
                return _read(_booked_of(posted), text_of_number, key_of(posted[0]), self._book.currency, lines)
        return None

    def dataset(self, group: str) -> Row:
        """All that is in entry in a group, as Kinetic's own dataset."""
        return dataset_of(self._site.ask(ENTRY, "GetByGroupID", {"GroupID": group}))

    def _lines_in_entry(self, header: planwire.Header) -> tuple[DraftLine, ...] | None:
        ds = self.dataset(header.group)
        if header.journal_number not in {row.get("JournalNum") for row in ds.get("GLJrnHed", [])}:
            return None  # it moved meanwhile
        rows = [row for row in ds.get("GLJrnDtlMnl", []) if row["JournalNum"] == header.journal_number]
        return tuple(self._line_in_entry(row, header.currency) for row in rows)

    def _line_in_entry(self, row: Row, currency: str) -> DraftLine:
        values = {number: row.get(f"SegValue{number}") or "" for number in self._book.chart.names}
        account, subaccount = self._book.coded("|".join(values[number] for number in sorted(values)))
        debit, credit = (to_minor(amount(row[side]), currency) for side in ("TotDebit", "TotCredit"))
        return DraftLine(account, subaccount, debit, credit, row.get("Description") or "")

    def _line_of(self, row: Any) -> DraftLine:
        values = "|".join(getattr(row, f"s{number}") or "" for number in range(1, self._book.chart.size + 1))
        return self._priced(values, row)

    def _priced(self, account: str, row: Any) -> DraftLine:
        debit, credit = (to_minor(amount(side), self._book.currency) for side in (row.debit, row.credit))
        return DraftLine(*self._book.coded(account), debit, credit, row.description or "")

    def _reviewed(self, group: str) -> list[ReadJournal]:
        feed = feed_of(self._site, planwire.REVIEWS, where=f"GroupID eq {text(group)}")
        whole = replace(feed, row=planwire.ReviewWhole, select=(), options={"$expand": planwire.REVIEW_CHILDREN})
        found = []
        reviews: list[Any] = some(self._site, whole, _ROWS)
        for review in reviews:
            for one in review.journals if self._of_company(review) else ():
                if (one.group, one.book) == (group, self._book.code):
                    found.append(self._of_review(review.uid, one))
        return found

    def _of_review(self, uid: int, one: planwire.ReviewJournal) -> ReadJournal:
        mark = mark_in(one.comment)
        return ReadJournal(
            number=str(Number(one.group, one.journal_number, token_in(one.comment))),
            order=one.journal_number,
            reference=mark.reference if mark else one.comment or "",
            state=ON_HOLD,
            waiting=f"review journal {uid} of group {one.group} in Epicor",
            unfinished=mark is not None and mark.unfinished,
            period=period_key(one.year, one.number, one.suffix or ""),
            currency=self._book.currency,
            lines=tuple(self._priced(line.account, line) for line in one.lines),
        )

    def _ours(self, header: planwire.Header) -> bool:
        return header.book == self._book.code and self._of_company(header)

    def _of_company(self, row: wire.Row) -> bool:
        return row.company.casefold() == self._site.config.company.casefold()


def _on_hold(header: planwire.Header, waiting: str) -> BookedJournal:
    mark = mark_in(header.comment)
    unfinished = mark is not None and mark.unfinished
    return BookedJournal(
        number=str(Number(header.group, header.journal_number, token_in(header.comment))),
        # One that is unfinished comes first, so that it is cleared away before its group is posted.
        order=header.journal_number + (_UNFINISHED_FIRST if unfinished else 0),
        reference=mark.reference if mark else header.comment or "",
        state=ON_HOLD,
        waiting=waiting,
        unfinished=unfinished,
    )


def _booked_of(lines: Sequence[Any]) -> BookedJournal:
    """A journal of the ledger: its mark is on each line that we wrote, not on those that Kinetic added."""
    mark = next((mark for line in lines if (mark := mark_in(line.comment))), None)
    first = lines[0]
    return BookedJournal(
        number=str(Number(first.group, first.journal_number, mark.token if mark else "")),
        order=first.journal_number,
        reference=mark.reference if mark else first.comment or "",
        state=POSTED if all(line.posted for line in lines) else RELEASED,
    )


def _read(booked: BookedJournal, number: str, period: str, currency: str, lines: tuple[DraftLine, ...]) -> ReadJournal:
    """As booked, under the number it was asked for by."""
    return ReadJournal(
        number,
        booked.order,
        booked.reference,
        booked.state,
        booked.waiting,
        booked.unfinished,
        period,
        currency,
        lines,
    )
