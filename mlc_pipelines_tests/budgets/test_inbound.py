"""The way in never brings a posted plan back: actuals are the same before and after. On every destination."""

import pytest

from mlc_pipelines.flows.actuals import load_actuals
from mlc_pipelines.flows.extract import read_slice
from mlc_pipelines.flows.reference import refresh_reference
from mlc_pipelines_tests.budgets.office import Office
from mlc_pipelines_tests.budgets.ways import FIRST, PlanBook, Way, ways


@ways(PlanBook)
def test_actuals_are_read_as_before_a_posting(office: Office, way: Way) -> None:
    """The posted figures of the period, to the byte."""
    before = read_slice(office.desk, FIRST).artefact
    office.issue()
    assert way.totals(FIRST)
    assert before == read_slice(office.desk, FIRST).artefact


@pytest.mark.prove
def test_actuals_are_loaded_as_before_a_posting(office: Office, way: Way) -> None:
    """Read, mapped and loaded into the model again: figures, file and every cell of the actuals are what they were."""
    refresh_reference(office.desk)
    before = [report.artefact for report in load_actuals(office.desk, FIRST)]
    held = way.sandbox.tenant.truth_cells(way.model)
    office.issue()
    after = [report.artefact for report in load_actuals(office.desk, FIRST)]
    assert before[:2] == after[:2]
    assert held == way.sandbox.tenant.truth_cells(way.model)
