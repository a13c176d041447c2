"""Lists follow the ERP's codes: previewed, written once by import or by items, read back; nothing is deleted."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.lists import sync_lists
from mlc_pipelines.flows.reference import refresh_reference
from mlc_pipelines.flows.report import Report
from mlc_pipelines.ledger.errors import DataError, SetupError, UncertainError
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.wiring.connections import Named
from mlc_pipelines.wiring.rooms import open_desk
from mlc_pipelines.wiring.settings import SyncedList
from mlc_pipelines_tests.conftest import briefly

ACCOUNTS = {
    "name": "{code} {name}",
    "parent": "T_{account_class}",
    "properties": {"Account Type": "{kind}", "Active": "{active}"},
    "keep": ["parent"],
}
BY_IMPORT = {
    "by": "import",
    "import": "Load Accounts",
    "columns": {"Code": "code", "Name": "name", "Parent": "parent", "Account Type": "Account Type", "Active": "Active"},
}
WAYS = [pytest.param(BY_IMPORT, id="import"), pytest.param({"by": "items"}, id="items")]
SHORT = [pytest.param(BY_IMPORT, id="import", marks=pytest.mark.prove), pytest.param({"by": "items"}, id="items")]


@contextmanager
def syncing(demo: Named, **lists: dict[str, Any]) -> Iterator[Desk]:
    rules = {source: SyncedList.model_validate(rule) for source, rule in lists.items()}
    named = Named("demo", demo.file, demo.settings.model_copy(update={"lists": rules}))
    with open_desk(named, sleep=briefly) as desk:
        refresh_reference(desk)
        yield desk


def members(sandbox: Sandbox, name: str = "Accounts") -> dict[str, tuple[str, str, dict[str, str]]]:
    return {one["code"]: (one["name"], one["parent"], one["properties"]) for one in sandbox.tenant.truth_members(name)}


def found(report: Report) -> set[tuple[str, str]]:
    return set(report.tables["Changes"][["change", "code"]].itertuples(index=False, name=None))


@pytest.mark.parametrize("way", WAYS)
def test_missing_accounts_become_members(demo: Named, sandbox: Sandbox, way: dict[str, Any]) -> None:
    """7770 and 8880 are posted to and have no member: afterwards they have one, with name, parent and properties, and nothing else moved."""
    before = members(sandbox)
    with syncing(demo, accounts={**ACCOUNTS, **way}) as desk:
        report = sync_lists(desk)
        again = sync_lists(desk)
    after = members(sandbox)
    assert {("new", "A7770"), ("new", "A8880")} == found(report)
    erp = sandbox.books.accounts["7770"]
    assert f"7770 {erp.description}" == after["A7770"][0]
    assert {"Account Type": erp.type, "Active": "true"} == after["A7770"][2]
    assert before == {code: member for code, member in after.items() if code not in {"A7770", "A8880"}}
    assert (2, 0) == (report.counts["members written"], again.counts["members written"])
    assert "nothing to write" in again.summary


@pytest.mark.parametrize("way", SHORT)
def test_a_dry_run_shows_and_sends_nothing(demo: Named, sandbox: Sandbox, way: dict[str, Any]) -> None:
    """The preview is the same table; the list is as before."""
    before = members(sandbox)
    with syncing(demo, accounts={**ACCOUNTS, **way}) as desk:
        report = sync_lists(desk, dry_run=True)
    assert {("new", "A7770"), ("new", "A8880")} == found(report)
    assert before == members(sandbox)
    assert "dry run" in report.summary


@pytest.mark.parametrize("way", SHORT)
def test_renamed_moved_and_changed_members_follow_the_erp(demo: Named, sandbox: Sandbox, way: dict[str, Any]) -> None:
    """A planner renamed one, moved one, and switched one off: the ERP's word is restored, each change shown with before and now."""
    before = members(sandbox)
    sandbox.tenant.edit_member("Accounts", "A1010", name="Our bank")
    sandbox.tenant.edit_member("Accounts", "A1020", parent="T_FIXED")
    sandbox.tenant.edit_member("Accounts", "A1030", properties={"Active": "false"})
    with syncing(demo, accounts={**ACCOUNTS, **way, "keep": []}) as desk:
        report = sync_lists(desk)
    changes = {("renamed", "A1010"), ("moved", "A1020"), ("property changed", "A1030")}
    assert changes == {change for change in found(report) if change[0] != "new"}
    after = members(sandbox)
    assert before == {code: after[code] for code in before}


