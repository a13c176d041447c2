"""The site's payloads as types. Every field travels as a value object: {"value": x}; {} and an absent field are null.

A value object or a record that carries an `error` text is refused by the decoder itself, so that none is missed.
Only the fields that are used stand here; others are skipped undecoded. Decoding is msgspec, because the lines of a month
come in one answer. Source of shapes and names: [C AcumaticaRESTAPIClientForCSharp: EndpointDefinitions; S DOC].
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.transport.answers import decode as decode_exactly
from mlc_pipelines.transport.secret import redacted


class Text(msgspec.Struct, frozen=True, gc=False):
    """A text, a drop-down (as displayed) or a time (ISO)."""

    value: str | None = None
    error: None = None


class Flag(msgspec.Struct, frozen=True, gc=False):
    value: bool | None = None
    error: None = None


class Count(msgspec.Struct, frozen=True, gc=False):
    value: int | None = None
    error: None = None


class Amount(msgspec.Struct, frozen=True, gc=False):
    """A number of money, kept as the very text that was sent; empty when there is none."""

    value: msgspec.Raw = msgspec.Raw(b"")
    error: None = None


_TEXT, _FLAG, _COUNT, _AMOUNT = Text(), Flag(), Count(), Amount()


class Record(msgspec.Struct, gc=False):
    """One record. id and rowNumber travel bare and are not used: for rows of inquiries they change with each call."""

    error: None = None


class LedgerBranch(Record, rename="pascal"):
    company_name: Text = _TEXT
    branch_id: Text = msgspec.field(default=_TEXT, name="BranchID")


class LedgerCompany(Record, rename="pascal"):
    company: Text = _TEXT
    company_name: Text = _TEXT


class Ledger(Record, rename="pascal"):
    ledger_id: Text = msgspec.field(default=_TEXT, name="LedgerID")
    type: Text = _TEXT
    currency: Text = _TEXT
    branches: list[LedgerBranch] = []
    companies: list[LedgerCompany] = []


class Period(Record, rename="pascal"):
    period_id: Text = msgspec.field(default=_TEXT, name="FinancialPeriodID")
    start_date: Text = _TEXT
    end_date: Text = _TEXT
    status: Text = _TEXT
    adjustment_period: Flag = _FLAG


class FinancialYear(Record, rename="pascal"):
    financial_year: Text = _TEXT
    details: list[Period] = []


class CompanyYear(Record, rename="pascal"):
    """A year of one company's own calendar (CompanyFinancialPeriod)."""

    company: Text = _TEXT
    financial_year: Text = _TEXT
    details: list[Period] = []


class Account(Record, rename="pascal"):
    code: Text = msgspec.field(default=_TEXT, name="AccountCD")
    description: Text = _TEXT
    account_class: Text = _TEXT
    type: Text = _TEXT
    active: Flag = _FLAG


class Subaccount(Record, rename="pascal"):
    code: Text = msgspec.field(default=_TEXT, name="SubaccountCD")
    description: Text = _TEXT
    active: Flag = _FLAG


class Balance(Record, rename="pascal"):
    """One account of AccountSummaryInquiry; of one branch and subaccount where they were asked for."""

    account: Text = _TEXT
    branch: Text = _TEXT
    subaccount: Text = _TEXT
    type: Text = _TEXT
    beginning_balance: Amount = _AMOUNT
    debit_total: Amount = _AMOUNT
    credit_total: Amount = _AMOUNT
    ending_balance: Amount = _AMOUNT


class Balances(Record, rename="pascal"):
    """AccountSummaryInquiry: its parameters come back, then the rows."""

    ledger: Text = _TEXT
    period: Text = _TEXT
    results: list[Balance] | None = None
    exception_message: None = msgspec.field(default=None, name="exceptionMessage")


class PostedLine(Record, rename="pascal"):
    """One row of AccountDetailsForPeriodInquiry. Its *InBaseCurrency amounts are those of the ledger."""

    module: Text = _TEXT
    batch_number: Text = _TEXT
    branch: Text = _TEXT
    account: Text = _TEXT
    subaccount: Text = _TEXT
    ledger: Text = _TEXT
    period_id: Text = msgspec.field(default=_TEXT, name="PeriodID")
    posted: Flag = _FLAG
    released: Flag = _FLAG
    ref_number: Text = _TEXT
    transaction_date: Text = _TEXT
    transaction_description: Text = _TEXT
    last_modified: Text = msgspec.field(default=_TEXT, name="LastModifiedDateTime")
    debit: Amount = msgspec.field(default=_AMOUNT, name="DebitAmountInBaseCurrency")
    credit: Amount = msgspec.field(default=_AMOUNT, name="CreditAmountInBaseCurrency")


class PostedLines(Record, rename="pascal"):
    """AccountDetailsForPeriodInquiry without its rows: the parameters that come back."""

    ledger: Text = _TEXT
    from_period: Text = _TEXT
    to_period: Text = _TEXT


class BatchLine(Record, rename="pascal"):
    """One detail of JournalTransaction. Its amounts are in the currency of the batch."""

    line_number: Count = msgspec.field(default=_COUNT, name="LineNbr")
    branch: Text = msgspec.field(default=_TEXT, name="BranchID")
    account: Text = _TEXT
    subaccount: Text = _TEXT
    reference: Text = msgspec.field(default=_TEXT, name="ReferenceNbr")
    transaction_description: Text = _TEXT
    debit: Amount = msgspec.field(default=_AMOUNT, name="DebitAmount")
    credit: Amount = msgspec.field(default=_AMOUNT, name="CreditAmount")


