"""Journals are really written: what was stored is found afterwards, and what the form would refuse is refused by its field."""

import pytest

HEAD = {"LedgerID": "STAT", "PostPeriod": "022027", "Description": "Plan", "Hold": True}


def wrapped(**values):
    return {name: {"value": value} for name, value in values.items()}


def row(account="6500", debit=10, **more):
    return wrapped(Account=account, Subaccount="020-ADV", DebitAmount=debit) | more


def put(rig, rows, headers=None, **head):
    body = wrapped(**{**HEAD, **head}) | {"Details": rows}
    url = f"{rig.entity}/JournalTransaction?$expand=Details"
    return rig.http.put(url, json=body, headers={**rig.signed_in(), **(headers or {})})


def release(rig, number):
    body = {"entity": wrapped(Module="GL", BatchNbr=number)}
    url = f"{rig.entity}/JournalTransaction/ReleaseJournalTransaction"
    return rig.http.post(url, json=body, headers=rig.signed_in())


def status_of(rig, number):
    return rig.get(f"JournalTransaction/GL/{number}").json()["Status"]["value"]


def test_a_put_without_number_always_creates(rig):
    """The same body twice makes two batches: an upsert goes by keys, and there were none."""
    one, two = (put(rig, [row()]).json()["BatchNbr"]["value"] for _ in range(2))
    assert one != two
    assert ["On Hold", "On Hold"] == [status_of(rig, one), status_of(rig, two)]


def test_rows_are_matched_by_id_and_added_without(rig):
    """A row with its id changes or goes; the same row sent again without one is added again."""
    made = put(rig, [row(), row(debit=20)]).json()
    first, second = made["Details"]
    number = made["BatchNbr"]["value"]
    changed = row(debit=11) | {"id": first["id"]}
    gone = {"id": second["id"], "delete": True}
    after = put(rig, [changed, gone, row(debit=30)], BatchNbr=number).json()
    assert [11.0, 30.0] == [line["DebitAmount"]["value"] for line in after["Details"]]


@pytest.mark.parametrize(
    ("head", "rows", "path"),
    [
        ({"LedgerID": "BUDGET"}, [row()], ["LedgerID"]),
        ({"PostPeriod": "122027"}, [row()], ["PostPeriod"]),
        ({"BranchID": "EAST"}, [wrapped(Account="6500", Subaccount="020-ADV", BranchID="HQ")], ["BranchID"]),
        ({}, [row(), row(account="9999")], ["Details", 1, "Account"]),
        ({}, [row(account="3999")], ["Details", 0, "Account"]),
        ({}, [row(CreditAmount={"value": 5})], ["Details", 0, "CreditAmount"]),
    ],
)
@pytest.mark.parametrize("form", ["record", "nested"])
def test_a_refusal_echoes_the_record_with_the_error_at_its_field(rig, form, head, rows, path):
    """422 and nothing stored; newer builds put the record under `entity`."""
    rig.site.set_switches({"refusal_form": form})
    before = len(rig.site.books.batches)
    answer = put(rig, rows, **head)
    echo = answer.json()["entity"] if form == "nested" else answer.json()
    assert (422, before) == (answer.status_code, len(rig.site.books.batches))
    assert echo["error"]
    for step in path:
        echo = echo[step]
    assert echo["error"]


def test_only_a_balanced_batch_of_an_actual_ledger_leaves_hold(rig):
    """Debits and credits must agree once Hold is off; a statistical ledger may be one-sided."""
    assert 422 == put(rig, [row()], LedgerID="ACTUAL", Hold=False).status_code
    both = [row(), wrapped(Account="2010", Subaccount="010-000", CreditAmount=10)]
    assert "Balanced" == put(rig, both, LedgerID="ACTUAL", Hold=False).json()["Status"]["value"]
    assert "Balanced" == put(rig, [row()], Hold=False).json()["Status"]["value"]


def test_the_conditions_of_a_put(rig):
    """If-None-Match only inserts, If-Match only updates; else 412."""
    number = put(rig, [row()], headers={"If-None-Match": "*"}).json()["BatchNbr"]["value"]
    assert 412 == put(rig, [], headers={"If-None-Match": "*"}, BatchNbr=number).status_code
    assert 412 == put(rig, [row()], headers={"If-Match": "*"}).status_code
    assert 200 == put(rig, [], headers={"If-Match": "*"}, BatchNbr=number).status_code


