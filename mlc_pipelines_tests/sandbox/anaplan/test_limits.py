"""The tenant's limit of requests: one bucket for everybody, and what a call gets that finds it empty. Reference: anaplan 8."""

from datetime import timedelta
from email.utils import parsedate_to_datetime

import pytest

ME = "/2/0/users/me"


@pytest.fixture
def statuses(caller):
    """Calls so many times; how many were let through and how many refused."""

    def call(times, who=caller):
        answers = [who.get(ME).status_code for _ in range(times)]
        return answers.count(200), answers.count(429)

    return call


def test_a_minute_holds_so_many_calls_of_all_callers(new_caller, tenant, statuses):
    """What one caller takes is missing for the other, whoever they are; the token calls do not count."""
    first, second = new_caller(), new_caller(user=1)
    tenant.set_switches({"rate_per_minute": 6})
    assert [(4, 0), (2, 1)] == [statuses(4, first), statuses(3, second)]
    assert 200 == first.get("/token/validate").status_code


def test_the_bucket_is_refilled_evenly(tenant, clock, statuses):
    """At 6 a minute, one call every ten seconds, and never more than 6 at once."""
    tenant.set_switches({"rate_per_minute": 6})
    statuses(6)
    clock.advance(10)
    assert (1, 1) == statuses(2)
    clock.advance(600)
    assert (6, 2) == statuses(8)


def test_600_a_minute_is_what_stands_by_default(tenant, caller):
    """As documented; 0 is no limit."""
    assert 600 == tenant.switches["rate_per_minute"]
    tenant.bucket.left = 0.0
    assert 429 == caller.get(ME).status_code
    tenant.set_switches({"rate_per_minute": 0})
    assert 200 == caller.get(ME).status_code


def test_retry_after_as_seconds_as_a_date_or_not_at_all(tenant, caller, clock, statuses):
    """The wait until the next call is let through, in whole seconds; the date goes by the sandbox's clock."""
    tenant.set_switches({"rate_per_minute": 6})
    statuses(6)
    refused = caller.get(ME)
    assert ("10", 429) == (refused.headers["retry-after"], refused.json()["status"]["code"])
    tenant.set_switches({"retry_after": "date"})
    ahead = parsedate_to_datetime(caller.get(ME).headers["retry-after"]) - clock.now()
    assert timedelta(seconds=8) < ahead <= timedelta(seconds=10)
    tenant.set_switches({"retry_after": "none"})
    assert "retry-after" not in caller.get(ME).headers


def test_a_refused_call_has_no_effect_and_costs_nothing(tenant, caller, clock):
    """No task is started, and the bucket fills as if it had not been made."""
    tenant.set_switches({"rate_per_minute": 6})
    tenant.bucket.left = 0.0
    path = "imports/112000000001/tasks"
    assert 429 == caller.call("POST", path, json={"localeName": "en_US"}).status_code
    clock.advance(10)
    assert [] == caller.get(path).json()["tasks"]


def test_the_log_tells_the_peak_of_any_minute(tenant, caller, clock, statuses):
    """Calls let through within 60 seconds, wherever these begin."""
    tenant.set_switches({"rate_per_minute": 0})
    statuses(3)
    clock.advance(50)
    statuses(4)
    clock.advance(30)
    statuses(2)
    rate = caller.http.get("/control/anaplan/rate").json()
    assert {"calls": 9, "refused": 0, "peak_60s": 7} == rate
    assert rate == tenant.log()["rate"]


def test_cloudworks_counts_too(tenant, caller, statuses):
    """One limit for all integrations together."""
    tenant.set_switches({"rate_per_minute": 2})
    assert [200, 200, 429] == [caller.get(f"{caller.info['cloudworks_url']}/integrations").status_code for _ in "123"]
    assert (0, 1) == statuses(1)
