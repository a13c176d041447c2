"""The evidence of a period into which a plan was posted, for each kind of destination: approvals, previews, what was written and read back, tie-outs."""

import json
from pathlib import Path

import pandas as pd

from mlc_pipelines.flows.evidence.pack import Exported, export_pack
from mlc_pipelines.store.postings import SEALED
from mlc_pipelines.store.told import FIGURES, JOURNAL
from mlc_pipelines_tests.budgets.office import CONTROLLER, V1, Office
from mlc_pipelines_tests.budgets.ways import FIRST, Articles, Native, Statistical, ways
from mlc_pipelines_tests.flows.evidence.conftest import verified


def exported(office: Office, place: Path) -> Exported:
    desk = office.desk
    return export_pack(desk.store, desk.connection, desk.calendar.period(FIRST), {}, place)


def entries_of(pack: Path, kind: str) -> list[dict[str, object]]:
    """Number and event of the entries of a kind."""
    lines = [json.loads(line) for line in (pack / "entries.jsonl").read_text().splitlines()]
    events = [{"number": one["number"], **json.loads(one["event"])} for one in lines if "event" in one]
    return [one for one in events if one["kind"] == kind]


@ways(Statistical, Articles, Native)
def test_the_evidence_of_a_posted_plan(office: Office, tmp_path: Path) -> None:
    """Who approved which content, what was written for it and all that happened to it, and both sides of each leg; the pack is clean, and the same when it is made again."""
    content = office.previewed_and_approved()
    office.post_and_release()
    made = exported(office, tmp_path / "pack")
    pack, desk = made.place, office.desk
    assert 0 == verified(pack)[0]
    assert made.digest == exported(office, tmp_path / "again").digest
    assert entries_of(pack, "approval")
    held = {one.stem: one.read_text("utf-8-sig") for one in (pack / "tables").iterdir()}
    assert f'"APPROVED","{CONTROLLER}","' in held["approvals"]
    assert content in held["approvals"]
    [(draft, posting, package, _)] = desk.store.postings(desk.connection, who="").of_period(FIRST)
    assert package.startswith(content)
    for part in (draft.reference, posting.number, posting.mapping, '"SEALED"', CONTROLLER):
        assert part
        assert part in held["journals"]
    assert 1 + len(draft.lines) == held["journal_lines"].count("\n")
    assert {"INTENT", "SEALED"} <= {row.split('","')[2] for row in held["journal_transitions"].splitlines()}
    leg_of_erp = "posted_matches_plan" if office.way.journals else "ledger_matches_plan"
    assert all(leg in held["tie_outs"] for leg in ("journals_match_plan", leg_of_erp))
    assert "1 of 1 posted and proved" in (pack / "index.html").read_text()


@ways(Native, also=[Statistical, Articles])
def test_what_was_written_and_read_back_lies_in_the_pack_with_its_proof(office: Office, tmp_path: Path) -> None:
    """Each figure as a record, under the version of its mapping, with the way to the signed head; what the ERP showed afterwards as a file; one flipped byte names the file."""
    office.issue()
    pack, desk = exported(office, tmp_path / "pack").place, office.desk
    [sealed] = [one for one in entries_of(pack, JOURNAL) if one["outcome"] == SEALED]
    written = [*entries_of(pack, FIGURES), sealed]
    assert office.way.journals or len(written) > 1
    mapping = desk.store.postings(desk.connection, who="").of_period(FIRST)[0][1].mapping
    assert "A{code}" == json.loads((pack / "files" / f"{mapping}.json").read_text())["targets"][0]["member"]
    for entry in written:
        records = (pack / "records" / f"{entry['number']}.jsonl").read_text()
        [proof] = (pack / "proofs").glob(f"{entry['number']}-*.json")
        assert entry["number"] == json.loads(proof.read_text())["entry"]
        assert mapping in records
    read_back = desk.store.history.require_step(desk.connection, office.route.steps.posting, FIRST).facts["read_back"]
    shown = pd.read_parquet(pack / "files" / f"{read_back}.parquet")
    shown = shown[(shown["period"] == FIRST) & (shown["amount_minor"] != 0)]
    found = dict(zip(zip(shown["account"], shown["subaccount"], strict=True), shown["amount_minor"], strict=True))
    assert office.expected(V1, FIRST) == found
    file = pack / "records" / f"{written[0]['number']}.jsonl"
    file.chmod(0o600)
    file.write_bytes(file.read_bytes().replace(b"1", b"3", 1))
    code, said = verified(pack)
    assert (10, True) == (code, f"records/{file.name}" in said)
