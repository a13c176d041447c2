"""Native budgets: articles of the Budget entity (GL302010), by branch, ledger and year, one for each account and subaccount.

Asked and written by one and the same PUT, because the form's first view is a filter: a list by GET fails [C PX]. Nobody's working code for
writing it was found, and one build silently ignored the PUT of another form of that kind [C ACU]: what was written is read again. Articles
reach the ledger only when a person releases them on GL505510, which the endpoint does not have; released ones may be changed and must be
released again, whole, and a locked period of the year stops that [S UG; C PX GLBudgetRelease]. Their figures are in the natural sign of the
account: liabilities and income are positive as credits [C PX GLBudgetRelease].
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from mlc_pipelines.acumatica import openapi, wire
from mlc_pipelines.acumatica.codec import SYSTEM, said
from mlc_pipelines.acumatica.plan_ledger import PlanLedger, Target
from mlc_pipelines.ledger.amounts import minor_column
from mlc_pipelines.ledger.errors import DataError, SetupError
from mlc_pipelines.ledger.fiscal import split_key
from mlc_pipelines.ledger.money import Money
from mlc_pipelines.ledger.ports import HELD, LedgerPeriod

NAME, FORM, RELEASE_FORM = "Budget", "GL302010", "GL505510"
_CREDITS = {"Liability", "Income"}
_SHOWN = 5

Key = tuple[str, str]
"""Account and subaccount."""


class BudgetNotStored(SetupError):  # noqa: N818
    """The site answered as if it had stored the articles, and stored nothing."""


@dataclass(frozen=True, slots=True)
class Article:
    """One article in minor units, in its natural sign: what falls into each of 13 periods."""

    id: str
    periods: tuple[int, ...]
    released: bool


class BudgetArticles(PlanLedger):
    """The port `BudgetTable`, over the articles of one branch."""

    kind = "Budget"
    uses = {NAME: openapi.fields_of(wire.Budget)}  # noqa: RUF012

    def read_held(self, period: str) -> pd.DataFrame:
        """The articles' figures of the period, released or not, debit positive."""
        year, number = self._place(period)
        signs = self._signs()
        rows = [
            (account, subaccount, article.periods[number - 1] * _sign(signs, account))
            for (account, subaccount), article in sorted(self._articles(year).items())
            if article.periods[number - 1]
        ]
        columns = zip(*rows, strict=True) if rows else [[], [], []]
        kinds = {"account": "object", "subaccount": "object", "amount_minor": "int64"}
        return pd.DataFrame(dict(zip(HELD, columns, strict=True))).astype(kinds)

    def write_held(self, period: str, cells: pd.DataFrame) -> None:
        """Set the figures of these keys in one period, by one PUT of the articles that change. Raises BudgetNotStored where the site ignored it."""
        year, number = self._place(period)
        before, signs = self._articles(year), self._signs()
        wanted = {
            (account, subaccount): int(minor) * _sign(signs, account)
            for account, subaccount, minor in cells[HELD].itertuples(index=False)
        }
        changes = {key: minor for key, minor in wanted.items() if _figure(before, key, number) != minor}
        if not changes:
            return
        rows = [self._row(key, before.get(key), number, minor) for key, minor in sorted(changes.items())]
        self._site.put(NAME, {**wire.wrap(self._asked(year)), "Details": rows})
        self._require_stored(period, number, changes, before, self._articles(year))

    def waits_for(self, period: str) -> str:
        """The release by a person, as long as an article of the year is not released."""
        year, _ = self._place(period)
        articles = self._articles(year).values()
        if waiting := sum(not article.released for article in articles):
            return f"release of {waiting} of {len(articles)} articles of budget {self._rule.ledger} {year}, branch {self.target().branch}, on form {RELEASE_FORM}"
        return ""

    def _refuses(self, period: LedgerPeriod) -> str:
        """Budgets are made for periods that are not open yet, and for closed ones; only a locked one stops their release [C PX GLBudgetRelease]."""
        return "it is locked in the ERP" if period.status == "Locked" else ""

    def _place(self, period: str) -> tuple[str, int]:
        """Financial year and number of the period, which the ERP must have."""
        if period not in self.periods():
            raise DataError(
                f"Period {period}: {self._unknown(period)}.",
                holds="Nothing was written.",
                next_step="Choose another period.",
            )
        year, _, number = split_key(period)
        if number > wire.PERIODS:
            raise DataError(
                f"Budget articles have room for {wire.PERIODS} periods; {period} is none of them.",
                holds="Nothing was written.",
                next_step="Leave the period out of the plan, or post it as journals into a statistical ledger.",
            )
        return f"{year:04d}", number

    def _asked(self, year: str) -> dict[str, str]:
        return {"Branch": self.target().branch, "Ledger": self.target().books.ledger, "FinancialYear": year}

    def _articles(self, year: str) -> dict[Key, Article]:
        """The articles of the year, totals of a budget tree left out. Asked by a PUT without rows, which stores nothing."""
        asked = self._asked(year)
        answer = self._site.ask(NAME, asked, wire.Budget, expand="Details")
        found = {
            "Branch": said(answer.branch),
            "Ledger": said(answer.ledger),
            "FinancialYear": said(answer.financial_year),
        }
        if found != asked or answer.details is None:
            raise DataError(
                f"{NAME} was asked for {_listed(asked)}, and answered for {_listed(found)}"
                f"{'' if answer.details is not None else ' without its articles'}.",
                holds="Nothing was written.",
                next_step=SYSTEM,
            )
        return _by_key([row for row in answer.details if not row.node.value], self.target(), year)

    def _signs(self) -> dict[str, int]:
        """Account -> what turns its natural sign into ours, and ours into its own."""
        return {code: -1 if said(account.type) in _CREDITS else 1 for code, account in self._accounts().items()}

    def _row(self, key: Key, article: Article | None, number: int, minor: int) -> dict[str, Any]:
        """An article as it is sent: known ones by their id, or they would be added again [S]. Its amount is what it distributes, or it is never released."""
        periods = list(article.periods) if article else [0] * wire.PERIODS
        periods[number - 1] = minor
        currency = self.target().books.currency
        amounts = {f"Period{number:02d}": minor, "Amount": sum(periods)}
        fields: dict[str, Any] = {name: Money(value, currency).decimal for name, value in amounts.items()}
        if article:
            return {"id": article.id, **wire.wrap(fields)}
        names = dict(zip(("Account", "Subaccount"), key, strict=True))
        return wire.wrap({name: code for name, code in names.items() if code} | fields)

    def _require_stored(
        self,
        period: str,
        number: int,
        changes: Mapping[Key, int],
        before: Mapping[Key, Article],
        after: Mapping[Key, Article],
    ) -> None:
        lacking = [key for key, minor in changes.items() if _figure(after, key, number) != minor]
        if not lacking:
            return
        where = f"budget {self._rule.ledger}, branch {self.target().branch}, {period}"
        if all(_figure(after, key, number) == _figure(before, key, number) for key in changes):
            raise BudgetNotStored(
                f"Acumatica answered as if it had stored {len(changes)} articles of {where}, and stored none: this build ignores what is written to {NAME}.",
                holds="The budget is as it was.",
                next_step=f"Write plans as journals into a Statistical ledger instead, or ask the Acumatica administrator whether form {FORM} was changed.",
            )
        named = ", ".join(" ".join(key) for key in lacking[:_SHOWN])
        raise DataError(
            f"{len(lacking)} of {len(changes)} articles of {where} are not as they were sent: {named}.",
            holds="The others are stored.",
            next_step=f"Look at them on form {FORM}; somebody may have worked on them meanwhile. Then write the budget again.",
        )


