"""What a general ledger and a planning model can do, in our words. Acumatica, Epicor and Anaplan fulfil these; flows know nothing else."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

import pandas as pd
import pyarrow as pa

from mlc_pipelines.ledger.cells import CellColumns
from mlc_pipelines.ledger.drafts import DraftLine, JournalDraft
from mlc_pipelines.ledger.fiscal import FiscalPeriod

CLOSED = frozenset({"Closed", "Locked"})
"""The statuses of a period that should not move any more."""


@dataclass(frozen=True, slots=True)
class LedgerPeriod:
    """A period as the ERP itself has it. status is the ERP's own word; postable tells whether it may hold postings yet."""

    key: str
    start_on: str
    end_on: str
    status: str
    adjustment: bool
    readable: bool


@dataclass(frozen=True, slots=True)
class LedgerIdentity:
    """Which books are read: shown on every report, so that nobody has to guess. warnings: what a reader of the report must know."""

    system: str
    company: str
    ledger: str
    ledger_type: str
    currency: str
    warnings: tuple[str, ...] = ()


CHANGES = ["batch", "period", "changed_at"]
"""Columns of `Changes.batches`: number with module, fiscal period, aware UTC datetime."""


@dataclass(frozen=True)
class Changes:
    """What changed in the books since a moment. until: up to where the ERP was asked, by its own clock.

    cursor: where the next look begins, for an ERP that numbers its changes instead of dating them; "" for the others.
    """

    until: datetime
    batches: pd.DataFrame
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class FiguresFrom:
    """What a ledger's figures are read from: source is "journals" or "balances"; why: a sentence for the report, "" where it was declared.

    both: the other one is read as well, and held against it.
    """

    source: str
    why: str = ""
    both: bool = False


class GeneralLedger(Protocol):
    """The posted figures of one ledger of one company, or of several companies. All reads; nothing is ever changed through this port.

    company: whose books are meant, one of `identities`; "" where there is one only.

    Errors: SetupError for credentials, rights, versions, wrong names; DataError for records that cannot be understood;
    TransientError when the system stayed unreachable within the limits.
    """

    def identities(self) -> list[LedgerIdentity]:
        """The ledger of each company as the ERP describes it. Raises SetupError when one does not exist or has no type 'Actual'."""
        ...

    def identity(self) -> LedgerIdentity:
        """The first of them."""
        ...

    def figures_from(self) -> FiguresFrom:
        """Lines or balances: as declared, or as the ERP's own settings demand."""
        ...

    def read_periods(self, company: str = "") -> list[LedgerPeriod]:
        """The ERP's own fiscal periods, in fiscal order, with the statuses that they have for the company."""
        ...

    def read_accounts(self) -> pd.DataFrame:
        """Chart of accounts, one row per account in code order: code, name, account_class, kind, active.

        kind is one of Asset, Liability, Income, Expense; account_class is the ERP's finer class, "" if it has none.
        """
        ...

    def read_cost_centers(self) -> pd.DataFrame:
        """Cost centers, one row per code in order: code, name, active; and subaccounts, how many subaccounts carry it."""
        ...

    def cost_centers_of(self, subaccounts: Sequence[str]) -> list[str]:
        """The cost center part of each subaccount, in the same order. Raises DataError for one that does not fit the declared shape."""
        ...

    def read_posted(self, period: FiscalPeriod, company: str = "") -> Iterator[pa.RecordBatch]:
        """Posted lines of one period in batches of the shape `journal.LINES`; at least one batch, perhaps empty. Bounded memory."""
        ...

    def now(self) -> datetime | None:
        """The ERP's own clock, aware, to the second: only its times decide what is new. None where it does not tell."""
        ...

    def cursor(self) -> str:
        """Up to which number the ERP's changes are visible by now, for an ERP that numbers them; "" where time tells."""
        ...

    def read_changes(self, since: datetime, cursor: str = "") -> Changes:
        """Posted batches of the ledger that were posted, changed or reversed after `since`, a time of the ERP's own clock, or after the cursor."""
        ...

    def read_balances(self, period: FiscalPeriod, company: str = "") -> pd.DataFrame:
        """The ERP's own balances of the period, one row per account and subaccount: account, subaccount and the figures of `balances.FIGURES`."""
        ...

    def read_trial_balance(self, period: FiscalPeriod, company: str = "") -> pd.DataFrame:
        """The ERP's own balances of the period, one row per account: account, opening_minor, debit_minor, credit_minor, closing_minor.

        opening and closing in our sign (debit positive).
        """
        ...


