"""Lists: reading members, changing them one request at a time, and what a deployed or locked model refuses."""

from decimal import Decimal

import pytest

ACCOUNTS, CENTERS = "101000000001", "101000000002"
JULY = ("A6100", "CC_010", "Jul 25", "Actual")


@pytest.fixture
def post(caller):
    """Sends items; the answer without the envelope."""

    def send(action, items, place=ACCOUNTS):
        method = "PUT" if action == "update" else "POST"
        answer = caller.call(method, f"lists/{place}/items?action={action}", json={"items": items})
        assert 200 == answer.status_code, answer.text
        return {name: value for name, value in answer.json().items() if name not in ("meta", "status")}

    return send


@pytest.fixture
def member(tenant):
    """A member by its code, or None."""

    def find(code, place="Accounts"):
        return {one["code"]: one for one in tenant.truth_members(place)}.get(code)

    return find


def _types(body):
    return [(one["requestIndex"], one["failureType"]) for one in body["failures"]]


def test_metadata_names_the_properties(caller):
    """Their formats tell what an import may write; production data may grow in a deployed model."""
    accounts, centers = (caller.get(f"lists/{one}").json()["metadata"] for one in (ACCOUNTS, CENTERS))
    assert {"Account Type": "TEXT", "Active": "BOOLEAN"} == {
        one["name"]: one["format"] for one in accounts["properties"]
    }
    assert ["Short Name", "Capacity FTE"] == [one["name"] for one in centers["properties"]]
    assert (True, False) == (accounts["productionData"], centers["productionData"])


def test_properties_are_texts(caller):
    """They come with includeAll, whatever their format."""
    rows = caller.get(f"lists/{ACCOUNTS}/items?includeAll=true").json()["listItems"]
    by_code = {row["code"]: row["properties"] for row in rows}
    assert {"Account Type": "Expense", "Active": "true"} == by_code["A6100"]
    assert "false" == by_code["A6990"]["Active"]