def test_members_gone_from_the_erp_are_told_and_left(demo: Named, sandbox: Sandbox) -> None:
    """A6123 is no account: it is listed, and it stays with its figures. Suspense members and parents are never called gone."""
    sandbox.tenant.edit_member("Accounts", "A6123", name="6123 Forgotten", parent="T_CASH")
    with syncing(demo, accounts={**ACCOUNTS, "by": "items"}) as desk:
        report = sync_lists(desk)
    assert ["A6123"] == report.tables["Gone from the ERP"]["code"].tolist()
    assert "A6123" in members(sandbox)
    assert 1 == report.counts["members gone from the ERP"]


def test_c10_one_bad_name_stops_every_list_before_anything_is_sent(demo: Named, sandbox: Sandbox) -> None:
    """A planner's member has the name that 7770 wants: refused by code and name, and no list was touched."""
    erp = sandbox.books.accounts["7770"]
    sandbox.tenant.edit_member("Accounts", "MINE", name=f"7770 {erp.description}".upper(), parent="T_CASH")
    before = members(sandbox)
    with (
        syncing(demo, cost_centers={"by": "items", "keep": ["name"]}, accounts={**ACCOUNTS, "by": "items"}) as desk,
        pytest.raises(DataError, match="A7770 has the same name as member MINE") as caught,
    ):
        sync_lists(desk)
    assert "Nothing was sent" in caught.value.holds
    assert before == members(sandbox)


STRANGE = ["0012", "=1+2", "-5", "+1", "@SUM(A1)", 'a, "b"; c', "NA", "null", "TRUE", "1e5", "Dépôt", "Mu\u0308nchen", "旅費", "💰", "x" * 60]  # fmt: skip
NO_NAMES = {" blank": "a blank", "a\nb": "U+000A", "a\tb": "U+0009", "a\u200fb": "U+200F", "a\u200bb": "U+200B", "a\ufeffb": "U+FEFF", "y" * 61: "61 characters", "a\x00b": "U+0000"}  # fmt: skip


