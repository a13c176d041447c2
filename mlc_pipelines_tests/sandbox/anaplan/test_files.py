"""Uploads and downloads: chunks, one file per user, and what is left after 48 hours."""

import gzip

import pytest

HEADER = "Account,Cost Center,Period,Version,Amount\n"
IMPORT, FILE = "112000000001", "113000000001"
ROW = "A6100,CC_010,Jul 25,Actual,100.00\n"


def _announce(caller, count, file=FILE):
    return caller.call("POST", f"files/{file}", json={"chunkCount": count})


def _put(caller, number, content, file=FILE, **headers):
    return caller.call("PUT", f"files/{file}/chunks/{number}", content=content, headers=headers)


def test_chunks_are_joined_byte_by_byte(caller):
    """A cut may fall inside a letter; chunks may be raw or gzipped, each on its own, and come in any order."""
    content = (HEADER + 'A6150,CC_010,Jul 25,Actual,"1.00"\n# 旅費\n').encode()
    first, second, third = content[:20], content[20:-6], content[-6:]
    assert 200 == _announce(caller, 3).status_code
    assert 204 == _put(caller, 2, third).status_code
    zipped = {"Content-Type": "application/x-gzip"}
    assert 204 == _put(caller, 0, gzip.compress(first), **zipped).status_code
    assert 204 == _put(caller, 1, gzip.compress(second), **zipped).status_code
    assert content == caller.get(f"files/{FILE}").content
    chunks = caller.get(f"files/{FILE}/chunks").json()
    assert [{"id": "0", "name": "Chunk 0"}, {"id": "1", "name": "Chunk 1"}] == chunks["chunks"][:2]
    assert second == caller.get(f"files/{FILE}/chunks/1").content
    assert 404 == caller.get(f"files/{FILE}/chunks/3").status_code


def test_a_lost_chunk_leaves_a_hole_and_no_error(caller):
    """The import reads what is there."""
    _announce(caller, 3)
    _put(caller, 0, b"one,")
    _put(caller, 2, b"three")
    assert b"one,three" == caller.get(f"files/{FILE}").content
    assert 2 == len(caller.get(f"files/{FILE}/chunks").json()["chunks"])


def test_an_open_upload_is_nothing_until_it_is_complete(caller, tenant):
    """With chunkCount -1 the content counts from /complete on, unless the switch says otherwise."""
    _announce(caller, -1)
    _put(caller, 0, b"x")
    assert 404 == caller.get(f"files/{FILE}").status_code
    tenant.set_switches({"unfinished_upload": "read"})
    assert b"x" == caller.get(f"files/{FILE}").content
    tenant.set_switches({"unfinished_upload": "hidden"})
    assert FILE == caller.call("POST", f"files/{FILE}/complete", json={"id": FILE}).json()["file"]["id"]
    assert b"x" == caller.get(f"files/{FILE}").content


@pytest.mark.parametrize(("echo", "expected"), [("sent", 7), ("zero", 0), ("one", 1)])
def test_the_echoed_chunk_count_means_nothing(caller, tenant, echo, expected):
    """Samples differ; the id is always the one asked for."""
    tenant.set_switches({"chunk_echo": echo})
    body = _announce(caller, 7).json()["file"]
    assert (FILE, expected) == (body["id"], body["chunkCount"])


@pytest.mark.parametrize("count", ["three", None, -2, 1001, True])
def test_a_wrong_chunk_count_is_400(caller, count):
    """A number from -1 to 1000."""
    assert 400 == _announce(caller, count).status_code


def test_chunks_that_were_not_announced_are_refused(caller):
    """No upload, a number beyond the count, or no gzip although it says so: 400."""
    assert 400 == _put(caller, 0, b"x").status_code
    _announce(caller, 1)
    assert 400 == _put(caller, 1, b"x").status_code
    assert 400 == _put(caller, 0, b"plain", **{"Content-Type": "application/x-gzip"}).status_code
    assert 204 == _put(caller, 0, b"x").status_code