def test_a_list_as_a_table(caller):
    """Accept: text/csv; name under the list's own name, then parent, code and properties; the preview is the same."""
    answer = caller.get(f"lists/{CENTERS}/items", headers={"Accept": "text/csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    lines = answer.text.splitlines()
    assert "Cost Centers,Parent,Code,Short Name,Capacity FTE" == lines[0]
    assert "Denver Consulting,Mountain Region,CC_020,Denver," in lines
    assert answer.text == caller.get(f"lists/{CENTERS}/preview").text


def test_all_members_come_without_a_limit(caller, tenant):
    """A limit is honoured, and cut to the server's own."""
    tenant.set_switches({"page_cap": 7})
    total = caller.get(f"lists/{ACCOUNTS}").json()["metadata"]["itemCount"]
    assert total == len(caller.get(f"lists/{ACCOUNTS}/items").json()["listItems"])
    assert 7 == len(caller.get(f"lists/{ACCOUNTS}/items?limit=50").json()["listItems"])


def test_adding(post, member):
    """A parent by name or by code; no key for failures when there are none; the member takes figures at once."""
    body = post(
        "add",
        [
            {"name": "7770 Royalties", "code": "A7770", "parent": "TRAVEL", "properties": {"Active": True}},
            {"name": "8880 Fines", "code": "A8880", "parent": "T_TRAVEL"},
        ],
    )
    assert {"added": 2, "ignored": 0, "total": 2} == body
    assert ("T_TRAVEL", {"Active": "true"}) == (member("A7770")["parent"], member("A7770")["properties"])
    assert "T_TRAVEL" == member("A8880")["parent"]


def test_a_new_member_takes_figures(caller, post, cells):
    """What was an unknown code is none any more."""
    assert caller.load("A7770,CC_010,Jul 25,Actual,1\n")["result"]["failureDumpAvailable"]
    post("add", [{"name": "7770 Royalties", "code": "A7770"}])
    caller.load("A7770,CC_010,Jul 25,Actual,1\n")
    assert {("A7770", "CC_010", "Jul 25", "Actual"): "1.00"} == cells()


@pytest.mark.parametrize(
    ("item", "type_"),
    [
        ({"name": "6100 travel", "code": "A1"}, "INCORRECT_FORMAT"),
        ({"name": "New", "code": "a6100"}, "INCORRECT_FORMAT"),
        ({"code": "A1"}, "INCOMPLETE_DATA"),
        ({"name": "New", "code": "A1", "parent": "Nowhere"}, "INCORRECT_FORMAT"),
        ({"name": "New", "code": "A1", "properties": {"Active": "perhaps"}}, "INCORRECT_FORMAT"),
        ({"name": "New", "code": "A1", "properties": {"Colour": "red"}}, "INCORRECT_FORMAT"),
        ({"name": "New", "code": "A1", "subsets": {"Some": True}}, "INCORRECT_FORMAT"),
    ],
)
def test_one_item_fails_and_the_other_is_added(post, member, item, type_):
    """The failure names the place in the request."""
    body = post("add", [item, {"name": "Good", "code": "A_GOOD"}])
    assert (1, 1, 2) == (body["added"], body["ignored"], body["total"])
    assert [(0, type_)] == _types(body)
    assert (None, "Good") == (member("A1"), member("A_GOOD")["name"])


def test_the_recorded_failure(post):
    """In the words that a sample of the interface has."""
    body = post("add", [{"name": "New", "code": "CC_1", "properties": {"Capacity FTE": "many"}}], CENTERS)
    assert (
        "incorrect format -- column name:Capacity FTE, value:wrong value for number"
        == (body["failures"][0]["failureMessageDetails"])
    )


def test_duplicates_may_be_counted_only(post, tenant):
    """A second add of the same items after a lost answer: nothing is added, and nothing is said."""
    items = [{"name": "New", "code": "A1"}]
    post("add", items)
    assert [(0, "INCORRECT_FORMAT")] == _types(post("add", items))
    tenant.set_switches({"list_duplicates_reported": False})
    assert {"added": 0, "ignored": 1, "total": 1} == post("add", items)


def test_updating(post, member):
    """By id or by code; what is not named stays."""
    number = member("A6100")["id"]
    body = post(
        "update",
        [
            {"id": number, "name": "6100 Travel and lodging", "code": "A6100"},
            {"code": "A6110", "parent": "Current assets", "properties": {"Active": "false"}},
        ],
    )
    assert {"updated": 2, "ignored": 0, "total": 2} == body
    first, second = member("A6100"), member("A6110")
    assert (number, "6100 Travel and lodging", "T_TRAVEL") == (first["id"], first["name"], first["parent"])
    assert ("T_CURRENT_ASSETS", {"Account Type": "Expense", "Active": "false"}) == (
        second["parent"],
        second["properties"],
    )


@pytest.mark.parametrize(
    ("item", "type_"),
    [
        ({"code": "A_NEVER", "name": "Nobody"}, "INCOMPLETE_DATA"),
        ({"name": "6100 Travel", "properties": {"Active": "false"}}, "INCOMPLETE_DATA"),
        ({"id": "201000009999", "name": "x"}, "INCOMPLETE_DATA"),
        ({"code": "A6100", "name": "6110 Lodging"}, "INCORRECT_FORMAT"),
        ({"code": "T_TRAVEL", "parent": "6100 Travel"}, "INCORRECT_FORMAT"),
    ],
)
def test_an_update_that_fails(post, member, item, type_):
    """Unknown, named only though it has a code, a name that is taken, a circle of parents."""
    item = {**item, "name": member("A6110")["name"]} if item.get("name") == "6110 Lodging" else item
    before = member("A6100")
    body = post("update", [item])
    assert (0, 1) == (body["updated"], body["ignored"])
    assert [(0, type_)] == _types(body)
    assert before == member("A6100")


def test_a_code_may_not_be_taken_away(post, member):
    """But another one may be given; a member without a code goes by its name."""
    number = member("A6100")["id"]
    assert [(0, "INCOMPLETE_DATA")] == _types(post("update", [{"id": number, "code": ""}]))
    assert 1 == post("update", [{"id": number, "code": "A6101"}])["updated"]
    assert (None, "6100 Travel") == (member("A6100"), member("A6101")["name"])
    post("add", [{"name": "Nameless"}])
    assert 1 == post("update", [{"name": "Nameless", "code": "A_NOW"}])["updated"]
    assert "Nameless" == member("A_NOW")["name"]


def test_figures_follow_a_new_code(post, tenant, cells):
    """They belong to the member, not to its code."""
    tenant.edit_cell(JULY, Decimal(3))
    post("update", [{"id": tenant.model().lists[ACCOUNTS].by_key["A6100"].id, "code": "A6101"}])
    assert {("A6101", "CC_010", "Jul 25", "Actual"): "3.00"} == cells()


def test_figures_go_with_a_deleted_member(post, tenant, cells, member):
    """And its children move to the top."""
    tenant.edit_cell(JULY, Decimal(3))
    assert {"deleted": 2} == post("delete", [{"code": "A6100"}, {"id": member("T_TRAVEL")["id"]}])
    assert {} == cells()
    assert (None, "") == (member("A6100"), member("A6110")["parent"])


def test_a_leaf_that_gets_children_is_a_total(post, tenant, cells):
    """What was entered on it is gone."""
    tenant.edit_cell(JULY, Decimal(3))
    post("add", [{"name": "6100.1 Rail", "code": "A61001", "parent": "6100 Travel"}])
    assert {} == cells()


def test_deleting_what_is_not_there(post, tenant):
    """Nobody knows whether it is told; both id and code is a mistake."""
    assert {"deleted": 0} == post("delete", [{"code": "A7770"}])
    tenant.set_switches({"list_delete_unknown": "failure"})
    assert [(0, "INCOMPLETE_DATA")] == _types(post("delete", [{"code": "A7770"}]))
    assert [(0, "INCOMPLETE_DATA")] == _types(post("delete", [{"code": "A6100", "id": "201000000001"}]))


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (f"lists/{ACCOUNTS}/items", {"items": [{"name": "x"}]}),
        (f"lists/{ACCOUNTS}/items?action=replace", {"items": [{"name": "x"}]}),
        (f"lists/{ACCOUNTS}/items?action=add", {"items": []}),
        (f"lists/{ACCOUNTS}/items?action=add", {"items": ["x"]}),
        (f"lists/{ACCOUNTS}/items?action=add", {"names": ["x"]}),
    ],
)
def test_a_request_without_sense(caller, path, body):
    """The action is compulsory, and so are items."""
    assert 400 == caller.call("POST", path, json=body).status_code


