"""One look at a connection's ERP, with all that follows from it: sign-offs taken back, new fiscal years taken over."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.signoff import watch_over
from mlc_pipelines.flows.watch import Look
from mlc_pipelines.store import clock, standings
from mlc_pipelines.store.standings import Standings
from mlc_pipelines.wiring.connections import Named, require_places
from mlc_pipelines.wiring.years import take_over

_AHEAD = timedelta(days=60)


def watch(named: Named, desk: Desk, tell: Callable[[str], None] = lambda _said: None) -> Look:
    """Ask the ERP what changed. tell: is told of each new fiscal year, and of each that is lacking or cannot be taken over."""
    found, _ = watch_over(desk)
    kept = desk.store.standings(named.name)
    chosen = named.settings.calendar
    places = partial(require_places, named)
    taken, refused = take_over(named.name, chosen, named.file.parent, desk.calendar, found.beyond, places)
    for year in taken:
        _keep(kept, year, standings.NEW_YEAR, "The fiscal year is in the ERP and was taken over: its periods are partitions once the definitions are loaded again.", tell)  # fmt: skip
    for said in refused:
        _keep(
            kept,
            said.partition(":")[0],
            standings.NO_YEAR,
            f"The fiscal year of the ERP was not taken over. {said}",
            tell,
        )
    last = desk.calendar.periods[-1]
    if not any(found.beyond.values()) and last.end_on - clock.now().date() < _AHEAD:
        said = f"The fiscal calendar ends with {last.key} on {last.end_on}, and the ERP has no later year: have the next one generated in its financial calendar."  # fmt: skip
        _keep(kept, last.key.partition("-")[0], standings.NO_YEAR, said, tell)
    return found


def _keep(kept: Standings, year: str, state: str, said: str, tell: Callable[[str], None]) -> None:
    """Written down once; told each time."""
    tell(said if year in said else f"{year}: {said}")
    rows = kept.of_period(year)
    if not rows or (rows[-1].state, rows[-1].note) != (state, said):
        kept.keep(year, state, said)
