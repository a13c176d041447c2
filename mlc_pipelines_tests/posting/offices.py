"""An emulated ERP with plan books, as the machine of bad months sees it: what stands in the books, and what people there may do."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any, Protocol

import httpx

from mlc_pipelines.acumatica.client import Acumatica
from mlc_pipelines.acumatica.config import AcumaticaConfig, AcumaticaCredential
from mlc_pipelines.ledger.drafts import JournalDraft
from mlc_pipelines.ledger.ports import PlanBooks
from mlc_pipelines.sandbox.company import Batch
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.transport.caller import Limits
from mlc_pipelines.transport.secret import Secret
from mlc_pipelines_tests.acumatica.plans import DRAFT as MERIDIAN_DRAFT
from mlc_pipelines_tests.acumatica.plans import PERIOD, STAT

Money = list[tuple[str, str, int, int]]
READS, WRITES = "reads", "writes"


@dataclass(frozen=True, slots=True)
class Standing:
    """One journal of ours as the books themselves hold it. waiting: for somebody's approval there."""

    number: str
    reference: str
    released: bool
    waiting: bool
    money: tuple[tuple[str, str, int, int], ...]


class Office(Protocol):
    """What an ERP must offer to the machine. pattern: which requests read and write, for planting faults."""

    draft: JournalDraft
    pattern: dict[str, str]

    def is_write(self, request: httpx.Request) -> bool: ...

    def open_books(self, desk: int) -> PlanBooks: ...

    def journals(self) -> Sequence[Standing]: ...

    def edit(self, number: str) -> None: ...

    def delete(self, number: str) -> None: ...

    def approve(self, number: str) -> None: ...

    def decide(self, *, closed: bool, approval: bool, behind: bool) -> None: ...

    def actual(self) -> object: ...

    def clear(self) -> None: ...


def few_journals(sandbox: Sandbox) -> None:
    """Take most of the sample journals away: an emulator looks through all of them at each question."""
    books = sandbox.books
    here = [batch for batch in books.batches if batch.period == PERIOD]
    books.batches[:] = here[:20] + [batch for batch in here[20:] if batch.ledger == "STAT"]
    for journals in sandbox.ironvale.journals.values():
        del journals[3:]


class Meridian:
    """Acumatica's Statistical ledger of the sample company."""

    draft = MERIDIAN_DRAFT
    pattern = {READS: "^GET .*JournalTransaction", WRITES: "^(PUT|POST|DELETE) .*JournalTransaction"}  # noqa: RUF012

    def __init__(self, sandbox: Sandbox, desks: int, opened: ExitStack) -> None:
        self.sandbox, self.books = sandbox, sandbox.books
        erp = sandbox.info["acumatica"]
        secrets = (Secret(erp[name], name) for name in ("username", "password", "client_id", "client_secret"))
        credential = AcumaticaCredential(*secrets, "demo")
        said = {name: erp[name] for name in ("url", "tenant", "company", "ledger")}
        config = AcumaticaConfig(**said, limits=Limits(attempts=2), check_fields=False)
        self.clients = [opened.enter_context(Acumatica(config, credential, sleep=lambda _: None)) for _ in range(desks)]
        self._others = self._theirs()

    def is_write(self, request: httpx.Request) -> bool:
        return request.method != "GET" and "JournalTransaction" in request.url.path

    def open_books(self, desk: int) -> PlanBooks:
        """As a new process has them: nothing is remembered of what was sent."""
        return self.clients[desk].plan_journals(STAT)

    def _batches(self) -> list[Batch]:
        return [batch for batch in self.books.batches if batch.description.startswith("MLC-")]

    def _theirs(self) -> list[Any]:
        others = (batch for batch in self.books.batches if not batch.description.startswith("MLC-"))
        return [(batch.number, batch.ledger, batch.status, batch.period, len(batch.lines)) for batch in others]

    def journals(self) -> list[Standing]:
        return [
            Standing(
                batch.number,
                batch.description.split(" ")[0],
                batch.status in ("Posted", "Unposted"),
                batch.status == "Pending Approval",
                tuple(
                    sorted((line.account, line.subaccount, line.debit_minor, line.credit_minor) for line in batch.lines)
                ),
            )
            for batch in self._batches()
        ]

    def edit(self, number: str) -> None:
        batch = self.books.batch(number)
        batch.lines[0] = replace(batch.lines[0], debit_minor=batch.lines[0].debit_minor + 1)

    def delete(self, number: str) -> None:
        self.books.remove(self.books.batch(number))

    def approve(self, number: str) -> None:
        self.books.batch(number).status = "Balanced"

    def decide(self, *, closed: bool, approval: bool, behind: bool) -> None:
        self.books.periods[PERIOD].status = "Closed" if closed else "Open"
        self.sandbox.set_switches(acumatica={"approval_map": approval, "lists_behind": behind})

    def actual(self) -> object:
        """Whether the actual books, and everything else that is not ours, are what they were; and ours stand in the plan's ledger."""
        return self._theirs() == self._others and {batch.ledger for batch in self._batches()} <= {"STAT"}

    def clear(self) -> None:
        """As it was before the example began."""
        self.sandbox.traffic.clear()
        self.decide(closed=False, approval=False, behind=False)
        for batch in self._batches():
            self.books.remove(batch)