class Payables(Protocol):
    """The subledger of vendor invoices behind a general ledger. Reads only; errors by kind as for GeneralLedger."""

    def read_vendors(self) -> pd.DataFrame:
        """Vendors, one row per code in order: code, name, active."""
        ...

    def read_spend(self, period: FiscalPeriod, company: str = "") -> Iterator[pa.RecordBatch]:
        """Distributions of the invoices posted in one period, by the subledger's own word, in batches of the shape `journal.SPEND`.

        Every account that an invoice is distributed to, the payables account itself left out; credit memos and cancellations with their sides
        as booked. An invoice without a distribution (it only clears receipts) has one row without account and amounts, so that it is counted.
        At least one batch, perhaps empty. Bounded memory.
        """
        ...

    def read_ledger_spend(self, period: FiscalPeriod, company: str = "") -> Iterator[pa.RecordBatch]:
        """The general ledger's own lines of the period that came from payables, in the same shape; those of payments say so in `origin`."""
        ...


@dataclass(frozen=True, slots=True)
class ImportOutcome:
    """What the planning model says it did with a file. Counts are rows; None where it gave none that can be read.

    successful is the model's own flag and proves nothing by itself. refused: one row per refused row (columns of the file, line, status, reason).
    sent_hash: sha256 of the bytes as they went up. file_note: what was wrong with the uploaded file afterwards, "" if nothing.
    object_id, object_name: the import itself. beside: the other steps, where the import ran within a process.
    """

    task: str
    state: str
    successful: bool
    rows_taken: int | None
    rows_ignored: int | None
    rows_failed: int | None
    messages: tuple[str, ...] = ()
    refused: pd.DataFrame = field(default_factory=pd.DataFrame)
    dump: bytes | None = None
    dump_problem: str = ""
    object_id: str = ""
    object_name: str = ""
    sent_hash: str = ""
    file_note: str = ""
    beside: "tuple[ImportOutcome, ...]" = ()


@dataclass(frozen=True, slots=True)
class ReadWay:
    """How figures are read back. by: export, view (a grid, JSON), cells (a table in one call) or large_read (a table in pages).

    name: of the export or saved view. versions: those that take actuals. The lists' names tell which dimension is which.
    whole: a table must show everything of the version that is asked for; a view that keeps a part of it on other pages is refused.
    """

    by: str
    name: str
    columns: CellColumns
    account_list: str
    cost_center_list: str
    versions: tuple[str, ...]
    whole: bool = False


@dataclass(frozen=True, slots=True)
class ExportOutcome:
    """The file of one export, as the one task that made it left it.

    task: its id in the planning model. rows: records below the header. sha256: of the bytes of the file.
    rows_said: how many the task says it made; None where it does not say, which is the rule.
    """

    task: str
    header: tuple[str, ...]
    rows: int
    sha256: str
    rows_said: int | None = None


@dataclass(frozen=True, slots=True)
class TextsWay:
    """Where texts about a member stand. by: list (its properties), view (cells of a saved view) or export (a file). name: of that."""

    by: str
    name: str


@dataclass(frozen=True)
class MembersWritten:
    """What the planning model says it did with list members: how many it took, and code, name, reason of each that it refused."""

    taken: int
    refused: pd.DataFrame


