"""The tests' own door to the books behind the instance, and the instance within a whole sandbox."""

from collections.abc import Iterator

import httpx
import pytest

from mlc_pipelines.sandbox.epicor import SWITCHES, Kinetic
from mlc_pipelines.sandbox.server import Sandbox


@pytest.fixture
def door(rig, stage) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{stage.url}/control", verify=False) as client:
        yield client


def truth(door: httpx.Client, **query: str) -> dict[tuple[str, str, str], tuple[int, int]]:
    rows = door.get("/truth/epicor", params={"period": "FY2026-P03", **query}).json()["rows"]
    return {(row["seg1"], row["seg2"], row["seg3"]): (row["debit_minor"], row["credit_minor"]) for row in rows}


def test_the_truth_is_what_is_posted(rig, door):
    """By the three segments, of one book and period; a book or period that there is not is refused."""
    rows = rig.site.books.truth("MAIN", "FY2026-P03")
    assert {row[:3]: row[3:] for row in rows} == truth(door)
    assert 1 == len([1 for sides in truth(door, book="PLAN").values() if sides[0]])
    for query in ({"book": "NONE"}, {"period": "FY1999-P03"}, {"period": "2026-03"}):
        assert 400 == door.get("/truth/epicor", params={"period": "FY2026-P03", **query}).status_code


def test_a_late_journal_a_recoding_a_close(rig, door):
    """What is done through the door shows in the tables at once."""
    account, *_ = next(key for key in truth(door))
    lines = [
        {"account": account, "dept": "110", "plant": "MF", "debit": "10.05"},
        {"account": account, "credit": "10.05"},
    ]
    before = truth(door)
    name = door.post("/epicor/journals", json={"period": "FY2026-P03", "lines": lines, "group": "G1"}).json()["journal"]
    was = before.get((account, "110", "MF"), (0, 0))[0]
    assert was + 1005 == truth(door)[account, "110", "MF"][0]
    assert 2 == len(rig.rows("Erp.BO.GLJrnDtlSvc/GLJrnDtls", filter="GroupID eq 'G1'"))
    wish = {"period": "FY2026-P03", "journal": name, "line": 1, "dept": "120"}
    assert {"journal": name} == door.post("/epicor/recode", json=wish).json()
    assert 1005 <= truth(door)[account, "120", "MF"][0]
    asked = {"filter": "BookID eq 'MAIN' and FiscalYear eq 2026 and FiscalPeriod eq 3", "select": "ClosedPeriod"}
    for path, closed in (("close", True), ("reopen", False)):
        door.post(f"/epicor/{path}", json={"period": "FY2026-P03"})
        assert [{"ClosedPeriod": closed}] == rig.rows("Erp.BO.GLBookPerSearchSvc/GLBookPerSearches", **asked)


def test_a_journal_that_the_balances_take_up_later(rig, door):
    """Posted without, its lines say so until the balances have taken them up."""
    account = next(iter(truth(door)))[0]
    lines = [{"account": account, "dept": "110", "debit": "1.00"}, {"account": account, "credit": "1.00"}]
    door.post("/epicor/journals", json={"period": "FY2026-P03", "lines": lines, "in_balances": False})
    waiting = {"filter": "PerBalFlag eq false and Posted eq true", "select": "SysRevID"}
    assert 2 == len(rig.rows("Erp.BO.GLJrnDtlSvc/GLJrnDtls", **waiting))
    assert {"journals": 1} == door.post("/epicor/take-up", json={}).json()
    assert [] == rig.rows("Erp.BO.GLJrnDtlSvc/GLJrnDtls", **waiting)


def test_an_invoice_and_the_truth_of_spend(rig, door):
    """What an invoice is distributed to, by vendor, account and department; a credit is negative."""
    account = rig.expense()
    expenses = [
        {"account": account, "dept": "110", "amount": "100.00"},
        {"account": account, "dept": "120", "amount": "-5.05"},
    ]
    wish = {"vendor": rig.vendor(), "number": "INV-9", "period": "FY2026-P03", "expenses": expenses}
    assert door.post("/epicor/invoices", json=wish).json()["posted"]
    said = door.get("/truth/epicor-spend", params={"period": "FY2026-P03"}).json()
    assert 9495 == said["net_minor"]
    assert {"vendor": "ACME", "account": account, "dept": "120", "net_minor": -505} in said["rows"]


def test_objections_of_the_door(door):
    """What makes no sense is a 400 with the reason."""
    assert "missing or unknown" in door.post("/epicor/journals", json={"lines": []}).json()["error"]
    uneven = {"period": "FY2026-P03", "lines": [{"account": next(iter(truth(door)))[0], "debit": "1.00"}]}
    assert "does not balance" in door.post("/epicor/journals", json=uneven).json()["error"]
    assert "no switch 'nope'" in door.post("/epicor/switches", json={"nope": 1}).json()["error"]


def test_switches_take_what_fits(rig, door):
    """Each has a default that fits and a meaning; another kind of value is refused, and nothing is changed then."""
    assert all(switch.meaning for switch in SWITCHES.values())
    rig.site.set_switches({name: switch.default for name, switch in SWITCHES.items()})
    with pytest.raises(ValueError, match="page_max takes"):
        rig.site.set_switches({"default_rows": 7, "page_max": "many"})
    assert 100 == door.get("/epicor/switches").json()["default_rows"]
    assert 7 == door.post("/epicor/switches", json={"default_rows": 7}).json()["default_rows"]


# -- within a sandbox -------------------------------------------------------------------------------------------------


def test_the_instance_within_a_sandbox(sandbox: Sandbox):
    """It is told where it is, its requests are logged as its own, its books are made when first asked for and new after a reset."""
    info = sandbox.info["epicor"]
    sandbox.set_switches(epicor={"default_rows": 100})
    assert not sandbox.kinetic.built
    assert f"{sandbox.url}/Kinetic" == info["url"]
    headers = {"x-api-key": info["api_key"], "Accept": "application/json"}
    ask = f"{info['url']}/api/v2/odata/{info['company']}/Erp.BO.GLBookSvc/GLBooks?$select=BookID&$top=1"
    assert 200 == httpx.get(ask, headers=headers, auth=(info["username"], info["password"])).status_code
    assert (1, "epicor") == (sandbox.traffic.counts()["epicor"], sandbox.traffic.requests[-1].system)
    sandbox.set_switches(epicor={"default_rows": 3})
    assert 3 == sandbox.switches["epicor"]["default_rows"]
    before, site = sandbox.ironvale, sandbox.kinetic
    assert isinstance(site, Kinetic)
    sandbox.reset()
    assert sandbox.kinetic is not site
    assert sandbox.ironvale is not before
    assert 100 == sandbox.switches["epicor"]["default_rows"]
