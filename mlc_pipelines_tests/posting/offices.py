"""Emulated ERPs with plan books, as the machine of bad months sees them: what stands in the books, and what people there may do."""

import re
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any, Protocol

import httpx

from mlc_pipelines.acumatica.client import Acumatica
from mlc_pipelines.acumatica.config import AcumaticaConfig, AcumaticaCredential
from mlc_pipelines.epicor.client import Epicor
from mlc_pipelines.epicor.config import EpicorConfig, EpicorCredential, PlanJournalsRule
from mlc_pipelines.ledger.drafts import JournalDraft
from mlc_pipelines.ledger.ports import PlanBooks
from mlc_pipelines.sandbox.company import Batch
from mlc_pipelines.sandbox.epicor.groups import GROUP, HEADER, LINE
from mlc_pipelines.sandbox.ironvale.tables import TABLES
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.transport.caller import Limits
from mlc_pipelines.transport.secret import Secret
from mlc_pipelines_tests.acumatica.plans import DRAFT as MERIDIAN_DRAFT
from mlc_pipelines_tests.acumatica.plans import PERIOD, STAT
from mlc_pipelines_tests.epicor.planning import DRAFT as IRONVALE_DRAFT
from mlc_pipelines_tests.epicor.planning import WRITES as IRONVALE_WRITES
from mlc_pipelines_tests.epicor.planning import Door

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


class Ironvale:
    """Kinetic's plan book of the second sample company. Lists do not lag behind there; instead somebody may have new groups open at his desk."""

    draft = IRONVALE_DRAFT
    pattern = {READS: "^POST .*/GetByGroupID|^GET .*GLJrn", WRITES: f"^POST .*({'|'.join(IRONVALE_WRITES)})$"}  # noqa: RUF012

    def __init__(self, sandbox: Sandbox, desks: int, opened: ExitStack) -> None:
        self.sandbox, self.books = sandbox, sandbox.ironvale
        erp = sandbox.info["epicor"]
        names = ("api_key", "username", "password", "client_id", "client_secret")
        credential = EpicorCredential(*(Secret(erp[name], name) for name in names), "demo")
        said = {name: erp[name] for name in ("url", "company", "book")}
        config = EpicorConfig(**said, cost_center_segment=2, limits=Limits(attempts=2))
        self.clients = [opened.enter_context(Epicor(config, credential, sleep=lambda _: None)) for _ in range(desks)]
        self._others = self._theirs()
        self._old = len(self._posted())

    def is_write(self, request: httpx.Request) -> bool:
        return request.url.path.endswith(IRONVALE_WRITES)

    def open_books(self, desk: int) -> PlanBooks:
        return self.clients[desk].plan_journals(PlanJournalsRule(book="PLAN", journal_code="BU"))

    def _posted(self) -> list[Any]:
        return self.books.journals.get(("IVM", "PLAN", self.draft.period), [])

    def _theirs(self) -> dict[Any, int]:
        return {key: len(journals) for key, journals in self.books.journals.items() if key[1] != "PLAN"}

    def _rows(self, table: str) -> list[dict[str, Any]]:
        return [dict(row) for row in self.books.kept.get(table, {}).values() if row["Company"] == "IVM"]

    def _lines(self, header: dict[str, Any]) -> list[dict[str, Any]]:
        names = ("BookID", "FiscalYear", "FiscalYearSuffix", "JournalCode", "JournalNum")
        return [row for row in self._rows(LINE) if all(row[name] == header[name] for name in names)]

    def journals(self) -> list[Standing]:
        with self.sandbox.kinetic.turn:
            headers = [row for row in self._rows(HEADER) if row["BookID"] == "PLAN"]
            entered = [self._entered(header) for header in headers]
            posted = [
                Standing(
                    f"{one.group}-{one.number}-{_found(_TOKEN, [one.comment])}",
                    _found(_REFERENCE, [one.comment]),
                    True,
                    False,
                    _sorted(
                        (line.account, f"{line.dept}|{line.plant}", line.debit_minor, line.credit_minor)
                        for line in one.lines
                    ),
                )
                for one in self._posted()[self._old :]
            ]
        return [*entered, *posted]

    def _entered(self, header: dict[str, Any]) -> Standing:
        money = (
            (
                row["SegValue1"],
                f"{row['SegValue2']}|{row['SegValue3']}",
                int(row["TotDebit"] * 100),
                int(row["TotCredit"] * 100),
            )
            for row in self._lines(header)
        )
        comment = [header["CommentText"]]
        number = f"{header['GroupID']}-{header['JournalNum']}-{_found(_TOKEN, comment)}"
        return Standing(number, _found(_REFERENCE, comment), False, bool(header["IsLcked"]), _sorted(money))

    def _header(self, number: str) -> dict[str, Any]:
        return next(row for row in self._rows(HEADER) if number.startswith(f"{row['GroupID']}-{row['JournalNum']}-"))

    def edit(self, number: str) -> None:
        """Two lines, so that it still balances and Kinetic would post it."""
        with self.sandbox.kinetic.turn:
            for row in self._lines(self._header(number)):
                for side in ("TotDebit", "TotCredit"):
                    if row[side]:
                        self.books.put(LINE, {**row, side: row[side] * 2})

    def delete(self, number: str) -> None:
        """With its group; review lets it go first."""
        header = self._header(number)
        if header["IsLcked"]:
            Door(self.sandbox).post("release", group=header["GroupID"], post=False)
        with self.sandbox.kinetic.turn:
            for row in self._lines(header):
                self._drop(LINE, row)
            self._drop(HEADER, header)
            for group in self._rows(GROUP):
                if group["GroupID"] == header["GroupID"]:
                    self._drop(GROUP, group)

    def _drop(self, table: str, row: dict[str, Any]) -> None:
        self.books.drop(table, [row[name] for name in TABLES[table].key])

    def approve(self, number: str) -> None:
        Door(self.sandbox).post("release", group=number.split("-")[0], post=True)

    def decide(self, *, closed: bool, approval: bool, behind: bool) -> None:
        turn = self.books.close if closed else self.books.reopen
        with self.sandbox.kinetic.turn:
            if closed != self.books.is_closed(self.draft.period, "PLAN", "IVM"):
                turn(self.draft.period, "PLAN", "IVM")
            for group in self._rows(GROUP):
                if not behind and group["BookID"] == "PLAN":
                    self.books.put(GROUP, {**group, "ActiveUserID": ""})
        switches = {"review": "always" if approval else "never", "new_groups_taken_by": "M.Lee" if behind else ""}
        self.sandbox.set_switches(epicor=switches)

    def actual(self) -> object:
        return self._theirs() == self._others

    def clear(self) -> None:
        """What was posted stays; it is of plans that are over."""
        self.sandbox.traffic.clear()
        for one in self.journals():
            if not one.released:
                self.delete(one.number)
        with self.sandbox.kinetic.turn:
            for group in self._rows(GROUP):
                if group["BookID"] == "PLAN":
                    self._drop(GROUP, group)
        self.decide(closed=False, approval=False, behind=False)
        self._old = len(self._posted())


_REFERENCE, _TOKEN = "(MLC-[A-Z2-7]{20})", "#([A-Z2-7]{8})"


def _found(pattern: str, comments: Iterable[str | None]) -> str:
    """In the first comment that has it."""
    return next((found[1] for text in comments if (found := re.search(pattern, text or ""))), "")


def _sorted(money: Iterable[tuple[str, str, int, int]]) -> tuple[tuple[str, str, int, int], ...]:
    return tuple(sorted(money))
