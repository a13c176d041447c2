"""Control routes for tests: what the books of Ironvale hold, and what to do to them. No part of Kinetic.

GET  /control/truth/epicor              what is posted (?book=MAIN&period=FY2026-P03&company=IVM), by the three segments
GET  /control/truth/epicor-spend        what invoices were distributed to (?period=FY2026-P03), by vendor, account, department
POST /control/epicor/journals           {"period", "lines": [{"account", "dept"?, "plant"?, "debit" or "credit"}], "book"?, "description"?, "source"?,
                                        "posted"?, "code"?, "group"?, "comment"?, "company"?, "in_balances"?} -> {"journal": "GJ 12", "name": "MAIN 2026 GJ 12"}
POST /control/epicor/invoices           {"vendor", "number", "period", "expenses": [{"account", "dept"?, "plant"?, "amount"}], "tax"?, "posted"?, "text"?}
POST /control/epicor/recode             {"period", "journal", "line", "account"?, "dept"?, "plant"?, "book"?}
POST /control/epicor/close              {"period", "book"?, "company"?}; POST /control/epicor/reopen: the same
POST /control/epicor/take-up            {"book"?}: the balances take up what was posted with "in_balances": false -> {"journals"}
GET  POST /control/epicor/switches      all switches; POST changes some
POST /control/epicor/revoke-tokens      every token ends -> {"tokens"}
POST /control/epicor/end-sessions       every session ends, as after a restart of the server -> {"sessions"}

What stands in entry and in the budgets, and what others do to it: `bookdoor`. A request that makes no sense is answered with 400 and the reason.
"""

from collections.abc import Callable, Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.routing import BaseRoute, Route

from mlc_pipelines.sandbox.door import Answer, answering, body, minor, signed_minor
from mlc_pipelines.sandbox.epicor.bookdoor import book_routes
from mlc_pipelines.sandbox.epicor.site import Kinetic
from mlc_pipelines.sandbox.ironvale import Line

JOURNAL_WISHES = ("book", "description", "source", "posted", "code", "group", "comment", "company", "in_balances")


def control_routes(site: Kinetic) -> list[BaseRoute]:
    """Routes below /control that concern Epicor alone."""
    door = _Door(site)
    table: list[tuple[str, str, Answer]] = [
        ("GET", "truth/epicor", door.truth),
        ("GET", "truth/epicor-spend", door.spend),
        ("POST", "epicor/journals", door.post),
        ("POST", "epicor/invoices", door.post_invoice),
        ("POST", "epicor/recode", door.recode),
        ("POST", "epicor/close", door.close),
        ("POST", "epicor/reopen", door.reopen),
        ("POST", "epicor/take-up", door.take_up),
        ("GET", "epicor/switches", door.switches),
        ("POST", "epicor/switches", door.switch),
        ("POST", "epicor/revoke-tokens", door.revoke),
        ("POST", "epicor/end-sessions", door.end_sessions),
    ]
    own = [Route(f"/control/{path}", answering(answer), methods=[method]) for method, path, answer in table]
    return [*own, *book_routes(site)]


