"""The Budget entity: articles by PUT, what their release asks for, and what nobody promises. Reference: acumatica 5.6."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from mlc_pipelines.sandbox.acumatica import book_routes, routes


@pytest.fixture
def door(rig, stage) -> Iterator[httpx.Client]:
    """The tests' own door to the budgets."""
    stage.app = Starlette(routes=[*book_routes(rig.site), *routes(rig.site)])
    with httpx.Client(base_url=f"{stage.url}/control/acumatica", verify=False) as client:
        yield client


def article(account: str = "6500", subaccount: str = "020-ADV", amount: str = "3", **more: Any) -> dict[str, Any]:
    """A row of the details: an amount, and what of it falls into which period."""
    plain = {"Account": account, "Subaccount": subaccount, "Amount": amount} | {name: more[name] for name in more if name not in ("id", "delete")}  # fmt: skip
    whole = {name: more[name] for name in ("id", "delete") if name in more}
    return whole | {name: {"value": value} for name, value in plain.items()}


def put(rig, *rows: dict[str, Any], expand: str = "Details", **values: str) -> httpx.Response:
    """PUT the filter and some rows."""
    asked = {"Branch": "HQ", "Ledger": "BUDGET", "FinancialYear": "2026"} | values
    body = {name: {"value": value} for name, value in asked.items()} | ({"Details": list(rows)} if rows else {})
    return rig.http.put(f"{rig.entity}/Budget", params={"$expand": expand}, json=body, headers=rig.signed_in())


def details(answer: httpx.Response) -> list[dict[str, Any]]:
    assert 200 == answer.status_code, answer.text
    return json.loads(answer.content, parse_float=Decimal)["Details"]


def test_articles_are_written_and_read_by_the_same_put(rig, door):
    """Amount and periods are stored as sent; the distributed amount is the site's sum; nothing reaches a ledger."""
    before = door.get("/digest").json()
    put(rig, article(Period01="1.25", Period02="1.75"), article("4010", "010-000", "9"))
    shown = [rig.plain(row) for row in details(put(rig))]
    assert [("4010", 9, 0, False), ("6500", 3, 3, False)] == [
        (row["Account"], row["Amount"], row["DistributedAmount"], row["Released"]) for row in shown
    ]
    assert (Decimal("1.25"), Decimal("1.75"), 0) == tuple(shown[1][f"Period{number}"] for number in ("01", "02", "13"))
    assert [] == details(put(rig, FinancialYear="2025"))
    assert before == door.get("/digest").json()


def test_an_article_is_changed_and_deleted_by_its_id(rig):
    """A row without an id is a new one, and there is one article of an account and subaccount only."""
    [row] = details(put(rig, article()))
    changed = {"id": row["id"], "Period05": {"value": 4}}
    assert 4 == rig.plain(details(put(rig, changed))[0])["Period05"]
    answer = put(rig, article())
    assert (422, True) == (answer.status_code, "already" in answer.json()["Details"][0]["Account"]["error"])
    assert [] == details(put(rig, {"id": row["id"], "delete": True}))


def test_a_bad_row_stores_none(rig, door):
    """422 with the error beside the field of its row."""
    answer = put(rig, article(), article("9999"))
    assert 422 == answer.status_code
    assert ["Account"] == [name for name, cell in answer.json()["Details"][1].items() if "error" in cell]
    assert [] == door.get("/budgets").json()["articles"]


@pytest.mark.parametrize(
    ("values", "field"),
    [({"Ledger": "ACTUAL"}, "Ledger"), ({"FinancialYear": "1999"}, "FinancialYear"), ({"Branch": "X"}, "Branch")],
)
def test_a_filter_that_means_nothing(rig, values, field):
    """Only budget ledgers can be chosen, and years that there are."""
    answer = put(rig, article(), **values)
    assert (422, True) == (answer.status_code, "error" in answer.json()[field])


def test_a_list_cannot_be_read(rig):
    """Its first view is a filter with code behind it."""
    answer = rig.get("Budget")
    assert (500, True) == (answer.status_code, "CannotOptimize" in answer.json()["exceptionType"])


def test_a_put_that_is_ignored(rig, door):
    """By switch it answers 200 and stores nothing, as a live site did on another form of that kind."""
    rig.site.set_switches({"budget_put": "ignored"})
    assert [] == details(put(rig, article()))
    assert [] == door.get("/budgets").json()["articles"]


def test_only_articles_whose_periods_add_up_are_released(rig, door):
    """Released ones are in the ledger, each period in the sign of its account; the others say why not."""
    put(
        rig,
        article(Period01="1", Period02="2"),
        article("4010", "010-000", "9", Period01="9"),
        article("2010", "010-000"),
    )
    said = door.post("/budget-release", json={"ledger": "BUDGET", "year": 2026}).json()
    assert (2, 1) == (said["released"], len(said["refused"]))
    lines = [
        (one["period"], line["account"], line["debit_minor"], line["credit_minor"])
        for one in door.get("/batches", params={"ledger": "BUDGET"}).json()["batches"]
        for line in one["lines"]
    ]
    assert [("FY2026-P01", "4010", 0, 900), ("FY2026-P01", "6500", 100, 0), ("FY2026-P02", "6500", 200, 0)] == lines
    assert [False, True, True] == [one["released"] for one in door.get("/budgets").json()["articles"]]


def test_a_second_release_posts_the_difference(rig, door):
    """A changed article is not released any more; a released one is not deleted."""
    [row] = details(put(rig, article(Period01="3")))
    door.post("/budget-release", json={"ledger": "BUDGET", "year": "2026"})
    assert 422 == put(rig, {"id": row["id"], "delete": True}).status_code
    [row] = details(put(rig, {"id": row["id"], "Period01": {"value": 1}, "Period02": {"value": 2}}))
    assert not row["Released"]["value"]
    assert 1 == door.post("/budget-release", json={"ledger": "BUDGET", "year": "2026"}).json()["released"]
    books = rig.site.books
    assert [(300, 200)] == [row[3:] for row in books.truth("BUDGET", "FY2026-P01")]
    assert [(200, 0)] == [row[3:] for row in books.truth("BUDGET", "FY2026-P02")]


def test_batches_of_a_text(rig, door):
    """The door finds journals by the beginning of their description."""
    found = door.get("/batches", params={"ledger": "ACTUAL", "text": "Counsel's"}).json()["batches"]
    assert [("Posted", 2)] == [(one["status"], len(one["lines"])) for one in found]


@pytest.mark.parametrize(("status", "released"), [("Inactive", 1), ("Closed", 1), ("Locked", 0)])
def test_only_a_locked_period_stops_a_release(rig, door, status, released):
    """Whichever period of the article it is [C PX GLBudgetRelease]."""
    rig.site.books.periods["FY2026-P02"].status = status
    put(rig, article(amount="3", Period01="1", Period02="2"))
    said = door.post("/budget-release", json={"ledger": "BUDGET", "year": "2026"}).json()
    assert (released, 1 - released) == (said["released"], len(said["refused"]))
