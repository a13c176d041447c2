"""Planted faults of one way of reading only; those that every ERP must stand are in the battery."""

import io
import re

import pandas as pd
import pytest

from mlc_pipelines.flows.actuals import load_actuals
from mlc_pipelines.flows.reference import refresh_reference
from mlc_pipelines.ledger.cells import CellColumns, write_cells
from mlc_pipelines.ledger.errors import DataError, PipelineError
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.wiring.connections import Named
from mlc_pipelines.wiring.rooms import open_desk

PERIOD, LABEL = "FY2026-P03", "Sep 25"


def transactions(demo: Named) -> Named:
    """The same connection, reading batches instead of the inquiry."""
    erp = demo.settings.erp.model_copy(update={"lines_from": "transactions"})
    return Named("demo", demo.file, demo.settings.model_copy(update={"erp": erp}))


@pytest.mark.parametrize("switch", ["drop_batches", "repeat_batches"])
def test_D01_D02_batches_lost_or_read_twice_are_named(demo: Named, sandbox: Sandbox, switch: str) -> None:
    """Reading batches: a lost page or a page read twice is refused by batch number before anything is sent."""
    with open_desk(transactions(demo)) as desk:
        refresh_reference(desk)
        sandbox.set_switches(acumatica={switch: 2})
        with pytest.raises(PipelineError) as caught:
            load_actuals(desk, PERIOD)
    error = caught.value
    assert PERIOD in str(error)
    assert re.search(r"\b[A-Z]{2}\d{6}\b|lines_match_ledger", error.what)
    touched = [row.path for row in sandbox.traffic.requests if row.method in {"PUT", "POST"}]
    assert not any("/chunks/" in path or "/tasks" in path for path in touched)


def test_E16_a_repeated_key_never_leaves(sandbox: Sandbox) -> None:
    """A file with the same cell twice is refused while it is written: the model would add the two up."""
    twice = pd.DataFrame({"account": ["A1", "A1"], "cost_center": ["C", "C"], "amount_minor": [1, 2]})
    columns = CellColumns("Account", "Cost Center", "Period", "Version", "Amount")
    with pytest.raises(DataError, match="cell A1 / C stands in the file more than once"):
        write_cells(io.BytesIO(), twice, columns, period=LABEL, version="Actual", currency="USD")
