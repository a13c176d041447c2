"""PUT of a journal: created, or changed as long as it is not released, with the checks of its form. Reference: acumatica 5.1 to 5.3.

Only what the sample company needs: no projects, no currencies, an approval only as the switch says. Wordings are ours [I].
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from mlc_pipelines.sandbox.acumatica import periods
from mlc_pipelines.sandbox.acumatica.errors import RefusalError, as_json, bad_request, message, no_entity
from mlc_pipelines.sandbox.acumatica.site import Site
from mlc_pipelines.sandbox.company import Batch, Line, Period

OPEN_STATUSES = ("On Hold", "Balanced", "Pending Approval", "Rejected")
ACTUAL, BUDGET = "Actual", "Budget"
_NOT_FOUND = "'{}' cannot be found in the system."
_RAISED = "Inserting  'Journal Transactions' record raised at least one error. Please review the errors."


@dataclass(slots=True)
class Errors:
    """What is wrong with a sent record: its own text, texts by field, and texts by field for each sent row."""

    own: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    rows: dict[int, dict[str, str]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.own or self.fields or self.rows)


def put(site: Site, body: Any, branch: str, *, insert_only: bool, update_only: bool) -> str:
    """Create or change a journal; its id. Raises a 412 by the conditions, or a 422 with the record echoed."""
    if not isinstance(body, dict):
        raise bad_request("The request body should be an object.")
    with site.lock:
        sent, errors = _plain(body), Errors()
        batch = _find(site, body, sent, errors)
        if (insert_only and batch is not None) or (update_only and batch is None):
            raise message(412, "The condition of the request is not met.")
        if batch is not None and batch.status not in OPEN_STATUSES:
            errors.own = "The batch is released and cannot be changed."
        draft = _Draft(site, sent, batch, branch, errors)
        lines = _lines(site, body.get("Details") or [], batch, draft.branch, errors)
        draft.check(lines)
        if errors:
            raise refused(site, body, errors)
        return draft.store(by_rules(site, lines) if body.get("Details") else lines)


def delete(site: Site, ids: str) -> None:
    """Delete an unreleased journal, by its keys or its id [S]. Raises what a missing one does, or a 422 for one that is released."""
    with site.lock:
        for batch in site.books.batches:
            if ids in (batch.note_id, f"{batch.module}/{batch.number}"):
                if batch.status not in OPEN_STATUSES:
                    raise message(422, "The batch is released and cannot be deleted.")
                site.about_to_write()
                site.books.remove(batch)
                return
    raise no_entity()


class _Draft:
    """The header as it would stand after the change."""

    def __init__(self, site: Site, sent: Mapping[str, Any], batch: Batch | None, branch: str, errors: Errors) -> None:
        self.site, self.sent, self.batch, self.errors = site, sent, batch, errors
        self.branch = self._known("BranchID", "Branch", batch.branch if batch else branch, site.books.branches)
        actual = next(one.code for one in site.books.ledgers.values() if one.type == ACTUAL)
        self.ledger = self._known("LedgerID", "Ledger", batch.ledger if batch else actual, site.books.ledgers)
        self.day = self._day()
        self.period = self._period()
        hold = sent.get("Hold")
        self.hold = bool(hold) if hold is not None else (batch is None or batch.status == "On Hold")

    def check(self, lines: list[Line]) -> None:
        """What concerns the batch as a whole."""
        kind = self.site.books.ledgers[self.ledger].type if self.ledger in self.site.books.ledgers else ""
        if kind == BUDGET:  # the selector of the form leaves budget ledgers out [C PX Batch.cs]
            self.errors.fields["LedgerID"] = _NOT_FOUND.format("Ledger")
        if self.hold or kind != ACTUAL:
            return
        if sum(line.debit_minor - line.credit_minor for line in lines):
            self.errors.own = "The batch is not balanced. Review the debit and credit amounts."

    def store(self, lines: list[Line]) -> str:
        """Book it or change it; the record's id."""
        approved = "Pending Approval" if self.site.switches["approval_map"] else "Balanced"
        now, status = self.site.clock.now(), "On Hold" if self.hold else approved
        numbered = [replace(line, number=at) for at, line in enumerate(lines, start=1)]
        text = str(self.sent.get("Description", self.batch.description if self.batch else "") or "")
        text = text[: self.site.switches["description_max"]]
        self.site.about_to_write()
        if self.batch is None:
            module, period = str(self.sent.get("Module") or "GL"), self.period.key
            made = self.site.books.post(
                self.ledger, period, self.branch, status, text, numbered, now=now, module=module, day=self.day
            )
            return made.note_id
        batch = self.batch
        batch.ledger, batch.branch, batch.period, batch.date = self.ledger, self.branch, self.period.key, self.day
        batch.status, batch.description, batch.lines, batch.modified_at = status, text, numbered, now
        return batch.note_id

    def _known(self, name: str, label: str, default: str, shelf: Mapping[str, object]) -> str:
        code = str(self.sent.get(name) or default)
        if code not in shelf:
            self.errors.fields[name] = _NOT_FOUND.format(label)
        return code

    def _day(self) -> date:
        sent = self.sent.get("TransactionDate")
        if not sent:
            return self.batch.date if self.batch else self.site.clock.now().date()
        try:
            return date.fromisoformat(str(sent)[:10])
        except ValueError:
            raise bad_request(f"TransactionDate: {sent!r} is no date.") from None

    def _period(self) -> Period:
        """The period that was sent, that of the batch, or that of the date; never an adjustment period by date [S GL101000]."""
        books, sent = self.site.books, self.sent.get("PostPeriod")
        if sent:
            found, name = periods.find(self.site, str(sent)), "PostPeriod"
        elif self.batch is not None:
            found, name = books.periods[self.batch.period], "PostPeriod"
        else:
            of_day = (one for one in books.periods.values() if one.start <= self.day <= one.end and not one.adjustment)
            found, name = next(of_day, None), "TransactionDate"
        if found is None:
            self.errors.fields[name] = "The financial period cannot be found for the company."
            return next(iter(books.periods.values()))
        if wrong := periods.refusing(self.site, found):
            self.errors.fields["PostPeriod"] = wrong
        return found


