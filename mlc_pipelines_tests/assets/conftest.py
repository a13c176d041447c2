"""Schedules and sensors ask for nothing before the fit report of their connection is ready; here it is, unless a test says otherwise."""

import pytest

from mlc_pipelines.flows.steps import FIT
from mlc_pipelines.store.home import Store


@pytest.fixture(autouse=True)
def fit_reports(request: pytest.FixtureRequest) -> None:
    """Of both sample connections, for tests that have a state folder."""
    if "furnished" in request.fixturenames:
        request.getfixturevalue("furnished")
        for connection in ("demo", "demo_epicor"):
            Store.open().history.record_step(connection, FIT, "", "", {"state": "ready", "summary": ""})
