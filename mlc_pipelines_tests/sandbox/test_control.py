"""The control door of a whole sandbox: truth, log, faults, late journals, clock, switches, reset."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from mlc_pipelines.sandbox.server import Sandbox

START = datetime(2026, 8, 14, 9, 0, tzinfo=UTC)
LATE: dict[str, Any] = {
    "ledger": "ACTUAL",
    "period": "FY2026-P03",
    "branch": "WEST",
    "description": "Late, and found at last",
    "lines": [
        {"account": "6100", "subaccount": "090-ADV", "debit": "10.05", "credit": "0"},
        {"account": "2010", "subaccount": "010-000", "credit": "10.05"},
    ],
}


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    with Sandbox.start(clock_start=START) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    """A sandbox at its seeded start."""
    running.reset()
    return running


@pytest.fixture
def door(sandbox: Sandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=sandbox.info["control_url"]) as client:
        yield client


def truth(door: httpx.Client, **query: str) -> dict[str, Any]:
    answer: dict[str, Any] = door.get("/truth/actuals", params={"period": "FY2026-P03", **query}).json()
    return answer


def test_info_says_where_everything_is(sandbox: Sandbox, door: httpx.Client) -> None:
    """The info is the same through the door and in the process, and its addresses are the sandbox's own."""
    info = door.get("/info").json()
    assert sandbox.info == info
    assert f"{sandbox.url}/AcumaticaERP" == info["acumatica"]["url"]
    assert f"{sandbox.url}/2/0" == info["anaplan"]["api_url"]
    assert ("MERIDIAN", "HQ", "ACTUAL") == tuple(info["acumatica"][name] for name in ("company", "branch", "ledger"))
    assert info["ca_file"] is None


def test_truth_of_a_period(sandbox: Sandbox, door: httpx.Client) -> None:
    """The truth shows posted lines alone, balanced in ACTUAL; another ledger has its own."""
    answer = truth(door)
    assert [list(row.values()) for row in answer["rows"]] == [
        list(row) for row in sandbox.books.truth("ACTUAL", "FY2026-P03")
    ]
    assert answer["debit_minor"] == answer["credit_minor"] == sum(row["debit_minor"] for row in answer["rows"])
    assert len(sandbox.books.posted_lines("ACTUAL", "FY2026-P03")) == answer["lines"]
    assert 0 == truth(door, ledger="STAT")["credit_minor"]


def test_truth_of_nothing_known_is_refused(door: httpx.Client) -> None:
    """A misspelled period is an error, not an empty truth."""
    answer = door.get("/truth/actuals", params={"period": "2026-03"})
    assert (400, {"error": "unknown ledger 'ACTUAL' or period '2026-03'"}) == (answer.status_code, answer.json())
    assert 400 == door.get("/truth/actuals").status_code


def test_a_late_journal_and_its_recoding(sandbox: Sandbox, door: httpx.Client) -> None:
    """A late journal is in the truth at once, and a re-coded line moves from one subaccount to the other."""
    before = truth(door)
    batch = door.post("/journals", json=LATE).json()["batch"]
    after = truth(door)
    assert (1005, 1005, 2) == tuple(after[name] - before[name] for name in ("debit_minor", "credit_minor", "lines"))
    at = "6100", "090-ADV", "WEST"
    assert 1005 == debit_at(after, *at) - debit_at(before, *at)
    sandbox.clock.advance(60)
    answer = door.post("/recode", json={"batch": batch, "line": 1, "subaccount": "110-TEC"})
    assert batch == answer.json()["batch"]
    assert debit_at(before, *at) == debit_at(truth(door), *at)
    assert START.timestamp() + 60 <= sandbox.books.batch(batch).modified_at.timestamp()


def debit_at(answer: dict[str, Any], *codes: str) -> int:
    return sum(
        row["debit_minor"] for row in answer["rows"] if (row["account"], row["subaccount"], row["branch"]) == codes
    )


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"period": "FY2031-P01"}, "unknown period 'FY2031-P01'"),
        ({"lines": LATE["lines"][:1]}, "debits of 1005 minor units, credits of 0"),
        ({"lines": [{"account": "6100", "subaccount": "090-ADV", "debit": "0.005"}]}, "'0.005' is no amount"),
        ({"lines": [{"account": "6100", "debit": "1.00"}]}, "missing or unknown: subaccount"),
    ],
)
def test_a_journal_that_makes_no_sense_is_refused(
    sandbox: Sandbox, door: httpx.Client, change: dict[str, Any], complaint: str
) -> None:
    """A wrong journal is named and not booked."""
    before = len(sandbox.books.batches)
    answer = door.post("/journals", json={**LATE, **change})
    assert 400 == answer.status_code
    assert complaint in answer.json()["error"]
    assert before == len(sandbox.books.batches)


