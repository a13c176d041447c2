"""Names are looked up in the model as it is now; what is missing, double, remade or unfit is refused before anything is sent."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mlc_pipelines.anaplan.client import Anaplan
from mlc_pipelines.anaplan.discovery import pick
from mlc_pipelines.ledger.errors import SetupError, TransientError
from mlc_pipelines.sandbox.faults import Fault
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.sandbox.traffic import Request

Calls = Callable[[str], list[Request]]
Connect = Callable[..., Anaplan]
Plant = Callable[..., Fault]

HEADER = ("Account", "Cost Center", "Period", "Version", "Amount")
METADATA = "GET .*/imports/112000000001$"


def nothing_was_sent(calls: Calls) -> bool:
    return not calls("(PUT|POST) /2/0/")


# -- by name and by id ------------------------------------------------------------------------------------------------


def test_names_and_ids_lead_to_the_same_model(connect: Connect, sandbox: Sandbox) -> None:
    """A connection file may say either."""
    info = sandbox.info["anaplan"]
    with connect() as by_name, connect(workspace=info["workspace_id"], model=info["model_id"]) as by_id:
        assert info["model_id"] == by_name.key() == by_id.key()


def test_ids_keep_their_letter_case_in_every_path(plan: Anaplan, sandbox: Sandbox, calls: Calls) -> None:
    """Workspace ids are lower case, model ids upper case, and the service tells them apart."""
    info = sandbox.info["anaplan"]
    plan.read_members("Accounts")
    plan.require_import("Load GL Actuals", HEADER)
    plan.wait_until_free()
    inside = calls("/models/")
    assert inside
    assert all(f"/workspaces/{info['workspace_id']}/models/{info['model_id']}/" in one.path for one in inside)
    assert all(one.status == 200 for one in inside)


@pytest.mark.parametrize("changed", ["workspace", "model"])
def test_an_id_in_another_letter_case_is_another_id(connect: Connect, sandbox: Sandbox, changed: str) -> None:
    """It is refused by name instead of being guessed."""
    swapped = sandbox.info["anaplan"][f"{changed}_id"].swapcase()
    with pytest.raises(SetupError, match=f"no {changed} named '{swapped}'"), connect(**{changed: swapped}) as plan:
        plan.key()


def test_a_name_that_is_missing_shows_what_there_is(plan: Anaplan, calls: Calls) -> None:
    """A typing error is found by reading the message."""
    with pytest.raises(SetupError, match=r"no import named 'Load GL Actual'.*'Load GL Actuals'"):
        plan.require_import("Load GL Actual", HEADER)
    assert nothing_was_sent(calls)


@pytest.mark.parametrize("collection", ["imports", "exports"])
def test_E25_two_actions_of_one_name_are_refused_with_both_ids(
    plan: Anaplan, sandbox: Sandbox, calls: Calls, tmp_path: Path, collection: str
) -> None:
    """Which one is meant is for a person to say."""
    sandbox.set_switches(anaplan={"duplicate_action_names": True})
    use = {
        "imports": lambda: plan.require_import("Load GL Actuals", HEADER),
        "exports": lambda: plan.export_file("Export GL Actuals", tmp_path / "export.csv"),
    }[collection]
    with pytest.raises(SetupError, match=r"2 (im|ex)ports named .* \(ids 11\d{10}, 11\d{10}\)"):
        use()
    assert nothing_was_sent(calls)


def test_E25_an_id_says_which_of_the_two(plan: Anaplan, sandbox: Sandbox) -> None:
    """The id in the connection file ends the ambiguity."""
    sandbox.set_switches(anaplan={"duplicate_action_names": True})
    plan.require_import("112000000001", HEADER)
    assert "112000000001" == pick("import", "112000000001", [{"id": "112000000001", "name": "x"}], "There")["id"]


def test_B08_an_import_that_vanished_since_discovery_is_named(
    plan: Anaplan, sandbox: Sandbox, plant: Plant, three_rows: Path
) -> None:
    """404 on a known id: looked up once more; gone is gone, said with the name the connection uses."""
    plan.require_import("Load GL Actuals", HEADER)
    plant("POST .*/imports/112000000001/tasks", times=-1, kind="status", status=404)
    sandbox.set_switches(anaplan={"rename_import": "Load GL Actuals (old)"})
    with pytest.raises(SetupError, match="Load GL Actuals"):
        plan.import_file("Load GL Actuals", three_rows)
    assert [] == sandbox.tenant.log()["actions"]


def test_B08_an_import_that_is_there_and_answers_404_is_a_matter_of_rights(
    plan: Anaplan, sandbox: Sandbox, plant: Plant, three_rows: Path
) -> None:
    """The same id still stands in the list: the message names the missing right as a cause, and nothing is tried further."""
    fault = plant("POST .*/imports/112000000001/tasks", times=-1, kind="status", status=404)
    with pytest.raises(SetupError, match=r"112000000001.*no access"):
        plan.import_file("Load GL Actuals", three_rows)
    assert fault.fired <= 2
    assert [] == sandbox.tenant.log()["actions"]


def test_a_role_without_access_is_told_what_404_means(plan: Anaplan, sandbox: Sandbox) -> None:
    """The service answers 404 to a role without access."""
    sandbox.set_switches(anaplan={"no_access": True})
    with pytest.raises(SetupError, match="role has no access"):
        plan.read_members("Accounts")


@pytest.mark.parametrize(("state", "said"), [("ARCHIVED", "archived"), ("LOCKED", "locked")])
def test_a_model_that_cannot_be_written_is_refused_at_the_first_look(
    plan: Anaplan, sandbox: Sandbox, calls: Calls, state: str, said: str
) -> None:
    """Before anything is sent."""
    sandbox.set_switches(anaplan={"model_state": state})
    with pytest.raises(SetupError, match=f"is {said}"):
        plan.require_import("Load GL Actuals", HEADER)
    assert nothing_was_sent(calls)


# -- pages ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cap", [1, 2, 3])
def test_pages_shorter_than_asked_for_are_read_to_the_end(
    plan: Anaplan, sandbox: Sandbox, three_rows: Path, tmp_path: Path, cap: int
) -> None:
    """The server may hand back fewer than the limit: what was really returned counts."""
    sandbox.set_switches(anaplan={"page_cap": cap, "export_chunk_bytes": 40})
    plan.require_import("Load GL Actuals", HEADER)
    assert 3 == plan.import_file("Load GL Actuals", three_rows).rows_taken
    header = plan.export_file("Export GL Actuals", tmp_path / "capped.csv").header
    assert (*HEADER, "Amount YTD") == header
    sandbox.set_switches(anaplan={"page_cap": 5000, "export_chunk_bytes": 1_000_000})
    plan.export_file("Export GL Actuals", tmp_path / "whole.csv")
    assert (tmp_path / "whole.csv").read_bytes() == (tmp_path / "capped.csv").read_bytes()


def test_a_list_that_ends_before_its_total_is_not_taken_for_whole(plan: Anaplan, plant: Plant) -> None:
    """Fewer entries than stated: refused, for a missing member would be a missing figure."""
    plant(
        "GET .*/listItems|GET .*/items",
        times=-1,
        kind="replace",
        pattern=r'"totalSize":\d+',
        **{"with": '"totalSize":9999'},
    )
    with pytest.raises(TransientError, match=r"9,999|entry twice"):
        plan.read_members("Accounts")


# -- members ----------------------------------------------------------------------------------------------------------


def test_members_come_with_code_parent_and_leaf(plan: Anaplan, sandbox: Sandbox) -> None:
    """In the order of the list; a parent is no leaf; codes are text with their leading zeros."""
    members = plan.read_members("Accounts").set_index("code")
    listed = next(iter(one for one in sandbox.tenant.model().lists.values() if one.name == "Accounts"))
    assert [member.code for member in listed.members] == members.index.tolist()
    assert not members.loc["A_TOTAL", "leaf"]
    assert members.loc["A0010", "leaf"]
    assert "ANA" in members.index
    totals = {member.code for member in listed.members if member.key in listed.totals}
    assert totals == set(members.index[~members["leaf"]])


def test_members_without_code_or_parent_are_empty_text(plan: Anaplan, plant: Plant) -> None:
    """A code may be missing, null or empty."""
    plant("GET .*/items", kind="replace", pattern='"code":"A_TOTAL"', **{"with": '"code":null'})
    first = plan.read_members("Accounts").iloc[0]
    assert ("", "Total Accounts", "", False) == tuple(first)


# -- does the import read our file ------------------------------------------------------------------------------------


def test_an_import_that_fits_passes(plan: Anaplan, calls: Calls) -> None:
    """Nothing is sent for it."""
    plan.require_import("Load GL Actuals", HEADER)
    assert nothing_was_sent(calls)


def test_C08_every_difference_is_named(plan: Anaplan, plant: Plant, calls: Calls) -> None:
    """Separator, rows, decimal mark and encoding, all in one message."""
    theirs = '"textEncoding":"UTF-16LE","columnSeparator":";","textDelimiter":"\'","headerRow":2,"firstDataRow":3,"decimalSeparator":",",'
    plant(METADATA, kind="replace", pattern=r'"textEncoding":.*"decimalSeparator":"\.",', **{"with": theirs})
    with pytest.raises(SetupError) as caught:
        plan.require_import("Load GL Actuals", HEADER)
    named = ("UTF-16LE", "columnSeparator", "textDelimiter", "headerRow", "firstDataRow", "decimalSeparator")
    assert [] == [name for name in named if name not in caught.value.what]
    assert nothing_was_sent(calls)


@pytest.mark.parametrize(
    ("ours", "named"),
    [
        (("Account", "Cost Center", "Period", "Version"), ["Amount"]),
        ((*HEADER, "Comment"), ["Comment"]),
        (("account", "Cost Center", "Period", "Version", "Amount"), ["account", "Account"]),
        (("Account", "Period", "Cost Center", "Version", "Amount"), ["Period", "Cost Center"]),
    ],
)
def test_a_header_that_differs_is_refused_by_column(
    plan: Anaplan, calls: Calls, ours: tuple[str, ...], named: list[str]
) -> None:
    """Missing, further, renamed or moved columns: a mapping by position would load them into the wrong place without a word."""
    with pytest.raises(SetupError, match="does not fit") as caught:
        plan.require_import("Load GL Actuals", ours)
    assert all(name in str(caught.value) for name in named)
    assert nothing_was_sent(calls)


def test_a_model_to_model_import_is_refused(plan: Anaplan, plant: Plant, calls: Calls) -> None:
    """An import that reads another model reads no file of ours."""
    plant(METADATA, kind="replace", pattern='"type":"FILE"', **{"with": '"type":"MODEL"'})
    with pytest.raises(SetupError, match="does not read a file"):
        plan.require_import("Load GL Actuals", HEADER)
    assert nothing_was_sent(calls)


def test_an_import_without_a_file_is_refused_before_the_upload(
    plan: Anaplan, plant: Plant, calls: Calls, three_rows: Path
) -> None:
    """Also where nobody asked whether it fits."""
    plant(
        "GET .*/imports",
        times=-1,
        kind="replace",
        pattern='"importDataSourceId":"\\d+"',
        **{"with": '"importDataSourceId":""'},
    )
    with pytest.raises(SetupError):
        plan.import_file("Load GL Actuals", three_rows)
    assert not calls("PUT ")
