"""The sign-off where only Acumatica can show it: a batch that was touched and is the same, and a period that is read as balances."""

from dataclasses import replace

from mlc_pipelines.flows.actuals import load_actuals
from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.reference import refresh_reference
from mlc_pipelines.flows.signoff import FINAL, SUSPENDED, sign_off, watch_over
from mlc_pipelines.flows.since_agreed import compare, journals_table
from mlc_pipelines.flows.watch import waiting
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.sandbox.shapes import Line
from mlc_pipelines.wiring.connections import Named
from mlc_pipelines.wiring.rooms import open_desk
from mlc_pipelines_tests.conftest import briefly

PERIOD = "FY2026-P03"


def loaded(desk: Desk, sandbox: Sandbox) -> Desk:
    refresh_reference(desk)
    load_actuals(desk, PERIOD)
    sandbox.clock.advance(3600)
    watch_over(desk)
    return desk


def test_a_batch_that_was_touched_and_is_the_same_confirms_the_sign_off(desk: Desk, sandbox: Sandbox) -> None:
    """A corrected description: suspended for the moment, confirmed by the comparison, and nothing is loaded again."""
    loaded(desk, sandbox)
    batch = sandbox.books.batches_of("ACTUAL", PERIOD)[3]
    batch.lines = [replace(line, description="corrected") for line in batch.lines]
    batch.modified_at = sandbox.clock.now()
    watch_over(desk)
    assert SUSPENDED == sign_off(desk.store, desk.connection, PERIOD).state
    assert [PERIOD] == [one.period for one in waiting(desk.store, desk.connection)]
    found = compare(desk, PERIOD)
    assert found is not None
    assert ("CONFIRMED", "No figure differs from what was agreed.") == (found.state, found.note)
    assert FINAL == sign_off(desk.store, desk.connection, PERIOD).state
    assert [] == waiting(desk.store, desk.connection)


def test_of_a_period_read_as_balances_the_accounts_are_named(demo: Named, sandbox: Sandbox) -> None:
    """No line was kept, so no journal can be named: the accounts, and which of their figures is another one."""
    erp = demo.settings.erp.model_copy(update={"read": "balances"})
    named = Named(demo.name, demo.file, demo.settings.model_copy(update={"erp": erp}))
    with open_desk(named, sleep=briefly) as desk:
        loaded(desk, sandbox)
        lines = [Line(0, "6100", "010-000", "HQ", 1000, 0, "", ""), Line(0, "1010", "010-000", "HQ", 0, 1000, "", "")]
        sandbox.books.post("ACTUAL", PERIOD, "HQ", "Posted", "late", lines, now=sandbox.clock.now())
        watch_over(desk)
        found = compare(desk, PERIOD)
        assert found is not None
        assert "2 accounts have other balances than those that were agreed." == found.note
        shown = journals_table(desk.store, found, "USD")
        assert {("6100", "debit"), ("6100", "closing"), ("1010", "credit"), ("1010", "closing")} == set(
            shown[["account", "what"]].itertuples(index=False, name=None)
        )
