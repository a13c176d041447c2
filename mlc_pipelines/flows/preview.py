"""What an approved plan would write into the ERP, beside what the ERP holds; every objection before anything is written, and a hash to approve."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.files import keep_frame
from mlc_pipelines.flows.plan_mapping import mapped_back, plan_mapping_version
from mlc_pipelines.flows.preview_report import PreviewShown
from mlc_pipelines.flows.report import Report, money_table
from mlc_pipelines.flows.route import PlanRoute, keys_of_year
from mlc_pipelines.flows.steps import DESTINATION_ALLOWED, JOURNALS_BALANCE, JOURNALS_MATCH_PLAN, NOTHING_WRITTEN
from mlc_pipelines.flows.strangers import require_own, require_remembered
from mlc_pipelines.flows.trail import record_step
from mlc_pipelines.ledger.control import Leg, compare
from mlc_pipelines.ledger.drafts import JournalDraft, package_hash, require_sound
from mlc_pipelines.ledger.errors import DataError, told_as
from mlc_pipelines.ledger.figures import FIGURES, KEYS, figures_of, summed
from mlc_pipelines.ledger.issues import IssueRule, effective, issue
from mlc_pipelines.ledger.plans import MappedBack
from mlc_pipelines.ledger.ports import LedgerIdentity
from mlc_pipelines.store.postings import ABANDONED, CLOSED, CONFLICT, PLANNED, SEALED, Posting

_NOT_FINISHED = "it is not finished, and what it will have written cannot be known"


@dataclass(frozen=True)
class Issued:
    """What the register says of a plan and year: every journal that was ever previewed, with how it stands and the package it belongs to."""

    rows: Sequence[tuple[JournalDraft, Posting, str]]

    @property
    def begun(self) -> list[tuple[JournalDraft, Posting, str]]:
        """Those that may have reached the ERP."""
        return [row for row in self.rows if row[1].state != PLANNED]

    @property
    def number(self) -> int:
        """Of the newest issue of which something may have reached the ERP; 0 where nothing has."""
        return max((draft.issue for draft, _, _ in self.begun), default=0)

    def unproved(self, before: int | None = None) -> list[str]:
        """Periods in which a journal was given up after the newest one that is proved: what native figures stand there is not known."""
        proved = {draft.period: draft.issue for draft in self.sealed(before)}
        given_up = [draft for draft, posting, _ in self.rows if posting.state == ABANDONED]
        given_up = [draft for draft in given_up if before is None or draft.issue < before]
        return sorted({draft.period for draft in given_up if draft.issue > proved.get(draft.period, 0)})

    def sealed(self, before: int | None = None) -> list[JournalDraft]:
        """The journals that are proved to be in the ERP; of issues before a number, where one is given."""
        return [draft for draft, _ in self.proved() if before is None or draft.issue < before]

    def proved(self) -> list[tuple[JournalDraft, Posting]]:
        """The same with how each stands."""
        return [(draft, posting) for draft, posting, _ in self.rows if posting.state == SEALED]

    @property
    def under_way(self) -> list[tuple[JournalDraft, Posting, str]]:
        """Those that are not at their end, conflicts included."""
        return [row for row in self.begun if row[1].state not in CLOSED or row[1].state == CONFLICT]

    def of(self, number: int) -> list[tuple[JournalDraft, Posting, str]]:
        return [row for row in self.begun if row[0].issue == number]


def issued(desk: Desk, route: PlanRoute, year: str) -> Issued:
    """What was issued into the books that the connection names now.

    Raises DataError where the plan was posted into other ones: what those hold cannot be told by looking here.
    """
    rows = desk.postings.of_plan(route.plan_of(year))
    for draft, posting, _ in rows:
        if draft.destination != route.destination and posting.state not in (PLANNED, ABANDONED):
            raise DataError(
                f"{draft} is {posting.state} in {draft.destination}; the connection names {route.destination} now.",
                holds=f"Nothing new was written. {draft.destination} still holds what was posted there.",
                next_step=f"Restore plans.{route.name}.destination in the connection file, or declare the new books in a connection file of another name.",
            )
    return Issued([row for row in rows if row[0].destination == route.destination])


def preview_plan(desk: Desk, route: PlanRoute, year: str) -> Report:
    """Work out the journals of a plan and fiscal year from its newest approved figures, hold them against the ERP, and note them for approval."""
    approved = desk.store.history.require_step(desk.connection, route.steps.approved, year)
    currency, version = approved.facts["currency"], approved.facts["approval"]["version"]
    with told_as(DESTINATION_ALLOWED):
        books = route.books.require_destination()
        _require_currency(books, currency, route)
    chart = desk.ledger.read_accounts()
    mapped = mapped_back(desk, route, approved.artefact, chart, currency)
    mapping = plan_mapping_version(desk, route, chart)
    _require_postable(route, mapped, currency)
    held = _held(desk, route, year)
    known = issued(desk, route, year)
    drafts, figures = next_issue(mapped, known, issue_rule(route, year, currency), version)
    _require_ours(desk, route, year, held, known, drafts, currency)
    legs = _legs(route, year, figures, drafts, known, currency)
    package = package_hash(drafts) if drafts else ""
    if drafts:
        desk.postings.plan(drafts, package, mapping)
    artefact = keep_frame(desk, figures)
    facts = {
        "package": package,
        "approved": approved.artefact,
        "approval": approved.facts["approval"],
        "mapping_version": mapping,
        "currency": currency,
        "prepared_by": (prepared_by := _prepared_by(desk, route, year, package)),
        "journals": len(drafts),
        "books": str(route.destination),
        "legs": [leg.facts for leg in legs],
    }
    record_step(desk, route.steps.preview, year, artefact, facts)
    shown = PreviewShown(desk.connection, prepared_by, route, year, figures, drafts, held, chart, books)
    return shown.report(artefact, package, mapped, legs, posted_before=len(known.sealed()))


def _prepared_by(desk: Desk, route: PlanRoute, year: str, package: str) -> str:
    """Who previewed this content first: to look at it again prepares nothing, and an approval that was given stays one by somebody else."""
    before = desk.store.history.latest_step(desk.connection, route.steps.preview, year)
    return str(before.facts["prepared_by"]) if before and package and before.facts["package"] == package else desk.who


def issue_rule(route: PlanRoute, year: str, currency: str) -> IssueRule:
    return IssueRule(route.destination, route.plan_of(year), currency, route.reissue, route.lines_max, route.offset)


def next_issue(
    mapped: MappedBack, known: Issued, rule: IssueRule, version: str
) -> tuple[list[JournalDraft], pd.DataFrame]:
    """The journals to be approved now, [] where the ERP holds the figures already, and the figures that are to stand there.

    Raises DataError while an earlier issue with other figures is under way.
    """
    number = known.number
    if number and (rows := known.of(number)):
        figures, again = _as_issue(mapped, known, rule, rows[0][0].version, number)
        same = bool(again) and {package for _, _, package in rows} == {package_hash(again)}
        if same and not any(posting.state == ABANDONED for _, posting, _ in rows):
            done = all(draft.reference in {one.reference for one in known.sealed()} for draft in again)
            return ([] if done else again), figures
        if known.under_way:
            raise _at_work(
                known.under_way, rule, "a journal of it was given up" if same else "the figures have changed"
            )
    figures, drafts = _as_issue(mapped, known, rule, version, number + 1)
    return drafts, figures


def _as_issue(
    mapped: MappedBack, known: Issued, rule: IssueRule, version: str, number: int
) -> tuple[pd.DataFrame, list[JournalDraft]]:
    """What is to stand in the ERP, and the journals that bring it there as the issue of this number, on top of those before."""
    before = known.sealed(number)
    figures = mapped.beside(figures_of(effective(before, rule.reissue)))
    return figures, issue(figures, before, rule, version=version, number=number, unproved=known.unproved(number))


def _at_work(rows: Sequence[tuple[JournalDraft, Posting, str]], rule: IssueRule, why: str) -> DataError:
    first, posting, _ = rows[0]
    return DataError(
        f"{rule.plan} version {first.version} is still being posted, and {why} since: {len(rows)} journals are not at their end, "
        f"the first of them {first} ({posting.state}{f': {posting.note}' if posting.note else ''}).",
        holds="Nothing new was written. A new version is laid on top of what is in the ERP, so the old one must be at its end first.",
        next_step="Finish it with `mlc budget post`, or give its journals up with `mlc budget abandon`; then preview again.",
    )


def _require_currency(books: LedgerIdentity, currency: str, route: PlanRoute) -> None:
    if books.currency != currency:
        raise DataError(
            f"The plan is in {currency}, {books.ledger} of {books.company} is in {books.currency}.",
            holds=NOTHING_WRITTEN,
            next_step=f"Name a destination in {currency} under plans.{route.name}.destination.",
        )


def _require_postable(route: PlanRoute, mapped: MappedBack, currency: str) -> None:
    """Refuse figures on accounts and subaccounts that the ERP does not take, all of them in one list, before anything is written."""
    figures = mapped.figures
    offset = [(route.offset.account, route.offset.subaccount, 0)] if route.offset else []
    sums = figures.groupby(KEYS[1:], sort=True)["amount_minor"].agg(lambda minor: int(minor.abs().sum())).reset_index()
    keys = pd.concat([sums, pd.DataFrame(offset, columns=sums.columns)], ignore_index=True)
    keys = keys.drop_duplicates(KEYS[1:]).assign(problem=lambda rows: route.books.objections(rows[KEYS[1:]]))
    refused = keys[keys["problem"] != ""]
    if refused.empty:
        return
    first = refused.iloc[0]
    error = DataError(
        f"The ERP takes no plan figures on {len(refused)} of {len(keys)} accounts and subaccounts; the first is {first['account']} {first['subaccount']}: "
        f"{first['problem']}.",
        holds=NOTHING_WRITTEN,
        next_step="Open them in the ERP, or name other posting targets for their members; then preview again.",
    )
    error.evidence = {"Refused accounts": money_table(refused, currency)}
    raise error


def _held(desk: Desk, route: PlanRoute, year: str) -> pd.DataFrame:
    """What the destination holds in the year's periods: FIGURES, whoever wrote it."""
    parts = []
    for key in keys_of_year(desk.calendar, year):
        desk.progress(f"{route.steps.preview}: reading what {route.destination.ledger} holds for {key}")
        parts.append(route.books.read_held(key).assign(period=key))
    return summed(pd.concat(parts)[FIGURES])


