"""Which periods are asked for again now, and which wait for a day or for a person: by what the connection says of those that were final."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from mlc_pipelines.flows.signoff import FINAL, SUSPENDED, SignOff, sign_off
from mlc_pipelines.flows.watch import CLOSED_IN_ERP, Waiting, waiting
from mlc_pipelines.store.home import Store

AT_ONCE, BY_PERSON = "at_once", "by_person"


@dataclass(frozen=True, slots=True)
class Later:
    """A period that is not asked for yet: from when on it will be, None for never by itself."""

    waits: Waiting
    said: str
    ask_from: datetime | None

    def __str__(self) -> str:
        when = (
            f"it is asked for again from {self.ask_from:%Y-%m-%d %H:%M %Z} on"
            if self.ask_from
            else "a person asks for it again"
        )
        return f"{self.waits.period} was final and is suspended: {self.said} By the connection file {when}."


def asked_again(
    store: Store, connection: str, policy: str, next_day: Callable[[datetime], datetime], now: datetime
) -> tuple[list[Waiting], list[Later]]:
    """The periods to ask for now, and those that wait. policy: at_once, next_business_day, by_person; it counts for periods that were final.

    next_day: the moment of the next business day after a moment.
    """
    due: list[Waiting] = []
    later: list[Later] = []
    for one in waiting(store, connection):
        held = sign_off(store, connection, one.period)
        ask_from = _ask_from(one, held, policy, next_day)
        if ask_from is not None and ask_from <= now:
            due.append(one)
        else:
            later.append(Later(one, held.said, ask_from))
    return due, later


def _ask_from(one: Waiting, held: SignOff, policy: str, next_day: Callable[[datetime], datetime]) -> datetime | None:
    found_at = datetime.fromisoformat(one.since)
    if policy == AT_ONCE or held.state not in {FINAL, SUSPENDED} or one.reason == CLOSED_IN_ERP:
        return found_at
    if policy == BY_PERSON:
        return None
    return next_day(datetime.fromisoformat(held.suspended_at) if held.suspended_at else found_at)
