"""What a general ledger and a planning model can do, in our words. Acumatica, Epicor and Anaplan fulfil these; flows know nothing else."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import pandas as pd
import pyarrow as pa

from mlc_pipelines.ledger.fiscal import FiscalPeriod


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
    """Which books are read: shown on every report, so that nobody has to guess."""

    system: str
    company: str
    ledger: str
    ledger_type: str
    currency: str


class GeneralLedger(Protocol):
    """The posted figures of one ledger of one company. All reads; nothing is ever changed through this port.

    Errors: SetupError for credentials, rights, versions, wrong names; DataError for records that cannot be understood;
    TransientError when the system stayed unreachable within the limits.
    """

    def identity(self) -> LedgerIdentity:
        """The ledger as the ERP describes it. Raises SetupError when it does not exist or has no type 'Actual'."""
        ...

    def read_periods(self) -> list[LedgerPeriod]:
        """The ERP's own fiscal periods, in fiscal order."""
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

    def read_posted(self, period: FiscalPeriod) -> Iterator[pa.RecordBatch]:
        """Posted lines of one period in batches of the shape `journal.LINES`; at least one batch, perhaps empty. Bounded memory."""
        ...

    def read_trial_balance(self, period: FiscalPeriod) -> pd.DataFrame:
        """The ERP's own balances of the period, one row per account: account, opening_minor, debit_minor, credit_minor, closing_minor.

        opening and closing in our sign (debit positive).
        """
        ...


@dataclass(frozen=True, slots=True)
class ImportOutcome:
    """What the planning model says it did with a file. Counts are rows; None where it gave none that can be read.

    successful is the model's own flag and proves nothing by itself. refused: one row per refused row (columns of the file, line, status, reason).
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


class PlanningModel(Protocol):
    """One planning model that receives files through named actions. Errors by kind as for GeneralLedger; UncertainError when a write may have happened."""

    def identity(self) -> str:
        """Workspace and model by name, for people."""
        ...

    def key(self) -> str:
        """The model's own id: what the fence of one writer per model is named after, however a connection spells the model."""
        ...

    def read_members(self, list_name: str) -> pd.DataFrame:
        """Members of a list, one row each in the list's order: code, name, parent (name of the parent or ""), leaf (bool)."""
        ...

    def require_import(self, import_name: str, columns: Sequence[str]) -> None:
        """Refuse, before anything is sent, an import that is missing, ambiguous or whose file has another header."""
        ...

    def wait_until_free(self) -> None:
        """Return when nobody's action runs on the model; TransientError naming who holds it when the stated limit has passed."""
        ...

    def import_file(self, import_name: str, path: Path) -> ImportOutcome:
        """Upload the file, run the import, wait for its end, fetch what was refused. One unit; the caller holds the fence."""
        ...

    def export_file(self, export_name: str, path: Path) -> list[str]:
        """Run an export and write its whole file to path (UTF-8 CSV with header); returns the header."""
        ...
