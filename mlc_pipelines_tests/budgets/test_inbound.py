"""The way in never brings a posted plan back: actuals are the same before and after. On every destination."""

from mlc_pipelines.flows.actuals import load_actuals
from mlc_pipelines.flows.reference import refresh_reference
from mlc_pipelines_tests.budgets.office import Office
from mlc_pipelines_tests.budgets.ways import FIRST, Way


def test_actuals_are_the_same_after_a_posting(office: Office, way: Way) -> None:
    """Read, mapped and loaded into the model again, every artefact and every cell of the actuals is what it was."""
    refresh_reference(office.desk)
    before = [report.artefact for report in load_actuals(office.desk, FIRST)]
    held = way.sandbox.tenant.truth_cells(way.model)
    office.issue()
    assert way.totals(FIRST)
    after = [report.artefact for report in load_actuals(office.desk, FIRST)]
    assert before[:2] == after[:2]
    assert held == way.sandbox.tenant.truth_cells(way.model)
