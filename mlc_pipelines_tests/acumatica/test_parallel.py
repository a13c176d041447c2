"""Reading one period side by side: in order, in sessions of its own each, none left open, and the first failure ends it."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from mlc_pipelines.acumatica.client import Acumatica
from mlc_pipelines.acumatica.config import AcumaticaConfig, AcumaticaCredential
from mlc_pipelines.acumatica.parallel import in_turn
from mlc_pipelines.ledger.errors import DataError, PipelineError, SetupError, TransientError
from mlc_pipelines.ledger.fiscal import FiscalPeriod
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.store.home import Store

PAGE = r"GET .*JournalTransaction.*[$]expand=Details"
Config = Callable[..., AcumaticaConfig]
Connect = Callable[..., Acumatica]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "home", f"sqlite:///{tmp_path / 'home' / 'mlc.db'}")
    yield opened
    opened.engine.dispose()


@pytest.fixture
def connect(config: Config, credential: AcumaticaCredential, store: Store) -> Connect:
    """Four sessions, as the store counts them; pages of 45 batches."""

    def build(**changes: Any) -> Acumatica:
        said = {"lines_from": "transactions", "page_batches": 45, "sessions": 4, "parallel": 4, **changes}
        return Acumatica(
            config(**said), credential, sleep=lambda _: None, seats=store.seats("demo"), contracts=store.contracts
        )

    return build


def require_nothing_open(sandbox: Sandbox, store: Store) -> None:
    assert (0, []) == (sandbox.site.sessions_open(), store.seats("x").all())


# -- the order of work ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("readers", [1, 2, 3, 7])
def test_results_come_in_the_order_of_the_tasks(readers: int) -> None:
    """However many readers there are: every task once, in order, and no reader at two at once."""
    busy: set[int] = set()

    def work(reader: int, task: int) -> int:
        assert reader not in busy
        busy.add(reader)
        threading.Event().wait(0.002 * (task % 3))
        busy.remove(reader)
        return task * task

    assert [n * n for n in range(20)] == list(in_turn(work, range(20), range(readers)))


def test_no_more_is_read_ahead_than_there_are_readers() -> None:
    """Memory is bounded: what nobody has taken yet is at most one result for each reader."""
    begun: list[int] = []
    results = in_turn(lambda _, task: begun.append(task), range(100), "abc")
    for taken in range(1, 20):
        next(results)
        assert len(begun) <= taken + 3
    results.close()
    assert len(begun) <= 19 + 3


def test_the_first_failure_ends_it_and_every_other_one_is_told() -> None:
    """Nothing is begun after a failure; what others failed of meanwhile is a note beside it."""
    begun: list[int] = []
    both = threading.Barrier(2)

    def work(_: str, task: int) -> int:
        begun.append(task)
        if task in (2, 3):
            both.wait(5)
            raise DataError(f"task {task}")
        return task

    with pytest.raises(DataError, match=r"task [23]") as caught:
        list(in_turn(work, range(50), "ab"))
    assert [0, 1, 2, 3] == sorted(begun)
    assert [f"Read beside it, and failed as well: task {5 - int(str(caught.value)[5])}"] == caught.value.__notes__


# -- against the site -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("auth", ["oauth_password", "cookie"])
def test_several_sessions_read_what_one_reads(
    connect: Connect, sandbox: Sandbox, store: Store, march: FiscalPeriod, auth: str
) -> None:
    """The same lines in the same order, with four sessions of their own, all of them used and all signed out."""
    sandbox.set_switches(acumatica={"order": "scrambled"})
    with connect(auth=auth, parallel=1) as ledger:
        alone = pa.Table.from_batches(ledger.read_posted(march))
    assert 1 == sandbox.site.sessions_most
    with connect(auth=auth) as ledger:
        together = pa.Table.from_batches(ledger.read_posted(march))
        assert () == ledger.identity().warnings
    assert alone.to_pylist() == together.to_pylist()
    assert len(sandbox.books.posted_lines("ACTUAL", march.key)) == len(together)
    assert 4 == sandbox.site.sessions_most
    require_nothing_open(sandbox, store)


def test_b20_fewer_sessions_where_the_licence_refuses(
    connect: Connect, sandbox: Sandbox, store: Store, march: FiscalPeriod
) -> None:
    """A licence of two: two read, nobody waits for the others, and the report says so."""
    sandbox.set_switches(acumatica={"max_sessions": 2})
    with connect() as ledger:
        lines = pa.Table.from_batches(ledger.read_posted(march))
        assert "FY2026-P03 was read in 2 sessions at once, not in 4" in " ".join(ledger.identity().warnings)
    assert len(sandbox.books.posted_lines("ACTUAL", march.key)) == len(lines)
    assert 2 == sandbox.site.sessions_most
    require_nothing_open(sandbox, store)


def test_b20_fewer_sessions_where_another_run_has_them(
    connect: Connect, sandbox: Sandbox, store: Store, march: FiscalPeriod
) -> None:
    """The sessions of an installation are shared by its runs: who reads side by side never takes more than are left."""
    with connect(parallel=1) as first, connect(parallel=1) as second:
        first.identity()
        second.identity()
        with connect(sessions=3, parallel=3) as third:
            assert len(list(third.read_posted(march)))
            assert "in one session at once, not in 3" in " ".join(third.identity().warnings)
        assert 3 == sandbox.site.sessions_most
    require_nothing_open(sandbox, store)


@pytest.mark.parametrize(
    ("action", "error"),
    [
        pytest.param({"kind": "status", "status": 403, "body": '{"message":"No."}'}, SetupError, id="refused"),
        pytest.param({"kind": "status", "status": 504}, TransientError, id="busy"),
        pytest.param({"kind": "replace", "pattern": '"Account":', "with": '"Konto":', "count": 0}, DataError, id="odd"),
    ],
)
def test_b20_a_failure_in_one_session_signs_out_of_all(
    connect: Connect,
    sandbox: Sandbox,
    store: Store,
    march: FiscalPeriod,
    action: dict[str, Any],
    error: type[PipelineError],
) -> None:
    """Whoever fails, and at whichever page: the reading ends, and no seat stays taken."""
    sandbox.traffic.plant({"match": PAGE, "skip": 2, "times": -1, "action": action})
    with pytest.raises(error), connect() as ledger:
        list(ledger.read_posted(march))
    assert 4 == sandbox.site.sessions_most
    require_nothing_open(sandbox, store)


def test_b20_a_reading_that_nobody_follows_to_its_end_signs_out_of_all(
    connect: Connect, sandbox: Sandbox, store: Store, march: FiscalPeriod
) -> None:
    """A full disk, say: the lines are not taken to the end, the generator is still held, and all the same no seat stays taken."""
    with connect() as ledger:
        held = ledger.read_posted(march)
        assert len(next(held))
        assert 4 == sandbox.site.sessions_open()
    require_nothing_open(sandbox, store)
    assert [] == list(held)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"parallel": 5}, "erp.sessions` allows 4"),
        ({"lines_from": "inquiry"}, "needs `lines_from: transactions`"),
        ({"auth": "oauth_code"}, "share one session"),
        ({"parallel": 0}, "at least 1"),
    ],
)
def test_what_cannot_be_read_side_by_side_is_refused(config: Config, changes: dict[str, Any], complaint: str) -> None:
    """A setting that would do nothing is not taken in silence."""
    with pytest.raises(SetupError, match=complaint):
        config(**{"lines_from": "transactions", "sessions": 4, "parallel": 4, **changes})
