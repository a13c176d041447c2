"""A plan issued to a set of books, again and again: what a new version must write, so that the ERP holds it and nothing twice. Pure.

Journals add up, so a new version writes the difference, or takes the old journals back and writes its own. Native budget figures are
replaced by key.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from mlc_pipelines.ledger.drafts import Destination, DraftLine, JournalDraft, split
from mlc_pipelines.ledger.figures import (
    FIGURES,
    KEYS,
    OFFSET,
    figures_of,
    minus,
    reversed_lines,
    to_lines,
    written_keys,
)

DELTA, REVERSE, REPLACE = "delta", "reverse", "replace"
"""How a later version takes the place of an earlier one: by the difference, by reversal and new journals, by setting figures by key."""


@dataclass(frozen=True, slots=True)
class Offset:
    """The account and subaccount that balance a journal of a plan which does not balance by itself."""

    account: str
    subaccount: str

    def line(self, excess_minor: int) -> DraftLine:
        """The line that takes up so much more debit than credit."""
        return DraftLine(self.account, self.subaccount, max(-excess_minor, 0), max(excess_minor, 0), OFFSET)


@dataclass(frozen=True, slots=True)
class IssueRule:
    """How a plan's journals are made up. reissue: DELTA, REVERSE, or REPLACE for native figures. lines_max: of one journal, offset apart."""

    destination: Destination
    plan: str
    currency: str
    reissue: str
    lines_max: int = 500
    offset: Offset | None = None


def effective(drafts: Sequence[JournalDraft], reissue: str) -> list[JournalDraft]:
    """Those of the journals, all in the ERP, that make its figures together: all of them, or of native figures the newest of each period."""
    if reissue != REPLACE:
        return list(drafts)
    return list({draft.period: draft for draft in sorted(drafts, key=lambda one: one.issue)}.values())


def standing(drafts: Sequence[JournalDraft]) -> list[JournalDraft]:
    """The journals of the plan's figures that no later one has taken back."""
    taken_back = {draft.reverses for draft in drafts if draft.reverses}
    return [draft for draft in drafts if not draft.reverses and draft.reference not in taken_back]


def issue(
    figures: pd.DataFrame,
    earlier: Sequence[JournalDraft],
    rule: IssueRule,
    *,
    version: str,
    number: int,
    unproved: Collection[str] = (),
) -> list[JournalDraft]:
    """The journals by which the ERP comes to hold these figures (FIGURES of one fiscal year), given what earlier issues wrote; [] where it does already.

    earlier: the journals of earlier issues that are in the ERP. Periods without a difference get no journal, except that native figures are set
    again in unproved periods, where others may have been written. The same input gives the same journals.
    """
    before = figures_of(effective(earlier, rule.reissue))
    change = minus(figures, before)
    changed = sorted(set(change["period"]))
    head = JournalDraft(rule.destination, rule.plan, version, "", 1, rule.currency, (), "", number)
    head = replace(head, description=f"{rule.plan} version {version}")
    if rule.reissue == REPLACE:
        anew = sorted({*changed, *unproved})
        return [replace(head, period=one, lines=_lines(figures, one, head.description)) for one in anew]
    taken_back: list[JournalDraft] = []
    if rule.reissue == REVERSE:
        taken_back = [_reversal(one, head) for one in standing(earlier) if one.period in changed]
        change = figures[figures["period"].isin(changed)]
    made = [
        part
        for one in changed
        for part in _parts(replace(head, period=one, lines=_lines(change, one, head.description)), rule)
    ]
    return sorted([*taken_back, *made], key=lambda one: (one.period, not one.reverses, one.part))


def _lines(figures: pd.DataFrame, period: str, description: str) -> tuple[DraftLine, ...]:
    return to_lines(figures[figures["period"] == period], description)


def _parts(whole: JournalDraft, rule: IssueRule) -> list[JournalDraft]:
    return split(whole, lines_max=rule.lines_max, offset=rule.offset.line if rule.offset else None)


def _reversal(old: JournalDraft, head: JournalDraft) -> JournalDraft:
    lines = reversed_lines(old.lines)
    said = f"Reversal of {old.description}"
    return replace(head, period=old.period, part=old.part, lines=lines, description=said, reverses=old.reference)


def zeros_beside(draft: JournalDraft, earlier: Sequence[JournalDraft]) -> pd.DataFrame:
    """The figures of a native draft (FIGURES), and an explicit zero for every key that any earlier one may have written in its period and it does not name."""
    now = figures_of([draft])
    maybe = written_keys(one for one in earlier if one.period == draft.period)
    every = pd.concat([now, maybe.assign(amount_minor=0)])
    return every.drop_duplicates(KEYS, keep="first").sort_values(KEYS, ignore_index=True)[FIGURES]
