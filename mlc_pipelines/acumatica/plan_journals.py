"""Journals of a plan in a Statistical ledger: made on hold by one PUT, found by their reference, released by the form's own action.

A batch is stored whole or not at all: header and lines are one record of one PUT [S DOC Create_Record], so no draft is ever unfinished. Values
that a field did not take at that moment may be left out without a word [S DOC Update_Record]; the read-back shows it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pandas as pd

from mlc_pipelines.acumatica import openapi, wire
from mlc_pipelines.acumatica.codec import said
from mlc_pipelines.acumatica.config import PlanRule
from mlc_pipelines.acumatica.connection import Connection
from mlc_pipelines.acumatica.periods import to_key
from mlc_pipelines.acumatica.plan_batches import (
    HEADER,
    MODULE,
    NAME,
    RECOGNISED,
    WHOLE,
    body_of,
    booked,
    cut,
    number_in,
    read,
    reference_in,
    require_ledger,
    require_whole,
)
from mlc_pipelines.acumatica.plan_ledger import PlanLedger
from mlc_pipelines.acumatica.posted import read_movement
from mlc_pipelines.acumatica.records import quoted
from mlc_pipelines.acumatica.refusals import NoRecordError, ReportedError
from mlc_pipelines.ledger.drafts import PREFIX, JournalDraft, PeriodClosed
from mlc_pipelines.ledger.errors import DataError, PipelineError, SetupError, WaitingError
from mlc_pipelines.ledger.fiscal import from_iso
from mlc_pipelines.ledger.ports import HELD, ON_HOLD, POSTED, BookedJournal, LedgerPeriod, ReadJournal

LINES_MAX = 500
"""Lines that one batch takes well in one call [S DOC Create_Record: some hundred]."""
_RELEASE = "ReleaseJournalTransaction"
_OPEN, _CLOSED = "Open", "Closed"


class PlanJournals(PlanLedger):
    """The port `PlanBooks`. Writes are sent once; what they answer is never the proof."""

    kind = "Statistical"
    uses = {NAME: openapi.fields_of(wire.PlanBatch)}  # noqa: RUF012

    def __init__(self, site: Connection, rule: PlanRule) -> None:
        super().__init__(site, rule)
        self._pointers: dict[str, str] = {}
        self._dates: dict[str, LedgerPeriod] = {}

    def read_held(self, period: str) -> pd.DataFrame:
        """Posted movements of the period by account and subaccount, of the branch where the ledger has others."""
        if period not in self._dates:
            self._dates = self.periods()
        if (known := self._dates.get(period)) is None:
            raise DataError(
                f"Period {period}: {self._unknown(period)}.",
                holds="Nothing was read.",
                next_step="Choose another period.",
            )
        asked = from_iso(known.key, known.start_on, known.end_on)
        held = read_movement(self._site, self.target().books, asked)
        return held.loc[held["amount_minor"] != 0, HELD].reset_index(drop=True)

    # -- looking ------------------------------------------------------------------------------------------------------

    def find_by_reference(self, reference: str) -> list[BookedJournal]:
        """Every batch with exactly this reference, in whatever ledger it stands by now, oldest first.

        Raises ReferenceCut when one shows only a part of it. The filter decides nothing: it may be ignored, or compare without case.
        """
        found: dict[str, wire.PlanBatch] = {}
        for batch in self._listed(f"startswith(Description,{quoted(reference[:RECOGNISED])})"):
            require_whole(reference, batch)
            if reference_in(batch) == reference:
                found[said(batch.number)] = batch
        if self._pointers.get(reference) in found:
            del self._pointers[reference]
        elif (made := self._pointed_to(reference)) is not None:
            found[said(made.number)] = made
        return sorted(map(booked, found.values()), key=lambda one: (one.order, one.number))

    def find_drafts(self) -> list[BookedJournal]:
        """Batches of this ledger that are not released and whose description begins like ours."""
        ours = map(booked, self._like_ours("Status ne 'Posted' and "))
        return sorted((one for one in ours if one.state == ON_HOLD), key=lambda one: (one.order, one.number))

    def find_released(self, periods: Sequence[str]) -> list[BookedJournal]:
        """Batches of this ledger and these periods that are released and whose description begins like ours; text: what stands behind the reference."""
        found = [
            replace(booked(batch), text=said(batch.description).removeprefix(reference_in(batch)).strip())
            for batch in self._like_ours()
            if to_key(batch.period.value, f"Batch {said(batch.number)}") in set(periods)
        ]
        return sorted((one for one in found if one.released), key=lambda one: (one.order, one.number))

    def _like_ours(self, also: str = "") -> Iterator[wire.PlanBatch]:
        ledger = self.target().books.ledger
        where = f"LedgerID eq {quoted(ledger)} and {also}startswith(Description,{quoted(PREFIX)})"
        for batch in self._listed(where):
            if said(batch.ledger) == ledger and reference_in(batch).startswith(PREFIX):
                yield batch

    def read_back(self, number: str) -> ReadJournal | None:
        """One batch whole, by its key. Raises DraftEdited where ledger or branch are not the plan's."""
        target = self.target()
        batch = self._site.one(NAME, (MODULE, number), wire.PlanBatch, select=WHOLE, expand="Details")
        return None if batch is None else read(batch, target)

    def _listed(self, where: str) -> Iterator[wire.PlanBatch]:
        for batches in self._site.stream(
            NAME, wire.PlanBatch, select=HEADER, where=f"Module eq '{MODULE}' and {where}"
        ):
            yield from (batch for batch in batches if batch.module.value == MODULE)

    def _pointed_to(self, reference: str) -> wire.PlanBatch | None:
        """The batch that the answer to our own create named, as it stands now: a list may be behind, or its filter may not work at all.

        Raises ReferenceCut where it stands there without the reference that it was made with.
        """
        number = self._pointers.get(reference, "")
        if not number or (batch := self._header(number)) is None:
            return None
        if reference_in(batch) != reference:
            raise cut(reference, batch)
        return batch

    def _header(self, number: str) -> wire.PlanBatch | None:
        return self._site.one(NAME, (MODULE, number), wire.PlanBatch, select=HEADER)

    # -- writing ------------------------------------------------------------------------------------------------------

    def create_on_hold(self, draft: JournalDraft) -> None:
        """One batch with all its lines, in one PUT. PeriodClosed, before anything is sent, where the period takes no journal."""
        target = self.target()
        self._require_of(draft)
        none_made = f"No draft of {draft} was made."
        period = self._open_period(draft.period, none_made)
        try:
            answer = self._site.put(NAME, body_of(draft, target, period))
            wire.require_no_refusal(answer.call, answer.body)
        except ReportedError as error:
            raise self._closed(draft.period, error, error.holds) or error from None
        except DataError as error:
            raise self._closed(draft.period, error, none_made) or error.within(holds=none_made) from None
        except ValueError:
            return  # no JSON: what was made is looked up, as always
        self._pointers[draft.reference] = number_in(answer.json())

    def release(self, number: str) -> None:
        """Take the batch off hold, then release it. Harmless where it is released already; WaitingError where an approval or the period stands in the way."""
        batch = self._releasable(number)
        if batch is None:
            return
        if batch.status.value == "On Hold":
            keys = {"Module": MODULE, "BatchNbr": number}
            self._site.put(NAME, wire.wrap({**keys, "Hold": False}), update_only=True)
            batch = self._releasable(number)
            if batch is None:
                return
            if batch.status.value == "On Hold":
                raise DataError(
                    f"Batch {number} does not leave hold: Acumatica took the change without a word and kept it on hold.",
                    holds=f"Batch {number} stands on hold.",
                    next_step="Take it off hold in Acumatica (GL301000) to see what stands in the way.",
                )
        try:
            self._site.invoke(NAME, _RELEASE, {"Module": MODULE, "BatchNbr": number})
        except (DataError, ReportedError) as error:
            if (
                self._releasable(number) is not None
            ):  # not released by now, and nobody has the right of way: the error is what it says
                raise error.within(holds=f"Batch {number} is not released.") from None

    def post(self, number: str) -> None:
        """No action of the endpoint posts a released batch [C MD]: it is a person's, or the site's own schedule's."""
        journal = booked(self._ours(number))
        if journal.state == POSTED:
            return
        if journal.state == ON_HOLD:
            raise DataError(
                f"Batch {number} is not released.",
                holds=f"Batch {number} counts in no balance; nothing was posted.",
                next_step="Give `mlc budget post`, which releases it first.",
            )
        raise WaitingError(
            f"Batch {number} is released and waits to be posted on form GL502000, for which Acumatica's API has no action.",
            holds=f"Batch {number} can no longer be changed, and counts in no balance before it is posted.",
            next_step="Post it on GL502000, or switch Automatically Post on Release on (GL102000).",
        )

    def delete_draft(self, number: str) -> None:
        """Delete a batch of ours that is not released; a released one is refused here and by the ERP [S UG]."""
        if booked(self._ours(number)).released:
            raise DataError(
                f"Batch {number} is released and is not deleted.",
                holds="Nothing was deleted.",
                next_step="Reverse it in Acumatica if it must go.",
            )
        self._site.delete(NAME, (MODULE, number))

    # -- what stands in the way ---------------------------------------------------------------------------------------

    def _ours(self, number: str) -> wire.PlanBatch:
        """The batch as it stands now. Raises NoRecordError where it is gone, DraftEdited or DataError where it is none of this plan's."""
        target, batch = self.target(), self._header(number)
        if batch is None:
            raise NoRecordError(f"There is no batch {number}.", next_step="Take the posting up again.")
        require_ledger(batch, target)
        if not reference_in(batch).startswith(PREFIX):
            raise DataError(
                f"Batch {number} does not begin with a reference of ours.",
                holds="Nothing was done to it.",
                next_step="Look at it in Acumatica.",
            )
        return batch

    def _releasable(self, number: str) -> wire.PlanBatch | None:
        """The batch where nothing stands against its release; None where it is released. WaitingError or PeriodClosed else."""
        batch = self._ours(number)
        journal = booked(batch)
        if journal.released:
            return None
        holds = f"Batch {number} is not released ({said(batch.status)}) and counts in no balance."
        if journal.waiting:
            raise WaitingError(
                f"Batch {number} waits for {journal.waiting}.",
                holds=holds,
                next_step="Have that done in Acumatica, then take the posting up again.",
            )
        self._open_period(to_key(batch.period.value, f"Batch {number}"), holds)
        return batch

    def _open_period(self, key: str, holds: str) -> LedgerPeriod:
        known = self.periods().get(key)
        why = self._refuses(known) if known else self._unknown(key)
        if known is None or why:
            raise self._period_closed(key, why, holds)
        return known

    def _closed(self, key: str, error: PipelineError, holds: str) -> PeriodClosed | None:
        """The error that it really was, where the period was closed meanwhile. Messages change by release and language, so they are not asked."""
        known = self.periods().get(key)
        why = self._refuses(known) if known else self._unknown(key)
        return self._period_closed(key, f"{why}. {error.what}", holds) if why else None

    def _period_closed(self, key: str, why: str, holds: str) -> PeriodClosed:
        return PeriodClosed(
            f"Period {key} takes no journal in ledger {self._rule.ledger}: {why}",
            holds=holds,
            next_step="Open the period in Acumatica (GL503000) and take the posting up again.",
        )

    def _refuses(self, period: LedgerPeriod) -> str:
        """Closed ones take journals only from some users or on some sites; locked and inactive ones from nobody [S UG GL503000]."""
        if period.status == _OPEN or (period.status == _CLOSED and self._rule.into_closed):
            return ""
        return f"it is {period.status.lower()} in the ERP"

    def _require_of(self, draft: JournalDraft) -> None:
        """A draft for other books is not written into these."""
        books, meant = self.target().books, draft.destination
        found = (meant.company, meant.ledger, draft.currency)
        if found != (here := (books.company, books.ledger, books.currency)):
            raise SetupError(
                f"{draft} is for {' '.join(found)}, this destination is {' '.join(here)}.",
                holds="Nothing was sent.",
                next_step="Preview the plan again.",
            )
