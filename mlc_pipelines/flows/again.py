"""Which periods are asked for again now, and which wait for a day, for a person, or for the open period's own cadence: by what the connection says."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from mlc_pipelines.flows.signoff import AS_THEN, SignOff, sign_off
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
        return f"{self.waits.period} {self.said} By the connection file {when}."


@dataclass(frozen=True, slots=True)
class Policy:
    """What the connection says of periods that changed.

    again: at_once, next_business_day or by_person, of those that were final. next_day: the moment of the next business day after a moment.
    cadence: the next moment at which the close calendar loads a period that is open now; None for any other, and where changes of it are asked for at once.
    """

    again: str
    next_day: Callable[[datetime], datetime]
    cadence: Callable[[str, datetime], datetime | None]


def asked_again(store: Store, connection: str, policy: Policy, now: datetime) -> tuple[list[Waiting], list[Later]]:
    """The periods to ask for now, those that were final first, and those that wait."""
    due: list[tuple[bool, Waiting]] = []
    later: list[Later] = []
    for one in waiting(store, connection):
        held = sign_off(store, connection, one.period)
        ask_from = _ask_from(one, held, policy, now)
        if ask_from is not None and ask_from <= now:
            due.append((not held.was_final, one))
        else:
            later.append(Later(one, _said(held), ask_from))
    return [one for _, one in sorted(due, key=lambda each: each[0])], later


def _said(held: SignOff) -> str:
    if held.was_final:
        return f"was final and is {held}"
    return f"is {held}" if held.state == AS_THEN else "is open and has changed."


def _ask_from(one: Waiting, held: SignOff, policy: Policy, now: datetime) -> datetime | None:
    found_at = datetime.fromisoformat(one.since)
    if one.reason == CLOSED_IN_ERP:
        return found_at
    if not held.was_final:
        return policy.cadence(one.period, now) or found_at
    if policy.again == AT_ONCE:
        return found_at
    if policy.again == BY_PERSON:
        return None
    return policy.next_day(datetime.fromisoformat(held.suspended_at) if held.suspended_at else found_at)
