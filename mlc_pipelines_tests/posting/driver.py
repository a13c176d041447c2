"""A process that posts, and is killed at a boundary that is chosen beforehand: between it and the ERP, between it and its database.

    python -m mlc_pipelines_tests.posting.driver   (settings as one line of JSON on its input, then one line for each run)

Every run is a process of its own, forked from one that has only loaded the code. The boundaries are counted from outside the product: what is
wrapped is Python's socket and SQLAlchemy's dialect. Answers with one line of JSON for each run.
"""

import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy.engine.default import DefaultDialect

from mlc_pipelines.acumatica.client import Acumatica
from mlc_pipelines.acumatica.config import AcumaticaConfig, AcumaticaCredential
from mlc_pipelines.epicor.client import Epicor
from mlc_pipelines.epicor.config import BudgetRule, EpicorConfig, EpicorCredential, PlanJournalsRule
from mlc_pipelines.flows.clerk import Outcome, PostingDesk
from mlc_pipelines.flows.native import TableDesk, write_all
from mlc_pipelines.flows.posting import post_once, sweep
from mlc_pipelines.ledger.drafts import Destination, DraftLine, JournalDraft
from mlc_pipelines.store.fence import fence
from mlc_pipelines.store.postings import Postings
from mlc_pipelines.store.schema import open_engine
from mlc_pipelines.transport.caller import Limits
from mlc_pipelines.transport.secret import Secret
from mlc_pipelines_tests.acumatica import plans as meridian
from mlc_pipelines_tests.epicor import planning as ironvale
from mlc_pipelines_tests.posting.samples import approved

Settings = dict[str, Any]
ACUMATICA_NAMES = ("username", "password", "client_id", "client_secret")
EPICOR_NAMES = ("api_key", "username", "password", "client_id", "client_secret")
NATIVE = {
    "articles": Destination("home-1", "Meridian", "MERIDIAN", "BUDGET", one_sided=True),
    "budget": Destination("home-1", "https://kinetic.example", "IVM", "MAIN", one_sided=True),
}
RENT_OF = {"articles": ("6200", "020-000"), "budget": ("6010", "310|")}
FEES_OF = {"articles": ("4010", "020-ADV"), "budget": ("4010", "410|")}
KINDS = ("journals in a statistical ledger", "articles", "journals in a plan book", "budget")


def draft_of(kind: str, serial: int) -> JournalDraft:
    """A journal or set of figures of its own for each run of the test: other plan, and other figures where they are set by key."""
    if kind == KINDS[0]:
        return replace(meridian.DRAFT, plan=f"Budget {serial}")
    if kind == KINDS[2]:
        return replace(ironvale.DRAFT, plan=f"Budget {serial}")
    lines = (DraftLine(*RENT_OF[kind], 100_000 + serial, 0), DraftLine(*FEES_OF[kind], 0, 50_000 + serial))
    return JournalDraft(NATIVE[kind], f"Budget {serial}", "1", "FY2027-P03", 1, "USD", lines)


def client_of(kind: str, info: Settings) -> AbstractContextManager[Any]:
    if kind in (KINDS[0], "articles"):
        erp = info["acumatica"]
        credential = AcumaticaCredential(*(Secret(erp[name], name) for name in ACUMATICA_NAMES), "demo")
        config = {name: erp[name] for name in ("url", "tenant", "company", "ledger")}
        limits = Limits(attempts=2)
        return Acumatica(AcumaticaConfig(**config, limits=limits, check_fields=False), credential, sleep=_no_sleep)
    erp = info["epicor"]
    credential_too = EpicorCredential(*(Secret(erp[name], name) for name in EPICOR_NAMES), "demo")
    config = {name: erp[name] for name in ("url", "company", "book")}
    return Epicor(
        EpicorConfig(**config, cost_center_segment=2, limits=Limits(attempts=2)), credential_too, sleep=_no_sleep
    )


def _no_sleep(_seconds: float) -> None:
    """Waiting is not what this is about."""