class Batch(Record, rename="pascal"):
    """A JournalTransaction. details is None when it was not expanded."""

    module: Text = _TEXT
    number: Text = msgspec.field(default=_TEXT, name="BatchNbr")
    ledger: Text = msgspec.field(default=_TEXT, name="LedgerID")
    period: Text = msgspec.field(default=_TEXT, name="PostPeriod")
    status: Text = _TEXT
    currency: Text = msgspec.field(default=_TEXT, name="CurrencyID")
    transaction_date: Text = _TEXT
    last_modified: Text = msgspec.field(default=_TEXT, name="LastModifiedDateTime")
    details: list[BatchLine] | None = None


class PlanBatch(Record, rename="pascal"):
    """A JournalTransaction of a plan: its header, and its details where they were expanded. hold and transaction_date are only written."""

    module: Text = _TEXT
    number: Text = msgspec.field(default=_TEXT, name="BatchNbr")
    ledger: Text = msgspec.field(default=_TEXT, name="LedgerID")
    branch: Text = msgspec.field(default=_TEXT, name="BranchID")
    period: Text = msgspec.field(default=_TEXT, name="PostPeriod")
    status: Text = _TEXT
    currency: Text = msgspec.field(default=_TEXT, name="CurrencyID")
    description: Text = _TEXT
    hold: Flag = _FLAG
    transaction_date: Text = _TEXT
    details: list[BatchLine] | None = None


class PlanAccount(Record, rename="pascal"):
    """An account as a target of plan figures. currency: the one it is held in, where that is not the ledger's."""

    code: Text = msgspec.field(default=_TEXT, name="AccountCD")
    type: Text = _TEXT
    active: Flag = _FLAG
    currency: Text = msgspec.field(default=_TEXT, name="CurrencyID")


class Article(Record, rename="pascal"):
    """One line of a budget; node: a total of the budget's tree. Amounts in the account's natural sign."""

    id: str | None = msgspec.field(default=None, name="id")
    account: Text = _TEXT
    subaccount: Text = _TEXT
    branch: Text = _TEXT
    ledger: Text = msgspec.field(default=_TEXT, name="LedgerID")
    financial_year: Text = _TEXT
    node: Flag = _FLAG
    released: Flag = _FLAG
    amount: Amount = _AMOUNT
    period01: Amount = _AMOUNT
    period02: Amount = _AMOUNT
    period03: Amount = _AMOUNT
    period04: Amount = _AMOUNT
    period05: Amount = _AMOUNT
    period06: Amount = _AMOUNT
    period07: Amount = _AMOUNT
    period08: Amount = _AMOUNT
    period09: Amount = _AMOUNT
    period10: Amount = _AMOUNT
    period11: Amount = _AMOUNT
    period12: Amount = _AMOUNT
    period13: Amount = _AMOUNT

    @property
    def periods(self) -> list[msgspec.Raw]:
        """What falls into each period; an empty field is zero."""
        cells: list[Amount] = [getattr(self, f"period{number:02d}") for number in range(1, PERIODS + 1)]
        return [cell.value if bytes(cell.value) not in {b"", b"null"} else msgspec.Raw(b"0") for cell in cells]


PERIODS = 13
"""How many periods an article has room for."""


class Budget(Record, rename="pascal"):
    """The Budget entity: branch, ledger and year that were asked for, and their articles."""

    branch: Text = _TEXT
    ledger: Text = _TEXT
    financial_year: Text = _TEXT
    details: list[Article] | None = None
    exception_message: None = msgspec.field(default=None, name="exceptionMessage")


def wrap(fields: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Plain fields as value objects; a field without value goes out as {}."""
    return {name: {} if value is None else {"value": value} for name, value in fields.items()}


def unwrap(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Value objects as plain fields; {} is None. Fields that are no value objects (id, details, custom) are left out."""
    return {
        name: value.get("value") for name, value in fields.items() if isinstance(value, dict) and value.keys() <= _PARTS
    }


_PARTS = {"value", "error"}


def errors_in(tree: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every `error` text of an answer with the path of its field, "Details[2].Account"; the record's own error has path "".

    The site echoes a refused record with the errors beside its fields, at any depth [C CS tests; ACU tests].
    """
    if isinstance(tree, list):
        for number, item in enumerate(tree, start=1):
            yield from errors_in(item, f"{path}[{number}]")
    elif isinstance(tree, dict):
        if isinstance(text := tree.get("error"), str) and text:
            yield path, text
        for name, item in tree.items():
            yield from errors_in(item, f"{path}.{name}" if path else name)


def require_no_refusal(call: str, body: bytes) -> None:
    """A success that carries an error inside is the error it is. Raises DataError with its texts, ValueError when the body is no JSON."""
    tree = decode_exactly(body)
    records = tree if isinstance(tree, list) else [tree]
    found = [
        f"{_named(record, number)}{f', {path}' if path else ''}: {text}"
        for number, record in enumerate(records, start=1)
        for path, text in errors_in(record)
    ]
    if isinstance(tree, dict) and isinstance(text := tree.get("exceptionMessage"), str):
        found.append(text)
    if found:
        raise DataError(
            f"{call} answered as if all were well, with an error inside: {redacted('; '.join(found[:5]))}",
            holds="Nothing was loaded.",
            next_step="Correct what Acumatica names.",
        )


def _named(record: Any, number: int) -> str:
    """A record by its keys, as far as it has any."""
    fields = unwrap(record) if isinstance(record, dict) else {}
    keys = [str(fields[name]) for name in _KEYS if fields.get(name)]
    return " ".join(keys) or f"record {number}"


_KEYS = ("Module", "BatchNumber", "BatchNbr", "LedgerID", "AccountCD", "SubaccountCD", "FinancialYear")
