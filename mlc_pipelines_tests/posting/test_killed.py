"""P01, P03, P13, G05: a real process is ended by SIGKILL at each boundary of a posting, and another process brings it to its end."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mlc_pipelines.sandbox.acumatica import budgets
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.store.home import Store
from mlc_pipelines.store.postings import SEALED, WAITING
from mlc_pipelines_tests.acumatica.plans import PERIOD
from mlc_pipelines_tests.epicor.planning import Door
from mlc_pipelines_tests.posting.driver import KINDS, draft_of, is_write
from mlc_pipelines_tests.posting.offices import few_journals

KILLED = -9
STATISTICAL, ARTICLES, PLAN_BOOK, BUDGET = KINDS
SHORT, FEWEST = 4, 12


@pytest.fixture(scope="module")
def own_sandbox() -> Iterator[Sandbox]:
    """With few journals, since each look-up goes through all of them."""
    with Sandbox.start() as sandbox:
        few_journals(sandbox)
        yield sandbox


@dataclass
class Driven:
    """The processes that post, and what the books hold of what they posted."""

    kind: str
    sandbox: Sandbox
    process: "subprocess.Popen[str]"
    serial: int = 0

    def run(self, **wish: Any) -> dict[str, Any]:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps({"serial": self.serial, **wish}) + "\n")
        self.process.stdin.flush()
        found: dict[str, Any] = json.loads(self.process.stdout.readline())
        return found

    def actual(self) -> object:
        """Every figure of the actual books."""
        if self.kind in (STATISTICAL, ARTICLES):
            return self.sandbox.books.truth("ACTUAL", PERIOD)
        return Door(self.sandbox).digest

    def require_once(self) -> None:
        """Exactly one journal with the approved lines and nothing beside it; or exactly the approved figures."""
        draft = draft_of(self.kind, self.serial)
        meant = sorted(line.money for line in draft.lines)
        if self.kind == STATISTICAL:
            found = [one for one in self.sandbox.books.batches if one.description.startswith(draft.reference)]
            assert ["Posted"] == [one.status for one in found]
            assert meant == sorted(
                (one.account, one.subaccount, one.debit_minor, one.credit_minor) for one in found[0].lines
            )
        elif self.kind == PLAN_BOOK:
            Door(self.sandbox).require_one(draft)
        elif self.kind == ARTICLES:
            articles = {key[3:]: one.periods[2] for key, one in self.sandbox.site.budgets.items()}
            assert {(account, sub): debit or credit for account, sub, debit, credit in meant} == articles
        else:
            found_of = {
                one["account"]: one["periods"]["3"]
                for one in Door(self.sandbox).get("budgets", book="MAIN", code="ORIG", year="2027")["budgets"]
            }
            wanted = {f"{account}|{sub.partition('|')[0]}": debit - credit for account, sub, debit, credit in meant}
            assert wanted == {account: found_of[account] for account in wanted}

    def bring_to_its_end(self) -> dict[str, Any]:
        """Another process goes on; where a person has to release the figures in the ERP, that person does."""
        ended = self.run(sweep=True)
        if self.kind == ARTICLES:
            assert (WAITING, True) == (ended["state"], "on form GL505510" in ended["why"])
            budgets.release(self.sandbox.site, "BUDGET", "2027", "HQ")
            ended = self.run()
        return ended


@pytest.fixture(scope="module")
def drive(own_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Driven]]:
    """One driver for each kind of destination, since loading the code takes longer than posting."""
    started: dict[str, Driven] = {}

    def drive(kind: str) -> Driven:
        if kind not in started:
            started[kind] = _start(kind, own_sandbox, tmp_path_factory.mktemp("home"))
        started[kind].serial += 1
        return started[kind]

    yield drive
    for driven in started.values():
        driven.process.kill()
        driven.process.communicate()


def _start(kind: str, sandbox: Sandbox, home: Path, *traced_by: str) -> Driven:
    Store.open(home, f"sqlite:///{home / 'mlc.db'}").engine.dispose()
    command = [*traced_by, sys.executable, "-m", "mlc_pipelines_tests.posting.driver"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    info = {name: dict(sandbox.info[name]) for name in ("acumatica", "epicor")}
    assert process.stdin
    process.stdin.write(json.dumps({"kind": kind, "home": str(home), "info": info}, default=str) + "\n")
    return Driven(kind, sandbox, process)


def killed_everywhere(driven: Driven, every: int) -> int:
    """How many processes were killed, each at a boundary of its own; all of them without harm."""
    actual, at = driven.actual(), 1
    while True:
        driven.serial += 1
        first = driven.run(kill_at=at)
        if first["ended"] == 0:
            break
        assert KILLED == first["ended"]
        ended = driven.bring_to_its_end()
        assert (0, SEALED) == (ended["ended"], ended["state"]), ended
        driven.require_once()
        at += every
    assert actual == driven.actual()
    return (at - 1) // every


@pytest.mark.prove
@pytest.mark.parametrize("kind", KINDS)
def test_G05_killed_at_every_write_boundary(drive, kind, capsys) -> None:
    """0 lost, 0 doubled, no state unknown, whoever goes on: before and after each commit, each write and its answer."""
    killed = killed_everywhere(drive(kind), 1)
    with capsys.disabled():
        print(f"\n{kind}: {killed} processes killed")  # noqa: T201
    assert killed >= FEWEST


def test_G05_killed_at_some_of_them(drive) -> None:
    """The short form: one process in so many."""
    assert killed_everywhere(drive(STATISTICAL), 6) >= SHORT


@pytest.mark.parametrize("kind", [STATISTICAL, *(pytest.param(kind, marks=pytest.mark.prove) for kind in KINDS[1:])])
def test_P03_the_intent_is_committed_before_the_first_write_leaves(drive, kind) -> None:
    """The order of what leaves the process: a commit that is through stands before every request that may change the books."""
    names = drive(kind).run()["names"]
    first_write = next(at for at, name in enumerate(names) if name.startswith("before ") and is_write(name[7:]))
    assert "after INSERT INTO postings" in names[:first_write]
    assert names.index("after commit") < first_write


def may_trace() -> bool:
    """Whether this machine has strace, and lets it look into a process."""
    return (
        bool(shutil.which("strace"))
        and not subprocess.run(["strace", "-o", os.devnull, "true"], check=False).returncode
    )


@pytest.mark.prove
@pytest.mark.skipif(not may_trace(), reason="there is no strace here, or it may not trace")
@pytest.mark.parametrize("kind", KINDS)
def test_P03_nothing_unsynchronised_is_left_when_a_write_leaves(own_sandbox, tmp_path, kind) -> None:
    """By the order of system calls: between the last byte written to the database's log and each write to the ERP the log was synchronised."""
    trace = tmp_path / "trace"
    calls = "trace=pwrite64,fdatasync,fsync,sendto"
    driven = _start(kind, own_sandbox, tmp_path, "strace", "-f", "-y", "-s", "300", "-e", calls, "-o", str(trace))
    driven.serial = 1_000
    driven.run()
    driven.process.communicate()
    unsynchronised, intents, writes = 0, 0, 0
    for line in trace.read_text(errors="replace").splitlines():
        if "mlc.db-wal>" in line:
            unsynchronised = unsynchronised + 1 if "pwrite64(" in line else 0
            intents += "pwrite64(" in line
        sent = re.search(r'sendto\(.*?, "((?:PUT|POST|DELETE) [^ ?"]+)', line)
        if sent and is_write(sent[1]):
            writes += 1
            assert (True, 0) == (intents > 0, unsynchronised), line
    assert writes
