"""H14: the code was upgraded between a crash and the next try. Histories recorded by earlier versions come to the same end under today's."""

from pathlib import Path

import pytest

from mlc_pipelines.flows.posting import sweep
from mlc_pipelines.store.postings import SEALED, Postings
from mlc_pipelines.store.schema import open_engine
from mlc_pipelines_tests.posting.conftest import Clock, desk_of
from mlc_pipelines_tests.posting.record import histories, restored
from mlc_pipelines_tests.posting.samples import DRAFT, taken_up


@pytest.mark.parametrize("history", list(histories()), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_H14_a_recorded_history_ends_the_same(history: Path, tmp_path: Path) -> None:
    """One released journal with the approved lines, under the reference it had: another one would be another journal, and a second posting."""
    said, books = restored(history, tmp_path / "mlc.db")
    engine = open_engine(f"sqlite:///{tmp_path / 'mlc.db'}")
    register = Postings(engine, "demo", who="m.lee", run="after the upgrade")
    [row] = said["rows"]["postings"]
    draft, approval = register.draft(row["reference"])
    assert (row["reference"], row["content_hash"]) == (draft.reference, draft.content_hash)
    assert approval is not None
    desk = desk_of(register, books, Clock())
    outcomes = taken_up(draft.plan, desk)
    sweep(desk)
    assert [SEALED] == [one.state for one in outcomes] or row["state"] == SEALED
    assert SEALED == register.require(row["reference"]).state
    [journal] = books.journals.values()
    assert (True, DRAFT.lines) == (journal.released, journal.lines)
    engine.dispose()


def test_H14_some_were_recorded() -> None:
    assert 14 <= len(list(histories()))
