"""The Budget entity: articles by branch, ledger, year, account and subaccount, asked and written by one and the same PUT. Reference: acumatica 5.6.

The form's first view is a filter, so a list cannot be read by GET, and nobody's working code for writing it by REST was found: that PUT stores is
unproven [C ACU on another form of that kind], by switch it does not. Release has no entity: a person does it, here the control door. What a
release posts is the difference to the release before, in the article's natural sign [C PX; I for the sign]. Wordings are ours [I].
"""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from mlc_pipelines.sandbox.acumatica.contract import Entity
from mlc_pipelines.sandbox.acumatica.errors import RefusalError, bad_request
from mlc_pipelines.sandbox.acumatica.query import Query
from mlc_pipelines.sandbox.acumatica.question import ParameterError, parameters
from mlc_pipelines.sandbox.acumatica.site import Article, ArticleKey, Site
from mlc_pipelines.sandbox.acumatica.wire import Record, Rows, Value, quote, wrapped
from mlc_pipelines.sandbox.shapes import Line

BUDGET = "Budget"
PERIODS = tuple(f"Period{number:02d}" for number in range(1, 14))
CREDITS = ("Liability", "Income")
_NOT_FOUND = "'{}' cannot be found in the system."


@dataclass(slots=True)
class _Wrong:
    """Texts by field, and by field for each sent row."""

    fields: dict[str, str] = field(default_factory=dict)
    rows: dict[int, dict[str, str]] = field(default_factory=dict)


def put(site: Site, entity: Entity, body: Any, branch: str, query: Query) -> Iterator[bytes]:
    """Store the articles that were sent, all or none, and show those of branch, ledger and year. Raises a 422 with the record echoed."""
    given = parameters(entity, body)
    given.setdefault("Branch", branch)
    with site.lock:
        wrong = _Wrong()
        try:
            ledger, year = _filter(site, given)
        except ParameterError as unknown:
            wrong.fields.update(unknown.errors)
            raise _refused(entity, given, body, wrong) from unknown
        changed = dict(site.budgets)
        for at, row in enumerate(body.get("Details") or []):
            errors = _apply(site, changed, (str(given["Branch"]), ledger, year), row)
            if errors:
                wrong.rows[at] = errors
        if wrong.rows:
            raise _refused(entity, given, body, wrong)
        if site.switches["budget_put"] == "stored":
            site.budgets = changed
        return _shown(site, entity, given, query)


def _filter(site: Site, given: Mapping[str, Value]) -> tuple[str, str]:
    """Ledger and year, which must be there; only budget ledgers can be chosen."""
    errors, ledger = {}, site.books.ledgers.get(str(given.get("Ledger", "")))
    if ledger is None or ledger.type != BUDGET:
        errors["Ledger"] = _NOT_FOUND.format("Ledger")
    if given["Branch"] not in site.books.branches:
        errors["Branch"] = _NOT_FOUND.format("Branch")
    year = str(given.get("FinancialYear", ""))
    if year not in {str(period.year) for period in site.books.periods.values()}:
        errors["FinancialYear"] = _NOT_FOUND.format("Financial Year")
    if errors:
        raise ParameterError(errors)
    return str(given["Ledger"]), year


# -- articles ---------------------------------------------------------------------------------------------------------


def _apply(site: Site, articles: dict[ArticleKey, Article], where: tuple[str, str, str], row: Any) -> dict[str, str]:
    """Bring one sent row into the articles: with an id it changes or deletes its own, without one it is new. What is wrong with it."""
    sent = {name: value.get("value") for name, value in row.items() if isinstance(value, dict) and value}
    known = next((one for one, article in articles.items() if article.id == row.get("id") and one[:3] == where), None)
    if known is not None and row.get("delete") is True:
        if any(articles[known].released):
            return {"Account": "A released article cannot be deleted."}
        del articles[known]
        return {}
    account = str(sent.get("Account") or (known[3] if known else ""))
    subaccount = str(sent.get("Subaccount") or (known[4] if known else ""))
    wrong = _wrong_codes(site, account, subaccount)
    key = (*where, account, subaccount)
    if key in articles and key != known:
        wrong["Account"] = "There is an article of this account and subaccount already."
    if wrong:
        return wrong
    old = articles.pop(known) if known is not None else Article(str(uuid.uuid4()))
    periods = tuple(_minor(sent, name, was) for name, was in zip(PERIODS, old.periods, strict=True))
    text, by = str(sent.get("Description", old.description) or ""), site.username
    new = replace(old, description=text, amount_minor=_minor(sent, "Amount", old.amount_minor), periods=periods)
    if new != old or known is None:
        new = replace(new, is_released=False, changed_by=by, created_by=old.created_by or by)
    articles[key] = new
    return {}


def _wrong_codes(site: Site, account: str, subaccount: str) -> dict[str, str]:
    wrong = {}
    shelves: dict[str, tuple[str, Mapping[str, Any]]] = {
        "Account": (account, site.books.accounts),
        "Subaccount": (subaccount, site.books.subaccounts),
    }
    for name, (code, shelf) in shelves.items():
        if code not in shelf:
            wrong[name] = _NOT_FOUND.format(name) if code else f"'{name}' cannot be empty."
        elif not shelf[code].active:
            wrong[name] = f"{name} {code} is inactive."
    return wrong


