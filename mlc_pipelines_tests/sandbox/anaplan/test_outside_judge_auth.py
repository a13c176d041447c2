"""A client that we did not write logs in, looks around, and meets CloudWorks, unmodified, under Anaplan's own host names.

anaplan-sdk has the addresses built in; a proxy brings it to the sandbox. Reference: anaplan 12.1 [C run].
"""

import asyncio
from collections.abc import Callable
from typing import Any

import anaplan_sdk
import pytest
from anaplan_sdk.exceptions import AnaplanException, InvalidCredentialsException

HOSTS = {"auth.anaplan.com:443", "api.anaplan.com:443"}


@pytest.fixture
def info(anaplan_internet):
    """Where everything is, and the credentials."""
    return anaplan_internet.sandbox.info["anaplan"]


def _ways_in(info: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Credentials as the client takes them, by way in."""
    return {
        "password": {"user_email": info["username"], "password": info["password"]},
        "certificate": {"certificate": info["certificate"], "private_key": info["private_key"]},
        "certificate, key under a password": {
            "certificate": info["certificate"].encode(),
            "private_key": info["private_key_encrypted"].encode(),
            "private_key_password": info["certificate_password"],
        },
    }


@pytest.fixture
def client(info) -> Callable[..., anaplan_sdk.Client]:
    """Makes clients of the model, by password unless told otherwise."""

    def make(way: str = "password", **more: Any) -> anaplan_sdk.Client:
        return anaplan_sdk.Client(info["workspace_id"], info["model_id"], **_ways_in(info)[way], **more)

    return make


@pytest.mark.parametrize("way", ["password", "certificate", "certificate, key under a password"])
def test_it_logs_in_by_every_way_that_it_knows(anaplan_internet, client, info, way):
    """As the integration user; it speaks to Anaplan's own hosts."""
    assert info["model"] == client(way).get_model().name
    assert [info["username"]] == [token.user.email for token in anaplan_internet.sandbox.tenant.tokens.values()]
    assert HOSTS == set(anaplan_internet.proxy.hosts)


def test_it_takes_certificate_and_key_from_files(info, tmp_path):
    """The files that an administrator hands over."""
    for name in ("certificate", "private_key"):
        (tmp_path / name).write_text(info[name])
    files = {name: str(tmp_path / name) for name in ("certificate", "private_key")}
    assert ["Finance", "Operations"] == [one.name for one in anaplan_sdk.Client(**files).get_workspaces()]


def test_it_is_refused_as_it_expects(anaplan_internet, info):
    """A wrong password, an unregistered certificate: its own exception for bad credentials."""
    issued = anaplan_internet.sandbox.tenant.certificates.issue(
        anaplan_internet.sandbox.tenant.world.users[0], registered=False
    )
    wrong = [
        {"user_email": info["username"], "password": "wrong"},
        {"certificate": issued.certificate, "private_key": issued.private_key},
    ]
    for credentials in wrong:
        with pytest.raises(InvalidCredentialsException):
            anaplan_sdk.Client(**credentials)


def test_it_logs_in_again_when_the_token_has_expired(anaplan_internet, client):
    """35 minutes later, without its user noticing."""
    it = client()
    assert 3 == len(it.get_models())
    anaplan_internet.sandbox.clock.advance(35 * 60)
    assert 3 == len(it.get_models())


def test_it_looks_around(client, info):
    """Workspaces, models, files, imports, exports, processes and actions, and pages that are shorter than asked."""
    it = client(page_size=1)
    assert [info["workspace"], "Operations"] == [one.name for one in it.get_workspaces(sort_by="name")]
    assert info["model"] == it.get_model().name
    assert info["model_id"] in [one.id for one in it.get_models(only_in_workspace=True)]
    assert info["file"] in [one.name for one in it.get_files()]
    assert info["import"] in [one.name for one in it.get_imports()]
    assert info["export"] in [one.name for one in it.get_exports()]
    assert "Nightly GL Actuals" in [one.name for one in it.get_processes()]
    assert "Set Current Period" in [one.name for one in it.get_actions()]


def test_the_asynchronous_one_does_the_same(info):
    """By certificate, all questions at once."""

    async def look() -> tuple[list[str], list[str], list[str]]:
        it = anaplan_sdk.AsyncClient(info["workspace_id"], info["model_id"], **_ways_in(info)["certificate"])
        models, imports, jobs = await asyncio.gather(it.get_models(), it.get_imports(), it.cw.get_integrations())
        return [one.name for one in models], [one.name for one in imports], [one.name for one in jobs]

    models, imports, jobs = asyncio.run(look())
    assert (True, True, True) == (info["model"] in models, info["import"] in imports, "Nightly GL Actuals" in jobs)


def test_it_works_with_cloudworks(anaplan_internet, client):
    """Integrations with their schedules, a run from start to end, its history, an error, and a schedule of its own."""
    cloud = client().cw
    nightly, lake = cloud.get_integrations(sort_by="name")
    assert ("Nightly GL Actuals", "02:00", "America/Los_Angeles") == (
        nightly.name,
        nightly.schedule.time,
        nightly.schedule.timezone,
    )
    run = cloud.run_integration(nightly.id)
    assert "Running" == cloud.get_integration(nightly.id).latest_run.message
    with pytest.raises(AnaplanException, match="already running"):
        cloud.run_integration(nightly.id)
    anaplan_internet.sandbox.clock.advance(61)
    assert cloud.get_run_status(run).success
    assert [run] == [one.id for one in cloud.get_run_history(nightly.id)]
    assert cloud.get_run_error(run) is None
    assert "api.cloudworks.anaplan.com:443" in anaplan_internet.proxy.hosts
    start = {"name": "at noon", "type": "daily", "time": "12:00", "timezone": "Europe/Paris", "daysOfWeek": [1, 2]}
    cloud.create_schedule(lake.id, {**start, "startDate": "2030-01-01"})
    cloud.set_schedule_status(lake.id, "disabled")
    assert "Inactive" == cloud.get_integration(lake.id).schedule.status
    cloud.delete_schedule(lake.id)
    assert cloud.get_integration(lake.id).schedule is None
    assert [] == cloud.get_connections() == cloud.flows.get_flows()


def test_it_reads_the_error_of_a_failed_job(anaplan_internet, client):
    """Its own model of a run error takes ours."""
    run = anaplan_internet.sandbox.tenant.cloudworks
    one, user = run.find("Plan to the data lake"), anaplan_internet.sandbox.tenant.world.users[2]
    now = anaplan_internet.sandbox.clock.now()
    failed = run.run(one, user, trigger="scheduled", seconds=1, ends="failed", at=now)
    anaplan_internet.sandbox.clock.advance(2)
    error = client().cw.get_run_error(failed.id)
    assert (one.action, failed.task.id) == (error.error_messages[0].action_id, error.task_id)
