"""The way back in the audit trail: who approved what, each journal line or budget figure, over what stood there; and the ERP as a witness."""

import re

import pandas as pd
import pyarrow as pa
from click.testing import CliRunner

from mlc_pipelines.cli import cli
from mlc_pipelines.flows.trace import trace_journal
from mlc_pipelines.store.postings import SEALED
from mlc_pipelines.store.told import APPROVAL, FIGURES, JOURNAL, POSTED
from mlc_pipelines.store.trail.trail import Entry, Trail
from mlc_pipelines.store.trail.verify import Kind, verify
from mlc_pipelines_tests.budgets.office import CONTROLLER, V1, V2, Office
from mlc_pipelines_tests.budgets.ways import FIRST, SECOND, Articles, Native, Statistical, ways


def records(trail: Trail, entry: Entry) -> pd.DataFrame:
    return pa.concat_tables(trail.records(entry)).to_pandas()


def told(trail: Trail, kind: str, outcome: str = "") -> list[Entry]:
    return [one for one in trail.entries(kind=kind) if outcome in ("", one.event["outcome"])]


@ways(Statistical)
def test_each_line_of_a_posted_plan_is_recorded_with_its_approval(office: Office) -> None:
    """Once, when the ERP was seen to hold it; the way there, state by state, is recorded too. Posting again adds nothing of it."""
    office.issue()
    trail = office.desk.store.trail
    [approval] = told(trail, APPROVAL)
    sealed = told(trail, JOURNAL, SEALED)
    assert [FIRST, SECOND] == [one.event["period"] for one in sealed]
    for entry, period in zip(sealed, (FIRST, SECOND), strict=True):
        lines = records(trail, entry)
        assert {POSTED} == set(lines["outcome"])
        found = {
            tuple(target.split("|")[1:-1]): minor
            for target, minor in zip(lines["target"], lines["after_minor"], strict=True)
        }
        assert {(account, sub.strip("|")): minor for (account, sub), minor in office.expected(V1, period).items()} == {
            (account, "|".join(sub).strip("|\\")): minor for (account, *sub), minor in found.items()
        }
        assert (CONTROLLER, approval.event["request_hash"]) == (
            entry.event["approval"]["by"],
            entry.event["approval"]["content_hash"],
        )
        assert [entry.number] == [
            one.entry.number
            for one in trace_journal(office.desk.store, office.desk.connection, entry.event["objects"]["journal"])
        ]
        mapping = entry.event["artefacts"]["mapping_version"]
        assert {mapping} == set(lines["mapping"])
        number = entry.event["objects"]["journal"]
        told_of_it = CliRunner().invoke(cli, ["trace", office.desk.connection, "--journal", number]).output
        assert f"mapping {mapping[:16]}" in told_of_it
    drafted = set() if isinstance(office.way, Articles | Native) else {"DRAFT_SEEN", "CHECKED", "RELEASING"}
    assert {"INTENT", SEALED} | drafted <= {one.event["outcome"] for one in told(trail, JOURNAL)}
    office.post()
    assert len(sealed) == len(told(trail, JOURNAL, SEALED))
    assert Kind.CLEAN == verify(trail, full=True).kind


@ways(Statistical, also=[Statistical])
def test_the_description_of_a_posted_journal_bears_witness_to_the_trail(office: Office) -> None:
    """The head when the draft was made stands in the ERP, where nobody can change it; verify finds the entry. What was approved does not depend on it."""
    content = office.previewed_and_approved()
    office.post_and_release()
    books = office.way.sandbox.books
    heads = [
        found[1]
        for batch in books.batches
        if (found := re.search(r"\[audit ([0-9a-f]{16})\]", batch.description or ""))
    ]
    assert 2 == len(heads)
    trail = office.desk.store.trail
    assert Kind.CLEAN == verify(trail, full=True, heads=heads).kind
    assert Kind.BEHIND == verify(trail, full=True, heads=["0" * 16]).kind
    assert content in {one.event["query"]["package"][: len(content)] for one in told(trail, JOURNAL)}


@ways(Native, also=[Articles])
def test_budget_figures_are_recorded_over_what_stood_there(office: Office) -> None:
    """Before the first of them leaves: each figure, and the one that it replaces."""
    office.issue()
    office.replan(V2)
    office.issue()
    trail = office.desk.store.trail
    sent = pd.concat([records(trail, entry) for entry in told(trail, FIGURES)], ignore_index=True)
    first = sent.drop_duplicates("target", keep="first").set_index("target")
    last = sent.drop_duplicates("target", keep="last").set_index("target")
    changed = last[last["before_minor"] != 0]
    assert {0} == set(first["before_minor"])
    assert not changed.empty
    assert "" not in set(sent["mapping"])
    assert changed["before_minor"].tolist() == first.loc[changed.index, "amount_minor"].tolist()
    assert len(told(trail, JOURNAL, SEALED)) == 4
