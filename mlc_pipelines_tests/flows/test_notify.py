"""Who is told what and when: each trouble once, again after a day or when it changes, a last time when it is over; nothing is lost on the way."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mlc_pipelines.flows.notify import Delivery, Rules, tell
from mlc_pipelines.ledger.errors import SetupError, TransientError
from mlc_pipelines.ledger.troubles import LATE, RUN_FAILED, UNDELIVERED, Message, Trouble
from mlc_pipelines.store.home import Store
from mlc_pipelines.store.outbox import Outbox

START = datetime(2026, 4, 8, 6, 0, tzinfo=UTC)
LATE_ONE = Trouble(LATE, "FY2026-P03", "Due on 8 April.")
FAILED = [Trouble(RUN_FAILED, f"FY2026-P{number:02d}", "Rows were refused.") for number in range(1, 13)]


@dataclass
class Person:
    """Somebody who reads what arrives; out: why nothing arrives at the moment."""

    got: list[Message] = field(default_factory=list)
    out: Exception | None = None

    def send(self, message: Message) -> None:
        if self.out:
            raise self.out
        self.got.append(message)


@dataclass
class Office:
    outbox: Outbox
    people: dict[str, Person]
    now: datetime = START

    def round(self, *troubles: Trouble, minutes: float = 0) -> Delivery:
        self.now += timedelta(minutes=minutes)
        return tell(self.outbox, troubles, self.people, self.now, Rules())

    def titles(self, who: str = "chat") -> list[str]:
        return [message.title.removeprefix("demo: ") for message in self.people[who].got]


@pytest.fixture
def office(furnished: Path) -> Office:
    return Office(Outbox(Store.open().engine, "demo"), {"chat": Person(), "mail": Person()})


def test_a_bad_night_is_one_message_to_each(office: Office) -> None:
    """Twelve periods that failed: one message, not twelve; nothing more while nothing changes."""
    office.round(*FAILED)
    for _ in range(10):
        office.round(*FAILED, minutes=10)
    assert ["12 new"] == office.titles("chat") == office.titles("mail")


def test_between_two_messages_lies_the_interval(office: Office) -> None:
    """What comes up meanwhile waits for the next message, and is in it."""
    office.round(FAILED[0])
    office.round(*FAILED[:3], minutes=5)
    assert ["1 new"] == office.titles()
    office.round(*FAILED[:3], minutes=11)
    assert ["1 new", "2 new"] == office.titles()


def test_what_changed_is_told_again_and_what_did_not_after_a_day(office: Office) -> None:
    office.round(FAILED[0])
    office.round(Trouble(RUN_FAILED, "FY2026-P01", "Now the period is closed."), minutes=20)
    office.round(Trouble(RUN_FAILED, "FY2026-P01", "Now the period is closed."), minutes=60 * 23)
    assert ["1 new", "1 new"] == office.titles()
    office.round(Trouble(RUN_FAILED, "FY2026-P01", "Now the period is closed."), minutes=60)
    assert "1 still on" == office.titles()[-1]


def test_what_is_over_is_told_once(office: Office) -> None:
    office.round(LATE_ONE, FAILED[0])
    office.round(LATE_ONE, minutes=20)
    office.round(LATE_ONE, minutes=20)
    assert ["2 new", "1 solved"] == office.titles()
    assert "FY2026-P01" in office.people["chat"].got[-1].text
    office.round(minutes=20)
    office.round(FAILED[0], minutes=20)
    assert ["1 solved", "1 new"] == office.titles()[2:], "it came up again"


def test_a_messenger_that_fails_holds_up_nobody_and_is_tried_again(office: Office) -> None:
    """With growing pauses; what was told meanwhile comes in order once it works."""
    office.people["chat"].out = TransientError("Webhook finance-chat answered 503.")
    delivery = office.round(LATE_ONE)
    assert (1, ("chat: Webhook finance-chat answered 503.",)) == (delivery.delivered, delivery.problems)
    assert ["1 new"] == office.titles("mail")
    assert () == office.round(LATE_ONE, minutes=0.5).problems
    office.round(FAILED[0], LATE_ONE, minutes=20)
    office.people["chat"].out = None
    office.round(FAILED[0], LATE_ONE, minutes=60 * 4)
    assert ["1 new", "1 new"] == office.titles("chat") == office.titles("mail")


def test_tries_have_a_limit_and_the_others_are_told(office: Office) -> None:
    """Eight tries over hours; then the message counts as given up, which is a trouble of its own and is over when people ran the test."""
    office.people["chat"].out = TransientError("Webhook finance-chat answered 503.")
    for _ in range(40):
        office.round(LATE_ONE, minutes=30)
    assert 8 == office.outbox.given_up(START)[0].tries
    assert UNDELIVERED in office.people["mail"].got[-1].text
    assert "503" in office.people["mail"].got[-1].text


def test_what_a_person_must_mend_is_not_tried_again_by_itself(office: Office) -> None:
    """A wrong address does not get better: told at once by whoever else is there, and once."""
    office.people["chat"].out = SetupError("Webhook finance-chat answered 404.")
    for _ in range(6):
        office.round(LATE_ONE, minutes=20)
    assert 1 == office.outbox.given_up(START)[0].tries
    assert ["1 new", "1 new"] == office.titles("mail")


def test_killed_between_writing_down_and_sending_it_is_sent_by_the_next_round(office: Office) -> None:
    """The message stands in the outbox before it leaves; a second message about the same is not made."""

    class Killed(BaseException):
        pass

    office.people["chat"].out = Killed()  # type: ignore[assignment]
    with pytest.raises(Killed):
        office.round(LATE_ONE)
    office.people["chat"].out = None
    office.round(LATE_ONE, minutes=1)
    assert ["1 new"] == office.titles("chat") == office.titles("mail")


def test_J05_a_clock_that_jumps_back_neither_silences_nor_repeats(office: Office) -> None:
    """An hour back: what is new is told at the next round, what was told is not told again."""
    office.round(LATE_ONE)
    office.round(LATE_ONE, FAILED[0], minutes=-60)
    assert ["1 new", "1 new"] == office.titles()
