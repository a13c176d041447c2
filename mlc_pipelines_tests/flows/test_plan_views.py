"""A plan read from a saved view holds the figures that its export holds."""

from dataclasses import replace

import pandas as pd
import pytest

from mlc_pipelines.flows.approved import read_approved
from mlc_pipelines.flows.files import read_kept_frame
from mlc_pipelines.flows.report import Report
from mlc_pipelines.flows.steps import CELLS_ALL_EXPORTED
from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.sandbox.anaplan.dimension import LINE_ITEMS_ID, TIME_ID, VERSIONS_ID
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.wiring.connections import Named
from mlc_pipelines.wiring.rooms import open_desk


def test_a_saved_view_shows_the_same_plan(demo: Named) -> None:
    """Both forms: equal figures of the year and version; the view has no task whose rows could be counted, so no such leg stands there."""
    with open_desk(demo) as desk:
        route = desk.route("budget")
        exported = read_approved(desk, route, "FY2027")
        viewed = read_approved(desk, replace(route, export="", view="PL01 Plan.For the ERP"), "FY2027")

        def figures(report: Report) -> pd.DataFrame:
            keys = ["period", "account", "cost_center"]
            return read_kept_frame(desk, report.artefact).sort_values(keys, ignore_index=True)

        assert len(figures(exported)) == exported.counts["cells"] > 1000
        pd.testing.assert_frame_equal(figures(exported), figures(viewed), check_like=True)
    assert [] == [*exported.legs, *viewed.legs]
    assert "none: read from a saved view" == viewed.texts["Anaplan task"]


def test_F04_rows_are_compared_where_the_task_says_how_many_it_made(demo: Named, sandbox: Sandbox) -> None:
    """Where it is silent, which is the rule, nothing is compared, and that is said: a file against itself proves nothing."""
    with open_desk(demo) as desk:
        silent = read_approved(desk, desk.route("budget"), "FY2027")
        [said] = [notice.said for notice in silent.notices if notice.name == CELLS_ALL_EXPORTED]
        assert ("Not compared", []) == (said.partition(":")[0], list(silent.legs))
        sandbox.set_switches(anaplan={"export_rows_told": True})
        [leg] = read_approved(desk, desk.route("budget"), "FY2027").legs
    assert (CELLS_ALL_EXPORTED, True) == (leg.name, leg.agreed)
    assert leg.left_minor > 1000


def test_a_view_that_may_show_one_month_only_is_refused(demo: Named, sandbox: Sandbox) -> None:
    """Whether a table shows every page or one is not known: the version's page is chosen, and months on pages are refused; nothing is kept."""
    with open_desk(demo) as desk:
        route = replace(desk.route("budget"), export="", view="PL01 Plan.For the ERP")
        whole = read_approved(desk, route, "FY2027")
        sandbox.set_switches(anaplan={"table_pages": "one"})
        assert whole.artefact == read_approved(desk, route, "FY2027").artefact
        views = sandbox.tenant.model().views
        at = next(place for place, one in enumerate(views) if one.name == route.view)
        views[at] = replace(views[at], columns=(LINE_ITEMS_ID,), pages=(VERSIONS_ID, TIME_ID))
        with pytest.raises(SetupError, match="on its pages, so that a reading may show one month only"):
            read_approved(desk, route, "FY2027")
