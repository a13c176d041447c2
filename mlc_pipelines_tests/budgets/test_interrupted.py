"""A posting that somebody ends in the middle: cancelled in Dagit, or because the machine goes down. It ends at once, in a state with a name, and goes on from it."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
import pytest

from mlc_pipelines.assets.connection import connection_definitions
from mlc_pipelines.store.home import Store
from mlc_pipelines.store.postings import INTENT, PLANNED, RELEASING, SEALED
from mlc_pipelines_tests.budgets.office import ANALYST, V1, Office, changed, open_office
from mlc_pipelines_tests.budgets.ways import FIRST, Statistical, Way

CREATE, RELEASE = "PUT .*JournalTransaction", "ReleaseJournalTransaction"
AT_WORK_SECONDS = 2.0


@contextmanager
def ended_at(way: Way, call: str, by: signal.Signals) -> Iterator[None]:
    """The signal comes while the ERP works on the call. It carries the call out all the same, and nobody hears its answer."""
    way.sandbox.traffic.plant({"match": call, "action": {"kind": "delay", "seconds": AT_WORK_SECONDS}})

    def end() -> None:
        give_up_at = time.monotonic() + 60
        while not way.sandbox.traffic.faults[-1].fired and time.monotonic() < give_up_at:
            time.sleep(0.02)
        os.kill(os.getpid(), by)

    person = threading.Thread(target=end)
    person.start()
    yield
    person.join()


def posting(way: Way, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    named = changed(way.named, way.plan)
    job = connection_definitions(named).resolve_job_def(f"{named.name}_{way.plan}_posting")
    return job.execute_in_process(instance=instance, partition_key=FIRST, raise_on_error=False)


@pytest.mark.parametrize("way", [Statistical], indirect=True)
@pytest.mark.parametrize(
    ("by", "call", "state"),
    [
        pytest.param(signal.SIGINT, RELEASE, RELEASING, id="H10-cancelled-during-the-release"),
        pytest.param(signal.SIGTERM, CREATE, INTENT, id="H13-the-machine-goes-down-during-the-create"),
    ],
)
def test_H10_H13_ended_in_the_middle_and_taken_up_again(way: Way, by, call, state, monkeypatch) -> None:
    """Not at the call's own end: nobody waits for its answer. The write counts as unknown, so it is looked up, and nothing is written twice."""
    monkeypatch.setenv("MLC_USER", ANALYST)
    with open_office(way) as office:
        office.previewed_and_approved()
    with dg.DagsterInstance.ephemeral() as instance:
        with ended_at(way, call, by):
            assert not posting(way, instance).success
        [unanswered] = [one for one in way.sandbox.traffic.requests if one.fault]
        assert unanswered.status is None
        [left] = [one for one in Store.open().postings("demo", who=ANALYST).open() if one.state != PLANNED]
        assert state == left.state
        time.sleep(AT_WORK_SECONDS + 0.5)  # the ERP carries it out late
        assert posting(way, instance).success
    assert Office(way, office.desk).expected(V1, FIRST) == way.totals(FIRST)
    assert 1 == len([one for one in way.sandbox.books.batches if one.description.startswith("MLC-")])
    assert SEALED == Store.open().postings("demo", who=ANALYST).find(left.reference).state
