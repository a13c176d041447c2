"""A plan read from a saved view holds the figures that its export holds."""

from dataclasses import replace

import pandas as pd

from mlc_pipelines.flows.approved import read_approved
from mlc_pipelines.flows.files import read_kept_frame
from mlc_pipelines.flows.report import Report
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
    assert ["cells_all_exported"] == [leg.name for leg in exported.legs]
    assert [] == list(viewed.legs)
    assert "none: read from a saved view" == viewed.texts["Anaplan task"]
