"""Push notifications over real HTTP: from the sandbox's ERP to the door, kept before they are answered."""

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from mlc_pipelines.acumatica.push import PushRule
from mlc_pipelines.sandbox.acumatica.push import Destination
from mlc_pipelines.sandbox.listener import Listener
from mlc_pipelines.sandbox.server import LOOPBACK, Sandbox
from mlc_pipelines.store.home import Store
from mlc_pipelines.transport.secret import Secret
from mlc_pipelines.wiring.receiver import Door, receiver

SECRET = "a shared secret of SM302000"
RULE = PushRule(tenant="Meridian", query="MLC GL Changes", period_field="PostPeriod")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "home")


@pytest.fixture
def door(store: Store) -> Iterator[str]:
    """The address of a connection `demo` that listens."""
    listener = Listener(
        receiver({"demo": Door("demo", "X-MLC-Push", Secret(SECRET, "push"), RULE)}, store), LOOPBACK, 0
    )
    yield f"http://{LOOPBACK}:{listener.port}/push/demo"
    listener.stop()


def told(sandbox: Sandbox, method: str, path: str, body: object = None) -> dict:
    """What the control door answers."""
    return asked(f"{sandbox.url}/control/{path}", method, json.dumps(body).encode(), {})[1]


def asked(url: str, method: str, body: bytes, headers: dict[str, str]) -> tuple[int, dict]:
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=10)
    connection.request(method, address.path, body, headers)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    is_json = answer.headers.get_content_type() == "application/json"
    return answer.status, json.loads(content) if is_json else {"text": content.decode()}


def post_late(sandbox: Sandbox, period: str = "FY2026-P03") -> None:
    """Somebody posts a journal into that period."""
    lines = [
        {"account": "6100", "subaccount": "010-000", "debit": "10.00"},
        {"account": "1010", "subaccount": "010-000", "credit": "10.00"},
    ]
    told(sandbox, "POST", "journals", {"period": period, "lines": lines})


def listen(sandbox: Sandbox, url: str, value: str = SECRET) -> None:
    told(sandbox, "POST", "push", {"url": url, "header": "X-MLC-Push", "value": value})


def test_a_late_journal_names_its_period(sandbox: Sandbox, store: Store, door: str) -> None:
    """A posted journal is told at once, and kept with the period it touches."""
    listen(sandbox, door)
    post_late(sandbox)
    assert [("FY2026-P03",)] == [one.periods for one in store.notices.after("demo", 0)]
    assert [1] == [one["tries"] for one in told(sandbox, "GET", "push")["sent"]]


def test_what_comes_twice_is_kept_once(sandbox: Sandbox, store: Store, door: str) -> None:
    """Delivery is at least once: the second copy is answered and changes nothing."""
    sandbox.set_switches(acumatica={"push_twice": True})
    listen(sandbox, door)
    post_late(sandbox)
    assert 2 == len(told(sandbox, "GET", "push")["sent"])
    assert 1 == len(store.notices.after("demo", 0))


def test_late_ones_are_not_missed_whatever_their_order(store: Store) -> None:
    """A notice that arrives after a newer one has a number of its own: who remembers the last number sees it."""
    store.notices.keep("demo", "q", "second", 2, ["FY2026-P04"])
    seen = store.notices.after("demo", 0)[-1].number
    store.notices.keep("demo", "q", "first", 1, ["FY2026-P03"])
    assert [("FY2026-P03",)] == [one.periods for one in store.notices.after("demo", seen)]
    assert [] == store.notices.after("other", 0)


@pytest.mark.parametrize("value", ["", "wrong", SECRET + "x"])
def test_a_wrong_secret_is_refused_after_five_tries(sandbox: Sandbox, store: Store, door: str, value: str) -> None:
    """Without the secret nothing is kept; the ERP shows it to its administrator, who can send it again."""
    listen(sandbox, door, value)
    post_late(sandbox)
    assert [401] == [one["status"] for one in told(sandbox, "GET", "push")["failed"]]
    assert [] == store.notices.after("demo", 0)


def test_an_unknown_connection_answers_like_a_wrong_secret(door: str) -> None:
    """Nobody learns names of connections by asking."""
    unknown = asked(door.replace("demo", "acme"), "POST", b"{}", {"X-MLC-Push": SECRET})
    assert unknown == asked(door, "POST", b"{}", {"X-MLC-Push": "wrong"})
    assert 401 == unknown[0]


def test_what_cannot_be_read_is_refused_with_words(sandbox: Sandbox, store: Store, door: str) -> None:
    """An inquiry that shows periods in another way is told by name, and nothing of it is kept."""
    sandbox.set_switches(acumatica={"push_period": "YYYYMM"})
    listen(sandbox, door)
    post_late(sandbox)
    assert [422] == [one["status"] for one in told(sandbox, "GET", "push")["failed"]]
    assert [] == store.notices.after("demo", 0)


def test_sending_again_after_the_fault_is_mended_brings_it(sandbox: Sandbox, store: Store, door: str) -> None:
    """While nobody listened nothing was lost: the administrator sends the failed ones again."""
    listen(sandbox, door.replace("/push/demo", "/gone"))
    post_late(sandbox)
    assert [404] == [one["status"] for one in told(sandbox, "GET", "push")["failed"]]
    sandbox.site.pusher.failed[0]["destination"] = Destination(door, "X-MLC-Push", SECRET)
    assert 1 == told(sandbox, "POST", "push/again")["tried"]
    assert 1 == len(store.notices.after("demo", 0))


def test_a_body_beyond_the_limit_is_refused(door: str, store: Store) -> None:
    """Nobody fills this machine's memory through the door."""
    status, _ = asked(door, "POST", b"[" + b"0," * (3 << 20) + b"0]", {"X-MLC-Push": SECRET})
    assert 413 == status
    assert [] == store.notices.after("demo", 0)


def test_a_store_that_refuses_makes_the_sender_try_again(door: str, store: Store) -> None:
    """Durable before it answers: what cannot be written down is answered with 503, and nothing is lost."""
    with store.engine.begin() as db:
        db.exec_driver_sql("ALTER TABLE notices RENAME TO gone")
    body = {
        "Query": RULE.query,
        "CompanyId": "Meridian",
        "Id": "x",
        "TimeStamp": 1,
        "Inserted": [{"PostPeriod": "032026"}],
    }
    assert 503 == asked(door, "POST", json.dumps(body).encode(), {"X-MLC-Push": SECRET})[0]
