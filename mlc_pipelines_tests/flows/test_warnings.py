"""What a reader of a report must know stands on the report."""

from mlc_pipelines.flows.extract import read_slice
from mlc_pipelines.wiring.connections import Named
from mlc_pipelines.wiring.rooms import open_desk


def test_fields_that_were_not_checked_are_said_on_the_report(demo: Named) -> None:
    """With `check_fields: false` the step beside the figures says so; without it there is nothing to beware of."""
    erp = demo.settings.erp.model_copy(update={"check_fields": False})
    unchecked = Named("demo", demo.file, demo.settings.model_copy(update={"erp": erp}))
    with open_desk(unchecked) as desk:
        assert "not checked" in read_slice(desk, "FY2026-P13").texts["beware"]
    with open_desk(demo) as desk:
        assert "beware" not in read_slice(desk, "FY2026-P13").texts
