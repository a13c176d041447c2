"""What an installation holds of one connection and period: nothing is asked of any other system, so the same holdings give the same evidence."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain

import pandas as pd

from mlc_pipelines.flows.as_then import marks
from mlc_pipelines.flows.route import year_of
from mlc_pipelines.flows.signoff import SignOff, sign_off
from mlc_pipelines.flows.steps import ACTUALS, CHART, SPEND, Feed
from mlc_pipelines.ledger.cells import CellColumns, read_cells
from mlc_pipelines.ledger.drafts import Approval, JournalDraft
from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.ledger.fiscal import FiscalPeriod
from mlc_pipelines.store.approvals import Decision
from mlc_pipelines.store.artefacts import Artefacts
from mlc_pipelines.store.history import AGREED, Load, Step
from mlc_pipelines.store.home import Store
from mlc_pipelines.store.postings import Event, Posting
from mlc_pipelines.store.standings import Standing
from mlc_pipelines.store.told import APPROVAL
from mlc_pipelines.store.trail.event import PRUNED
from mlc_pipelines.store.trail.trail import Entry

_NAMED = (
    "extract",
    "ledger_lines",
    "balances",
    "source",
    "member_map",
    "mapping_version",
    "file",
    "read_back",
    "approved",
)
"""Facts of a step that name a kept file."""


@dataclass(frozen=True)
class Loaded:
    """How the figures of one feed came into the plan: the newest chain that agreed, or the newest there is; and every attempt."""

    feed: Feed
    extract: Step | None
    file: Step | None
    load: Step | None
    attempts: list[Load]

    @property
    def newest(self) -> Load | None:
        return self.attempts[-1] if self.attempts else None

    @property
    def agreed(self) -> bool:
        return self.newest is not None and self.newest.state == AGREED

    @property
    def as_then(self) -> bool:
        """Whether it agreed with kept figures of an earlier load only: the ERP was not asked."""
        return self.agreed and self.load is not None and bool(marks(self.load.facts))

    @property
    def currency(self) -> str:
        return next((one.facts["currency"] for one in (self.load, self.file, self.extract) if one), "")


@dataclass(frozen=True)
class Booked:
    """One journal of a plan for the period, with its approval and every transition."""

    draft: JournalDraft
    posting: Posting
    package: str
    approval: Approval | None
    events: list[Event]


@dataclass(frozen=True)
class Contents:
    """steps: every result of every step, oldest first, those of the period's plans and of its mapping among them.

    sign_off, standings: how the period stands, and all that became of it, oldest first.
    """

    connection: str
    period: FiscalPeriod
    columns: Mapping[str, CellColumns]
    store: Store
    steps: list[Step]
    loaded: list[Loaded]
    journals: list[Booked]
    decisions: list[Decision]
    entries: list[Entry]
    sign_off: SignOff
    standings: list[Standing]

    @property
    def files(self) -> dict[str, str]:
        """Every kept file that is named anywhere in it: its hash, and what it is."""
        found: dict[str, str] = {}
        named = (_of_steps(self.steps), _of_loads(self.loaded), _of_entries(self.entries))
        changes = ((one.changes, "journals that changed after it was agreed") for one in self.standings)
        for digest, what in chain(*named, changes):
            if digest:
                found.setdefault(digest, what)
        return found

    def made(self, digest: str) -> Step | None:
        """The step that made a file."""
        return next((one for one in reversed(self.steps) if one.artefact == digest), None)

    def frame(self, digest: str) -> pd.DataFrame | None:
        """A kept table; None where it was given up by retention."""
        if not digest or self.artefacts.given_up(digest):
            return None
        return pd.read_parquet(self.artefacts.path(digest))

    def cells(self, feed: str, digest: str, currency: str) -> pd.DataFrame | None:
        """Cells of a file that was sent; None where it is given up, or has other columns than the connection file declares now."""
        if not digest or self.artefacts.given_up(digest):
            return None
        path = self.artefacts.path(digest)
        try:
            return read_cells(path, self.columns[feed], currency=currency)
        except (DataError, KeyError):
            return None

    @property
    def artefacts(self) -> Artefacts:
        return self.store.artefacts


def gather(store: Store, connection: str, period: FiscalPeriod, columns: Mapping[str, CellColumns]) -> Contents:
    """Everything of this connection and period. columns: of each feed's file, by the feed's name. Raises DataError where there is nothing."""
    history = store.history
    steps = history.steps(connection, period.key)
    loaded = [_loaded(history.loads(connection, period.key, feed=feed.name), steps, feed) for feed in (ACTUALS, SPEND)]
    loaded = [one for one in loaded if one.extract or one.file or one.attempts]
    journals = _journals(store, connection, period.key)
    if not loaded and not journals:
        raise DataError(
            f"{connection}: nothing was ever loaded or posted for {period.key}.",
            holds="No evidence was written.",
            next_step="Name a period that was loaded; Dagit shows them as materialized partitions.",
        )
    packages = list(dict.fromkeys(one.package for one in journals))
    approvals = store.approvals(connection)
    decisions = [decision for package in packages for decision in approvals.history(package)]
    others = [*_of_plans(store, connection, period.key, packages), *_of_mapping(store, connection, steps)]
    entries = list(_entries(store, connection, period.key, packages))
    every = sorted([*steps, *others], key=lambda one: (one.made_at, one.step))
    stands = sign_off(store, connection, period.key), store.standings(connection).of_period(period.key)
    found = Contents(connection, period, columns, store, every, loaded, journals, decisions, entries, *stands)
    return replace(found, entries=[*entries, *_given_up(found)])


def _loaded(attempts: list[Load], steps: list[Step], feed: Feed) -> Loaded:
    """The chain behind the newest agreed load: the file that its result names, else the one made last before it; and the figures that this was made of."""
    agreed = next((one for one in reversed(attempts) if one.state == AGREED), None)
    until = agreed.begun_at if agreed else "~"
    load = _newest(steps, feed.load, artefact=agreed.sent) if agreed else None
    made_from = load.facts.get("made_from", "") if load else ""
    file = _newest(steps, feed.file, artefact=made_from) if made_from else _newest(steps, feed.file, until=until)
    extract = _newest(steps, feed.extract, artefact=file.facts["source"]) if file else None
    return Loaded(feed, extract or _newest(steps, feed.extract, until=until), file, load, attempts)


def _newest(steps: list[Step], name: str, *, artefact: str = "", until: str = "~") -> Step | None:
    found = (one for one in reversed(steps) if one.step == name and one.made_at <= until)
    return next((one for one in found if not artefact or one.artefact == artefact), None)


def _journals(store: Store, connection: str, period: str) -> list[Booked]:
    postings = store.postings(connection, who="")
    return [
        Booked(draft, posting, package, approval, postings.events(draft.reference))
        for draft, posting, package, approval in postings.of_period(period)
    ]


def _of_plans(store: Store, connection: str, period: str, packages: list[str]) -> Iterator[Step]:
    """The previews of the year that the period's journals belong to, and the approved figures that they were made of."""
    of_year = store.history.steps(connection, year_of(period))
    previews = [one for one in of_year if one.facts.get("package") in packages]
    made_of = {one.facts.get("approved") for one in previews}
    yield from previews
    yield from (one for one in of_year if one.artefact in made_of and one not in previews)