def _find(site: Site, body: Mapping[str, Any], sent: Mapping[str, Any], errors: Errors) -> Batch | None:
    """The journal that keys or id mean; None for a new one. Numbers are given by the site."""
    number, note_id = sent.get("BatchNbr"), body.get("id")
    for batch in site.books.batches:
        if batch.note_id == note_id or (number and batch.number == number):
            return batch
    if number:
        errors.fields["BatchNbr"] = _NOT_FOUND.format("Batch Number")
    return None


# -- rows -------------------------------------------------------------------------------------------------------------


def _lines(site: Site, rows: list[Any], batch: Batch | None, branch: str, errors: Errors) -> list[Line]:
    """The lines after the change: rows with an id change theirs or delete it, rows without one are added [S; C ACU, GRP]."""
    kept = {f"{batch.note_id[:-6]}{line.number:06x}": line for line in batch.lines} if batch else {}
    added: list[Line] = []
    for at, row in enumerate(rows):
        row_id = row.get("id")
        if row_id in kept and row.get("delete") is True:
            del kept[row_id]
            continue
        line, wrong = _line(site, _plain(row), kept.get(row_id), branch)
        if wrong:
            errors.rows[at] = wrong
        if row_id in kept:
            kept[row_id] = line
        else:
            added.append(line)
    return [*kept.values(), *added]


