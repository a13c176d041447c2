"""From a connection to its connected rooms."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from mlc_pipelines.ledger.cells import CellColumns
from mlc_pipelines.ledger.errors import DataError, SetupError
from mlc_pipelines.ledger.mapping import Suspense
from mlc_pipelines.ledger.mapping_table import Entry
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.store.home import Store
from mlc_pipelines.wiring.connections import Named, find
from mlc_pipelines.wiring.ledgers import close_left_sessions
from mlc_pipelines.wiring.rooms import actuals_target, open_desk
from mlc_pipelines.wiring.tables import read_mapping_file


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> Named:
    """The published demo connection, pointed at a port where nobody listens."""
    monkeypatch.delenv("MLC_CONNECTIONS", raising=False)
    monkeypatch.setenv("MLC_SANDBOX_URL", "http://127.0.0.1:9")
    return find("demo")


def with_file(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "accounts.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def table(path: Path) -> dict[str, str]:
    return {one.code: one.member for one in read_mapping_file(path, "account")}


def test_codes_and_members_stay_text(tmp_path: Path) -> None:
    """Leading zeros, "NA", commas, quotes, line ends of either kind, a byte-order mark, further columns for notes."""
    path = with_file(tmp_path, '\ufeffcode,member,note\r\n0010,A0010\r\nNA,"A, ""NA""",why\r\n10,A10,\r\n')
    assert {"0010": "A0010", "NA": 'A, "NA"', "10": "A10"} == table(path)


def test_a_table_may_be_empty(tmp_path: Path) -> None:
    """No exceptions to the rule yet."""
    assert {} == table(with_file(tmp_path, "code,member\n"))


def test_an_entry_may_hold_from_a_fiscal_period_on(tmp_path: Path) -> None:
    """A column `from`, wherever it stands after the first two; one code may have several periods."""
    path = with_file(tmp_path, "code,member,note,from\n6100,A1,,\n6100,A2,split,FY2027-P01\n7000,B,short\n")
    assert [("6100", "A1", ""), ("6100", "A2", "FY2027-P01"), ("7000", "B", "")] == [
        (one.code, one.member, one.since) for one in read_mapping_file(path, "account")
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("code,member,from\n6100,A,FY2027-P01\n6100,C,FY2027-P01\n", "names code 6100 from FY2027-P01 twice"),
        ("code,member,from\n6100,A,July\n", "Line 2 of the mapping file accounts.csv: 'July' is not a fiscal period"),
        ("code,member\n6100,A\n7000,B\n6100,C\n", "names code 6100 twice: line 2 says A, line 4 says C"),
        ("code,member\n6100,A\n6100,A\n", "names code 6100 twice: line 2 says A, line 3 says A"),
        ("code,member\n6100,\n", "Line 2 of the mapping file accounts.csv does not name a code and a member"),
        ("code,member\n6100,A\n,B\n", "Line 3 of the mapping file"),
        ("code,member\n6100\n", "Line 2 of the mapping file"),
        ("code,member\n6100,A\n\n7000,B\n", "Line 3 of the mapping file"),
        ("", "must begin with the header code,member"),
        ("member,code\nA,6100\n", "must begin with the header code,member"),
        ("code;member\n6100;A\n", "must begin with the header code,member"),
        ("code,member\n6100,Zürich\n".encode("cp1252"), "is not CSV in UTF-8"),
        ("code,member\n6100,A\n".encode("utf-16"), "is not CSV in UTF-8"),
    ],
)
def test_a_mapping_file_with_a_mistake_is_refused_by_line(tmp_path: Path, content: str | bytes, said: str) -> None:
    """C11: a code has one member; nothing is guessed, nothing was sent."""
    with pytest.raises(DataError) as refusal:
        read_mapping_file(with_file(tmp_path, content), "account")
    assert said in refusal.value.what
    assert "accounts.csv" in refusal.value.what
    assert "Nothing was read or sent." == refusal.value.holds


