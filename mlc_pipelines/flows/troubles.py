"""What the store knows of that people should look at: suspended sign-offs, kept figures that nobody signs, re-opened periods, previews and postings that wait, codes without a member, fiscal years."""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from mlc_pipelines.flows.route import year_of
from mlc_pipelines.flows.signoff import AS_THEN, sign_off
from mlc_pipelines.flows.signoff import SUSPENDED as SIGN_OFF_SUSPENDED
from mlc_pipelines.flows.steps import FILE, PlanSteps
from mlc_pipelines.ledger.money import Money
from mlc_pipelines.ledger.troubles import CONFLICT, KEPT, REOPENED, SUSPENDED, UNMAPPED, WAITING, YEARS, Trouble
from mlc_pipelines.store import standings
from mlc_pipelines.store.home import Store
from mlc_pipelines.store.postings import CONFLICT as IN_CONFLICT
from mlc_pipelines.store.postings import WAITING as WAITS
from mlc_pipelines.store.standings import Standing

_UNSIGNED = {standings.SUSPENDED, standings.AS_THEN}
_TAKEN_IN = {standings.PROVISIONAL, standings.FINAL, standings.CONFIRMED, standings.CLOSED}


def troubles_of(
    store: Store, connection: str, periods: Sequence[str], plans: Mapping[str, str] = MappingProxyType({})
) -> list[Trouble]:
    """All of one connection, from what was written down; neither system is asked. periods: of its calendar, in order. plans: name and version of each that it posts."""
    return [
        *_of_periods(store, connection),
        *_of_previews(store, connection, periods, plans),
        *_of_postings(store, connection),
        *_of_codes(store, connection, periods),
    ]


def _of_periods(store: Store, connection: str) -> Iterator[Trouble]:
    """A suspension, and kept figures, stand until the period agrees anew; a re-opening, until it is closed again or a load took it in."""
    reopened: dict[str, Standing] = {}
    years: dict[str, Standing] = {}
    touched: set[str] = set()
    for one in store.standings(connection).after(0):
        touched |= {one.period} if one.state in _UNSIGNED else set()
        if one.state == standings.REOPENED:
            reopened[one.period] = one
        elif one.state in _TAKEN_IN:
            reopened.pop(one.period, None)
        elif one.state == standings.NO_YEAR:
            years[one.period] = one
        elif one.state == standings.NEW_YEAR:
            years.pop(one.period, None)
    for period in sorted(touched):
        held = sign_off(store, connection, period)
        if held.state == SIGN_OFF_SUSPENDED:
            step = f"Look at the journals that changed, then load the period again: `mlc load {connection} {period}`."
            yield Trouble(SUSPENDED, period, held.said, step)
        elif held.state == AS_THEN:
            step = f"Nobody signs them. Have the period read from the ERP: `mlc load {connection} {period}`."
            yield Trouble(KEPT, period, held.said, step)
    yield from _told(REOPENED, reopened, "Ask who opened it; the period is watched until it is closed again.")
    yield from _told(YEARS, years, f"`mlc calendar periods {connection}` shows the declared years.")


def _told(kind: str, found: Mapping[str, Standing], next_step: str) -> Iterator[Trouble]:
    for about, one in found.items():
        yield Trouble(kind, about, one.note or f"since {one.at[:16].replace('T', ' ')} UTC", next_step)


def years_to_load(known: Sequence[str], loaded: Sequence[str]) -> Iterator[Trouble]:
    """Fiscal years that were taken over from the ERP since Dagster loaded its definitions. Both: keys of periods."""
    for year in sorted({year_of(key) for key in known} - {year_of(key) for key in loaded}):
        step = "Load the definitions again in Dagit: Deployment, code location, Reload."
        yield Trouble(YEARS, year, "It is in the ERP, and its periods can be neither loaded nor planned yet.", step)


def waiting_postings(store: Store, connection: str, plans: Mapping[str, str]) -> set[str]:
    """Period and step of each posting of which `troubles_of` tells that it waits: "FY2027-P01 budget_posting"."""
    register = store.postings(connection, who="")
    drafts = [register.draft(one.reference)[0] for one in register.open() if one.state == WAITS]
    return {
        f"{draft.period} {PlanSteps.of(name).posting}"
        for draft in drafts
        for name, version in plans.items()
        if draft.plan == f"{version} {year_of(draft.period)}"
    }


def _of_previews(store: Store, connection: str, periods: Sequence[str], plans: Mapping[str, str]) -> Iterator[Trouble]:
    """The newest preview of a plan and year that nobody has decided on; one that was made of older figures than the newest approved ones waits for nothing."""
    history, approvals = store.history, store.approvals(connection)
    for name, version in plans.items():
        steps, option = PlanSteps.of(name), "" if name == "budget" else f" --plan {name}"
        for year in dict.fromkeys(map(year_of, periods)):
            preview, exported = (history.latest_step(connection, one, year) for one in (steps.preview, steps.approved))
            package = str(preview.facts["package"]) if preview else ""
            if not (preview and exported and package) or preview.facts["approved"] != exported.artefact:
                continue
            if not approvals.history(package):
                yield Trouble(
                    WAITING,
                    f"{version} {year}",
                    f"Content {package[:16]}, prepared by {preview.facts['prepared_by']}, waits for approval.",
                    f"Look at the preview; whoever may approve it: `mlc budget approve {connection} {year} {package[:16]}{option}`.",
                )


def _of_postings(store: Store, connection: str) -> Iterator[Trouble]:
    kinds = {WAITS: WAITING, IN_CONFLICT: CONFLICT}
    register = store.postings(connection, who="")
    for posting in [*register.open(), *register.undecided()]:
        if posting.state in kinds:
            draft, _ = register.draft(posting.reference)
            yield Trouble(
                kinds[posting.state],
                str(draft),
                posting.note,
                f"`mlc budget status {connection}` shows all of them, and what can be done.",
            )


def _of_codes(store: Store, connection: str, periods: Sequence[str]) -> Iterator[Trouble]:
    """Of the newest period that has figures without a member: what is parked there, or stopped by it, needs mapping once and not once for each period."""
    for period in reversed(periods):
        step = store.history.latest_step(connection, FILE, period)
        if step and step.facts.get("unmapped_minor"):
            money = Money(int(step.facts["unmapped_minor"]), step.facts["currency"])
            yield Trouble(
                UNMAPPED,
                "suspense members",
                f"{money} of {period} lie on suspense members.",
                f"`mlc map suggest {connection}` offers members.",
            )
            return