class PlanningModel(Protocol):
    """One planning model that receives files through named actions. Errors by kind as for GeneralLedger; UncertainError when a write may have happened."""

    def identity(self) -> str:
        """Workspace and model by name, for people."""
        ...

    def key(self) -> str:
        """The model's own id: what the fence of one writer per model is named after, however a connection spells the model."""
        ...

    def read_members(self, list_name: str, properties: Sequence[str] = ()) -> pd.DataFrame:
        """Members of a list, one row each in the list's order: code, name, parent (name of the parent or ""), leaf (bool).

        And one column of texts for each property asked for.
        """
        ...

    def write_members(self, list_name: str, members: pd.DataFrame, *, new: bool) -> MembersWritten:
        """Add members, or change members found by code, one by one; never deletes. Sent once: a lost answer raises UncertainError.

        members: code, name, parent (code or name, "" leaves it), and a column for each property ("" leaves it).
        """
        ...

    def require_import(self, import_name: str, columns: Sequence[str], *, process: str = "") -> None:
        """Refuse, before anything is sent, an import that is missing, ambiguous or whose file has another header.

        process: the process that runs the import, where one does; import_name may then be "" if it runs one import of a file only.
        """
        ...

    def wait_until_welcome(self) -> None:
        """Return outside of quiet hours and of other people's scheduled jobs, which may take hours: to be asked before the fence. WaitingError after the stated limit."""
        ...

    def wait_until_free(self) -> None:
        """Return when nobody's action runs on the model; WaitingError naming who holds it when the stated limit has passed."""
        ...

    def import_file(
        self, import_name: str, path: Path, *, process: str = "", parameters: Mapping[str, str] | None = None
    ) -> ImportOutcome:
        """Upload the file, run the import (by itself, or through the process), wait for its end, fetch what was refused.

        One unit; the caller holds the fence. parameters: what the import asks for at run time, kind of entity -> name ("Version" -> "Actual").
        """
        ...

    def export_file(self, export_name: str, path: Path) -> ExportOutcome:
        """Run an export and write its whole file to path (UTF-8 CSV with header).

        Taken only when the task of this call made it, alone: a file of another run, cut or changed while it was read is never left there.
        """
        ...

    def read_texts(self, way: TextsWay, member: str, names: Sequence[str]) -> dict[str, str]:
        """What stands about one member (a plan, by name or code) in these columns, character by character, "" where nothing does.

        Columns are properties of the list, or stand in the header of the view's or export's table; the member stands in the first one there.
        Raises SetupError where the place, the member or a column does not stand there, or stands there more than once.
        """
        ...

    def read_cells(self, way: ReadWay, only: tuple[str, str], path: Path) -> bool:
        """Write what the model holds now to path, as CSV with at least the columns of the way; at least the period and version of `only`.

        Returns whether the other periods and versions that take actuals are in it too; False where only the asked ones could be seen.
        """
        ...


ON_HOLD, RELEASED, POSTED = "ON_HOLD", "RELEASED", "POSTED"
"""How far a journal of ours is. Released can no longer be changed; posted counts in the balances as well. Both are final for us."""


@dataclass(frozen=True, slots=True)
class BookedJournal:
    """A journal in the ERP as a look-up shows it.

    reference: as the ERP holds it, to the letter. order: rises with creation, and no number is ever given twice; the lowest is everybody's choice.
    waiting: for what it waits while it is on hold ("approval of batch 12 in the ERP"), "" where it could be released; or released, until it is posted.
    unfinished: its maker did not get to its last line; told by a mark of the client's own, never guessed from the lines.
    text: what it says of itself beside the reference; given by `find_released` only.
    """

    number: str
    order: int
    reference: str
    state: str
    waiting: str = ""
    unfinished: bool = False
    text: str = field(default="", kw_only=True)

    @property
    def released(self) -> bool:
        return self.state != ON_HOLD


