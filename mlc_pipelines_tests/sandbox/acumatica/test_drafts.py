"""Drafts that are swept, journals that wait for approval, periods that close before the release. Reference: acumatica 5.2, 5.3, 5.5."""

import httpx
from starlette.applications import Starlette

from mlc_pipelines.sandbox.acumatica import book_routes, routes


def wrapped(**values):
    return {name: {"value": value} for name, value in values.items()}


def made(rig, **head) -> dict:
    line = wrapped(Account="6500", Subaccount="020-ADV", DebitAmount=10)
    values = {"LedgerID": "STAT", "PostPeriod": "022027", "Description": "Plan", "Hold": True} | head
    body = wrapped(**values) | {"Details": [line]}
    answer = rig.http.put(f"{rig.entity}/JournalTransaction", json=body, headers=rig.signed_in())
    assert 200 == answer.status_code, answer.text
    return rig.plain(answer.json())


def delete(rig, ids: str) -> int:
    return rig.http.delete(f"{rig.entity}/JournalTransaction/{ids}", headers=rig.signed_in()).status_code


def release(rig, number: str) -> httpx.Response:
    body = {"entity": wrapped(Module="GL", BatchNbr=number)}
    url = f"{rig.entity}/JournalTransaction/ReleaseJournalTransaction"
    return rig.http.post(url, json=body, headers=rig.signed_in())


def status_of(rig, number: str) -> str:
    return rig.get(f"JournalTransaction/GL/{number}").json()["Status"]["value"]


def test_a_draft_is_deleted_and_its_number_not_given_again(rig):
    """204, and the batch is gone; a second time there is none."""
    number = made(rig)["BatchNbr"]
    assert [204, 500] == [delete(rig, f"GL/{number}") for _ in range(2)]
    assert f"GL{int(number[2:]) + 1:06d}" == made(rig)["BatchNbr"]


def test_a_released_journal_is_not_deleted(rig):
    """It is immutable."""
    number = made(rig, Hold=False)["BatchNbr"]
    rig.site.set_switches({"release_answer": "204"})
    assert 204 == release(rig, number).status_code
    assert 422 == delete(rig, f"GL/{number}")
    assert "Posted" == status_of(rig, number)


def test_a_journal_waits_for_approval(rig, stage):
    """With an approval map it is pending off hold and cannot be released, until somebody approves."""
    rig.site.set_switches({"approval_map": True, "release_answer": "204"})
    stage.app = Starlette(routes=[*book_routes(rig.site), *routes(rig.site)])
    first, second = (made(rig, Hold=False)["BatchNbr"] for _ in range(2))
    assert "Pending Approval" == status_of(rig, first)
    assert 500 == release(rig, first).status_code
    with httpx.Client(base_url=f"{stage.url}/control/acumatica", verify=False) as door:
        assert "Balanced" == door.post("/approve", json={"number": first, "approved": True}).json()["status"]
        assert "Rejected" == door.post("/approve", json={"number": second, "approved": False}).json()["status"]
        assert 400 == door.post("/approve", json={"number": first, "approved": True}).status_code
    assert [204, 500] == [release(rig, number).status_code for number in (first, second)]


def test_a_period_closed_between_build_and_release(rig):
    """The release fails, and the batch stays as it was."""
    number = made(rig, Hold=False)["BatchNbr"]
    rig.site.books.periods["FY2027-P02"].status = "Closed"
    location = release(rig, number).headers["Location"]
    host = rig.base.removesuffix(rig.site.prefix)
    assert 500 == rig.http.get(f"{host}{location}", headers=rig.signed_in()).status_code
    assert "Balanced" == status_of(rig, number)


def test_a_released_journal_that_is_not_posted(rig, stage):
    """Without Automatically Post on Release it is Unposted and counts nowhere, until somebody posts it."""
    rig.site.set_switches({"post_on_release": False, "release_answer": "204"})
    stage.app = Starlette(routes=[*book_routes(rig.site), *routes(rig.site)])
    number, before = made(rig, Hold=False)["BatchNbr"], rig.site.books.truth("STAT", "FY2027-P02")
    assert 204 == release(rig, number).status_code
    assert ("Unposted", before) == (status_of(rig, number), rig.site.books.truth("STAT", "FY2027-P02"))
    with httpx.Client(base_url=f"{stage.url}/control/acumatica", verify=False) as door:
        assert "Posted" == door.post("/post", json={"number": number}).json()["status"]
        assert 400 == door.post("/post", json={"number": number}).status_code
    assert before != rig.site.books.truth("STAT", "FY2027-P02")


def test_a_person_changes_the_status_of_a_period(rig, stage):
    """Through the tests' own door, at any moment."""
    stage.app = Starlette(routes=[*book_routes(rig.site), *routes(rig.site)])
    with httpx.Client(base_url=f"{stage.url}/control/acumatica", verify=False) as door:
        assert 200 == door.post("/period", json={"period": "FY2027-P02", "status": "Locked"}).status_code
        assert 400 == door.post("/period", json={"period": "FY2027-P02", "status": "Ajar"}).status_code
    assert "Locked" == rig.site.books.periods["FY2027-P02"].status


def listed(rig, text: str) -> list[str]:
    found = rig.get("JournalTransaction", filter=f"Module eq 'GL' and startswith(Description,'{text}')")
    return [row["BatchNbr"]["value"] for row in found.json()]


def test_a_list_that_is_one_write_behind(rig):
    """The first list after a write does not show it yet, the next one does; a read by key is never behind."""
    rig.site.set_switches({"lists_behind": True})
    number = made(rig, Description="MLC-X")["BatchNbr"]
    assert "On Hold" == status_of(rig, number)
    assert [[], [number]] == [listed(rig, "MLC-X") for _ in range(2)]


def test_a_filter_that_is_not_heeded_and_a_description_that_is_cut(rig):
    rig.site.set_switches({"filter_ignored": True, "description_max": 5})
    assert "MLC-X" == made(rig, Description="MLC-XYZ")["Description"]
    assert len(rig.site.books.batches) == len(listed(rig, "MLC-Z"))


def test_rules_of_the_sites_own_change_a_line(rig):
    """As a customized site may; a line is changed, or one is added."""
    found = {}
    for rule in ("none", "rounded", "balanced", "branch", "subaccount"):
        rig.site.set_switches({"line_rules": rule})
        rows = rig.site.books.batch(made(rig)["BatchNbr"]).lines
        found[rule] = [(row.subaccount, row.branch, row.debit_minor - row.credit_minor) for row in rows]
    plain = ("020-ADV", "HQ", 1000)
    assert [plain] == found["none"] == found["rounded"]
    assert [plain, ("020-ADV", "HQ", -1000)] == found["balanced"]
    assert [("020-ADV", "WEST", 1000)] == found["branch"]
    assert [("010-000", "HQ", 1000)] == found["subaccount"]
