"""Others in the same model are waited for within a stated limit, and named; each state of a model has its own remedy."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlc_pipelines.anaplan.client import Anaplan
from mlc_pipelines.ledger.errors import SetupError, TransientError, WaitingError
from mlc_pipelines.sandbox.faults import Fault
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.sandbox.traffic import Request

Calls = Callable[[str], list[Request]]
Connect = Callable[..., Anaplan]
Plant = Callable[..., Fault]
Control = Callable[[str, dict[str, Any]], Any]


def test_p12_somebody_in_the_model_is_waited_for_and_told_once(connect: Connect, sandbox: Sandbox, hands: Any) -> None:
    """The model's own words say who it is, whoever started it."""
    said: list[str] = []
    sandbox.tenant.foreign_task(60.0)
    with connect(given={"say": said.append}) as plan:
        plan.wait_until_free()
    assert 50 <= hands.clock() <= 66
    assert 1 == len(said)
    assert "started by user" in said[0]


def test_p12_the_limit_ends_waiting_naming_the_holder(connect: Connect, sandbox: Sandbox, calls: Calls) -> None:
    """WAITING, not an error of anybody's: nothing was sent, and the same command works later."""
    sandbox.tenant.foreign_task(3600.0)
    with (
        connect(wait_seconds=60.0) as plan,
        pytest.raises(WaitingError, match=r"(?s)WAITING: .*started by user") as end,
    ):
        plan.wait_until_free()
    assert "Nothing was sent." == end.value.holds
    assert [] == calls("(PUT|DELETE) /2/0/")


def test_polls_while_waiting_are_few(connect: Connect, sandbox: Sandbox, calls: Calls) -> None:
    """Five minutes of waiting are no reason to use up the tenant's requests."""
    sandbox.tenant.foreign_task(300.0)
    with connect() as plan:
        plan.wait_until_free()
    assert 170 >= len(calls("GET .*/status"))


def test_a_model_asleep_is_opened_first(
    connect: Connect, sandbox: Sandbox, calls: Calls, hands: Any, control: Control
) -> None:
    """202 while it opens, which may take minutes; asked for once, then looked at."""
    sandbox.set_switches(anaplan={"open_seconds": 120.0})
    with connect() as plan:
        plan.key()
        control("sleep", {})
        plan.wait_until_free()
    assert 1 == len(calls("POST .*/open"))
    assert 115 <= hands.clock() <= 130


def test_a_model_that_this_user_may_not_open_is_woken_by_the_next_call(
    connect: Connect, plant: Plant, hands: Any, control: Control
) -> None:
    """Opening takes an administrator; without that right the load goes on."""
    plant("POST .*/open", times=-1, kind="status", status=403)
    with connect() as plan:
        plan.key()
        control("sleep", {})
        plan.wait_until_free()
    assert 0 == hands.clock()


def test_a_model_that_never_opens_ends_waiting(connect: Connect, sandbox: Sandbox, control: Control) -> None:
    """Within the limit, and says what it waited for."""
    sandbox.set_switches(anaplan={"open_seconds": 4000.0})
    with connect(wait_seconds=60.0) as plan:
        plan.key()
        control("sleep", {})
        with pytest.raises(WaitingError, match="still being opened"):
            plan.wait_until_free()


def test_a_409_at_the_start_is_waited_out(connect: Connect, sandbox: Sandbox, three_rows: Path, calls: Calls) -> None:
    """A tenant that refuses instead of queueing: tried again within the limit, exactly one import in the end."""
    sandbox.set_switches(anaplan={"busy_start": "409"})
    sandbox.tenant.foreign_task(1.0)
    sandbox.clock.run(1)  # a busy model lets its callers wait, by the sandbox's own clock
    with connect() as plan:
        assert 3 == plan.import_file("Load GL Actuals", three_rows).rows_taken
    assert 1 == len([one for one in calls("POST .*/imports/.*/tasks$") if one.status == 200])


@pytest.mark.parametrize(
    ("state", "said", "remedy"),
    [
        ("ARCHIVED", "is archived", "restore"),
        ("LOCKED", "is locked", "unlock"),
        ("MAINTENANCE", "is offline", "online"),
        ("PRODUCTION_MAINTENANCE", "is offline", "online"),
    ],
)
def test_each_state_has_its_own_remedy(
    connect: Connect, sandbox: Sandbox, three_rows: Path, state: str, said: str, remedy: str
) -> None:
    """And names who can do it. E19: also when it comes between two calls."""
    with connect() as plan:
        plan.require_import("Load GL Actuals", ("Account", "Cost Center", "Period", "Version", "Amount"))
        sandbox.set_switches(anaplan={"model_state": state, "admins_enter_maintenance": False})
        with pytest.raises((SetupError, TransientError), match=said) as refusal:
            plan.import_file("Load GL Actuals", three_rows)
    assert remedy in refusal.value.next_step
    assert "administrator" in refusal.value.next_step


def test_a_deployed_model_takes_data(connect: Connect, sandbox: Sandbox, three_rows: Path) -> None:
    """Only structural changes are refused there."""
    sandbox.set_switches(anaplan={"model_state": "PRODUCTION"})
    with connect() as plan:
        plan.wait_until_free()
        assert 3 == plan.import_file("Load GL Actuals", three_rows).rows_taken