def _line(site: Site, sent: Mapping[str, Any], old: Line | None, branch: str) -> tuple[Line, dict[str, str]]:
    wrong: dict[str, str] = {}

    def text(name: str, before: str) -> str:
        return str(sent[name] or "") if name in sent else before

    line = Line(
        number=0,
        account=text("Account", old.account if old else ""),
        subaccount=text("Subaccount", old.subaccount if old else ""),
        branch=text("BranchID", old.branch if old else branch),
        debit_minor=_minor(sent, "DebitAmount", old.debit_minor if old else 0),
        credit_minor=_minor(sent, "CreditAmount", old.credit_minor if old else 0),
        reference=text("ReferenceNbr", old.reference if old else ""),
        description=text("TransactionDescription", old.description if old else ""),
    )
    shelves: dict[str, tuple[str, Mapping[str, Any]]] = {
        "Account": (line.account, site.books.accounts),
        "Subaccount": (line.subaccount, site.books.subaccounts),
        "BranchID": (line.branch, site.books.branches),
    }
    for name, (code, shelf) in shelves.items():
        if code not in shelf:
            wrong[name] = _NOT_FOUND.format(name) if code else f"'{name}' cannot be empty."
        elif not getattr(shelf[code], "active", True):
            wrong[name] = f"{name} {code} is inactive."
    if line.account == site.books.net_income:
        wrong["Account"] = "The YTD Net Income account cannot be used."
    if line.debit_minor and line.credit_minor:
        wrong["CreditAmount"] = "A line has either a debit or a credit amount."
    return line, wrong


def by_rules(site: Site, lines: list[Line]) -> list[Line]:
    """The lines as rules of the site's own leave them, by switch: the first one changed, or one added."""
    first, rest, rule = lines[0] if lines else None, lines[1:], site.switches["line_rules"]
    if first is None or rule == "none":
        return lines
    if rule == "balanced":
        excess = sum(line.debit_minor - line.credit_minor for line in lines)
        return [*lines, replace(first, debit_minor=max(-excess, 0), credit_minor=max(excess, 0))]
    whole = {"debit_minor": round(first.debit_minor, -2), "credit_minor": round(first.credit_minor, -2)}
    other = next(code for code in site.books.branches if code != first.branch)
    corporate = next(code for code in site.books.subaccounts if code != first.subaccount)
    changes: dict[str, Any] = {"rounded": whole, "branch": {"branch": other}, "subaccount": {"subaccount": corporate}}
    return [replace(first, **changes[rule]), *rest]


def _minor(sent: Mapping[str, Any], name: str, before: int) -> int:
    if name not in sent:
        return before
    try:
        return int((Decimal(str(sent[name] or 0)) * 100).quantize(Decimal(1), ROUND_HALF_UP))
    except InvalidOperation:
        raise bad_request(f"{name}: {sent[name]!r} is no number.") from None


def _plain(record: Mapping[str, Any]) -> dict[str, Any]:
    """Sent value objects as plain values; names that the contract does not know do no harm [C GRP]."""
    return {name: value.get("value") for name, value in record.items() if isinstance(value, dict) and value}


# -- the refusal ------------------------------------------------------------------------------------------------------


def refused(site: Site, body: Mapping[str, Any], errors: Errors) -> RefusalError:
    """422: the record echoed with the errors beside its fields, in one of the two forms seen [C CS tests; ACU tests]."""
    echo: dict[str, Any] = {"id": str(uuid.uuid4()), "rowNumber": 1, "error": errors.own or _RAISED}
    echo |= {name: _with_errors(value, errors, name) for name, value in body.items() if name != "id"}
    for name, text in errors.fields.items():
        echo[name] = {**(echo.get(name) or {}), "error": text}
    if site.switches["refusal_form"] == "nested":
        kind = "PX.Api.ContractBased.OutcomeEntityHasErrorsException"
        echo = {"message": "An error has occurred.", "exceptionMessage": _RAISED, "exceptionType": kind, "entity": echo}
    return RefusalError(422, as_json(_jsonable(echo)))


def _with_errors(value: Any, errors: Errors, name: str) -> Any:
    if name != "Details":
        return value
    return [_row(row, errors.rows.get(at, {})) for at, row in enumerate(value or [])]


def _row(row: Mapping[str, Any], wrong: Mapping[str, str]) -> dict[str, Any]:
    return {**row, **{name: {**(row.get(name) or {}), "error": text} for name, text in wrong.items()}}


def _jsonable(value: Any) -> Any:
    """Decimals as JSON numbers: an echo, with which nobody calculates."""
    walk: Callable[[Any], Any] = _jsonable
    if isinstance(value, dict):
        return {name: walk(part) for name, part in value.items()}
    if isinstance(value, list):
        return [walk(part) for part in value]
    return float(value) if isinstance(value, Decimal) else value