def test_an_announced_zero_leaves_the_file_unreadable(caller):
    """And the empty collection has no key."""
    _announce(caller, 0)
    assert 404 == caller.get(f"files/{FILE}").status_code
    body = caller.get(f"files/{FILE}/chunks").json()
    assert ("chunks" not in body, 0) == (True, body["meta"]["paging"]["currentPageSize"])


def test_an_unknown_file_is_made_under_another_id(caller):
    """The count for an unknown id creates a data source; the answer names a different id."""
    body = _announce(caller, 1, "113999999999").json()["file"]
    assert "113999999999" != body["id"]
    assert body["id"] in {one["id"] for one in caller.get("files").json()["files"]}


def test_files_are_private(new_caller):
    """Another user sees neither the content nor a chunk count."""
    mine, other = new_caller(), new_caller(user=2)
    mine.upload(HEADER + ROW)
    assert (200, 404) == (mine.get(f"files/{FILE}").status_code, other.get(f"files/{FILE}").status_code)
    counts = [{one["id"]: one["chunkCount"] for one in who.get("files").json()["files"]}[FILE] for who in (mine, other)]
    assert [1, 0] == counts


def test_two_logins_of_one_user_share_the_file(new_caller):
    """Private means per user, not per process: the second upload wins without a word."""
    first, second = new_caller(), new_caller()
    first.upload("first")
    second.upload("second")
    assert b"second" == first.get(f"files/{FILE}").content


def test_a_private_file_dies_48_hours_after_its_last_use(caller, clock):
    """A download within that time is a use."""
    caller.upload("x")
    clock.advance(47 * 3600)
    caller.log_in()
    assert 200 == caller.get(f"files/{FILE}").status_code
    clock.advance(47 * 3600)
    caller.log_in()
    assert 200 == caller.get(f"files/{FILE}").status_code
    clock.advance(48 * 3600)
    caller.log_in()
    assert 404 == caller.get(f"files/{FILE}").status_code


def test_the_default_file_steps_in_without_a_word(caller, tenant, cells, clock):
    """When the private file has gone, an import loads the shared one and says nothing."""
    tenant.set_default_file("gl_actuals.csv", (HEADER + "A6100,CC_010,Jul 25,Actual,7\n").encode())
    caller.call("POST", f"files/{FILE}", json={"chunkCount": 1})
    caller.upload(HEADER + ROW)
    clock.advance(48 * 3600)
    caller.log_in()
    ended = caller.wait(caller.start())
    assert ended["result"]["successful"]
    assert {("A6100", "CC_010", "Jul 25", "Actual"): "7.00"} == cells()


def test_a_single_put_over_a_default_wants_the_count_first(caller, tenant):
    """400 until a count was announced."""
    tenant.set_default_file("gl_actuals.csv", b"x")
    assert 400 == caller.call("PUT", f"files/{FILE}", content=b"y").status_code
    _announce(caller, 1)
    assert 204 == caller.call("PUT", f"files/{FILE}", content=b"y").status_code


def test_delete_takes_only_the_callers_own(new_caller):
    """204, and the other user's file is still there."""
    mine, other = new_caller(), new_caller(user=2)
    mine.upload("mine")
    other.upload("other")
    assert 204 == mine.call("DELETE", f"files/{FILE}").status_code
    assert (404, b"other") == (mine.get(f"files/{FILE}").status_code, other.get(f"files/{FILE}").content)


def test_without_a_file_the_import_says_so(caller):
    """COMPLETE, not successful, uploadedFileNoLongerAvailable."""
    ended = caller.wait(caller.start())
    assert ("COMPLETE", False) == (ended["taskState"], ended["result"]["successful"])
    assert ["uploadedFileNoLongerAvailable"] == [one["type"] for one in ended["result"]["details"]]


def test_uploading_as_one_and_importing_as_another_loads_nothing(new_caller, cells):
    """The import reads the file of the user who runs it."""
    mine, other = new_caller(), new_caller(user=2)
    mine.upload(HEADER + ROW)
    assert not other.wait(other.start())["result"]["successful"]
    assert {} == cells()