def test_the_limit_of_one_request(caller, tenant):
    """100,000 items; one more is refused as a whole."""
    assert 100_000 == tenant.switches["list_items_cap"]
    tenant.set_switches({"list_items_cap": 2})
    items = [{"name": f"New {n}", "code": f"AN{n}"} for n in range(3)]
    assert 400 == caller.call("POST", f"lists/{ACCOUNTS}/items?action=add", json={"items": items}).status_code
    assert 200 == caller.call("POST", f"lists/{ACCOUNTS}/items?action=add", json={"items": items[:2]}).status_code


def test_a_deployed_model(caller, tenant):
    """Members of production lists may come and go; others are structure: 425. Their properties may change."""
    tenant.set_switches({"model_state": "PRODUCTION"})
    new, old = {"items": [{"name": "New", "code": "X1"}]}, {"items": [{"code": "CC_020", "properties": {}}]}
    assert 200 == caller.call("POST", f"lists/{ACCOUNTS}/items?action=add", json=new).status_code
    for action in ("add", "delete"):
        assert 425 == caller.call("POST", f"lists/{CENTERS}/items?action={action}", json=new).status_code
    assert 200 == caller.call("PUT", f"lists/{CENTERS}/items", json=old).status_code


def test_a_locked_model(caller, tenant):
    """423 on every change; reading goes on."""
    tenant.set_switches({"model_state": "LOCKED"})
    body = {"items": [{"name": "New", "code": "X1"}]}
    assert 423 == caller.call("POST", f"lists/{ACCOUNTS}/items?action=add", json=body).status_code
    assert 423 == caller.call("PUT", f"lists/{ACCOUNTS}/items", json=body).status_code
    assert 200 == caller.get(f"lists/{ACCOUNTS}/items").status_code


