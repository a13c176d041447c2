"""Control routes for tests of writing: what stands in entry, in the ledger and in the budgets, and what others do to it. No part of Kinetic.

GET  /control/epicor/groups             all groups of journals (?company=IVM) -> {"groups": [{"group", "book", "code", "held_by", "locked", "posted", "log"}]}
GET  /control/epicor/journals           by ?group=, ?comment= (begins with), ?book=, ?company= -> {"journals": [{"state": "entry", "review" or "posted", "book",
                                        "year", "period", "code", "number", "group", "day", "description", "comment", "lines": [...]}]}
GET  /control/epicor/budgets            ?book=&year=&code= -> {"budgets": [{"account", "type", "total_minor", "periods": {"1": minor}, ...}], "destroyed": [...]}
GET  /control/epicor/digest             what every book shows of balances (?book=MAIN: only that one) -> {"books": {"IVM/MAIN": "<sha256>"}}
POST /control/epicor/hold               {"group", "user", "company"?}: somebody takes a group; user "" gives it back
POST /control/epicor/park               {"group", "company"?}: a group goes to review
POST /control/epicor/release            {"group", "post": true or false, "company"?}: review confirms (posts) or cancels it
POST /control/epicor/budget             {"account", "period": 3, "year", "code", "amount", "book"?}: somebody types another figure
POST /control/epicor/run-tasks          the agent carries out all tasks that wait -> {"tasks"}
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.routing import BaseRoute, Route

from mlc_pipelines.sandbox.door import Answer, answering, body, signed_minor
from mlc_pipelines.sandbox.epicor.groups import GROUP, HEADER
from mlc_pipelines.sandbox.epicor.site import Kinetic
from mlc_pipelines.sandbox.epicor.writing import Writing
from mlc_pipelines.sandbox.ironvale import Ironvale
from mlc_pipelines.sandbox.ironvale.shapes import Journal

Wish = Mapping[str, Any]
MAIN = "MAIN"


def book_routes(site: Kinetic) -> list[BaseRoute]:
    """Routes below /control/epicor that concern writing."""
    door = _Door(site)
    reads = {"groups": door.groups, "journals": door.journals, "budgets": door.budgets, "digest": door.digest}
    deeds = {
        "hold": door.hold,
        "park": door.park,
        "release": door.release,
        "budget": door.budget,
        "run-tasks": door.run_tasks,
    }
    found: list[BaseRoute] = []
    for method, table in (("GET", reads), ("POST", deeds)):
        found += [Route(f"/control/epicor/{name}", answering(door.at(work)), methods=[method]) for name, work in table.items()]  # fmt: skip
    return found


class _Door:
    """The handlers: each gets the query or the body, and gives plain data."""

    def __init__(self, site: Kinetic) -> None:
        self._site = site

    def at(self, work: Callable[[Wish], Any]) -> Answer:
        """A handler of a request, in its turn among the calls to the instance."""

        def in_turn(wish: Wish) -> Any:
            with self._site.turn:
                return work({"company": self._site.company, **wish})

        async def answer(request: Request) -> Any:
            wish = dict(request.query_params) if request.method == "GET" else await body(request)
            return await run_in_threadpool(in_turn, wish)

        return answer

    @property
    def _books(self) -> Ironvale:
        return self._site.books

    @property
    def _writing(self) -> Writing:
        if self._site.writing is None:
            raise ValueError("the instance serves nobody")
        return self._site.writing

    # -- what stands --------------------------------------------------------------------------------------------------

    def groups(self, wish: Wish) -> Any:
        """The groups of a company."""
        rows = [row for row in self._books.kept.get(GROUP, {}).values() if row["Company"] == wish["company"]]
        names = {"group": "GroupID", "book": "BookID", "code": "JournalCode", "held_by": "ActiveUserID"}
        names |= {"locked": "IsLcked", "posted": "Posted", "log": "PostErrorLog"}
        return {"groups": [{name: row[column] for name, column in names.items()} for row in rows]}

    def journals(self, wish: Wish) -> Any:
        """Journals in entry, in review and posted, that fit."""
        entered = [row for row in self._books.kept.get(HEADER, {}).values() if row["Company"] == wish["company"]]
        found = [self._entered(row) for row in entered]
        for (company, _, _), journals in self._books.journals.items():
            if company == wish["company"]:
                found += [_posted(one) for one in journals if _may_fit(one, wish)]
        return {"journals": [one for one in found if _fits(one, wish)]}

    def _entered(self, header: Mapping[str, Any]) -> dict[str, Any]:
        rows = self._writing.journals.lines(header)
        names = {"book": "BookID", "period": "FiscalPeriod", "code": "JournalCode", "number": "JournalNum"}
        names |= {"group": "GroupID", "description": "Description", "comment": "CommentText"}
        return {
            "state": "review" if header["IsLcked"] else "entry",
            **{name: header[column] for name, column in names.items()},
            "year": f"{header['FiscalYear']}{header['FiscalYearSuffix']}",
            "day": str(header["JEDate"]),
            "lines": [
                {
                    "account": row["SegValue1"],
                    "dept": row["SegValue2"],
                    "plant": row["SegValue3"],
                    "debit_minor": _minor(row["TotDebit"]),
                    "credit_minor": _minor(row["TotCredit"]),
                    "description": row["Description"],
                    "comment": row["CommentText"],
                }
                for row in rows
            ],
        }

    def budgets(self, wish: Wish) -> Any:
        """Budgets by balance account, and what DeleteBudget was called for."""
        found = []
        for head in self._writing.budgets.books.kept.get("GLBudgetHd", {}).values():
            year = f"{head['FiscalYear']}{head['FiscalYearSuffix']}"
            names = {"company": head["Company"], "book": head["BookID"], "year": year, "code": head["BudgetCodeID"]}
            if any(str(wish.get(name, value)) != value for name, value in names.items()):
                continue
            periods = {
                str(row["FiscalPeriod"]): _minor(row["BudgetAmt"]) for row in self._writing.budgets.details(head)
            }
            about = {"account": head["BalanceAcct"], "type": head["BalanceType"]}
            found.append({**names, **about, "total_minor": _minor(head["TotalBudgetAmt"]), "periods": periods})
        return {"budgets": found, "destroyed": list(self._site.destroyed)}

    def digest(self, wish: Wish) -> Any:
        """A digest of the trial balance of each book: by period, account, department and plant."""
        made = {}
        for company, book in self._books.ledgers:
            if company == wish["company"] and wish.get("book", book) == book:
                periods = self._books.calendar_of(book, company)
                whole = {key: self._books.truth(book, key, company) for key in periods}
                made[f"{company}/{book}"] = hashlib.sha256(json.dumps(whole).encode()).hexdigest()
        return {"books": made}

    # -- what others do -----------------------------------------------------------------------------------------------

    def hold(self, wish: Wish) -> Any:
        """Somebody takes a group, or gives it back."""
        group = self._group(wish)
        self._books.put(GROUP, {**group, "ActiveUserID": wish["user"]})
        return {"group": group["GroupID"], "user": wish["user"]}

    def park(self, wish: Wish) -> Any:
        """Send a group to review."""
        group = self._group(wish)
        headers = self._writing.groups.inside(HEADER, group)
        return {"review": self._writing.review.park(group, headers, ["Sent by hand"])}

    def release(self, wish: Wish) -> Any:
        """Let review decide."""
        group = self._writing.review.release(wish["company"], self._group(wish)["GroupID"])
        message = ""
        if wish["post"]:
            before, self._site.switches["review"] = self._site.switches["review"], "never"
            try:
                message = self._writing.posting.carry_out(wish["company"], group["GroupID"])
            finally:
                self._site.switches["review"] = before
        return {"group": group["GroupID"], "posted": bool(wish["post"]) and not message, "message": message}

    def budget(self, wish: Wish) -> Any:
        """Type another figure into a budget."""
        names = {"BookID": wish.get("book", MAIN), "BalanceAcct": wish["account"], "BudgetCodeID": wish["code"]}
        names |= {"FiscalYear": int(wish["year"]), "FiscalPeriod": int(wish["period"]), "Company": wish["company"]}
        for row in list(self._books.kept.get("GLBudgetDtl", {}).values()):
            if all(row[name] == value for name, value in names.items()):
                amount = Decimal(signed_minor(wish["amount"])).scaleb(-2)
                self._books.put("GLBudgetDtl", {**row, "BudgetAmt": amount})
                return {"account": row["BalanceAcct"], "was_minor": _minor(row["BudgetAmt"])}
        raise ValueError(f"there is no budget of {wish['account']!r} for period {wish['period']}")

    def run_tasks(self, _: Wish) -> Any:
        """Let the agent work."""
        return {"tasks": self._writing.tasks.finish()}

    def _group(self, wish: Wish) -> dict[str, Any]:
        found = self._writing.groups.find(wish["company"], wish["group"])
        if found is None:
            raise ValueError(f"there is no group {wish['group']!r}")
        return found


def _may_fit(journal: Journal, wish: Wish) -> bool:
    """Spares laying out journals that a query leaves out."""
    book, group = wish.get("book", journal.book), wish.get("group", journal.group)
    return journal.posted and (journal.book, journal.group) == (book, group)


def _fits(one: Mapping[str, Any], wish: Wish) -> bool:
    if not all(one[name] == wish.get(name, one[name]) for name in ("book", "group")):
        return False
    begun = wish.get("comment", "")
    return not begun or any(text.startswith(begun) for text in (one["comment"], *(row["comment"] for row in one["lines"])))  # fmt: skip


def _posted(journal: Journal) -> dict[str, Any]:
    return {
        "state": "posted",
        "book": journal.book,
        "period": journal.period.number,
        "code": journal.code,
        "number": journal.number,
        "group": journal.group,
        "description": journal.text,
        "comment": journal.comment,
        "year": journal.period.year_key,
        "day": str(journal.day),
        "lines": [
            {
                "account": line.account,
                "dept": line.dept,
                "plant": line.plant,
                "debit_minor": line.debit_minor,
                "credit_minor": line.credit_minor,
                "description": line.text or journal.text,
                "comment": line.comment or journal.comment,
            }
            for line in journal.lines
        ],
    }


def _minor(amount: Decimal) -> int:
    return int(amount * 100)