def _of_mapping(store: Store, connection: str, steps: list[Step]) -> Iterator[Step]:
    """The member maps that the period's files were made with, and the charts and lists that those were made of."""
    wanted = {one.facts["member_map"] for one in steps if "member_map" in one.facts}
    reference = store.history.steps(connection, until=max((one.made_at for one in steps), default=""))
    maps = [one for one in reference if one.artefact in wanted]
    made_of = {digest for one in maps for digest in one.facts.get("made_of", {}).values()}
    yield from maps
    yield from (one for one in reference if one.artefact in made_of)


def _entries(store: Store, connection: str, period: str, packages: list[str]) -> Iterator[Entry]:
    """Of the period; and where plans were posted, of the fiscal year and of the approvals of what was posted."""
    trail = store.trail
    for key in (period, *((year_of(period),) if packages else ())):
        yield from trail.entries(connection=connection, period=key)
    if packages:
        approved = trail.entries(connection=connection, kind=APPROVAL)
        yield from (one for one in approved if one.event["request_hash"] in packages)


def _given_up(contents: Contents) -> Iterator[Entry]:
    """The entries that say what retention gave up, where a file of this period is among it."""
    trail, files = contents.store.trail, contents.artefacts
    gone = {digest for digest in contents.files if files.given_up(digest)}
    gone |= {one.file for one in contents.entries if one.records and not trail.has_records(one)}
    for entry in trail.entries(kind=PRUNED, connection=contents.connection) if gone else ():
        if any(gone.intersection(table["source_key"].to_pylist()) for table in trail.records(entry)):
            yield entry


def _of_steps(steps: list[Step]) -> Iterator[tuple[str, str]]:
    for one in steps:
        yield one.artefact, f"result of {one.step}"
        for name in _NAMED:
            yield one.facts.get(name, ""), f"{name.replace('_', ' ')} of {one.step}"


def _of_loads(loaded: list[Loaded]) -> Iterator[tuple[str, str]]:
    for feed in loaded:
        for load in feed.attempts:
            yield load.sent, f"file sent by {feed.feed.load}"
            yield load.read_back, f"read back by {feed.feed.load}"
            yield load.dump, f"rows refused in {feed.feed.load}"


def _of_entries(entries: list[Entry]) -> Iterator[tuple[str, str]]:
    for entry in entries:
        for what, digest in entry.event["artefacts"].items():
            yield digest, f"{what} of {entry.event['kind']}"


def chart_of(contents: Contents, loaded: Loaded) -> pd.DataFrame | None:
    """The chart of accounts that the feed's member map was made of: code, name, kind and more."""
    pairs = contents.made(loaded.file.facts["member_map"]) if loaded.file else None
    digest = pairs.facts.get("made_of", {}).get(CHART, "") if pairs else ""
    return contents.frame(digest)