def test_a_missing_mapping_file_is_a_matter_of_setup(tmp_path: Path) -> None:
    """The name in the connection file is wrong."""
    with pytest.raises(SetupError, match=r"gone\.csv cannot be read \(No such file or directory\)"):
        read_mapping_file(tmp_path / "gone.csv", "account")


def test_a_connection_says_where_its_figures_go(named: Named) -> None:
    """Names as the model builder gave them; planners' signs as +1 and -1; the adjustment period in its own version."""
    target = actuals_target(named)
    assert ("Load GL Actuals", "Export GL Actuals") == (target.import_name, target.read_back.name)
    assert CellColumns("Account", "Cost Center", "Period", "Version", "Amount") == target.columns
    assert {"Income": -1, "Liability": -1} == target.accounts.signs
    assert {} == target.cost_centers.signs
    assert Suspense("A_UNMAPPED", "CC_NONE") == target.suspense
    periods = named.calendar
    first, adjustment = periods.period("FY2026-P01"), periods.period("FY2026-P13")
    assert ("Jul 25", "Actual") == (target.label_of(first), target.version_of(first))
    assert ("Jun 26", "Actual Adj") == (target.label_of(adjustment), target.version_of(adjustment))


def test_a_mapping_file_lies_beside_its_connection_file(named: Named, tmp_path: Path) -> None:
    """Its name is relative to that folder; its entries come with the rule."""
    with_file(tmp_path, "code,member\n0010,A_OTHER\n")
    rule = named.settings.mapping.accounts.model_copy(update={"file": "accounts.csv"})
    mapping = named.settings.mapping.model_copy(update={"accounts": rule, "unmapped": "stop"})
    moved = replace(named, file=tmp_path / "demo.yaml", settings=named.settings.model_copy(update={"mapping": mapping}))
    target = actuals_target(moved)
    assert (Entry("account", "0010", "A_OTHER", "", "accounts.csv line 2"),) == target.accounts.entries
    assert "A{code}" == target.accounts.template
    assert target.suspense is None


def test_a_desk_needs_its_credentials(named: Named, home: Path) -> None:
    """A missing credential, or one that lacks a field, is named before anything is called."""
    store = Store.open()
    with (
        pytest.raises(SetupError, match="No credential is stored under the name 'demo-acumatica'"),
        open_desk(named, store=store),
    ):
        pass
    store.vault.put("demo-acumatica", {"username": "ann", "password": "pw"})
    with (
        pytest.raises(SetupError, match="'demo-acumatica' lacks client_id, client_secret"),
        open_desk(named, store=store),
    ):
        pass


def test_opening_a_desk_calls_nobody(named: Named, home: Path) -> None:
    """Clients log in at their first call: opening and closing works where no system can be reached."""
    store = Store.open()
    store.vault.put(
        "demo-acumatica", {"username": "ann", "password": "pw", "client_id": "ID@Meridian", "client_secret": "s"}
    )
    store.vault.put("demo-anaplan", {"username": "ann", "password": "pw"})
    with open_desk(named, run="r1", store=store) as desk:
        assert ("demo", "r1", 600) == (desk.connection, desk.run, desk.fence_wait_seconds)
        assert "FY2026-P13" in desk.calendar.keys


@pytest.mark.parametrize("name", ["demo", "demo_epicor"])
def test_a_session_that_a_killed_run_left_is_closed_by_command(
    name: str, demo_epicor: Named, demo: Named, sandbox: Sandbox, tmp_path: Path
) -> None:
    """What a run that died left open at its ERP is closed by key and sign-in of the connection; where nothing was left, nothing is asked."""
    store = Store.open()
    assert 0 == close_left_sessions(find(name), store)
    assert [] == sandbox.traffic.requests
    killed = (
        "import os; from mlc_pipelines.wiring.connections import find; from mlc_pipelines.wiring.rooms import open_desk\n"
        f"with open_desk(find({name!r})) as desk: desk.ledger.identity(); os._exit(9)"
    )
    assert 9 == subprocess.run([sys.executable, "-c", killed], check=False).returncode
    assert [False] == [one.alive for one in store.seats("somebody").all()]
    assert 1 == close_left_sessions(find(name), store)
    assert [] == store.seats("somebody").all()
