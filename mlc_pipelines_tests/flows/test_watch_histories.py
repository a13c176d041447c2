"""The watch over long random histories: no loaded period that changed is ever missed, and one too many is asked for only where the looks overlap."""

import random
from collections.abc import Callable
from datetime import timedelta

import pytest

from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.extract import read_slice
from mlc_pipelines.flows.watch import OVERLAP, Look, look, waiting
from mlc_pipelines.sandbox.company import Batch, Line
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.sandbox.shapes import TruthRow
from mlc_pipelines.store.history import AGREED
from mlc_pipelines.wiring.connections import Named
from mlc_pipelines.wiring.rooms import open_desk
from mlc_pipelines_tests.conftest import briefly

PERIODS = ("FY2026-P03", "FY2026-P04", "FY2026-P13", "FY2027-P01")
LATE = timedelta(
    minutes=7
)  # a change is seen so much later than it is stamped; and so far may the ERP's clock fall back


class History:
    """What happens at the ERP and with us, one thing after another, and what must therefore wait."""

    def __init__(self, demo: Named, sandbox: Sandbox, seed: int) -> None:
        self.demo, self.sandbox, self.dice = demo, sandbox, random.Random(seed)
        self.loaded: dict[str, list[TruthRow]] = {}
        self.looks: list[tuple[Look, set[str]]] = []  # each with the periods that were loaded since
        self.highest = sandbox.clock.now()

    # -- at the ERP ---------------------------------------------------------------------------------------------------

    def post(self, period: str) -> None:
        """A late journal, often back-dated; perhaps committed minutes after it was stamped."""
        amount = self.dice.randrange(1, 10_000)
        lines = [Line(0, "6100", "010-000", "HQ", amount, 0), Line(0, "1010", "010-000", "HQ", 0, amount)]
        if self.dice.random() < 0.3:
            lines = [Line(0, "1010", "010-000", "HQ", amount, 0), Line(0, "6100", "010-000", "HQ", 0, amount)]
        books, now = self.sandbox.books, self.sandbox.clock.now() - self.dice.random() * LATE
        day = self.dice.choice((books.periods[period].start, books.periods[period].end, None))
        ledger = self.dice.choice(("ACTUAL", "ACTUAL", "ACTUAL", "STAT"))
        books.post(ledger, period, "HQ", "Posted", "late", lines, now=now, day=day)

    def reverse(self, period: str) -> None:
        """A posted journal is taken back by another one."""
        batch = self.some(period)
        lines = [
            Line(0, one.account, one.subaccount, one.branch, one.credit_minor, one.debit_minor) for one in batch.lines
        ]
        now = self.sandbox.clock.now()
        self.sandbox.books.post("ACTUAL", period, "HQ", "Posted", "back", lines, now=now, original=batch.number)

    def edit(self, period: str) -> None:
        """A posted line gets another cost center."""
        batch = self.some(period)
        code = self.dice.choice(("020-000", "030-ADV", "040-TAX"))
        self.sandbox.books.recode(batch.number, 1, subaccount=code, now=self.sandbox.clock.now())

    def some(self, period: str) -> Batch:
        posted = [one for one in self.sandbox.books.batches_of("ACTUAL", period) if one.status == "Posted"]
        return self.dice.choice(posted)

    def time(self, _: str) -> None:
        """Seconds, hours or weeks go by."""
        self.sandbox.clock.advance(self.dice.choice((1, 30, 600, 7200, 86_400, 20 * 86_400)) * self.dice.random())

    def drift(self, _: str) -> None:
        """The ERP's clock is put forward, or back a little."""
        now = self.sandbox.clock.now()
        self.highest = max(self.highest, now)
        lowest = (self.highest - LATE - now).total_seconds()
        self.sandbox.clock.advance(self.dice.uniform(lowest, 600))

    # -- with us ------------------------------------------------------------------------------------------------------

    def load(self, period: str) -> None:
        """The period is read, and the model agrees."""
        with open_desk(self.demo, sleep=briefly) as desk:
            read_slice(desk, period)
            desk.store.history.end_load(desk.store.history.begin_load(desk.connection, period, "x"), AGREED)
        self.loaded[period] = self.truth(period)
        for _, since in self.looks:
            since.add(period)

    def look(self, _: str) -> None:
        with open_desk(self.demo, sleep=briefly) as desk:
            self.looks.append((look(desk), set()))
            self.require_right(desk)

    def require_right(self, desk: Desk) -> None:
        """Nothing missing; nothing too many, but what a look found by its overlap after the period had been read."""
        waits = {one.period for one in waiting(desk.store, desk.connection)}
        changed = {period for period in PERIODS if self.truth(period) != self.loaded[period]}
        found = {period for seen, loaded_since in self.looks for period in set(seen.batches["period"]) - loaded_since}
        assert set() == changed - waits
        assert set() == waits - changed - found
        last = self.looks[-1][0]
        assert [] == [at for at in last.batches["changed_at"] if at <= last.since - OVERLAP]

    def truth(self, period: str) -> list[TruthRow]:
        return self.sandbox.books.truth("ACTUAL", period)


@pytest.mark.parametrize(
    ("seed", "steps"), [(1, 10), *(pytest.param(seed, 80, marks=pytest.mark.prove) for seed in range(2, 14))]
)
def test_d07_d10_no_change_of_a_loaded_period_is_missed(demo: Named, sandbox: Sandbox, seed: int, steps: int) -> None:
    """Late, back-dated, reversed and edited journals, loads, looks, and an ERP whose clock drifts, in any order."""
    history = History(demo, sandbox, seed)
    for period in PERIODS:
        history.load(period)
    deeds: list[Callable[[str], None]] = [
        history.post, history.post, history.reverse, history.edit, history.time, history.drift, history.load, history.look,
    ]  # fmt: skip
    for _ in range(steps):
        history.dice.choice(deeds)(history.dice.choice(PERIODS))
    history.look("")
    for period in PERIODS:
        history.load(period)
    history.look("")
    history.look("")
    assert len(history.looks) >= 3
