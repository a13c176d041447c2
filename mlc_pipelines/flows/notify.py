"""Telling people: what is on is held against what was told, one message is made of the difference, and it is delivered until it is there or given up.

A trouble is told when it comes up or has changed, again after a day if it is still on, and once more when it is over. Between two messages of
a connection lies its interval, so a bad night makes one message and not one for each period.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Protocol

from mlc_pipelines.ledger.errors import PipelineError, TransientError
from mlc_pipelines.ledger.troubles import UNDELIVERED, Message, Section, Told, Trouble, compose
from mlc_pipelines.store.outbox import Outbox, Posted
from mlc_pipelines.transport.secret import redacted

_TRIES_MAX = 8
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=4)
_GIVEN_UP_TOLD = timedelta(days=7)


class Messenger(Protocol):
    """A way to reach people."""

    def send(self, message: Message) -> None:
        """Deliver it once. Raises TransientError where a later try may do, SetupError where a person must look first."""


@dataclass(frozen=True, slots=True)
class Rules:
    """interval: between two messages of a connection. remind: how long after it was told a trouble that is still on is told again."""

    interval: timedelta = timedelta(minutes=15)
    remind: timedelta = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one round did. made: title of the new message, "" without one; problems: messengers that failed, and why."""

    made: str = ""
    delivered: int = 0
    problems: tuple[str, ...] = ()

    def __str__(self) -> str:
        said = [f"A message was made: {self.made}." if self.made else "Nothing new is to be told."]
        if self.delivered:
            said.append(f"{self.delivered} delivered.")
        said += [f"Not delivered by {problem}" for problem in self.problems]
        return " ".join(said)


def tell(
    outbox: Outbox, found: Iterable[Trouble], ways: Mapping[str, Messenger], now: datetime, rules: Rules
) -> Delivery:
    """One round: put down what is new, and deliver whatever is due. A messenger that fails holds up none of the others."""
    troubles = [*found, *_undelivered(outbox, ways, now)]
    told = difference(outbox, troubles, now, rules)
    made = ""
    if told and _interval_over(outbox, now, rules):
        message = compose(outbox.connection, told)
        made = message.title
        outbox.post([*told.new, *told.still], told.over, as_text(message), list(ways), now)
    delivered, problems = 0, []
    for posted in outbox.due(now):
        said = deliver(outbox, posted, ways, now)
        delivered += not said
        problems += [f"{posted.way}: {said}"] if said else []
    return Delivery(made, delivered, tuple(problems))


def difference(outbox: Outbox, troubles: Sequence[Trouble], now: datetime, rules: Rules) -> Told:
    """What there is to tell now: new or changed, to be reminded of, over."""
    known = {(one.trouble.kind, one.trouble.about): one for one in outbox.known()}
    on = {(one.kind, one.about): one for one in troubles}
    new = [one for key, one in on.items() if key not in known or known[key].content != one.content]
    old = [(one, known[key].told_at) for key, one in on.items() if one not in new]
    still = [one for one, told_at in old if now - datetime.fromisoformat(told_at) >= rules.remind]
    return Told(new, still, [one.trouble for key, one in known.items() if key not in on])


def deliver(outbox: Outbox, posted: Posted, ways: Mapping[str, Messenger], now: datetime) -> str:
    """One try; "" when it is there, else why not. What may be better later is tried again, with growing pauses, a limited number of times."""
    try:
        if posted.way not in ways:
            outbox.failed(posted.id, "the connection file does not name it any more", None)
            return "the connection file does not name it any more"
        ways[posted.way].send(from_text(posted.message))
    except PipelineError as error:
        said = redacted(str(error).replace("\n", " "))
        last = posted.tries + 1 >= _TRIES_MAX or not isinstance(error, TransientError)
        outbox.failed(posted.id, said, None if last else now + min(_FIRST_PAUSE * 2**posted.tries, _LONGEST_PAUSE))
        return said
    outbox.delivered(posted.id)
    return ""


def _undelivered(outbox: Outbox, ways: Mapping[str, Messenger], now: datetime) -> list[Trouble]:
    """A messenger that did not get through is told by the others; with one messenger alone, by itself as soon as it works again."""
    lost: dict[str, list[Posted]] = {}
    for posted in outbox.given_up(now - _GIVEN_UP_TOLD):
        if posted.way in ways:
            lost.setdefault(posted.way, []).append(posted)
    return [
        Trouble(
            UNDELIVERED,
            way,
            f"Messages were given up: {posts[-1].said}",  # neither number nor time: it would be another trouble each time
            f"Try it with `mlc notify test {outbox.connection}`; what was given up is listed by `mlc notify show {outbox.connection}`.",
        )
        for way, posts in lost.items()
    ]


def _interval_over(outbox: Outbox, now: datetime, rules: Rules) -> bool:
    last = outbox.last_made()
    return not last or not timedelta(0) <= now - datetime.fromisoformat(last) < rules.interval


def as_text(message: Message) -> str:
    """As it is kept until it is delivered."""
    return redacted(json.dumps(asdict(message), ensure_ascii=False))


def from_text(text: str) -> Message:
    said = json.loads(text)
    sections = tuple(Section(one["heading"], tuple(one["lines"])) for one in said["sections"])
    return Message(said["connection"], said["title"], sections, said["troubles"])
