"""A register in a real database, small books, and a desk between them whose clock only moves when somebody waits."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from mlc_pipelines.flows.clerk import Limits, PostingDesk
from mlc_pipelines.store.postings import Postings
from mlc_pipelines.store.schema import open_engine
from mlc_pipelines_tests.posting.books import SmallBooks


@dataclass
class Clock:
    """Seconds that pass by waiting alone. waited: each wait."""

    at: float = 0.0
    waited: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.at += seconds


@pytest.fixture
def register(fresh_database: Path, tmp_path: Path) -> Iterator[Postings]:
    shutil.copy(fresh_database, tmp_path / "mlc.db")
    engine = open_engine(f"sqlite:///{tmp_path / 'mlc.db'}")
    yield Postings(engine, "demo", who="r.diaz", run="run-1")
    engine.dispose()


@pytest.fixture
def books() -> SmallBooks:
    return SmallBooks()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def desk(register: Postings, books: SmallBooks, clock: Clock) -> PostingDesk:
    return desk_of(register, books, clock)


def desk_of(register: Postings, books: SmallBooks, clock: Clock, **other: Any) -> PostingDesk:
    given = {"require_fence": lambda: None, "limits": Limits(), **other}
    return PostingDesk(books, register, now=clock.now, sleep=clock.sleep, **given)
