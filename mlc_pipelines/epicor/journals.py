"""Plan journals in Epicor Kinetic: the port `PlanBooks` for a book that was set aside for plans, with a journal code of its own.

One group and one journal a draft. The group's id follows from the reference, so Kinetic itself refuses a second one while the first stands; what is
there is looked at by `groups`, built and deleted by `entry`, posted by `release`. What a journal costs: about 10 calls, and 2 a line.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import pandas as pd

from mlc_pipelines.epicor import planwire, wire
from mlc_pipelines.epicor.config import PlanJournalsRule
from mlc_pipelines.epicor.connection import Connection
from mlc_pipelines.epicor.datasets import amount
from mlc_pipelines.epicor.draftnames import Number, group_of
from mlc_pipelines.epicor.entry import Entry
from mlc_pipelines.epicor.groups import Lookup
from mlc_pipelines.epicor.odata import both, feed_of, pages, read_all, some, text
from mlc_pipelines.epicor.planbook import Accounts, PlanBook, not_open, read_book, read_periods, refused
from mlc_pipelines.epicor.refusals import DuplicateError
from mlc_pipelines.epicor.release import Poster, busy, closed
from mlc_pipelines.ledger.drafts import GroupBusy, JournalDraft
from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.ledger.fiscal import split_key
from mlc_pipelines.ledger.money import to_minor
from mlc_pipelines.ledger.ports import HELD, BookedJournal, LedgerIdentity, ReadJournal


@dataclass(frozen=True, slots=True)
class _Opened:
    book: PlanBook
    lookup: Lookup
    entry: Entry
    poster: Poster


class PlanJournals:
    """One plan book of one company. Before anything else it is made sure that it is one: nothing is ever written into any other."""

    def __init__(self, site: Connection, rule: PlanJournalsRule) -> None:
        self._site, self._rule = site, rule
        self._opened: _Opened | None = None

    # -- the destination ----------------------------------------------------------------------------------------------------

    def require_destination(self) -> LedgerIdentity:
        """The book as Kinetic describes it, asked anew.

        Refused: a book that does not exist, is inactive, is the main book, or is read by an inbound flow; a journal code that does not exist, that
        modules of Kinetic write under, or that stands on posted journals of a book that is read.
        """
        self._opened = None
        self._opened = self._open()
        book = self._opened.book
        about = f"plan book ({book.description}), journals {self._rule.journal_code}"
        return LedgerIdentity(self._site.config.system, self._site.config.company, book.code, about, book.currency)

    def _open(self) -> "_Opened":
        book = read_book(self._site, self._rule.book)
        read = {self._site.config.book.casefold(), *(one.casefold() for one in self._rule.read_books())}
        if book.main:
            raise refused(f"book {book.code} is the main book of company {self._site.config.company}")
        if book.code.casefold() in read:
            raise refused(f"book {book.code} is read as actuals, so the plan would come back as such")
        self._require_code()
        lookup = Lookup(self._site, book)
        poster = Poster(self._site, book, self._rule, lookup)
        return _Opened(book, lookup, Entry(self._site, book, self._rule), poster)

    def _require_code(self) -> None:
        code = self._rule.journal_code
        codes = read_all(self._site, planwire.JOURNAL_CODES)
        found = next((one for one in codes if one.code == code), None)
        if found is None:
            usual = ", ".join(sorted(one.code for one in codes if not one.system))
            raise refused(f"there is no journal code {code}; there are {usual}")
        if found.system:
            raise refused(f"journal code {code} ({found.description or ''}) belongs to a module of Kinetic")
        for book in (self._site.config.book, *self._rule.read_books()):
            where = both(f"BookID eq {text(book)}", f"JournalCode eq {text(code)}")
            rows = some(self._site, feed_of(self._site, wire.LINE_KEYS, where=where), 1)
            if any((row.book, row.journal) == (book, code) for row in rows):
                raise refused(f"journal code {code} stands on journals of book {book}, which is read as actuals")

    @property
    def _at(self) -> "_Opened":
        """The book, once it is sure to be one for plans."""
        if self._opened is None:
            self._opened = self._open()
        return self._opened

    @property
    def _book(self) -> PlanBook:
        return self._at.book

    def objections(self, keys: pd.DataFrame) -> list[str]:
        """By values of segments, their dates, control accounts, and combinations that were never made. See `planbook.Accounts`."""
        return Accounts(self._site, self._book, self._rule.control_accounts).journal_objections(keys)

    def not_open(self, periods: Sequence[str]) -> dict[str, str]:
        """Closed in the plan book, before the earliest apply date, or not there."""
        return not_open(self._site, self._book, periods, earliest=self._rule.earliest_date)

    def read_held(self, period: str) -> pd.DataFrame:
        """What is posted in the book for the period, under whatever journal code."""
        book, (year, suffix, number) = self._book, split_key(period)
        where = both(
            f"BookID eq {text(book.code)}",
            f"FiscalYear eq {year}",
            f"FiscalYearSuffix eq {text(suffix)}",
            f"FiscalPeriod eq {number}",
        )
        entity = wire.with_segments(planwire.POSTED_LINES, book.chart.size)
        held: dict[tuple[str, str], Decimal] = {}
        seen: set[tuple[str, int, int]] = set()
        for page in pages(self._site, feed_of(self._site, entity, where=where, of=period)):
            for row in page:
                line = (row.journal, row.journal_number, row.line)
                of_period = (row.book, row.year, row.suffix or "", row.number) == (book.code, year, suffix, number)
                if of_period and row.posted and not row.statistical and line not in seen:
                    seen.add(line)
                    key = book.coded("|".join(getattr(row, f"s{at}") or "" for at in range(1, book.chart.size + 1)))
                    held[key] = held.get(key, Decimal(0)) + amount(row.debit) - amount(row.credit)
        return held_frame({key: to_minor(figure, book.currency) for key, figure in held.items()})

    # -- the two phases -----------------------------------------------------------------------------------------------------

    def find_by_reference(self, reference: str) -> list[BookedJournal]:
        return self._at.lookup.find(group_of(reference), reference)

    def find_drafts(self) -> list[BookedJournal]:
        return self._at.lookup.drafts()

    def find_released(self, periods: Sequence[str]) -> list[BookedJournal]:
        return self._at.lookup.released(periods)

    def read_back(self, number: str) -> ReadJournal | None:
        return self._at.lookup.read(number)

    def create_on_hold(self, draft: JournalDraft) -> None:
        """A group with one journal in entry. GroupBusy where somebody else's stands under its id; nothing where one of ours does: it is looked up."""
        book = self._book
        for key, why in self.not_open([draft.period]).items():
            raise closed(key, why, "Nothing was written.")
        period = read_periods(self._site, book, {split_key(draft.period)[0]})[draft.period]
        try:
            self._at.entry.build(draft, period)
        except DuplicateError:
            self._require_own(draft.reference)
        except DataError as error:
            raise self._at.poster.explained(error, group_of(draft.reference)) from None

    def _require_own(self, reference: str) -> None:
        """Raise GroupBusy for a group that stands in the way and is not this reference's."""
        code = group_of(reference)
        lookup = self._at.lookup
        found = lookup.find(code, reference)
        if any(one.reference == reference for one in found):
            return
        other = lookup.any_group(code)
        held = f"journal {found[0].number} ({found[0].reference!r})" if found else "other work"
        where = f" in book {other.book}" if other and other.book != self._book.code else ""
        raise GroupBusy(
            f"group {other.code if other else code}{where} exists and holds {held}.",
            holds="Nothing was written.",
            next_step="Post or delete that group in Kinetic, or give it another id; then take the posting up again.",
        )

    def release(self, number: str) -> None:
        self._at.poster.post(Number.parse(number))

    def post(self, number: str) -> None:
        """Nothing: Kinetic has no step behind posting. Balances take up what was posted by themselves."""

    def delete_draft(self, number: str) -> None:
        """A journal in entry, or a group without one. Refused where it is gone, in review, or somebody else's."""
        named = Number.parse(number)
        lookup = self._at.lookup
        entry = lookup.in_entry(named.group)
        if entry.waiting:
            raise busy(entry.waiting, f"{number} still stands in entry.")
        there = [str(one.number) for one in lookup.booked(entry, "") if Number.parse(one.number) == named]
        if not there:
            raise DataError(
                f"{number} is not in entry in book {self._book.code}.",
                holds="Nothing was deleted.",
                next_step="Look it up again: it was posted or deleted meanwhile.",
            )
        self._at.entry.delete(named)


def held_frame(held: dict[tuple[str, str], int]) -> pd.DataFrame:
    """Figures by account and subaccount, in key order, zeros left out."""
    rows = [(*key, figure) for key, figure in sorted(held.items()) if figure]
    frame = pd.DataFrame(rows, columns=HELD)
    return frame.astype({"account": "object", "subaccount": "object", "amount_minor": "int64"})