def test_faults_are_planted_shown_and_taken_away(sandbox: Sandbox, door: httpx.Client) -> None:
    """The door plants a script, shows how often each fault fired, and clears it."""
    script = [{"match": "GET /AcumaticaERP/entity$", "action": {"kind": "status", "status": 429}}]
    assert 0 == door.post("/faults", json=script).json()["faults"][0]["fired"]
    entity = sandbox.info["acumatica"]["url"] + "/entity"
    assert [429, 200] == [httpx.get(entity).status_code for _ in range(2)]
    (shown,) = door.get("/faults").json()["faults"]
    assert (2, 1) == (shown["seen"], shown["fired"])
    assert {"faults": []} == door.delete("/faults").json()
    delay = {"match": "x", "action": {"kind": "delay", "seconds": 0.25}}
    assert 0.25 == door.post("/faults", json=[delay]).json()["faults"][0]["action"]["seconds"]


def test_a_script_with_one_bad_fault_plants_none(sandbox: Sandbox, door: httpx.Client) -> None:
    """All or none: a misspelled fault is refused with the rest."""
    script = [{"match": "x", "action": {"kind": "reset"}}, {"match": "x", "action": {"kind": "explode"}}]
    assert 400 == door.post("/faults", json=script).status_code
    assert [] == sandbox.traffic.faults
    assert 400 == door.post("/faults", json=script[0]).status_code


def test_the_log(sandbox: Sandbox, door: httpx.Client) -> None:
    """The log shows the requests of both systems, open sessions, actions and overlaps."""
    httpx.get(sandbox.info["acumatica"]["url"] + "/entity")
    httpx.get(sandbox.info["anaplan"]["api_url"] + "/workspaces")
    log = door.get("/log").json()
    assert {"acumatica": 1, "epicor": 0, "anaplan": 1} == log["counts"]
    assert ["/AcumaticaERP/entity", "/2/0/workspaces"] == [request["path"] for request in log["requests"]]
    assert 200 == log["requests"][0]["status"]
    assert (0, [], []) == (log["sessions_open"], log["actions"], log["overlaps"])


def test_the_clock_can_be_pushed(sandbox: Sandbox, door: httpx.Client) -> None:
    """Half an hour passes at a word; the emulators go by it."""
    pushed = datetime.fromisoformat(door.post("/clock", json={"advance": 1800}).json()["now"])
    assert 1800 <= (pushed - START).total_seconds()
    assert pushed <= datetime.fromisoformat(door.get("/clock").json()["now"])


def test_switches(sandbox: Sandbox, door: httpx.Client) -> None:
    """Each system's switches can be set and are shown."""
    shown = door.post("/switches", json={"acumatica": {"order": "scrambled"}, "anaplan": {"page_cap": 7}}).json()
    assert ("scrambled", 7) == (shown["acumatica"]["order"], shown["anaplan"]["page_cap"])
    assert sandbox.switches == door.get("/switches").json()


@pytest.mark.parametrize(
    ("wish", "named"),
    [({"sap": {}}, "sap"), ({"acumatica": {"odour": 1}}, "odour"), ({"anaplan": {"odour": 1}}, "odour")],
)
def test_an_unknown_switch_is_refused(door: httpx.Client, wish: dict[str, Any], named: str) -> None:
    """A misspelled switch would change nothing and prove nothing: it is refused by name."""
    answer = door.post("/switches", json=wish)
    assert 400 == answer.status_code
    assert named in answer.json()["error"]


def test_reset_brings_back_the_seeded_start(sandbox: Sandbox, door: httpx.Client) -> None:
    """After a reset nothing of what was done is left: journals, switches, faults, log, clock, logins, cells."""
    info, before = sandbox.info, truth(door)
    door.post("/journals", json=LATE)
    door.post("/switches", json={"acumatica": {"order": "scrambled"}, "anaplan": {"page_cap": 7}})
    door.post("/faults", json=[{"match": "x", "action": {"kind": "reset"}}])
    door.post("/clock", json={"advance": 100_000})
    cell = {"account": "A6100", "cost_center": "CC_020", "period": "Sep 25", "version": "Actual", "amount": "1.00"}
    assert 204 == door.post("/anaplan/cell", json=cell).status_code
    httpx.get(info["acumatica"]["url"] + "/entity")
    assert info == door.post("/reset").json()
    assert before == truth(door)
    assert {"cells": []} == door.get("/truth/cells").json()
    assert ("stable", 5000) == (sandbox.switches["acumatica"]["order"], sandbox.switches["anaplan"]["page_cap"])
    assert ([], []) == (sandbox.traffic.faults, door.get("/log").json()["requests"])
    assert (sandbox.clock.now() - START).total_seconds() < 100_000