def _minor(sent: Mapping[str, Any], name: str, before: int) -> int:
    if name not in sent:
        return before
    try:
        return int((Decimal(str(sent[name] or 0)) * 100).quantize(Decimal(1), ROUND_HALF_UP))
    except InvalidOperation:
        raise bad_request(f"{name}: {sent[name]!r} is no number.") from None


# -- the answer -------------------------------------------------------------------------------------------------------


def _shown(site: Site, entity: Entity, given: Mapping[str, Value], query: Query) -> Iterator[bytes]:
    echo = "".join(
        f',"{name}":{wrapped(letter, given.get(name))}' for name, letter in query.fields_of(entity.fields).items()
    )
    details = ""
    if "Details" in query.expand:
        rows = Rows(query.fields_of(entity.details["Details"].fields, "Details"))
        where = (given["Branch"], given["Ledger"], given["FinancialYear"])
        found = [record_of(key, one) for key, one in sorted(site.budgets.items()) if key[:3] == where]
        details = f',"Details":[{",".join(rows.write(one, at) for at, one in enumerate(found, start=1))}]'
    elif site.switches["unexpanded"] == "empty":
        details = ',"Details":[]'
    return iter([f'{{"id":"{uuid.uuid4()}","rowNumber":1,"note":null{echo}{details},"custom":{{}}}}'.encode()])


def record_of(key: ArticleKey, article: Article) -> Record:
    """An article as a row of the details."""
    branch, ledger, year, account, subaccount = key
    values: dict[str, Value] = {"Account": account, "Subaccount": subaccount, "Branch": branch, "LedgerID": ledger}
    values |= {"FinancialYear": year, "Description": article.description, "Amount": article.amount_minor}
    values |= {"DistributedAmount": sum(article.periods), "Node": False, "Released": article.is_released}
    values |= {"CreatedBy": article.created_by, "LastModifiedBy": article.changed_by}
    return Record(article.id, values | dict(zip(PERIODS, article.periods, strict=True)))


def _refused(entity: Entity, given: Mapping[str, Value], body: Any, wrong: _Wrong) -> RefusalError:
    """422: the record echoed with the errors beside its fields."""
    error = quote(f"Updating  '{entity.name}' record raised at least one error. Please review the errors.")
    echo = "".join(
        f',"{name}":{wrapped(letter, given.get(name), wrong.fields.get(name))}'
        for name, letter in entity.fields.items()
    )
    fields = entity.details["Details"].fields
    rows = []
    for at, row in enumerate(body.get("Details") or []):
        texts = wrong.rows.get(at, {})
        cells = [f'"{name}":{wrapped("s", _text(row.get(name)), texts.get(name))}' for name in fields if name in row or name in texts]  # fmt: skip
        rows.append("{" + ",".join(cells) + "}")
    details = f',"Details":[{",".join(rows)}]' if rows else ""
    return RefusalError(422, f'{{"id":"{uuid.uuid4()}","rowNumber":1,"error":{error}{echo}{details},"custom":{{}}}}')


def _text(cell: Any) -> str | None:
    value = cell.get("value") if isinstance(cell, dict) else None
    return None if value is None else str(value)


# -- release ----------------------------------------------------------------------------------------------------------


def release(site: Site, ledger: str, year: str, branch: str = "") -> tuple[int, list[str]]:
    """What the form GL505510 does: how many articles were released, and which were refused: their periods do not add up, or one is locked [C PX GLBudgetRelease]."""
    released, refused = 0, []
    with site.lock:
        for key, article in sorted(site.budgets.items()):
            if key[1:3] != (ledger, year) or (branch and key[0] != branch) or article.is_released:
                continue
            if article.amount_minor != sum(article.periods):
                refused.append(f"{key[3]} {key[4]}: the distributed amount is not the amount")
                continue
            if locked := _locked(site, year, article):
                refused.append(f"{key[3]} {key[4]}: period {locked} is locked")
                continue
            _post(site, key, article)
            site.budgets[key] = replace(article, is_released=True, released=article.periods)
            released += 1
    return released, refused


def _locked(site: Site, year: str, article: Article) -> str:
    """The first locked period with a figure, changed or not; closed and inactive ones take a budget [C PX GLBudgetRelease]."""
    keys = (f"FY{year}-P{number:02d}" for number, figure in enumerate(article.periods, start=1) if figure)
    return next((key for key in keys if key in site.books.periods and site.books.periods[key].status == "Locked"), "")


def _post(site: Site, key: ArticleKey, article: Article) -> None:
    """One batch for each period in which the article has changed since its last release."""
    branch, ledger, year, account, subaccount = key
    before: Sequence[int] = article.released
    for number, (now, was) in enumerate(zip(article.periods, before, strict=True), start=1):
        period = site.books.periods.get(f"FY{year}-P{number:02d}")
        if now == was or period is None:
            continue
        sign = -1 if site.books.accounts[account].type in CREDITS else 1
        net = (now - was) * sign
        line = Line(1, account, subaccount, branch, max(net, 0), max(-net, 0), "", article.description)
        site.books.post(ledger, period.key, branch, "Posted", f"Budget {year}", [line], now=site.clock.now())
