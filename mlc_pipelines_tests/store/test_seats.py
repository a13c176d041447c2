"""Sessions of foreign systems: never more than allowed, and what a killed process left open is found and closed."""

import signal
from collections.abc import Mapping
from contextlib import AbstractContextManager

import pytest
import sqlalchemy as sa

from mlc_pipelines.ledger.errors import TransientError
from mlc_pipelines.store.home import Store
from mlc_pipelines.store.schema import open_sessions
from mlc_pipelines.store.seats import Seat
from mlc_pipelines_tests.store.conftest import Start

SITE = "https://erp.example.com/Site"
PROOF = {"Authorization": "Bearer a-very-secret-token"}

HOLDER = """
import sys
from pathlib import Path
from mlc_pipelines.store.home import Store
store = Store.open(Path(sys.argv[1]), "sqlite:///" + sys.argv[1] + "/mlc.db")
with store.seats("demo").claim(sys.argv[2], sessions=1, wait_seconds=0, sign_out=lambda proof: True) as seat:
    seat.opened({"Authorization": "Bearer a-very-secret-token"})
    print("open", flush=True)
    sys.stdin.readline()
"""


class SignsOut:
    """Remembers what it was asked to sign out."""

    def __init__(self, *, works: bool = True) -> None:
        self.works, self.asked = works, list[Mapping[str, str]]()

    def __call__(self, proof: Mapping[str, str]) -> bool:
        self.asked.append(proof)
        return self.works


def claim(store: Store, sign_out: SignsOut, *, sessions: int = 1) -> AbstractContextManager[Seat]:
    seats = store.seats("other")
    return seats.claim(SITE, sessions=sessions, wait_seconds=1, sign_out=sign_out, sleep=lambda _: None)


def test_a_session_is_written_down_encrypted_and_struck_off(store: Store) -> None:
    """While it is open the record stands, without the token in clear; afterwards nothing is left."""
    with claim(store, SignsOut()) as seat:
        seat.opened(PROOF)
        with store.engine.connect() as db:
            rows = db.execute(open_sessions.select()).all()
        assert (1, SITE, "other") == (len(rows), rows[0].site, rows[0].holder)
        assert b"a-very-secret-token" not in b"".join(bytes(str(value), "utf-8") for value in rows[0])
        assert [True] == [one.alive for one in store.seats("x").all()]
        seat.closed()
    assert [] == store.seats("x").all()


def test_what_a_killed_process_left_open_is_closed_by_the_next(store: Store, start: Start) -> None:
    """Its lock died with it: whoever comes next signs its session out with the very proof that was written down."""
    holder = start(HOLDER, store.home, SITE)
    assert holder.stdout is not None
    assert "open\n" == holder.stdout.readline()
    sign_out = SignsOut()
    with pytest.raises(TransientError, match=r"(?s)in use: demo since .*`erp.sessions`"), claim(store, sign_out):
        pass
    assert [] == sign_out.asked
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with claim(store, sign_out):
        assert [PROOF] == sign_out.asked
    assert [] == store.seats("x").all()


def test_a_second_session_also_closes_what_is_left_in_another_place(store: Store) -> None:
    """All records are looked at, not only that of the place that was taken."""
    for slot in range(2):
        store.seats("dead")._write(None, SITE, slot, {"Cookie": str(slot)})
    sign_out = SignsOut()
    with claim(store, sign_out, sessions=3):
        assert [{"Cookie": "0"}, {"Cookie": "1"}] == sign_out.asked


def test_a_site_that_cannot_be_asked_keeps_the_record(store: Store) -> None:
    """What could not be signed out is tried again by the next run; after a day it has surely ended by itself."""
    store.seats("dead")._write(None, SITE, 0, PROOF)
    with claim(store, SignsOut(works=False)):
        pass
    assert [False] == [one.alive for one in store.seats("x").all()]
    with store.engine.begin() as db:
        db.execute(sa.update(open_sessions).values(opened_at="2020-01-01T00:00:00+00:00"))
    with claim(store, SignsOut(works=False)):
        pass
    assert [] == store.seats("x").all()


def test_never_more_than_allowed_at_once(store: Store) -> None:
    """Two may be open where two are allowed; the third waits and is told who holds them."""
    with claim(store, SignsOut(), sessions=2) as one, claim(store, SignsOut(), sessions=2) as two:
        assert {0, 1} == {one.slot, two.slot}
        with pytest.raises(TransientError, match=r"\(2\) are in use"), claim(store, SignsOut(), sessions=2):
            pass


def test_contracts_are_kept_by_name(store: Store) -> None:
    """What a site publishes is found again under its name, and replaced by a newer one."""
    assert store.contracts.find("site build 1") is None
    store.contracts.keep("site build 1", b"{}")
    store.contracts.keep("site build 1", b'{"a":{}}')
    assert b'{"a":{}}' == store.contracts.find("site build 1")
