"""What a connection file says about limits, quiet hours and CloudWorks reaches the client; contradictions are refused with the field."""

from datetime import time
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import ValidationError

from mlc_pipelines.ledger.errors import WaitingError
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.store.home import Store
from mlc_pipelines.store.schema import request_grants
from mlc_pipelines.wiring import settings
from mlc_pipelines.wiring.configs import anaplan_config
from mlc_pipelines.wiring.connections import Named
from mlc_pipelines.wiring.rooms import open_desk
from mlc_pipelines_tests.conftest import briefly


def plan(**said: Any) -> settings.Anaplan:
    return settings.Anaplan.model_validate({"workspace": "w", "model": "m", "credential": "c", **said})


def test_quiet_hours_are_read_as_written() -> None:
    """Zone, spans and days; 22:00-01:00 goes into the next day."""
    config = anaplan_config(
        plan(
            quiet_hours={"time_zone": "Europe/Berlin", "hours": ["08:00-09:30", "22:00-01:00"], "days": ["mon", "fri"]}
        )
    )
    assert config.quiet
    assert "Europe/Berlin" == config.quiet.zone.key
    assert ((time(8), time(9, 30)), (time(22), time(1))) == config.quiet.spans
    assert {0, 4} == config.quiet.days
    assert "wait" == config.quiet.then


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ({"time_zone": "Berlin", "hours": ["08:00-09:00"]}, "time_zone 'Berlin' is not known"),
        ({"time_zone": "Europe/Berlin", "hours": ["08:00-08:00"]}, "begin and end at the same time"),
        ({"time_zone": "Europe/Berlin", "hours": ["8-9"]}, "pattern"),
        ({"time_zone": "Europe/Berlin", "hours": ["08:00-25:00"]}, "hour"),
        ({"time_zone": "Europe/Berlin", "hours": []}, "at least 1"),
    ],
)
def test_quiet_hours_that_make_no_sense_are_refused(said: dict[str, Any], complaint: str) -> None:
    """When the file is read, not at night."""
    with pytest.raises(ValidationError, match=complaint):
        plan(quiet_hours=said)


def test_cloudworks_can_be_switched_off() -> None:
    """On by default in every region."""
    assert "https://api.cloudworks.anaplan.com/2/0" == anaplan_config(plan()).cloudworks_url
    assert "" == anaplan_config(plan(cloudworks=False)).cloudworks_url


def test_a_desk_counts_what_it_sends(demo: Named, sandbox: Sandbox) -> None:
    """The budget of the installation holds every request, log-in and log-out included, and what was not used is given back."""
    with open_desk(demo, sleep=briefly) as desk:
        desk.plan.key()
    sent = [one for one in sandbox.traffic.requests if one.system == "anaplan"]
    with Store.open().engine.connect() as db:
        assert len(sent) == db.execute(sa.select(sa.func.sum(request_grants.c.permits))).scalar_one()


def test_a_desk_in_quiet_hours_ends_waiting(demo: Named, sandbox: Sandbox) -> None:
    """Before anything is asked of Anaplan."""
    always = {"time_zone": "UTC", "hours": ["00:00-12:00", "12:00-00:00"], "then": "stop"}
    quiet = settings.QuietTimes.model_validate(always)
    chosen = demo.settings.model_copy(
        update={"anaplan": demo.settings.anaplan.model_copy(update={"quiet_hours": quiet})}
    )
    with (
        open_desk(Named(demo.name, demo.file, chosen), sleep=briefly) as desk,
        pytest.raises(WaitingError, match=r"WAITING: .*quiet hours until"),
    ):
        desk.plan.wait_until_welcome()
    assert [] == [one for one in sandbox.traffic.requests if one.system == "anaplan"]
