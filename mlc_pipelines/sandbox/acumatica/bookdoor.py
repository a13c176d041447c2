"""Control routes for tests of writing: which batches and budget articles the site holds. No part of Acumatica.

GET  /control/acumatica/batches         by ?ledger=, ?period=, ?text= (the description begins with) -> {"batches": [{"number", "module", "ledger", "branch", "period",
                                        "status", "description", "lines": [...]}]}
GET  /control/acumatica/budgets         by ?ledger=, ?year=, ?branch= -> {"articles": [{"account", "subaccount", "amount_minor", "periods", "released"}]}
GET  /control/acumatica/digest          what every ledger shows of balances (?ledger=ACTUAL: only that one) -> {"ledgers": {"ACTUAL": "<sha256>"}}
POST /control/acumatica/approve         {"number", "approved"}: somebody approves or rejects a journal that waits for it
POST /control/acumatica/post            {"number"}: somebody posts a released journal on form GL502000
POST /control/acumatica/period          {"period", "status"}: somebody opens, closes or locks a period on form GL503000
POST /control/acumatica/budget-release  {"ledger", "year", "branch"?}: a person releases the articles on form GL505510 -> {"released", "refused"}
"""

import hashlib
import json
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from mlc_pipelines.sandbox.acumatica import budgets
from mlc_pipelines.sandbox.acumatica.site import Site
from mlc_pipelines.sandbox.door import Answer, answering, body
from mlc_pipelines.sandbox.shapes import Batch


def book_routes(site: Site) -> list[Route]:
    """Routes below /control/acumatica."""
    door = _Door(site)
    table: list[tuple[str, str, Answer]] = [
        ("GET", "batches", door.batches),
        ("GET", "budgets", door.articles),
        ("GET", "digest", door.digest),
        ("POST", "approve", door.approve),
        ("POST", "post", door.post),
        ("POST", "period", door.period),
        ("POST", "budget-release", door.release),
    ]
    return [Route(f"/control/acumatica/{path}", answering(answer), methods=[method]) for method, path, answer in table]


class _Door:
    """The handlers."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def batches(self, request: Request) -> dict[str, Any]:
        """The batches that fit, whatever their status."""
        wish = request.query_params
        with self._site.lock:
            found = [
                _batch(one)
                for one in self._site.books.batches
                if (wish.get("ledger", one.ledger), wish.get("period", one.period)) == (one.ledger, one.period)
                and one.description.startswith(wish.get("text", ""))
            ]
        return {"batches": found}

    async def articles(self, request: Request) -> dict[str, Any]:
        """The budget articles that fit."""
        wish, found = request.query_params, []
        with self._site.lock:
            for (branch, ledger, year, account, subaccount), one in sorted(self._site.budgets.items()):
                about = {"branch": branch, "ledger": ledger, "year": year}
                if all(wish.get(name, value) == value for name, value in about.items()):
                    figures = {"amount_minor": one.amount_minor, "periods": list(one.periods)}
                    more = {"description": one.description, "released": one.is_released}
                    found.append({**about, "account": account, "subaccount": subaccount, **figures, **more})
        return {"articles": found}

    async def digest(self, request: Request) -> dict[str, Any]:
        """A digest of what is posted, by ledger: by period, account, subaccount and branch."""
        books, made = self._site.books, {}
        with self._site.lock:
            for ledger in books.ledgers:
                if request.query_params.get("ledger", ledger) == ledger:
                    whole = {period: books.truth(ledger, period) for period in books.periods}
                    made[ledger] = hashlib.sha256(json.dumps(whole).encode()).hexdigest()
        return {"ledgers": made}

    async def approve(self, request: Request) -> dict[str, Any]:
        """Decide on a journal that waits for approval."""
        wish = await body(request)
        with self._site.lock:
            batch = self._site.books.batch(wish["number"])
            if batch.status != "Pending Approval":
                raise ValueError(f"batch {batch.number} waits for nobody: it is {batch.status}")
            batch.status = "Balanced" if wish["approved"] else "Rejected"
            batch.modified_at = self._site.clock.now()
        return {"number": batch.number, "status": batch.status}

    async def post(self, request: Request) -> dict[str, Any]:
        """Post a released journal."""
        wish = await body(request)
        with self._site.lock:
            batch = self._site.books.batch(wish["number"])
            if batch.status != "Unposted":
                raise ValueError(f"batch {batch.number} is {batch.status}, not Unposted")
            batch.status, batch.modified_at = "Posted", self._site.clock.now()
        return {"number": batch.number, "status": batch.status}

    async def period(self, request: Request) -> dict[str, Any]:
        """Give a period another status."""
        wish = await body(request)
        if wish["status"] not in ("Inactive", "Open", "Closed", "Locked"):
            raise ValueError(f"no status {wish['status']!r}")
        with self._site.lock:
            self._site.books.periods[wish["period"]].status = wish["status"]
        return dict(wish)

    async def release(self, request: Request) -> dict[str, Any]:
        """Release the articles of a ledger and year."""
        wish = await body(request)
        released, refused = budgets.release(self._site, wish["ledger"], str(wish["year"]), wish.get("branch", ""))
        return {"released": released, "refused": refused}


def _batch(batch: Batch) -> dict[str, Any]:
    lines = [
        {
            "account": line.account,
            "subaccount": line.subaccount,
            "branch": line.branch,
            "debit_minor": line.debit_minor,
            "credit_minor": line.credit_minor,
            "reference": line.reference,
            "description": line.description,
        }
        for line in batch.lines
    ]
    about = {"number": batch.number, "module": batch.module, "ledger": batch.ledger, "branch": batch.branch}
    more = {"period": batch.period, "status": batch.status, "description": batch.description}
    return {**about, **more, "lines": lines}
