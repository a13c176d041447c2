"""A slice that is suddenly empty, or nearly so, needs a person's yes before zeros are sent (C16)."""

import pytest

from mlc_pipelines.flows.actuals import load_actuals
from mlc_pipelines.flows.reference import refresh_reference
from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.store.history import AGREED
from mlc_pipelines.wiring.connections import Named
from mlc_pipelines.wiring.rooms import open_desk
from mlc_pipelines_tests.conftest import briefly

PERIOD = "FY2026-P01"


def load(demo: Named, *accepted: str) -> None:
    with open_desk(demo, sleep=briefly, accept_shrunk=accepted) as desk:
        refresh_reference(desk)
        load_actuals(desk, PERIOD)


def empty(sandbox: Sandbox, keep: int) -> None:
    """All batches of the period but a few vanish from the books, as when the user may see another branch only."""
    books = sandbox.books
    of_period = [batch for batch in books.batches if (batch.ledger, batch.period) == ("ACTUAL", PERIOD)]
    gone = {id(batch) for batch in of_period[keep:]}
    books.batches[:] = [batch for batch in books.batches if id(batch) not in gone]


@pytest.mark.parametrize("keep", [0, 2])
def test_c16_a_slice_that_shrank_waits_for_a_person(demo: Named, sandbox: Sandbox, keep: int) -> None:
    """Both counts are named and nothing is sent; with the person's yes for this period the zeros go out and agree."""
    load(demo)
    empty(sandbox, keep)
    sent = len(sandbox.tenant.log()["actions"])
    with pytest.raises(DataError, match=rf"(?s){PERIOD} has shrunk from [\d,]+ cells .* to \d+.*--accept-shrunk"):
        load(demo)
    with pytest.raises(DataError, match="has shrunk"):
        load(demo, "FY2026-P02")
    assert sent == len(sandbox.tenant.log()["actions"])
    load(demo, PERIOD)
    with open_desk(demo) as desk:
        assert AGREED == desk.store.history.loads("demo", PERIOD)[-1].state