def post(settings: Settings, serial: int) -> Outcome:
    """Bring one plan into its destination, under the fence of the company, from whatever an earlier process left behind."""
    kind, home = settings["kind"], Path(settings["home"])
    draft = draft_of(kind, serial)
    engine = open_engine(f"sqlite:///{home / 'mlc.db'}")
    register = Postings(engine, "demo", who="r.diaz", run=str(os.getpid()))
    holder = {"holder": "driver", "wait_seconds": 5.0}
    with client_of(kind, settings["info"]) as client, fence(home / "locks", "company", **holder) as require_held:
        if kind in NATIVE:
            rule = meridian.BUDGET if kind == "articles" else BudgetRule(book="MAIN", budget_code="ORIG")
            require_approval: Callable[[JournalDraft], None] = lambda _draft: None  # noqa: E731
            desk = TableDesk(client.budget_table(rule), register, require_held, require_approval, sleep=_no_sleep)
            return write_all([draft], [], approved(draft), desk)[0]
        chosen = meridian.STAT if kind == KINDS[0] else PlanJournalsRule(book="PLAN", journal_code="BU")
        at_work = PostingDesk(client.plan_journals(chosen), register, require_held, sleep=_no_sleep)
        outcome = post_once(draft, approved(draft), at_work)
        if settings.get("sweep"):
            sweep(at_work)
        return outcome


class Boundaries:
    """Everything that leaves the process or becomes durable, in order; the process ends at the one that was chosen.

    Chosen may be those around a write: before and after each commit; before a write leaves, after it has left, and after its answer came. In
    between nothing changes but what the process itself remembers.
    """

    def __init__(self, kill_at: int, is_write: Callable[[str], bool]) -> None:
        self.kill_at, self.is_write = kill_at, is_write
        self.names: list[str] = []
        self._crossed = 0
        self._sent = ""

    def cross(self, name: str) -> None:
        self.names.append(name)
        self._crossed += 1
        if self._crossed == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self) -> None:
        """From now on, in this process alone."""
        send, receive = socket.socket.sendall, socket.socket.recv_into
        commit, execute = DefaultDialect.do_commit, DefaultDialect.do_execute

        def sendall(sock: socket.socket, data: Any, *flags: int) -> None:
            first = bytes(data[:300]).split(b"\r\n", 1)[0].decode("latin-1")
            if first.endswith("HTTP/1.1"):
                self._sent = " ".join(first.split(" ")[:2])
            if not self.is_write(self._sent):
                self.names.append(f"before {self._sent}")
                return send(sock, data, *flags)
            self.cross(f"before {self._sent}")
            send(sock, data, *flags)
            return self.cross(f"after {self._sent}")

        def recv_into(sock: socket.socket, *given: Any) -> int:
            count = receive(sock, *given)
            if self._sent and self.is_write(self._sent):
                self.cross(f"answered {self._sent}")
            self._sent = ""
            return count

        def do_commit(dialect: Any, connection: Any) -> None:
            self.cross("before commit")
            commit(dialect, connection)
            self.cross("after commit")

        def do_execute(dialect: Any, cursor: Any, statement: str, *given: Any) -> None:
            execute(dialect, cursor, statement, *given)
            if not statement.lstrip().upper().startswith("SELECT"):
                self.names.append(f"after {' '.join(statement.split()[:3])}")

        socket.socket.sendall, socket.socket.recv_into = sendall, recv_into  # type: ignore[method-assign,assignment]
        DefaultDialect.do_commit, DefaultDialect.do_execute = do_commit, do_execute  # type: ignore[method-assign,assignment]


def is_write(request: str) -> bool:
    """Whether a request may change the books: by its method in Acumatica, by the name of the method in Kinetic."""
    method, _, path = request.partition(" ")
    if "/Kinetic/" in path or "/odata/" in path:
        return path.endswith(ironvale.WRITES)
    return method in ("PUT", "POST", "DELETE") and "/entity/" in path and "auth" not in path


def run(settings: Settings, serial: int, kill_at: int) -> Settings:
    """One process: forked, killed or at its end, and what is known of it then."""
    said, tell = os.pipe()
    child = os.fork()
    if not child:
        os.close(said)
        boundaries = Boundaries(kill_at, is_write)
        boundaries.watch()
        outcome = post(settings, serial)
        result = {"state": outcome.state, "why": outcome.why, "number": outcome.number, "names": boundaries.names}
        os.write(tell, json.dumps(result).encode())
        os._exit(0)
    os.close(tell)
    with os.fdopen(said, "rb") as pipe:
        text = pipe.read()
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return {"ended": ended, **(json.loads(text) if text else {})}


def main() -> None:
    settings = json.loads(sys.stdin.readline())
    for line in sys.stdin:
        wish = json.loads(line)
        sys.stdout.write(json.dumps(run({**settings, **wish}, wish["serial"], wish.get("kill_at", 0))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