def test_one_model_at_a_time(post, tenant):
    """The dev twin has lists of its own, and a reset brings the seeded ones back."""
    post("delete", [{"code": "A6100"}])
    twin = next(model for model in tenant.models() if model.id != tenant.model().id)
    assert "A6100" in {one["code"] for one in tenant.truth_members("Accounts", twin.id)}
    tenant.reset()
    assert "A6100" in {one["code"] for one in tenant.truth_members("Accounts")}


def test_numbers_of_members_begin_anew(caller, post, tenant):
    """Only in an empty list; until then no number is given twice, even if its member is gone."""
    path = f"lists/{CENTERS}/resetIndex"
    assert 400 == caller.call("POST", path).status_code
    newest = max(int(one["id"]) for one in tenant.truth_members("Cost Centers"))
    post("delete", [{"id": one["id"]} for one in tenant.truth_members("Cost Centers")], CENTERS)
    post("add", [{"name": "Boise"}], CENTERS)
    assert str(newest + 1) == tenant.truth_members("Cost Centers")[0]["id"]
    post("delete", [{"id": str(newest + 1)}], CENTERS)
    assert 200 == caller.call("POST", path).status_code
    post("add", [{"name": "Boise"}], CENTERS)
    assert "201000000003" == tenant.truth_members("Cost Centers")[0]["id"]


def test_codes_of_a_dimension_without_codes(caller, tenant):
    """Time, Versions and Users have none: asking for them is 400, unless a switch says that nothing is found."""
    asked = {"codes": ["Actual"], "names": ["Budget"]}
    assert 400 == caller.call("POST", "dimensions/20000000020/items", json=asked).status_code
    tenant.set_switches({"codes_refused": False})
    items = caller.call("POST", "dimensions/20000000020/items", json=asked).json()["items"]
    assert [("Budget", "")] == [(one["name"], one["code"]) for one in items]
    tenant.set_switches({"empty_code": "omitted"})
    items = caller.call("POST", "dimensions/20000000020/items", json=asked).json()["items"]
    assert "code" not in items[0]


def test_users_are_a_dimension(caller):
    """By e-mail address."""
    body = caller.call("POST", "dimensions/101999999999/items", json={"names": [caller.info["username"]]}).json()
    assert [caller.info["username"]] == [one["name"] for one in body["items"]]
    assert 3 == len(caller.get("dimensions/101999999999/items").json()["items"])


def test_a_planner_edits_by_hand(caller, member):
    """A door for tests: members come, change and go behind a client's back."""
    for body in (
        {"list": "Accounts", "code": "A7770", "name": "7770 Royalties", "parent": "T_TRAVEL"},
        {"list": "Accounts", "code": "A6100", "name": "6100 Trips", "properties": {"Active": "false"}},
        {"list": "Accounts", "code": "A6110", "remove": True},
    ):
        assert 204 == caller.http.post("/control/anaplan/member", json=body).status_code
    assert ("7770 Royalties", "T_TRAVEL") == (member("A7770")["name"], member("A7770")["parent"])
    assert ("6100 Trips", "false", None) == (
        member("A6100")["name"],
        member("A6100")["properties"]["Active"],
        member("A6110"),
    )
    for wrong in (
        {"list": "Nothing", "code": "A1"},
        {"list": "Accounts", "code": "A1", "remove": True},
        {"list": "Accounts", "code": "A1", "parent": "nobody"},
    ):
        assert 400 == caller.http.post("/control/anaplan/member", json=wrong).status_code
    rows = caller.http.get("/control/truth/members?list=Accounts").json()["members"]
    assert member("A7770") in rows
