"""Mapping tables at work: an entry changes the periods from its own on, the model's own property counts, each file names the version it was made with."""

from dataclasses import replace
from pathlib import Path

import pytest

from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.extract import read_slice
from mlc_pipelines.flows.reference import map_members, read_members, refresh_reference
from mlc_pipelines.flows.shape import write_slice
from mlc_pipelines.ledger.cells import read_cells
from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.ledger.mapping_table import Entry
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.store.home import Store
from mlc_pipelines.wiring.connections import Named
from mlc_pipelines_tests.flows.fit_bench import bench_of

BEFORE, AFTER = "FY2026-P03", "FY2026-P04"


def with_rule(desk: Desk, which: str, **changes: object) -> Desk:
    """which: accounts or cost_centers."""
    rule = replace(getattr(desk.target, which), **changes)
    return replace(desk, target=replace(desk.target, **{which: rule}))


def on_member(desk: Desk, key: str, member: str) -> int:
    """Cells with a figure on a member in the period's newest file."""
    file = desk.store.history.require_step("demo", "actuals_csv", key)
    cells = read_cells(desk.store.artefacts.path(file.artefact), desk.target.columns, currency="USD")
    return int((cells["account"] == member).sum())


def test_an_entry_moves_figures_from_its_period_on(desk: Desk) -> None:
    """6110 lands on its own member in P03 and on A6100 in P04; both files were made with one version, another one than before."""
    refresh_reference(desk)
    first = map_members(desk).texts["mapping version"]
    moved = with_rule(desk, "accounts", entries=(Entry("account", "6110", "A6100", AFTER, "accounts.csv line 2"),))
    report = map_members(moved)
    versions = set()
    for key in (BEFORE, AFTER):
        read_slice(moved, key)
        versions.add(write_slice(moved, key).texts["mapping version"])
    assert {report.texts["mapping version"]} == versions != {first}
    assert (True, False) == tuple(on_member(moved, key, "A6110") > 0 for key in (BEFORE, AFTER))
    assert on_member(moved, AFTER, "A6100") > 0
    known = [one.version for one in desk.store.mappings("demo").versions()]
    assert [first, *versions] == known
    assert '"6110"' in desk.store.artefacts.path(known[1]).read_text()
    assert versions == {desk.store.history.require_step("demo", "actuals_csv", AFTER).facts["mapping_version"]}


def test_codes_may_stand_in_a_property_of_the_list(desk: Desk, sandbox: Sandbox) -> None:
    """The model builder names 010 and 020 at the member that takes them; it wins over the pattern, and a blank one names none."""
    sandbox.tenant.edit_member("Cost Centers", "CC_110", properties={"Capacity FTE": "010, 020"})
    told = with_rule(desk, "cost_centers", list_property="Capacity FTE")
    refresh_reference(told)
    report = map_members(told)
    pairs = report.tables["Member map"]
    landed = dict(zip(pairs["code"], pairs["member"], strict=True))
    assert ("CC_110", "CC_110", "CC_030") == tuple(landed[code] for code in ("010", "020", "030"))
    assert ["property Capacity FTE of member CC_110"] * 2 == report.tables["Mapping tables"]["source"].tolist()
    with pytest.raises(DataError, match="without their property Colour"):
        map_members(with_rule(desk, "cost_centers", list_property="Colour"))
    assert "Capacity FTE" not in read_members(desk).tables["Members"]


def test_the_fit_report_names_entries_that_contradict(
    demo: Named, sandbox: Sandbox, tmp_path: Path, home: Path
) -> None:
    """A file against the mapping desk, before the first load: one line, for the engineer, with both places."""
    store = Store.open()
    desk_of = store.mappings("demo")
    desk_of.decide(desk_of.propose(Entry("account", "6100", "A6110"), "ann", "why"), "ACCEPTED", "ben", "why")
    bench = bench_of(sandbox, "demo", store, tmp_path)
    bench.set("mapping.accounts.file", "accounts.csv")
    (tmp_path / "accounts.csv").write_text("code,member\n6100,A6120\n")
    wrong = [one for one in bench.report("demo").objections if one.check == "members.account" and "6100" in one.said]
    assert ["finance-systems engineer"] == [one.who for one in wrong]
    assert "accounts.csv line 2" in wrong[0].said
    assert "accepted by ben" in wrong[0].said