def _by_key(rows: Sequence[wire.Article], target: Target, year: str) -> dict[Key, Article]:
    """Raises DataError for an article that is not of this budget, has no id, or stands twice."""
    own = {"Branch": target.branch, "LedgerID": target.books.ledger, "FinancialYear": year}
    found: dict[Key, Article] = {}
    for row in rows:
        key = (said(row.account), said(row.subaccount))
        shown = {"Branch": said(row.branch), "LedgerID": said(row.ledger), "FinancialYear": said(row.financial_year)}
        wrong = [f"{name} {text}" for name, text in shown.items() if text not in {"", own[name]}]
        wrong += [] if row.id and key[0] else ["no id or account"]
        wrong += ["stands twice"] if key in found else []
        if wrong:
            raise DataError(
                f"Article {' '.join(key)} of budget {_listed(own)}: {', '.join(wrong)}.",
                holds="Nothing was written by this look; the articles stand in Acumatica as they are.",
                next_step=SYSTEM,
            )
        found[key] = Article(row.id or "", _minor(row, key, target), bool(row.released.value))
    return found


def _minor(row: wire.Article, key: Key, target: Target) -> tuple[int, ...]:
    def where(at: int) -> str:
        return f"Article {' '.join(key)}, period {at + 1}"

    return tuple(minor_column(row.periods, target.books.currency, "the figure", where).to_pylist())


def _figure(articles: Mapping[Key, Article], key: Key, number: int) -> int:
    return articles[key].periods[number - 1] if key in articles else 0


def _sign(signs: Mapping[str, int], account: str) -> int:
    if account not in signs:
        raise DataError(
            f"Account {account} does not exist.",
            holds="Nothing was written.",
            next_step="Correct the mapping of the plan.",
        )
    return signs[account]


def _listed(names: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {text}" for name, text in names.items())
