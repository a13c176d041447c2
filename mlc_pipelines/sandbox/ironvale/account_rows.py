"""Accounts in full, as rows of GLAccount and GLAcctDisp: every combination that was ever posted to, and the balance accounts.

Combinations of account and department must exist before they are posted to, those with a plant come up by being used (the segment
is dynamic); both are listed [S for dynamic segments; I for what the tables list].
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from mlc_pipelines.sandbox.ironvale import chart
from mlc_pipelines.sandbox.ironvale.coding import display, gl_account
from mlc_pipelines.sandbox.ironvale.rows import Row, Where, matching
from mlc_pipelines.sandbox.ironvale.tables import TABLES, row_id

if TYPE_CHECKING:
    from mlc_pipelines.sandbox.ironvale.books import Ironvale


def accounts(books: "Ironvale", where: Where) -> Sequence[Row]:
    """Every account that was posted to, in full."""
    made = []
    for company, account, dept, plant, rev in _used(books):
        about, value = _about(books, company, account, dept, plant), books.values[chart.ACCOUNT][account]
        row = {
            **TABLES["GLAccount"].blank,
            **about,
            "GLAccount1": gl_account(account, dept, plant),
            "GLAcctDispGLAcctDisp": display(account, dept, plant),
            "GLAcctDispAccountDesc": value.name,
            "GLAcctDispGLShortAcct": account,
            "SysRevID": rev,
        }
        made.append({**row, "SysRowID": row_id("GLAccount", company, row["GLAccount1"])})
    return matching(made, where)


def displays(books: "Ironvale", where: Where) -> Sequence[Row]:
    """The same and the balance accounts, in the form that people read."""
    balances = {(company, account, dept, ""): rev for company, account, dept, _, rev in _balances(books)}
    used = {(company, account, dept, plant): rev for company, account, dept, plant, rev in _used(books)}
    made = []
    for key in sorted({**balances, **used}):
        company, account, dept, plant = key
        category = books.categories[books.values[chart.ACCOUNT][account].category]
        row = {
            **TABLES["GLAcctDisp"].blank,
            **_about(books, *key),
            "GLAccount": gl_account(account, dept, plant),
            "GLAcctDisp1": display(account, dept, plant),
            "GLShortAcct": account,
            "BalanceType": ("D" if dept else "B") if key in balances else "",
            "CatType": category.type,
            "IsGLAccount": key in used,
            "IsBalanceAcct": key in balances,
            "COACategory": category.code,
            "CategoryDesc": category.name,
            "NormalBalance": category.normal,
            "CanUseCarryFwdBal": category.type == "I" and bool(dept),
            "SysRevID": used[key] + 1 if key in used else balances[key] + 2,
        }
        made.append({**row, "SysRowID": row_id("GLAcctDisp", company, row["GLAccount"])})
    return matching(made, where)


def _used(books: "Ironvale") -> Iterator[tuple[str, str, str, str, int]]:
    return ((*key, rev) for key, rev in sorted(books.accounts_used.items()))


def _balances(books: "Ironvale") -> Iterator[tuple[str, str, str, str, int]]:
    for company, account, dept, _, rev in _used(books):
        yield company, account, dept if books.balance_segments != "1" else "", "", rev


def _about(books: "Ironvale", company: str, account: str, dept: str, plant: str) -> dict[str, Any]:
    """An account in full is as active as its segments are."""
    parts = ((chart.ACCOUNT, account), (chart.DEPT, dept), (chart.PLANT, plant))
    values = [books.values[segment][code] for segment, code in parts if code]
    until = [value.until for value in values if value.until]
    return {
        "Company": company,
        "COACode": chart.COA,
        "AccountDesc": values[0].name,
        "SegValue1": account,
        "SegValue2": dept,
        "SegValue3": plant,
        "Active": all(value.active for value in values),
        "EffTo": min(until, default=None),
    }


MAKERS = {"GLAccount": accounts, "GLAcctDisp": displays}
