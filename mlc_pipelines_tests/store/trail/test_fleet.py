"""Several machines with one Postgres database: each a home of its own, one writer among them, one trail for all."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from mlc_pipelines.flows.trail import require_clean
from mlc_pipelines.ledger.drafts import FenceLost
from mlc_pipelines.ledger.errors import TransientError, UncertainError
from mlc_pipelines.store.fence import RequireHeld
from mlc_pipelines.store.home import Store
from mlc_pipelines.store.schema import open_engine
from mlc_pipelines_tests.store.trail.samples import fill

OTHER_MACHINE = """
import sys
from pathlib import Path
from mlc_pipelines.store.fence import RequireHeld
from mlc_pipelines.store.home import Store
with Store.open(Path(sys.argv[1]), sys.argv[2]).fence("model ABC", holder="demo FY2026-P03", wait_seconds=0):
    print("held", flush=True)
    sys.stdin.readline()
"""
END_SESSIONS = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"


@pytest.fixture
def here(postgres_url: str, tmp_path: Path) -> Iterator[Store]:
    store = Store.open(tmp_path / "here", postgres_url)
    yield store
    store.engine.dispose()


def test_one_machine_at_a_time_writes(here: Store, postgres_url: str, tmp_path: Path) -> None:
    """Whoever waits in vain is told who writes, and where; a process that dies gives the lock back, without anybody's doing. Other models are free meanwhile."""
    command = [sys.executable, "-c", OTHER_MACHINE, str(tmp_path / "there"), postgres_url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as there:
        assert there.stdout
        assert "held\n" == there.stdout.readline()
        said = r"^WAITING: model ABC is being written by demo FY2026-P03, process \d+ on .+, which shares this database"
        with pytest.raises(TransientError, match=said), here.fence("model ABC", holder="me", wait_seconds=0):
            pass
        with here.fence("model DEF", holder="me", wait_seconds=0) as require_held:
            require_held()
        there.kill()
        there.wait()
    with here.fence("model ABC", holder="me", wait_seconds=10) as require_held:
        require_held()
    with here.fence("model ABC", holder="me, at once again", wait_seconds=0):
        pass


def test_a_lock_whose_session_ended_is_lost_before_the_next_write(here: Store, postgres_url: str) -> None:
    """A restarted server, or a pooler that ends sessions: somebody else may hold it by now."""
    server = open_engine(postgres_url)

    def cut(require_held: RequireHeld) -> None:
        with server.connect() as db:
            assert 1 == len(db.execute(sa.text(END_SESSIONS)).all())
        with pytest.raises(FenceLost, match="its session in the database ended"):
            require_held()

    with (
        pytest.raises(UncertainError, match="was lost while me held it"),
        here.fence("model ABC", holder="me", wait_seconds=0) as require_held,
    ):
        cut(require_held)
    with here.fence("model ABC", holder="me again", wait_seconds=5) as require_held:
        require_held()
    server.dispose()


def test_a_trail_is_shared_with_its_records_heads_and_key(
    here: Store, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With only the database in common, the second machine misses the records of the first one, and moves nothing."""
    fill(here.trail)
    there = Store.open(tmp_path / "there", postgres_url)
    with pytest.raises(Exception, match="the file of its records is missing"):
        require_clean(there.trail)
    shared = tmp_path / "shared"
    shutil.copytree(here.home / "audit", shared)
    shutil.copytree(here.home / "keys", there.home / "keys", dirs_exist_ok=True)
    monkeypatch.setenv("MLC_AUDIT_RECORDS", str(shared / "records"))
    monkeypatch.setenv("MLC_AUDIT_CHECKPOINTS", str(shared / "checkpoints.jsonl"))
    require_clean(there.trail)
    fill(there.trail, seed=1)
    require_clean(here.trail)
    there.engine.dispose()