class _Door:
    """The handlers: each gives plain data or raises what is wrong with the request. Books may be built by the first of them."""

    def __init__(self, site: Kinetic) -> None:
        self._site = site

    async def truth(self, request: Request) -> dict[str, Any]:
        """What was posted in one period of a book, read from the books themselves."""
        query = request.query_params
        book, company = query.get("book", "MAIN"), query.get("company", self._site.company)
        rows = await run_in_threadpool(self._truth, book, query["period"], company)
        return {
            "rows": [
                {"seg1": one[0], "seg2": one[1], "seg3": one[2], "debit_minor": one[3], "credit_minor": one[4]}
                for one in rows
            ],
            "debit_minor": sum(one[3] for one in rows),
            "credit_minor": sum(one[4] for one in rows),
        }

    def _truth(self, book: str, period: str, company: str) -> list[Any]:
        books = self._site.books
        if (company, book) not in books.ledgers:
            raise ValueError(f"{company} has no book {book!r}")
        books.period(period, book, company)
        return list(books.truth(book, period, company))

    async def spend(self, request: Request) -> dict[str, Any]:
        """What the invoices posted in one period were distributed to."""
        query = request.query_params
        period, company = query["period"], query.get("company", self._site.company)
        rows = await run_in_threadpool(self._spend, period, company)
        shown = [dict(zip(("vendor", "account", "dept", "net_minor"), row, strict=True)) for row in rows]
        return {"rows": shown, "net_minor": sum(row[3] for row in rows)}

    def _spend(self, period: str, company: str) -> list[Any]:
        self._site.books.period(period, company=company)
        return list(self._site.books.spend_truth(period, company))

    async def post(self, request: Request) -> dict[str, Any]:
        """Book a journal, as somebody at Kinetic's own screen would."""
        wish = await body(request)
        more = {name: wish[name] for name in JOURNAL_WISHES if name in wish}
        journal = await self._changed(
            lambda: self._site.books.post(
                more.pop("book", "MAIN"), wish["period"], [_line(one) for one in wish["lines"]], now=self._now(), **more
            )
        )
        return {"journal": journal.name, "name": f"{journal.book} {journal.period.year_key} {journal.name}"}

    async def post_invoice(self, request: Request) -> dict[str, Any]:
        """Enter a vendor's invoice, posted unless told otherwise."""
        wish = await body(request)
        expenses = [
            (one["account"], one.get("dept", ""), one.get("plant", ""), signed_minor(one["amount"]))
            for one in wish["expenses"]
        ]
        more = {name: wish[name] for name in ("posted", "text") if name in wish}
        invoice = await self._changed(
            lambda: self._site.books.post_invoice(
                wish["vendor"],
                wish["number"],
                wish["period"],
                expenses,
                tax_minor=signed_minor(wish.get("tax", "0")),
                now=self._now(),
                **more,
            )
        )
        return {"vendor": invoice.vendor, "number": invoice.number, "posted": invoice.posted}

    async def recode(self, request: Request) -> dict[str, Any]:
        """Give one line of a journal another coding."""
        wish = await body(request)
        more = {name: wish[name] for name in ("account", "dept", "plant", "book") if name in wish}
        journal = await self._changed(
            lambda: self._site.books.recode(wish["period"], wish["journal"], wish["line"], **more)
        )
        return {"journal": journal.name}

    async def close(self, request: Request) -> dict[str, Any]:
        """Close a period of a book."""
        return await self._turn(await body(request), closed=True)

    async def reopen(self, request: Request) -> dict[str, Any]:
        """Open it again."""
        return await self._turn(await body(request), closed=False)

    async def _turn(self, wish: Mapping[str, Any], *, closed: bool) -> dict[str, Any]:
        at = (wish["period"], wish.get("book", "MAIN"), wish.get("company", self._site.company))
        await self._changed(lambda: self._site.books.close(*at) if closed else self._site.books.reopen(*at))
        return {"period": at[0], "book": at[1], "closed": closed}

    async def take_up(self, request: Request) -> dict[str, Any]:
        """Let the balances take up what they lag behind."""
        wish = await body(request)
        return {"journals": await self._changed(lambda: self._site.books.take_up(wish.get("book", "MAIN")))}

    async def switches(self, _: Request) -> dict[str, Any]:
        """All switches."""
        return self._site.switches

    async def switch(self, request: Request) -> dict[str, Any]:
        """Set some switches; the answer shows all."""
        self._site.set_switches(await body(request))
        return self._site.switches

    async def revoke(self, _: Request) -> dict[str, Any]:
        """End all tokens."""
        return {"tokens": self._site.revoke()}

    async def end_sessions(self, _: Request) -> dict[str, Any]:
        """End all sessions."""
        return {"sessions": self._site.end_sessions()}

    async def _changed(self, change: Callable[[], Any]) -> Any:
        def in_turn() -> Any:
            with self._site.turn:
                return change()

        return await run_in_threadpool(in_turn)

    def _now(self) -> Any:
        return self._site.clock.now()


def _line(wish: Mapping[str, Any]) -> Line:
    return Line(
        wish["account"],
        wish.get("dept", ""),
        wish.get("plant", ""),
        minor(wish.get("debit", "0")),
        minor(wish.get("credit", "0")),
        wish.get("description", ""),
    )