def _require_ours(
    desk: Desk,
    route: PlanRoute,
    year: str,
    held: pd.DataFrame,
    known: Issued,
    drafts: Sequence[JournalDraft],
    currency: str,
) -> None:
    """Refuse to add to books that hold what nobody here knows of: plan and ledger could not agree afterwards.

    Native figures are replaced, not added to. While journals are under way, how many of them the ERP holds is not known, and the posting's
    own tie-out tells.
    """
    if route.shared:
        require_remembered(desk, route, year, drafts)
    elif not known.under_way:
        require_own(route, year, held, known.proved(), drafts, currency)


def _legs(
    route: PlanRoute,
    year: str,
    figures: pd.DataFrame,
    drafts: Sequence[JournalDraft],
    known: Issued,
    currency: str,
) -> tuple[Leg, ...]:
    """What is proved before anybody approves: with these journals the ERP holds the plan, and each of them balances where it must."""
    for draft in drafts:
        require_sound(draft, lines_needed=route.table is None)
    held = {draft.reference for draft in drafts}
    earlier = [draft for draft in known.sealed() if draft.reference not in held]
    after = figures_of(effective([*earlier, *drafts], route.reissue))
    plan = compare(
        JOURNALS_MATCH_PLAN,
        year,
        ("approved figures", figures),
        ("journals, with those before", after),
        keys=KEYS,
        unit=currency,
    )
    plan.require_agreed(
        holds=NOTHING_WRITTEN, next_step="This is a defect of this project: report it with the preview."
    )
    return (plan,) if route.destination.one_sided else (plan, _balance_leg(year, drafts, currency))


def _balance_leg(year: str, drafts: Sequence[JournalDraft], currency: str) -> Leg:
    sides = {"debits": [draft.debit.minor for draft in drafts], "credits": [draft.credit.minor for draft in drafts]}
    journals = [draft.reference for draft in drafts]
    left, right = (
        (
            side,
            pd.DataFrame(
                {"journal": pd.Series(journals, dtype=object), "amount_minor": pd.Series(minor, dtype="int64")}
            ),
        )
        for side, minor in sides.items()
    )
    return compare(JOURNALS_BALANCE, year, left, right, keys=["journal"], unit=currency)
