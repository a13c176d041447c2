"""Large reads of views and lists: states, pages, and how long they stay."""

from decimal import Decimal

import pytest

VIEW, ACCOUNTS = "207000000001", "101000000001"
PLACE = f"views/{VIEW}/readRequests"


@pytest.fixture
def figures(tenant):
    """Five cells."""
    for n in range(1, 6):
        tenant.edit_cell((f"A61{n}0", "CC_020", "Jul 25", "Actual"), Decimal(n))
    tenant.set_switches({"read_request_seconds": 0.0, "read_page_rows": 2})


@pytest.fixture
def start(caller):
    """Begins a large read; what it is told."""

    def post(place=PLACE, kind="TABULAR_MULTI_COLUMN"):
        answer = caller.call("POST", place, json={"exportType": kind})
        assert 200 == answer.status_code, answer.text
        body = answer.json()
        return body.get("viewReadRequest") or body["listReadRequest"]

    return post


@pytest.fixture
def show(caller):
    """How far it is."""

    def get(read):
        body = caller.get(read["url"]).json()
        return body.get("viewReadRequest") or body["listReadRequest"]

    return get


def test_pages_of_a_view(caller, start, show, figures):
    """Put together they are the table; the address that the start names leads to the state."""
    read = start()
    assert {"requestId", "requestState", "url"} == set(read)
    state = show(read)
    assert ("COMPLETE", True, 3, int(VIEW)) == tuple(
        state[name] for name in ("requestState", "successful", "availablePages", "viewId")
    )
    pages = [caller.get(f"{PLACE}/{read['requestId']}/pages/{n}") for n in range(3)]
    assert all(page.headers["content-type"].startswith("text/csv") for page in pages)
    query = {"exportType": "TABULAR_MULTI_COLUMN", "moduleId": "102000000001"}
    assert caller.get(f"views/{VIEW}/data", params=query).text == "".join(page.text for page in pages)
    assert 404 == caller.get(f"{PLACE}/{read['requestId']}/pages/3").status_code


def test_the_header_may_stand_on_every_page(caller, start, tenant, figures):
    """Nobody has recorded it."""
    tenant.set_switches({"read_page_header": "every"})
    read = start()
    heads = {caller.get(f"{PLACE}/{read['requestId']}/pages/{n}").text.split("\n")[0] for n in range(3)}
    assert {"Accounts,Cost Centers,Time,Versions,Amount"} == heads


def test_pages_come_one_after_the_other(caller, clock, start, show, tenant, figures):
    """While it is in progress it is not successful; what is there already can be read."""
    tenant.set_switches({"read_request_seconds": 90.0})
    read = start()
    assert "IN_PROGRESS" == read["requestState"]
    clock.advance(60)
    state = show(read)
    assert ("IN_PROGRESS", False, 2) == tuple(state[name] for name in ("requestState", "successful", "availablePages"))
    assert [200, 200, 404] == [caller.get(f"{PLACE}/{read['requestId']}/pages/{n}").status_code for n in range(3)]
    clock.advance(30)
    assert ("COMPLETE", 3) == (show(read)["requestState"], show(read)["availablePages"])


def test_the_content_is_that_of_the_request(caller, start, tenant, figures):
    """A later edit does not reach it."""
    read = start()
    tenant.edit_cell(("A6110", "CC_020", "Jul 25", "Actual"), Decimal(99))
    assert "A6110,CC_020,Jul 25,Actual,1\n" in caller.get(f"{PLACE}/{read['requestId']}/pages/0").text


def test_deleting(caller, start, show, tenant, figures):
    """A finished one says COMPLETE, a running one CANCELLED; the pages are gone."""
    read = start()
    answer = caller.call("DELETE", read["url"])
    assert (200, "COMPLETE") == (answer.status_code, answer.json()["viewReadRequest"]["requestState"])
    assert 404 == caller.get(f"{PLACE}/{read['requestId']}/pages/0").status_code
    tenant.set_switches({"read_request_seconds": 90.0})
    running = start()
    assert "CANCELLED" == caller.call("DELETE", running["url"]).json()["viewReadRequest"]["requestState"]
    assert ("CANCELLED", 0) == (show(running)["requestState"], show(running)["availablePages"])


def test_a_failed_read(caller, start, show, tenant, figures):
    """COMPLETE, but not successful, and without pages: start again."""
    tenant.set_switches({"read_request_ends": "UNSUCCESSFUL"})
    state = show(start())
    assert ("COMPLETE", False, 0) == tuple(state[name] for name in ("requestState", "successful", "availablePages"))


def test_pages_go_after_half_an_hour(caller, clock, start, figures):
    """The timer begins anew with page 0, not with page 1."""
    read = start()
    pages = f"{PLACE}/{read['requestId']}/pages"
    for number in (0, 1):
        clock.advance(29 * 60)
        caller.log_in()
        assert 200 == caller.get(f"{pages}/{number}").status_code
    clock.advance(60)
    assert 404 == caller.get(f"{pages}/0").status_code


def test_a_list(caller, start, show, tenant):
    """The same for members: name, parent, code, properties."""
    tenant.set_switches({"read_request_seconds": 0.0, "read_page_rows": 100})
    read = start(f"lists/{ACCOUNTS}/readRequests")
    state = show(read)
    assert (int(ACCOUNTS), 3) == (state["listId"], state["availablePages"])
    pages = [caller.get(f"{read['url']}/pages/{n}").text for n in range(3)]
    whole = caller.get(f"lists/{ACCOUNTS}/items", headers={"Accept": "text/csv"}).text
    assert whole == "".join(pages)


def test_refusals(caller, new_caller, start, tenant, figures):
    """An unknown layout, an unknown request, another view's request; perhaps whoever is no administrator."""
    assert 400 == caller.call("POST", PLACE, json={"exportType": "PDF"}).status_code
    assert 404 == caller.get(f"{PLACE}/0A06").status_code
    read = start()
    assert 404 == caller.get(f"views/102000000001/readRequests/{read['requestId']}").status_code
    tenant.set_switches({"read_requests_admin": True})
    assert 403 == new_caller(user=1).call("POST", PLACE, json={"exportType": "GRID_ALL_PAGES"}).status_code
    assert start(kind="TABULAR_SINGLE_ITEMS")["requestId"] != read["requestId"]


@pytest.mark.parametrize("kind", ["GRID_ALL_PAGES", "GRID_CURRENT_PAGE", "TABULAR_SINGLE_COLUMN"])
def test_other_layouts(caller, start, figures, tenant, kind):
    """As in one call."""
    tenant.set_switches({"read_page_rows": 1000})
    read = start(kind=kind)
    query = {"exportType": kind, "moduleId": "102000000001"}
    whole = caller.get(f"views/{VIEW}/data", params=query).text
    assert whole == caller.get(f"{PLACE}/{read['requestId']}/pages/0").text
