"""What the store knows of that people should look at: suspended sign-offs, re-opened periods, postings that wait, codes without a member, years that are lacking."""

from collections.abc import Iterator, Mapping, Sequence

from mlc_pipelines.flows.signoff import SUSPENDED as SIGN_OFF_SUSPENDED
from mlc_pipelines.flows.signoff import sign_off
from mlc_pipelines.flows.steps import FILE
from mlc_pipelines.ledger.money import Money
from mlc_pipelines.ledger.troubles import CONFLICT, REOPENED, SUSPENDED, UNMAPPED, WAITING, YEARS, Trouble
from mlc_pipelines.store import standings
from mlc_pipelines.store.home import Store
from mlc_pipelines.store.postings import CONFLICT as IN_CONFLICT
from mlc_pipelines.store.postings import WAITING as WAITS
from mlc_pipelines.store.standings import Standing

_TAKEN_IN = {standings.PROVISIONAL, standings.FINAL, standings.CONFIRMED, standings.CLOSED}


def troubles_of(store: Store, connection: str, periods: Sequence[str]) -> list[Trouble]:
    """All of one connection, from what was written down; neither system is asked. periods: of its calendar, in order."""
    return [
        *_of_periods(store, connection),
        *_of_postings(store, connection),
        *_of_codes(store, connection, periods),
    ]


def _of_periods(store: Store, connection: str) -> Iterator[Trouble]:
    """A suspension stands until the period agrees anew; a re-opening, until it is closed again or a load took it in."""
    reopened: dict[str, Standing] = {}
    years: dict[str, Standing] = {}
    touched: set[str] = set()
    for one in store.standings(connection).after(0):
        touched |= {one.period} if one.state == standings.SUSPENDED else set()
        if one.state == standings.REOPENED:
            reopened[one.period] = one
        elif one.state in _TAKEN_IN:
            reopened.pop(one.period, None)
        elif one.state == standings.NO_YEAR:
            years[one.period] = one
        elif one.state == standings.NEW_YEAR:
            years.pop(one.period, None)
    for period in sorted(touched):
        if (held := sign_off(store, connection, period)).state == SIGN_OFF_SUSPENDED:
            step = f"Look at the journals that changed, then load the period again: `mlc load {connection} {period}`."
            yield Trouble(SUSPENDED, period, held.said, step)
    yield from _told(REOPENED, reopened, "Ask who opened it; the period is watched until it is closed again.")
    yield from _told(YEARS, years, f"`mlc calendar periods {connection}` shows the declared years.")


def _told(kind: str, found: Mapping[str, Standing], next_step: str) -> Iterator[Trouble]:
    for about, one in found.items():
        yield Trouble(kind, about, one.note or f"since {one.at[:16].replace('T', ' ')} UTC", next_step)


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
