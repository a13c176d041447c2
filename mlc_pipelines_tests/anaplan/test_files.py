"""Files go up in chunks and are proved to be there; they come down whole, from this very run, or not at all."""

import hashlib
import tracemalloc
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mlc_pipelines.anaplan.api import Api
from mlc_pipelines.anaplan.client import Anaplan
from mlc_pipelines.anaplan.upload import Uploaded, upload
from mlc_pipelines.ledger.errors import DataError, PipelineError, SetupError, TransientError
from mlc_pipelines.sandbox.faults import Fault
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.sandbox.traffic import Request

Calls = Callable[[str], list[Request]]
Plant = Callable[..., Fault]
WriteFile = Callable[..., Path]

IMPORT, EXPORT, FILE = "Load GL Actuals", "Export GL Actuals", "113000000001"
CHUNK = "/files/116000000001/chunks/1"
LOST = [
    pytest.param({"kind": "reset", "after": True}, id="reset-after"),
    pytest.param({"kind": "status", "status": 504, "after": True}, id="504-after"),
    pytest.param({"kind": "status", "status": 500}, id="500"),
    pytest.param({"kind": "reset"}, id="reset"),
]


def held(sandbox: Sandbox) -> bytes:
    [private] = sandbox.tenant.model().files[FILE].private.values()
    return private.content


@pytest.fixture
def send_by(api: Api, place: str) -> Callable[..., Uploaded]:
    """Uploads a file in chunks of so many bytes, far fewer than a connection may ask for, so many at a time."""

    def sent(path: Path, chunk_bytes: int, workers: int = 1) -> Uploaded:
        return upload(api, f"{place}/files/{FILE}", FILE, path, chunk_bytes=chunk_bytes, workers=workers)

    return sent


@pytest.fixture
def send(send_by: Callable[..., Uploaded]) -> Callable[[Path, int], int]:
    """The same in order; the number of chunks."""
    return lambda path, chunk_bytes: send_by(path, chunk_bytes).chunks


@pytest.fixture
def long_file(tmp_path: Path) -> Path:
    path = tmp_path / "long.csv"
    path.write_text("".join(f"row {number}, Dépôt 旅費交通費\n" for number in range(40)), encoding="utf-8")
    return path


@pytest.fixture
def filled(sandbox: Sandbox) -> None:
    """A few cells to export, on members with names of many bytes."""
    names = {code: account.description for code, account in sandbox.books.accounts.items()}
    far = [code for code, name in names.items() if not name.isascii() and code not in {"7770", "8880"}]
    for number, code in enumerate(far):
        sandbox.tenant.edit_cell((f"A{code}", "CC_010", "Sep 25", "Actual"), Decimal(number + 1))


