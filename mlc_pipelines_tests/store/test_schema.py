"""The database is made, opened again, refused when it is newer, and survives being killed while it is made."""

from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.store.home import Store, default_home
from mlc_pipelines.store.schema import REVISION, metadata, open_engine
from mlc_pipelines_tests.posting.samples import DRAFT
from mlc_pipelines_tests.store.older import migrate

OPENER = """
import sys
from pathlib import Path
from mlc_pipelines.store.home import Store
print("ready", flush=True)
sys.stdin.readline()
store = Store.open(Path(sys.argv[1]), "")
store.history.record_step("demo", "gl_actuals", "FY2026-P01", "hash", {})
print("opened", flush=True)
"""

KILLED = """
import os, sys
import sqlalchemy as sa
from pathlib import Path
from mlc_pipelines.store.home import Store
made = []
@sa.event.listens_for(sa.engine.Engine, "after_cursor_execute")
def die(connection, cursor, statement, *rest):
    if statement.strip().startswith("CREATE"):
        made.append(statement)
    if len(made) == int(sys.argv[2]):
        os._exit(9)
Store.open(Path(sys.argv[1]), "")
"""


def tables(store: Store) -> dict[str, set[str]]:
    inspector = sa.inspect(store.engine)
    return {name: {column["name"] for column in inspector.get_columns(name)} for name in inspector.get_table_names()}


@pytest.fixture(autouse=True)
def no_database_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLC_DATABASE_URL", raising=False)


def test_a_fresh_home_gets_all_tables(tmp_path: Path) -> None:
    """What the revisions make is what the code believes to be there, column by column and index by index."""
    store = Store.open(tmp_path / "deep" / "home")
    expected = {table.name: {column.name for column in table.columns} for table in metadata.sorted_tables}
    assert expected == {name: columns for name, columns in tables(store).items() if name != "alembic_version"}
    indexes = {index.name for table in metadata.sorted_tables for index in table.indexes}
    assert indexes == {index["name"] for name in expected for index in sa.inspect(store.engine).get_indexes(name)}
    assert 0o700 == (tmp_path / "deep" / "home").stat().st_mode & 0o777


def test_opening_again_keeps_what_is_there(store: Store) -> None:
    """The second time nothing is made and nothing is lost."""
    store.history.record_step("demo", "gl_actuals", "FY2026-P01", "hash", {"lines": 7})
    again = Store.open(store.home)
    assert {"lines": 7} == again.history.require_step("demo", "gl_actuals", "FY2026-P01").facts


def test_two_processes_may_open_a_fresh_home_at_once(start, tmp_path: Path) -> None:
    """One makes the tables, the other one waits; both work."""
    processes = [start(OPENER, tmp_path) for _ in range(2)]
    assert ["ready\n"] * 2 == [process.stdout.readline() for process in processes]
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    assert ["opened\n"] * 2 == [process.stdout.readline() for process in processes]
    assert [0, 0] == [process.wait() for process in processes]
    with Store.open(tmp_path).engine.connect() as db:
        assert 2 == db.execute(sa.text("SELECT count(*) FROM steps")).scalar()


@pytest.mark.parametrize("after", [1, 2, 5])
def test_a_home_whose_making_was_killed_is_made_whole(start, tmp_path: Path, after: int) -> None:
    """I08: killed between two tables, the next start finds all or nothing, never half."""
    assert 9 == start(KILLED, tmp_path, after).wait()
    store = Store.open(tmp_path)
    assert {"alembic_version", *metadata.tables} == set(tables(store))


def test_postings_from_before_plans_were_kept_stay_what_they_are(tmp_path: Path) -> None:
    """Revision 0007 knew no plan of a journal: such a row is carried over whole, is found by its reference, and belongs to no plan."""
    url = f"sqlite:///{tmp_path / 'mlc.db'}"
    migrate(url, "0007")
    old = replace(DRAFT, version="0")
    row = {"reference": old.reference, "connection": "demo", "package": "p" * 64, "period": old.period}
    row |= {"content_hash": old.content_hash, "draft": old.to_text(), "approval": "", "state": "SEALED", "number": "7"}
    row |= {"note": "", "made_at": "2026-03-01", "changed_at": "2026-03-02"}
    with sa.create_engine(url).begin() as db:
        db.execute(sa.text(f"INSERT INTO postings ({', '.join(row)}) VALUES (:{', :'.join(row)})"), row)
        event = "INSERT INTO posting_events VALUES (1, :reference, 'SEALED', '7', '', 'r.diaz', 'run-1', '2026-03-02')"
        db.execute(sa.text(event), row)
    store = Store.open(tmp_path, url)
    register = store.postings("demo", who="m.lee")
    assert ("SEALED", "7", "2026-03-02") == (lambda one: (one.state, one.number, one.changed_at))(
        register.require(old.reference)
    )
    assert (old, None) == register.draft(old.reference)
    assert ["r.diaz"] == [event.who for event in register.events(old.reference)]
    assert [] == register.of_plan(old.plan)
    register.plan([DRAFT], "q" * 64)
    assert [DRAFT.reference] == [draft.reference for draft, _, _ in register.of_plan(DRAFT.plan)]
    assert store.approvals("demo").find("p" * 64) is None


def test_a_database_of_a_newer_version_is_refused_untouched(store: Store) -> None:
    """I08: old code must not write into tables it does not know."""
    with store.engine.begin() as db:
        db.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SetupError, match=f"revision 9999; this version of mlc_pipelines knows {REVISION}") as refusal:
        Store.open(store.home)
    assert "Install the newer version" in refusal.value.next_step
    with store.engine.connect() as db:
        assert "9999" == db.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()


def test_the_database_survives_a_power_cut_as_far_as_sqlite_can(store: Store) -> None:
    """Write-ahead log, full synchronisation, and waiting for another writer instead of failing."""
    with store.engine.connect() as db:
        said = [
            db.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "busy_timeout", "foreign_keys")
        ]
    assert ["wal", 2, 30000, 1] == said


def test_home_and_database_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """MLC_HOME and MLC_DATABASE_URL; without them .mlc where the work is done."""
    monkeypatch.delenv("MLC_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    assert tmp_path / ".mlc" == default_home()
    monkeypatch.setenv("MLC_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("MLC_DATABASE_URL", f"sqlite:///{tmp_path / 'elsewhere.db'}")
    assert tmp_path / "state" == Store.open().home
    assert (tmp_path / "elsewhere.db").is_file()
    assert not (tmp_path / "state" / "mlc.db").exists()


def test_an_engine_can_be_opened_in_memory() -> None:
    """For whoever wants to try something without leaving a trace."""
    assert sa.inspect(open_engine("sqlite://")).has_table("loads")
