"""Ids of earlier runs save calls and never hide that a name has come to mean something else."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from mlc_pipelines.anaplan.client import Anaplan
from mlc_pipelines.anaplan.discovery import Model
from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.sandbox.faults import Fault
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.sandbox.traffic import Request
from mlc_pipelines.store.home import Store
from mlc_pipelines.store.known import KnownIds

Calls = Callable[[str], list[Request]]
Connect = Callable[..., Anaplan]
Plant = Callable[..., Fault]
HEADER = ("Account", "Cost Center", "Period", "Version", "Amount")
IMPORT = "Load GL Actuals"


@pytest.fixture
def memory(tmp_path: Path, hands: Any) -> Iterator[KnownIds]:
    store = Store.open(tmp_path / "home", f"sqlite:///{tmp_path / 'mlc.db'}")
    yield KnownIds(store.engine, clock=hands.clock)
    store.engine.dispose()


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def visit(connect: Connect, memory: KnownIds, said: list[str]) -> Callable[..., Anaplan]:
    """One run of an installation that remembers the ones before."""
    return lambda **changes: connect(given={"memory": memory, "say": said.append}, **changes)


@pytest.fixture
def change(sandbox: Sandbox) -> Callable[..., Any]:
    """What a model builder does meanwhile."""

    def post(**body: Any) -> Any:
        answer = httpx.post(f"{sandbox.url}/control/anaplan/action", json=body, trust_env=False)
        assert 200 == answer.status_code, answer.text
        return answer.json()

    return post


def test_the_second_run_asks_for_the_model_itself(visit, calls: Calls, sandbox: Sandbox) -> None:
    """One call instead of two lists, and none of the lists."""
    with visit() as plan:
        key = plan.key()
    sandbox.traffic.requests.clear()
    with visit() as plan:
        assert key == plan.key()
    assert 1 == len(calls("GET /2/0/"))
    assert [] == calls("GET /2/0/workspaces")


def test_each_list_is_read_once_a_run(visit, calls: Calls) -> None:
    """Two lists, one look at the list of lists."""
    with visit() as plan:
        plan.read_members("Accounts")
        plan.read_members("Cost Centers")
    assert 1 == len(calls(r"GET .*/lists\?"))


@pytest.mark.parametrize("what", ["name", "currentWorkspaceName"])
def test_a_model_that_was_renamed_is_looked_up_again(visit, plant: Plant, calls: Calls, what: str) -> None:
    """The id still answers, but is not what the connection names any more: the lists decide."""
    with visit() as plan:
        plan.key()
    plant(r"GET /2/0/models/[0-9A-F]+$", kind="replace", pattern=f'"{what}":"[^"]+"', **{"with": f'"{what}":"Old"'})
    before = len(calls("GET /2/0/workspaces"))
    with visit() as plan:
        plan.key()
    assert before + 2 == len(calls("GET /2/0/workspaces"))


def test_b08_a_remembered_model_that_is_gone_is_looked_up_again(visit, plant: Plant, said: list[str]) -> None:
    """404 on the id of earlier runs is no error by itself."""
    with visit() as plan:
        key = plan.key()
    plant(r"GET /2/0/models/[0-9A-F]+$", kind="status", status=404)
    with visit() as plan:
        assert key == plan.key()
    assert [] == said


def test_a_name_that_means_another_model_now_is_told(
    visit, memory: KnownIds, sandbox: Sandbox, said: list[str]
) -> None:
    """A copy took the name: it is used, since the connection names it, and a person hears of it."""
    info = sandbox.info["anaplan"]
    memory.keep(info["api_url"], f"Anaplan model {info['workspace']} / {info['model']}", "0" * 32 + "/" + "A" * 32)
    with visit() as plan:
        assert info["model_id"] == plan.key()
    assert 1 == len(said)
    assert "another one than before" in said[0]
    assert "A" * 32 in said[0]


def test_after_a_day_the_lists_are_read_again(visit, hands: Any, calls: Calls) -> None:
    """So a second model of the same name is found within a day."""
    with visit() as plan:
        plan.key()
    hands.sleep(86_401)
    with visit() as plan:
        plan.key()
    assert 4 == len(calls("GET /2/0/workspaces"))


def test_a_remembered_model_that_is_archived_is_refused(visit, sandbox: Sandbox) -> None:
    """Its state is told by the same call."""
    with visit() as plan:
        plan.key()
    sandbox.set_switches(anaplan={"model_state": "ARCHIVED"})
    with visit() as plan, pytest.raises(SetupError, match="is archived"):
        plan.key()


def test_b08_an_import_that_was_remade_is_used_and_told(visit, change, said: list[str]) -> None:
    """Another id under the same name: the list of this run decides, the old id is not used, and a person hears of it."""
    with visit() as plan:
        plan.require_import(IMPORT, HEADER)
    new = change(kind="imports", name=IMPORT, do="recreate")["id"]
    with visit() as plan:
        plan.require_import(IMPORT, HEADER)
    assert [
        f"import {IMPORT} is another one than before: its id is {new}, it was 112000000001. Was it remade on purpose?"
    ] == said


def test_b08_an_import_that_was_renamed_is_not_used_by_its_old_id(visit, change, said: list[str]) -> None:
    """The name is gone: refused with the close names, though the id is known and still answers."""
    with visit() as plan:
        plan.require_import(IMPORT, HEADER)
    change(kind="imports", name=IMPORT, do="rename", to="Load GL Actuals (old)")
    with (
        visit() as plan,
        pytest.raises(SetupError, match=r"no import named 'Load GL Actuals'.*Load GL Actuals \(old\)"),
    ):
        plan.require_import(IMPORT, HEADER)
    assert [] == said


def test_e25_a_second_import_of_the_name_is_not_hidden(visit, sandbox: Sandbox) -> None:
    """Known or not: two of one name are for a person to tell apart."""
    with visit() as plan:
        plan.require_import(IMPORT, HEADER)
    sandbox.set_switches(anaplan={"duplicate_action_names": True})
    with visit() as plan, pytest.raises(SetupError, match="2 imports named"):
        plan.require_import(IMPORT, HEADER)


@pytest.mark.parametrize(
    ("collection", "kind", "name"),
    [
        ("imports", "import", "Load GL Actuals"),
        ("exports", "export", "Export GL Actuals"),
        ("processes", "process", "Load All"),
        ("actions", "action", "Set Current Period"),
        ("files", "file", "gl_actuals.csv"),
        ("lists", "list", "Accounts"),
        ("modules", "module", "GL01 Actuals"),
        ("views", "view", "GL01 Actuals.Integration"),
    ],
)
def test_everything_is_found_by_name_and_by_id(api: Any, configure: Any, collection: str, kind: str, name: str) -> None:
    """And a wrong name shows the close one first."""
    model = Model(api, configure())
    found = model.find(collection, kind, name)
    assert found == model.find(collection, kind, str(found["id"]))
    with pytest.raises(SetupError, match=f"There is: '{name[:4]}"):
        model.find(collection, kind, name + "x")