def test_a_release_takes_its_time_by_the_sites_clock(rig):
    """202 with a Location below the virtual directory; 202 there until it is done, then 204 and the batch is posted."""
    rig.site.set_switches({"release_seconds": 60})
    number = put(rig, [row()], Hold=False).json()["BatchNbr"]["value"]
    answer = release(rig, number)
    where = answer.headers["location"]
    assert 202 == answer.status_code
    assert where.startswith(
        f"{rig.site.prefix}/entity/Default/24.200.001/JournalTransaction/ReleaseJournalTransaction/status/"
    )
    address = rig.base.removesuffix(rig.site.prefix) + where
    assert 202 == rig.http.get(address, headers=rig.signed_in()).status_code
    assert "Balanced" == status_of(rig, number)
    rig.clock.advance(61)
    assert 204 == rig.http.get(address, headers=rig.signed_in()).status_code
    assert "Posted" == status_of(rig, number)
    assert 500 == release(rig, number).status_code
    assert 422 == put(rig, [row()], BatchNbr=number).status_code


def test_a_release_at_once_may_carry_a_dead_location(rig):
    """204, done; the Location beside it leads nowhere."""
    rig.site.set_switches({"release_answer": "204 with Location"})
    number = put(rig, [row()], Hold=False).json()["BatchNbr"]["value"]
    answer = release(rig, number)
    assert (204, "Posted") == (answer.status_code, status_of(rig, number))
    dead = rig.base.removesuffix(rig.site.prefix) + answer.headers["location"]
    assert 404 == rig.http.get(dead, headers=rig.signed_in()).status_code


def test_a_release_that_fails_leaves_the_batch(rig):
    """The failure is told where the status is asked; the batch stays Balanced."""
    rig.site.set_switches({"release_fails": True})
    number = put(rig, [row()], Hold=False).json()["BatchNbr"]["value"]
    where = rig.base.removesuffix(rig.site.prefix) + release(rig, number).headers["location"]
    assert 500 == rig.http.get(where, headers=rig.signed_in()).status_code
    assert "Balanced" == status_of(rig, number)


def test_the_branch_of_a_call_is_the_branch_of_what_it_makes(rig):
    """PX-CbApiBranch names it for one call; an unknown one is refused."""
    made = put(rig, [row()], headers={"PX-CbApiBranch": "WEST"}).json()
    assert "WEST" == made["BranchID"]["value"]
    assert 500 == put(rig, [row()], headers={"PX-CbApiBranch": "EAST"}).status_code


def test_an_upgrade_removes_a_field_from_schema_and_records(rig):
    """What the site no longer has is neither published nor sent."""
    rig.site.set_switches({"removed": ["Account/Type", "Ledger"]})
    told = rig.http.get(f"{rig.entity}/swagger.json").json()["components"]["schemas"]
    assert "Type" not in told["Account"]["allOf"][1]["properties"]
    assert "Ledger" not in told
    assert "Type" not in rig.rows("Account")[0]
    assert 404 == rig.get("Ledger").status_code


def test_the_tenants_own_endpoints_are_listed_signed_in_only(rig):
    """And then they serve the same entities; very old sites answer with the bare list."""
    rig.site.set_switches({"custom_endpoints": ["Planning/1.0"], "entity_list": "bare"})
    in_the_open = rig.http.get(f"{rig.base}/entity").json()
    signed_in = rig.http.get(f"{rig.base}/entity", headers=rig.signed_in()).json()
    assert {"Default"} == {one["name"] for one in in_the_open}
    assert {"Default", "Planning"} == {one["name"] for one in signed_in}
    assert 200 == rig.http.get(f"{rig.base}/entity/Planning/1.0/Account", headers=rig.signed_in()).status_code


@pytest.mark.parametrize(
    ("stale", "tenant", "landed"),
    [(False, "Meridian", "Meridian"), (True, "Meridian", "Company"), (False, "", "Company")],
)
def test_the_sign_in_page_tells_where_a_sign_in_led(rig, stale, tenant, landed):
    """Nothing else does: names may lead to the default tenant without a word."""
    rig.site.set_switches({"tenant_map_stale": stale})
    body = {"name": rig.site.username, "password": rig.site.password, "tenant": tenant}
    assert 204 == rig.http.post(f"{rig.base}/entity/auth/login", json=body).status_code
    cookies = "; ".join(f"{name}={value}" for name, value in rig.http.cookies.items())
    page = rig.http.get(f"{rig.base}/Frames/Login.aspx", headers={"Cookie": cookies}).text
    assert f'id="txtSingleCompany" value="{landed}"' in page