@contextmanager
def own_units(demo: Named, folder: Path, way: dict[str, Any], rows: list[tuple[str, str]]) -> Iterator[Desk]:
    """A dimension from a file of codes and names, written by the way given."""
    with (folder / "units.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("code", "name", "fte"), *((code, name, "1") for code, name in rows)])
    (folder / "demo.yaml").write_text(demo.file.read_text())
    rule = {"file": "units.csv", "list": "Cost Centers", "code": "{code}", "name": "{name}", **way}
    with syncing(Named("demo", folder / "demo.yaml", demo.settings), units=rule) as desk:
        yield desk


UNITS_IMPORT = {
    "by": "import",
    "import": "Load Cost Centers",
    "properties": {"Short Name": "{name}", "Capacity FTE": "{fte}"},
    "columns": {
        "Code": "code",
        "Name": "name",
        "Parent": "parent",
        "Short Name": "Short Name",
        "Capacity FTE": "Capacity FTE",
    },
}


@pytest.mark.parametrize("way", [pytest.param(UNITS_IMPORT, id="import"), pytest.param({"by": "items"}, id="items")])
def test_c10_c14_strange_codes_and_names_arrive_byte_for_byte(
    demo: Named, sandbox: Sandbox, tmp_path: Path, way: dict[str, Any]
) -> None:
    """Digits only, formulas, quotes, accents in pieces, emoji: the model holds exactly the code and the name, and shows them so."""
    with own_units(demo, tmp_path, way, [(text, f"{text[:55]} name") for text in STRANGE]) as desk:
        report = sync_lists(desk)
        again = sync_lists(desk)
        shown = desk.plan.read_members("Cost Centers")
    held = members(sandbox, "Cost Centers")
    wanted = {text: f"{text[:55]} name" for text in STRANGE}
    assert wanted == {code: held[code][0] for code in STRANGE}
    assert wanted.items() <= dict(zip(shown["code"], shown["name"], strict=True)).items()
    assert (len(STRANGE), 0) == (report.counts["members written"], again.counts["members written"])


def test_c14_the_file_of_an_import_holds_a_formula_as_it_is(demo: Named, sandbox: Sandbox, tmp_path: Path) -> None:
    """A file for a machine: nothing is put before the text, and every field is quoted."""
    with own_units(demo, tmp_path, UNITS_IMPORT, [("=1+2", '=HYPERLINK("http://x")')]) as desk:
        sync_lists(desk)
    [sent] = sandbox.tenant.model().files["113000000003"].private.values()
    assert b'"=1+2","=HYPERLINK(""http://x"")","","=HYPERLINK(""http://x"")","1"\n' in sent.content


def test_c10_every_name_that_no_list_takes_is_told_at_once(demo: Named, sandbox: Sandbox, tmp_path: Path) -> None:
    """Blanks, line ends, marks that show nothing, too long, and twins in NFC and NFD: each by its code, and nothing was sent."""
    before = members(sandbox, "Cost Centers")
    rows = [(f"N{number}", name) for number, name in enumerate(NO_NAMES)]
    twins = [("N_NFC", "Caf\u00e9"), ("N_NFD", "Cafe\u0301")]
    with own_units(demo, tmp_path, {"by": "items"}, rows + twins) as desk, pytest.raises(DataError) as caught:
        sync_lists(desk)
    table = caught.value.evidence["Members refused"].set_index("member")["problem"]
    assert [True] * len(rows) == [said in table[f"N{number}"] for number, said in enumerate(NO_NAMES.values())]
    assert "has the same name as member N_NFC" in table["N_NFD"]
    assert before == members(sandbox, "Cost Centers")
    assert not [one for one in sandbox.traffic.requests if one.method in {"POST", "PUT"} and "/items" in one.path]


@pytest.mark.parametrize("way", SHORT)
@pytest.mark.parametrize("arrived", [True, False])
def test_a_lost_answer_is_looked_up(demo: Named, sandbox: Sandbox, way: dict[str, Any], *, arrived: bool) -> None:
    """The answer to the write is cut off. If the members stand there the run goes on; if not, it says that it does not know; never twice."""
    written = "POST .*/lists/.*/items" if way["by"] == "items" else "POST .*/imports/.*/tasks"
    action = {"kind": "reset", "after": arrived}
    with syncing(demo, accounts={**ACCOUNTS, **way}) as desk:
        sandbox.traffic.plant({"match": written, "times": 1, "action": action})
        if arrived:
            sync_lists(desk)
            assert {"A7770", "A8880"} <= set(members(sandbox))
        else:
            with pytest.raises(UncertainError, match="does not stand as planned"):
                sync_lists(desk)
    assert 1 == sum(bool(_is_write(request.method, request.path, way)) for request in sandbox.traffic.requests)


def _is_write(method: str, path: str, way: dict[str, Any]) -> bool:
    return method == "POST" and (
        ("/lists/" in path and "/items" in path) if way["by"] == "items" else path.endswith("/tasks")
    )


def test_a_refused_member_is_found_by_reading_back(demo: Named, sandbox: Sandbox) -> None:
    """A planner adds A7770 between our look and our write: the second one is refused, and both words are told, ours and Anaplan's."""
    theirs = {"list": "Accounts", "code": "A7770", "name": "Seven", "parent": "T_CASH"}
    with syncing(demo, accounts={**ACCOUNTS, "by": "items"}) as desk:
        action = {"kind": "control", "path": "/control/anaplan/member", "body": theirs}
        sandbox.traffic.plant({"match": "POST .*/lists/.*/items", "times": 1, "action": action})
        with pytest.raises(DataError, match="A7770: name 'Seven' instead of '7770 ") as caught:
            sync_lists(desk)
    assert "Anaplan refused 1: " in caught.value.what
    assert ["A7770"] == caught.value.evidence["Refused rows"]["code"].tolist()
    assert ("Seven", True) == (members(sandbox)["A7770"][0], "A8880" in members(sandbox))


@pytest.mark.parametrize("way", SHORT)
def test_a_locked_model_takes_no_members(demo: Named, sandbox: Sandbox, way: dict[str, Any]) -> None:
    """Who must unlock it is said; nothing changed."""
    before = members(sandbox)
    with syncing(demo, accounts={**ACCOUNTS, **way}) as desk:
        sandbox.set_switches(anaplan={"model_state": "LOCKED"})
        with pytest.raises(SetupError, match="locked"):
            sync_lists(desk)
    assert before == members(sandbox)


def test_a_dimension_of_its_own_comes_from_a_file(demo: Named, sandbox: Sandbox, tmp_path: Any) -> None:
    """What the ERP does not have comes from a CSV file beside the connection file."""
    (tmp_path / "demo.yaml").write_text(demo.file.read_text())
    (tmp_path / "units.csv").write_text("code,name,region\n900,Space office,T_WEST_REGION\n", encoding="utf-8")
    own = Named("demo", tmp_path / "demo.yaml", demo.settings)
    rule = {"by": "items", "file": "units.csv", "list": "Cost Centers", "code": "CC_{code}", "parent": "{region}"}
    region = members(sandbox, "Cost Centers")["CC_010"][1]
    (tmp_path / "units.csv").write_text(f"code,name,region\n900,Space office,{region}\n", encoding="utf-8")
    with syncing(own, units=rule) as desk:
        sync_lists(desk)
    assert ("Space office", region) == members(sandbox, "Cost Centers")["CC_900"][:2]


def test_a_connection_without_lists_says_what_to_declare(desk: Desk) -> None:
    """Nothing is synchronized that nobody declared."""
    with pytest.raises(SetupError, match="declares no lists"):
        sync_lists(desk)


def test_a_property_that_the_list_lacks_is_named(demo: Named) -> None:
    """With the properties there are."""
    with (
        syncing(demo, accounts={**ACCOUNTS, "by": "items", "properties": {"Colour": "{kind}"}}) as desk,
        pytest.raises(SetupError, match="no property Colour; it has Account Type, Active"),
    ):
        sync_lists(desk, dry_run=True)


@pytest.mark.parametrize(
    ("switches", "said"),
    [
        pytest.param({"import_ends": "UNSUCCESSFUL"}, "ended COMPLETE, not successful", id="E10-unsuccessful"),
        pytest.param({"import_ends": "CANCELLED"}, "ended CANCELLED, not successful", id="E10-cancelled"),
        pytest.param({"details_style": "none"}, "ended COMPLETE, successful, and gave no readable", id="no-counts"),
    ],
)
def test_an_import_that_does_not_say_it_took_every_row_is_no_success(
    demo: Named, sandbox: Sandbox, switches: dict[str, Any], said: str
) -> None:
    """State, flag and counts of the import's own word are told, also where the list stands as planned."""
    with syncing(demo, accounts={**ACCOUNTS, **BY_IMPORT}) as desk:
        sandbox.set_switches(anaplan=switches)
        with pytest.raises(DataError, match=rf"list Accounts .*the import {said}"):
            sync_lists(desk)