# -- up ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("chunk_bytes", [16, 64, 333, 100_000])
def test_a_file_arrives_byte_for_byte_however_it_is_cut(
    send: Callable[[Path, int], int], sandbox: Sandbox, calls: Calls, long_file: Path, chunk_bytes: int
) -> None:
    """Also where a border falls inside a character: the server joins the bytes. No chunk exceeds its size."""
    sent = send(long_file, chunk_bytes)
    assert long_file.read_bytes() == held(sandbox)
    assert sent == len(calls("PUT .*/chunks/"))
    [private] = sandbox.tenant.model().files[FILE].private.values()
    assert max(len(chunk) for chunk in private.chunks.values()) <= max(chunk_bytes, -(-long_file.stat().st_size // 900))


@pytest.mark.parametrize("workers", [1, 3, 8])
def test_what_went_up_is_told_with_its_hash(
    send_by: Callable[..., Uploaded], sandbox: Sandbox, calls: Calls, long_file: Path, workers: int
) -> None:
    """Of the very bytes, in order or several at a time; nothing is left out, and each chunk goes once."""
    sent = send_by(long_file, 100, workers)
    content = long_file.read_bytes()
    assert Uploaded(len(calls("PUT .*/chunks/")), len(content), hashlib.sha256(content).hexdigest()) == sent
    assert content == held(sandbox)
    assert sent.chunks == len({one.path for one in calls("PUT .*/chunks/")})


def test_in_order_one_chunk_ends_before_the_next_begins(
    send: Callable[[Path, int], int], calls: Calls, long_file: Path
) -> None:
    """As Anaplan documents it, from 0; several at a time only where a connection asks for it."""
    send(long_file, 100)
    numbers = [int(one.path.rpartition("/")[2]) for one in calls("PUT .*/chunks/")]
    assert list(range(len(numbers))) == numbers


def test_E01_of_several_at_a_time_the_first_failure_ends_the_upload(
    send_by: Callable[..., Uploaded], plant: Plant, calls: Calls, long_file: Path
) -> None:
    """Each result is read: no hole is left behind, nothing is completed, and what had not begun is not sent."""
    plant("PUT .*/chunks/2$", times=-1, kind="status", status=500)
    with pytest.raises(TransientError, match="chunks/2"):
        send_by(long_file, 50, 3)
    assert not calls("complete")
    assert 3 == len(calls("PUT .*/chunks/2$"))


@pytest.mark.parametrize("action", LOST)
def test_E01_several_at_a_time_repeat_a_lost_chunk_under_its_number(
    send_by: Callable[..., Uploaded], sandbox: Sandbox, plant: Plant, long_file: Path, action: dict[str, Any]
) -> None:
    """The others go on meanwhile."""
    fault = plant("PUT .*/chunks/3$", **action)
    send_by(long_file, 100, 4)
    assert 1 == fault.fired
    assert long_file.read_bytes() == held(sandbox)


@pytest.mark.parametrize("workers", [1, 4])
def test_B01_a_token_that_ends_between_chunk_7_and_8(
    send_by: Callable[..., Uploaded], sandbox: Sandbox, calls: Calls, long_file: Path, workers: int
) -> None:
    """35 minutes pass: one log-in more, chunk 8 again with the same bytes, the file byte for byte the same."""
    later = {"kind": "control", "path": "/control/clock", "body": {"advance": 36 * 60}}
    sandbox.traffic.plant({"match": "PUT .*/chunks/8$", "action": later})
    sent = send_by(long_file, 100, workers)
    assert long_file.read_bytes() == held(sandbox)
    assert hashlib.sha256(held(sandbox)).hexdigest() == sent.sha256
    assert 2 == len(calls("POST /token/authenticate"))
    assert [401, 204] == [one.status for one in calls("PUT .*/chunks/8$")]


@pytest.mark.parametrize("workers", [1, 3])
def test_after_a_crash_the_file_is_sent_again_from_chunk_0(
    send_by: Callable[..., Uploaded], sandbox: Sandbox, plant: Plant, calls: Calls, long_file: Path, workers: int
) -> None:
    """What was left half-way plays no part, also where the next file is shorter."""
    plant("PUT .*/chunks/4$", times=3, kind="status", status=500)
    with pytest.raises(TransientError):
        send_by(long_file, 50, workers)
    long_file.write_bytes(long_file.read_bytes()[:120])
    sandbox.traffic.clear()
    send_by(long_file, 50, workers)
    numbers = {int(one.path.rpartition("/")[2]) for one in calls("PUT .*/chunks/")}
    assert set(range(len(numbers))) == numbers
    assert long_file.read_bytes() == held(sandbox)


def test_C13_a_file_that_ends_inside_a_text_is_never_completed(
    send: Callable[[Path, int], int], calls: Calls, tmp_path: Path
) -> None:
    """The rest of the file would be one name."""
    path = tmp_path / "open.csv"
    path.write_text('Account,Amount\n"A1,1\nA2,2\n')
    with pytest.raises(DataError, match="line 2"):
        send(path, 1000)
    assert not calls("complete")


def test_E04_a_file_that_another_process_wrote_meanwhile_is_named(
    plan: Anaplan, sandbox: Sandbox, hands: Any, three_rows: Path
) -> None:
    """Nothing in Anaplan holds it back, and the import says nothing; the hash of the file does."""
    sandbox.set_switches(anaplan={"task_seconds": 5.0})
    [user, *_] = sandbox.tenant.world.users
    other = three_rows.read_bytes().replace(b"10.00", b"99.00")
    hands.meanwhile.append(lambda: sandbox.tenant.model().files[FILE].replace(user.id, [other], sandbox.clock.now()))
    outcome = plan.import_file(IMPORT, three_rows)
    assert ("COMPLETE", True, 3) == (outcome.state, outcome.successful, outcome.rows_taken)
    assert f"The uploaded file {FILE} is not the one that was sent any more" in outcome.file_note
    assert outcome.sent_hash[:12] in outcome.file_note
    assert hashlib.sha256(other).hexdigest()[:12] in outcome.file_note


def test_a_file_that_stayed_as_it_was_is_not_mentioned(plan: Anaplan, three_rows: Path) -> None:
    """Its hash is that of the file on disk."""
    outcome = plan.import_file(IMPORT, three_rows)
    assert ("", hashlib.sha256(three_rows.read_bytes()).hexdigest()) == (outcome.file_note, outcome.sent_hash)


@pytest.mark.parametrize("status", [404, 500])
def test_a_file_that_cannot_be_looked_at_again_hides_no_outcome(
    plan: Anaplan, plant: Plant, three_rows: Path, status: int
) -> None:
    """The import has run; that one more look failed is said beside it."""
    plant(f"GET .*/files/{FILE}/chunks/0", times=-1, kind="status", status=status)
    outcome = plan.import_file(IMPORT, three_rows)
    assert 3 == outcome.rows_taken
    assert "could not be seen" in outcome.file_note


@pytest.mark.parametrize("action", LOST)
def test_E01_a_chunk_whose_answer_is_lost_is_sent_again_under_its_number(
    send: Callable[[Path, int], int],
    sandbox: Sandbox,
    plant: Plant,
    calls: Calls,
    long_file: Path,
    action: dict[str, Any],
) -> None:
    """Once more the same number with the same bytes; the file has neither hole nor double."""
    fault = plant("PUT .*/chunks/1$", **action)
    send(long_file, 200)
    assert 1 == fault.fired
    assert 2 == len(calls("PUT .*/chunks/1$"))
    assert long_file.read_bytes() == held(sandbox)


def test_E01_a_chunk_that_keeps_failing_ends_the_upload(
    send: Callable[[Path, int], int], plant: Plant, calls: Calls, long_file: Path
) -> None:
    """No result is left unread: the upload fails, it does not return normally with a hole."""
    plant("PUT .*/chunks/1$", times=-1, kind="status", status=500)
    with pytest.raises(TransientError, match="chunks/1"):
        send(long_file, 200)
    assert not calls("complete")


@pytest.mark.parametrize("chunk", [0, 1, 5])
def test_E02_a_chunk_that_never_arrived_is_noticed(
    send: Callable[[Path, int], int], plant: Plant, long_file: Path, chunk: int
) -> None:
    """Answered with success and not stored: our own look at the list of chunks refuses the file."""
    plant(f"PUT .*/chunks/{chunk}$", kind="status", status=204)
    with pytest.raises(TransientError, match=r"chunks were sent|lists chunks") as caught:
        send(long_file, 200)
    assert "nothing was loaded" in caught.value.holds or "not used" in caught.value.holds


def test_E02_a_hole_starts_no_import(plan: Anaplan, sandbox: Sandbox, plant: Plant, three_rows: Path) -> None:
    """The import is not started on a file that is not whole."""
    plant("PUT .*/chunks/0$", kind="status", status=204)
    with pytest.raises(PipelineError, match=IMPORT):
        plan.import_file(IMPORT, three_rows)
    assert [] == sandbox.tenant.log()["actions"]


@pytest.mark.parametrize("action", LOST)
def test_E05_a_lost_answer_to_complete_is_harmless(
    plan: Anaplan, sandbox: Sandbox, plant: Plant, three_rows: Path, action: dict[str, Any]
) -> None:
    """Repeated; one import, all rows."""
    fault = plant("POST .*/complete", **action)
    assert 3 == plan.import_file(IMPORT, three_rows).rows_taken
    assert 1 == fault.fired
    assert 1 == len(sandbox.tenant.log()["actions"])


@pytest.mark.parametrize("echo", ["sent", "zero", "one"])
def test_the_echoed_number_of_chunks_is_not_relied_on(
    plan: Anaplan, sandbox: Sandbox, three_rows: Path, echo: str
) -> None:
    """Samples show all three."""
    sandbox.set_switches(anaplan={"chunk_echo": echo})
    assert 3 == plan.import_file(IMPORT, three_rows).rows_taken


def test_a_file_of_another_id_is_refused(plan: Anaplan, sandbox: Sandbox, plant: Plant, three_rows: Path) -> None:
    """A count posted to an unknown file makes a new one, which no import reads."""
    plant(
        "POST .*/files/113000000001$", kind="replace", pattern='"id":"113000000001"', **{"with": '"id":"113000000002"'}
    )
    with pytest.raises(SetupError, match="113000000002"):
        plan.import_file(IMPORT, three_rows)
    assert [] == sandbox.tenant.log()["actions"]


@pytest.mark.parametrize(
    "text", ["Account,Cost Center,Period,Version,Amount\n", "Account,Cost Center,Period,Version,Amount", "", "\n\n"]
)
def test_C13_a_file_without_rows_is_not_sent(plan: Anaplan, sandbox: Sandbox, tmp_path: Path, text: str) -> None:
    """An empty file never clears a slice: refused before the first call."""
    path = tmp_path / "empty.csv"
    path.write_text(text)
    with pytest.raises(DataError):
        plan.import_file(IMPORT, path)
    assert [] == sandbox.traffic.requests


def test_C17_a_file_beyond_a_thousand_chunks_is_refused_before_the_upload(
    send: Callable[[Path, int], int], calls: Calls, tmp_path: Path
) -> None:
    """1,000 chunks of 50 MB are the service's limit."""
    path = tmp_path / "vast.csv"
    path.write_text("header\nrow\n")
    with path.open("r+b") as file:
        file.truncate(60_000_000_000)  # sparse: takes no room
    with pytest.raises(DataError, match="too large: it has 60,000,000,000 bytes"):
        send(path, 10_000_000)
    assert not calls("(PUT|POST) /2/0/")


def test_C17_a_large_file_goes_up_in_bounded_memory(
    send: Callable[[Path, int], int], plant: Plant, calls: Calls, tmp_path: Path
) -> None:
    """200 MB in chunks of 10 MB never hold more than a few chunks at once. The sandbox swallows them, and its empty list is noticed."""
    path = tmp_path / "large.csv"
    with path.open("wb") as file:
        for _ in range(200):
            file.write(b"A1010,CC_010,Sep 25,Actual,1.00\n" * 31_250)
    plant("PUT .*/chunks/", times=-1, kind="status", status=204)
    tracemalloc.start()
    with pytest.raises(TransientError, match="chunks were sent"):
        send(path, 10_000_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(calls("PUT .*/chunks/")) in {20, 21}
    assert peak < 80_000_000


# -- down -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("chunk_bytes", [7, 64])
def test_a_character_on_the_border_of_two_chunks_stays_whole(
    plan: Anaplan, sandbox: Sandbox, filled: None, tmp_path: Path, chunk_bytes: int
) -> None:
    """Bytes are joined before they are read as text: names of many bytes are the same in one chunk and in many."""
    sandbox.set_switches(anaplan={"export_members": "name"})
    plan.export_file(EXPORT, tmp_path / "whole.csv")
    sandbox.set_switches(anaplan={"export_chunk_bytes": chunk_bytes})
    plan.export_file(EXPORT, tmp_path / "pieces.csv")
    assert (tmp_path / "whole.csv").read_bytes() == (tmp_path / "pieces.csv").read_bytes()
    assert not (tmp_path / "pieces.csv").read_text(encoding="utf-8").isascii()


def test_F01_a_file_replaced_while_it_is_read_is_exported_again(
    plan: Anaplan, sandbox: Sandbox, plant: Plant, hands: Any, filled: None, tmp_path: Path
) -> None:
    """Another run of the same user writes the file between two chunks: no mixture is used, the export runs once more."""
    sandbox.set_switches(anaplan={"export_chunk_bytes": 40})
    tenant = sandbox.tenant
    user, action = tenant.world.users[0], tenant.model().actions("exports")[0]

    def elsewhere() -> None:
        tenant.edit_cell(("A1010", "CC_010", "Sep 25", "Actual"), Decimal("999"))
        tenant.start(tenant.model(), "exports", action, user.id, "another process")
        sandbox.clock.advance(5)

    plant(f"GET .*{CHUNK}$", kind="status", status=503)
    hands.meanwhile.append(elsewhere)
    plan.export_file(EXPORT, tmp_path / "export.csv")
    assert 3 == len(tenant.log()["actions"])
    [private] = tenant.model().files[action.id].private.values()
    assert private.content == (tmp_path / "export.csv").read_bytes()
    assert b",999,999" in private.content


def test_F01_a_file_that_is_replaced_every_time_is_not_used(
    plan: Anaplan, sandbox: Sandbox, hands: Any, filled: None, tmp_path: Path
) -> None:
    """Bounded: after a few runs it fails, and no file is left."""
    tenant = sandbox.tenant
    user, action = tenant.world.users[0], tenant.model().actions("exports")[0]

    def elsewhere() -> None:
        tenant.start(tenant.model(), "exports", action, user.id, "another process")
        sandbox.clock.advance(5)
        hands.meanwhile.append(elsewhere)

    hands.meanwhile.append(elsewhere)
    with pytest.raises(TransientError, match="replaced by another run"):
        plan.export_file(EXPORT, tmp_path / "export.csv")
    assert not (tmp_path / "export.csv").exists()


@pytest.mark.parametrize(
    "ids",
    [
        pytest.param('{"id":"0"},{"id":"2"}', id="missing"),
        pytest.param('{"id":"0"},{"id":"0"}', id="repeated"),
        pytest.param('{"id":"1"},{"id":"2"}', id="without-the-first"),
    ],
)
def test_F02_a_list_of_chunks_with_a_gap_or_a_repeat_is_not_used(
    plan: Anaplan, plant: Plant, filled: None, tmp_path: Path, ids: str
) -> None:
    """Chunks are numbered from 0 without a gap."""
    body = f'{{"meta":{{"paging":{{"totalSize":2,"currentPageSize":2}}}},"status":{{"code":200}},"chunks":[{ids}]}}'
    plant("GET .*/files/116000000001/chunks\\?", times=-1, kind="status", status=200, body=body)
    with pytest.raises(TransientError):
        plan.export_file(EXPORT, tmp_path / "export.csv")
    assert not (tmp_path / "export.csv").exists()


def test_F02_chunks_listed_in_another_order_are_joined_in_theirs(
    plan: Anaplan, sandbox: Sandbox, plant: Plant, filled: None, tmp_path: Path
) -> None:
    """The number counts, not the place in the list."""
    plan.export_file(EXPORT, tmp_path / "whole.csv")
    size = (tmp_path / "whole.csv").stat().st_size
    sandbox.set_switches(anaplan={"export_chunk_bytes": size // 2 + 1})
    turned = '{"id":"1","name":"Chunk 1"},{"id":"0","name":"Chunk 0"}'
    plant(
        "GET .*/files/116000000001/chunks\\?",
        times=-1,
        kind="replace",
        pattern=r'\{"id":"0".*"Chunk 1"\}',
        **{"with": turned},
    )
    plan.export_file(EXPORT, tmp_path / "pieces.csv")
    assert (tmp_path / "whole.csv").read_bytes() == (tmp_path / "pieces.csv").read_bytes()


@pytest.mark.parametrize("more", [0, 1, -1])
def test_F04_the_rows_that_a_task_states_must_be_in_its_file(
    plan: Anaplan, plant: Plant, filled: None, tmp_path: Path, more: int
) -> None:
    """One more or one less than in the file: it was cut, or is another one."""
    plan.export_file(EXPORT, tmp_path / "whole.csv")
    rows = len((tmp_path / "whole.csv").read_text().splitlines()) - 1
    said = {"pattern": r'("type":"exportSucceeded"[^}]*?"values":\[)', "with": rf'\1"rowCount","{rows + more}"'}
    fault = plant(r"GET .*/exports/\d+/tasks/[0-9A-F]{32}", times=-1, kind="replace", **said)
    if more:
        with pytest.raises(TransientError, match=rf"wrote {rows + more} rows, but its file has {rows}"):
            plan.export_file(EXPORT, tmp_path / "export.csv")
    else:
        plan.export_file(EXPORT, tmp_path / "export.csv")
    assert fault.fired
    assert bool(more) != (tmp_path / "export.csv").exists()


@pytest.mark.parametrize("ending", ["UNSUCCESSFUL", "CANCELLED"])
def test_F05_yesterdays_file_is_not_used_when_todays_run_failed(
    plan: Anaplan, sandbox: Sandbox, calls: Calls, filled: None, tmp_path: Path, ending: str
) -> None:
    """The file of an earlier run lies there; it belongs to another task."""
    plan.export_file(EXPORT, tmp_path / "yesterday.csv")
    before = len(calls("GET .*/files/116000000001/chunks"))
    sandbox.set_switches(anaplan={"export_ends": ending})
    with pytest.raises(PipelineError, match=EXPORT) as caught:
        plan.export_file(EXPORT, tmp_path / "today.csv")
    assert "No file of it was used" in caught.value.holds
    assert before == len(calls("GET .*/files/116000000001/chunks"))
    assert not (tmp_path / "today.csv").exists()


@pytest.mark.parametrize(
    "action",
    [
        pytest.param({"kind": "html", "status": 200, "content_type": "application/octet-stream"}, id="B17-page"),
        pytest.param({"kind": "status", "status": 204}, id="B19-204"),
        pytest.param({"kind": "status", "status": 200, "body": ""}, id="A11-empty"),
        pytest.param({"kind": "truncate", "keep": 0.5}, id="A07-cut"),
    ],
)
def test_a_chunk_that_is_none_is_never_used(
    plan: Anaplan, sandbox: Sandbox, plant: Plant, filled: None, tmp_path: Path, action: dict[str, Any]
) -> None:
    """A page, nothing, or a part of it instead of the chunk: an error, and no file."""
    sandbox.set_switches(anaplan={"export_chunk_bytes": 40})
    plant(f"GET .*{CHUNK}$", times=-1, **action)
    with pytest.raises(PipelineError):
        plan.export_file(EXPORT, tmp_path / "export.csv")
    assert not (tmp_path / "export.csv").exists()


@pytest.mark.parametrize(
    "action", [{"kind": "truncate", "keep": 0.5}, {"kind": "reset"}, {"kind": "status", "status": 500}]
)
def test_a_chunk_that_breaks_off_once_is_read_again(
    plan: Anaplan, sandbox: Sandbox, plant: Plant, filled: None, tmp_path: Path, action: dict[str, Any]
) -> None:
    """And nothing of the broken one is kept."""
    plan.export_file(EXPORT, tmp_path / "whole.csv")
    sandbox.set_switches(anaplan={"export_chunk_bytes": 40})
    fault = plant(f"GET .*{CHUNK}$", **action)
    plan.export_file(EXPORT, tmp_path / "pieces.csv")
    assert 1 == fault.fired
    assert (tmp_path / "whole.csv").read_bytes() == (tmp_path / "pieces.csv").read_bytes()