@dataclass(frozen=True, slots=True)
class ReadJournal(BookedJournal):
    """The same with everything that was approved: period by its key, currency, and all lines as the ERP holds them, lines it added included."""

    period: str = ""
    currency: str = ""
    lines: tuple[DraftLine, ...] = ()


HELD = ["account", "subaccount", "amount_minor"]
"""Columns of what a destination of plans holds: codes of the ERP, and the figure of one period in minor units, debit positive."""


class PlanDestination(Protocol):
    """The one set of books or budget figures that an approved plan may be written into. Periods are named by their keys (FY2026-P03).

    Errors: UncertainError when a write may have happened; PeriodClosed, GroupBusy (`ledger.drafts`) or another WaitingError when somebody has
    the right of way; DataError for a refused record; SetupError for rights and configuration; TransientError when nothing happened.
    """

    def require_destination(self) -> LedgerIdentity:
        """The destination as the ERP itself describes it, asked anew each time.

        Raises SetupError, before any write, for one that does not exist, takes no such figures, is an actual ledger or the main book, or is read
        by the inbound flow, whatever the configuration says.
        """
        ...

    def objections(self, keys: pd.DataFrame) -> list[str]:
        """Why the ERP takes no plan figure on an account and subaccount, for each row of keys (account, subaccount); "" where it does.

        Unknown, inactive, heading, control and system accounts; unknown or inactive subaccounts.
        """
        ...

    def not_open(self, periods: Sequence[str]) -> dict[str, str]:
        """The periods among these that take no posting into the destination now -> why ("closed in the ERP")."""
        ...

    def read_held(self, period: str) -> pd.DataFrame:
        """What the destination holds for one period, whoever wrote it: columns HELD, one row per key, in key order, zeros left out."""
        ...


class BudgetTable(PlanDestination, Protocol):
    """Native budget figures of the ERP, kept by key: writing the same figure again changes nothing."""

    def write_held(self, period: str, cells: pd.DataFrame) -> None:
        """Set the figures of these keys (columns HELD, absolute, zeros included) in one period; every other key and period stays as it is.

        Sent once; what the answer says proves nothing: read again.
        """
        ...

    def waits_for(self, period: str) -> str:
        """What still stands between the figures of the period and their effect ("release of budget PLAN 2026 on form GL505510"); "" where nothing does."""
        ...


class PlanBooks(PlanDestination, Protocol):
    """The one set of books that plan journals may be written into: journals are made on hold, found by reference, released.

    What may be believed: look-ups and read-backs, which may be one write behind. What may not: the answer to any write, good or bad. Writes are
    sent once, never repeated by the transport, and may take effect after their answer was given up (acumatica sheet 5.4, reliability sheet 5).
    """

    def find_by_reference(self, reference: str) -> list[BookedJournal]:
        """Every journal with exactly this reference, on hold, waiting, in review or released. More may be given: the caller compares again."""
        ...

    def find_drafts(self) -> list[BookedJournal]:
        """Every journal on hold whose reference begins like ours (`drafts.PREFIX`), whoever made it: what the sweep looks at."""
        ...

    def find_released(self, periods: Sequence[str]) -> list[BookedJournal]:
        """Every released journal of these periods in the destination whose reference begins like ours, whoever made it, with what it says of itself."""
        ...

    def read_back(self, number: str) -> ReadJournal | None:
        """One journal with all its lines, by its number whatever its reference; None where there is none."""
        ...

    def create_on_hold(self, draft: JournalDraft) -> None:
        """Make a journal that has no effect on balances. What it says of success or number proves nothing: look it up."""
        ...

    def release(self, number: str) -> None:
        """Release the journal of this number. Refused, or harmless, where it is released already or gone."""
        ...

    def post(self, number: str) -> None:
        """Post a released journal, where the ERP has a second step; harmless where it is posted already."""
        ...

    def delete_draft(self, number: str) -> None:
        """Delete a journal on hold. Refused where it is released, or gone."""
        ...
