"""K08: a change of key ring or credentials that is killed, at every step of it, leaves everything readable and can be done again."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mlc_pipelines.store.home import Store
from mlc_pipelines_tests.store import killer

OLD = {"a": "first", "b": "old", "c": "third", "session": "cookie"}
Told = list[dict[str, Any]]


@pytest.fixture
def home(store: Store) -> Path:
    """Three credentials and an open session, all sealed."""
    for name in "abc":
        store.vault.put(name, {"password": OLD[name]})
    sealed = store.vault.seal(OLD["session"], bound_to=killer.session_binding("site", "place"))
    with store.engine.begin() as db:
        db.exec_driver_sql(
            "INSERT INTO open_sessions (place, site, slot, holder, key_id, nonce, ciphertext, opened_at)"
            " VALUES ('place', 'site', 0, 'demo', ?, ?, ?, '2026')",
            (sealed.key_id, sealed.nonce, sealed.ciphertext),
        )
    store.engine.dispose()
    return store.home


def killed(home: Path, deed: str, which: str) -> Told:
    command = [sys.executable, killer.__file__, str(home), deed, which]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert 0 == done.returncode, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


STEPS = ["some", pytest.param("all", marks=pytest.mark.prove)]


@pytest.mark.parametrize("which", STEPS)
def test_K08_a_killed_rotation_of_the_key_leaves_everything_readable(home: Path, which: str) -> None:
    """With the ring on disk, whatever of it was reached; done again, one key is left and opens everything."""
    told = killed(home, "rotate", which)
    assert len(told) > (10 if which == "some" else 100)
    assert {"keys": 1, **OLD} == told[0]["found"]
    for step in told:
        assert OLD == {name: value for name, value in step["found"].items() if name != "keys"}, step
        assert {**OLD, "keys": 1} == step.get("after", {**OLD, "keys": 1}), step
    assert {1, 2} == {step["found"]["keys"] for step in told}


@pytest.mark.prove
def test_K08_a_killed_storing_leaves_the_old_or_the_new_version(home: Path) -> None:
    """Never neither; and what was stored is not taken for an attack."""
    told = killed(home, "put", "io")
    assert {"old", "new"} == {step["found"]["b"] for step in told}
    for step in told:
        assert {**OLD, "keys": 1, "b": step["found"]["b"]} == step["found"], step
        assert {**OLD, "keys": 1, "b": "new"} == step.get("after", {**OLD, "keys": 1, "b": "new"}), step


@pytest.mark.prove
def test_a_killed_removal_has_removed_it_or_not(home: Path) -> None:
    """The others are not touched."""
    without = {name: value for name, value in OLD.items() if name != "b"}
    for step in killed(home, "remove", "io"):
        assert step["found"] in ({**OLD, "keys": 1}, {**without, "keys": 1}), step
        assert {**without, "keys": 1} == step.get("after", {**without, "keys": 1}), step


@pytest.mark.prove
def test_K08_a_killed_change_of_a_password_leaves_one_that_can_be_used(home: Path) -> None:
    """The one before or the one that was tried; the candidate stays beside it until it was taken. Done again, it is the new one."""
    told = killed(home, "switch", "io")
    assert {"old", "new"} == {step["found"]["b"] for step in told}
    assert {"new"} == {step["found"].get("b (next)", "new") for step in told}
    assert {"new"} == {step["after"]["b"] for step in told if "after" in step}
