"""The evidence of a period into which a plan was posted: approvals, previews, journals, tie-outs."""

from pathlib import Path

from mlc_pipelines.flows.evidence.pack import export_pack
from mlc_pipelines_tests.budgets.office import CONTROLLER, Office
from mlc_pipelines_tests.budgets.ways import FIRST, PlanBook, Statistical, ways
from mlc_pipelines_tests.flows.evidence.conftest import verified


@ways(Statistical, also=[PlanBook])
def test_the_evidence_of_a_posted_plan(office: Office, tmp_path: Path) -> None:
    """Who approved which content, each journal with its lines and all that happened to it, and both sides of each leg; the pack is clean."""
    content = office.previewed_and_approved()
    office.post()
    desk = office.desk
    period = desk.calendar.period(FIRST)
    pack = export_pack(desk.store, desk.connection, period, {}, tmp_path / "pack").place
    assert (0, "clean\n") == verified(pack)
    assert r"\"kind\":\"approval\"" in (pack / "entries.jsonl").read_text()
    held = {one.stem: one.read_text("utf-8-sig") for one in (pack / "tables").iterdir()}
    assert f'"APPROVED","{CONTROLLER}","' in held["approvals"]
    assert content in held["approvals"]
    [(draft, posting, package, _)] = desk.store.postings(desk.connection, who="").of_period(FIRST)
    assert package.startswith(content)
    for part in (draft.reference, posting.number, '"SEALED"', CONTROLLER):
        assert part in held["journals"]
    assert 1 + len(draft.lines) == held["journal_lines"].count("\n")
    assert {"INTENT", "SEALED"} <= {row.split('","')[2] for row in held["journal_transitions"].splitlines()}
    assert all(leg in held["tie_outs"] for leg in ("journals_match_plan", "posted_matches_plan"))
    assert "1 of 1 posted and proved" in (pack / "index.html").read_text()
