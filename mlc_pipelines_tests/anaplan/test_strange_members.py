"""Figures on members with strange codes: sent, imported, exported and read, each code is byte for byte the same."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from mlc_pipelines.anaplan.client import Anaplan
from mlc_pipelines.ledger.cells import CellColumns, read_cells, write_cells
from mlc_pipelines.sandbox.server import Sandbox

COLUMNS = CellColumns("Account", "Cost Center", "Period", "Version", "Amount")
LABEL, VERSION = "Sep 25", "Actual"
# What turns up in codes: digits only, formulas, words that programs take for something else, separators, letters from everywhere.
STRANGE = ["0012", "12", "=1+2", "-5", "+1", "@SUM(A1)", "NA", "null", "TRUE", "1e5", 'say "so"', "a,b", "a;b", "\u202eturned", "zero\u200bwidth", "Dépôt", "Mu\u0308nchen", "旅費", "🧾", "y" * 60]  # fmt: skip


@pytest.fixture
def strange(sandbox: Sandbox) -> list[str]:
    """Members that a planner made, with these codes; their names are other texts."""
    for number, code in enumerate(STRANGE):
        sandbox.tenant.edit_member("Accounts", code, name=f"Strange {number}", parent="T_CASH")
    return STRANGE


def test_c10_c14_figures_on_strange_codes_go_there_and_back(
    plan: Anaplan, sandbox: Sandbox, strange: list[str], tmp_path: Path
) -> None:
    """ "0012" is not 12, a formula stays a text, and a negative amount a number: in the file, in the model and in the export."""
    minor = [number * 100 - 1050 for number in range(len(strange))]
    cells = pd.DataFrame({"account": strange, "cost_center": "CC_010", "amount_minor": minor}, dtype=object)
    cells = cells.astype({"amount_minor": "int64"})
    with (tmp_path / "sent.csv").open("wb") as file:
        write_cells(file, cells, COLUMNS, period=LABEL, version=VERSION, currency="USD")
    outcome = plan.import_file("Load GL Actuals", tmp_path / "sent.csv")
    assert (len(strange), 0, 0) == (outcome.rows_taken, outcome.rows_ignored, outcome.rows_failed)
    held = {one["account"]: Decimal(one["amount"]) for one in sandbox.tenant.truth_cells()}
    assert {code: Decimal(amount) / 100 for code, amount in zip(strange, minor, strict=True)} == held
    plan.export_file("Export GL Actuals", tmp_path / "back.csv")
    back = read_cells(tmp_path / "back.csv", COLUMNS, currency="USD", only=(LABEL, VERSION))
    assert dict(zip(strange, minor, strict=True)) == dict(zip(back["account"], back["amount_minor"], strict=True))


def test_c14_the_machine_file_holds_formulas_as_they_are(
    plan: Anaplan, sandbox: Sandbox, strange: list[str], tmp_path: Path
) -> None:
    """Nothing is put before the text: the import would not know the member."""
    cells = pd.DataFrame({"account": ["=1+2"], "cost_center": ["CC_010"], "amount_minor": [-500]})
    with (tmp_path / "sent.csv").open("wb") as file:
        write_cells(file, cells, COLUMNS, period=LABEL, version=VERSION, currency="USD")
    plan.import_file("Load GL Actuals", tmp_path / "sent.csv")
    [sent] = sandbox.tenant.model().files["113000000001"].private.values()
    assert b'"=1+2","CC_010","Sep 25","Actual",-5.00\n' == sent.content.partition(b"\n")[2]


@pytest.mark.parametrize("switches", [{"match_case": True}, {"match_case": False}])
def test_c10_twins_of_one_letter_are_two_members(
    plan: Anaplan, sandbox: Sandbox, write_file: Callable[..., Path], switches: dict[str, bool]
) -> None:
    """NFC and NFD of one word, made by a planner by hand: figures land where their bytes say, never on the other one."""
    for number, code in enumerate(("Caf\u00e9", "Cafe\u0301")):
        sandbox.tenant.edit_member("Accounts", code, name=f"Twin {number}", parent="T_CASH")
    sandbox.set_switches(anaplan=switches)
    outcome = plan.import_file(
        "Load GL Actuals", write_file(("Caf\u00e9", "CC_010", "1.00"), ("Cafe\u0301", "CC_010", "2.00"))
    )
    held = {one["account"]: one["amount"] for one in sandbox.tenant.truth_cells()}
    assert (2, {"Caf\u00e9": "1.00", "Cafe\u0301": "2.00"}) == (outcome.rows_taken, held)
