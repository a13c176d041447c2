"""Retention: what may be given up and what may not, and that the trail says so and stays whole."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from mlc_pipelines.cli import cli
from mlc_pipelines.flows.retention import Old, before, prunable, prune
from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.store.history import AGREED, DIRTY
from mlc_pipelines.store.home import Store
from mlc_pipelines.store.trail.verify import Kind, verify
from mlc_pipelines_tests.posting.samples import DRAFT, approved
from mlc_pipelines_tests.store.trail.samples import event, lines

PERIOD, OTHER = "FY2026-P03", "FY2026-P04"
LATER = datetime.now(UTC) + timedelta(days=4000)
UNTIL = before(84, LATER)


@pytest.fixture
def store(furnished: Path) -> Store:
    return Store.open()


def kept(store: Store, text: str) -> str:
    return store.artefacts.keep_bytes(text.encode())


def loaded(store: Store, period: str, state: str, name: str = "first") -> dict[str, str]:
    """A load with all its files, which are named in the history and in the trail."""
    history = store.history
    files = {what: kept(store, f"{what} {name} {period}") for what in ("extract", "amounts", "file", "read back")}
    history.record_step("demo", "gl_actuals", period, files["amounts"], {"extract": files["extract"]})
    load = history.begin_load("demo", period, files["file"])
    history.end_load(load, state, read_back=files["read back"])
    store.trail.append(event(period=period), [lines(70, len(name) + int(period[-1]))])
    return files


def free(store: Store) -> set[str]:
    return {one.digest for one in prunable(store, "demo", UNTIL, LATER) if not one.entries}


def test_what_agreed_and_is_old_may_go_but_not_what_the_next_load_begins_with(store: Store) -> None:
    """The newest agreed file stays: it says which cells of the plan may hold a figure of ours."""
    first, second = loaded(store, PERIOD, AGREED), loaded(store, PERIOD, AGREED, "second")
    assert set(first.values()) | {second[what] for what in ("extract", "amounts", "read back")} == free(store)
    assert [] == prunable(store, "demo", before(84, datetime.now(UTC)), datetime.now(UTC))


@pytest.mark.parametrize("how", ["not agreed", "never loaded", "journal at work", "other connection", "kept again now"])
def test_what_is_open_or_needed_stays(store: Store, how: str) -> None:
    files = loaded(store, PERIOD, DIRTY if how == "not agreed" else AGREED)
    now = LATER
    if how == "never loaded":
        files = {"extract": kept(store, "a dry run")}
        store.history.record_step("demo", "gl_actuals", OTHER, files["extract"], {})
    if how == "journal at work":
        store.postings("demo", who="ann").record_intent(DRAFT, approved(DRAFT))
    if how == "other connection":
        for digest in files.values():
            store.history.record_step("another", "gl_actuals", PERIOD, digest, {})
    if how == "kept again now":
        now = datetime.now(UTC)
    assert not set(files.values()) & {one.digest for one in prunable(store, "demo", UNTIL, now)}


def test_the_trail_stays_whole_and_says_pruned_not_missing(store: Store) -> None:
    """Headers, roots and leaf hashes stay; the event names each file; one that nobody gave up is still an alarm."""
    loaded(store, PERIOD, AGREED)
    young = loaded(store, OTHER, DIRTY)
    old = prunable(store, "demo", UNTIL, LATER)
    assert {PERIOD} == {one.period for one in old}
    number = aged(store, old)
    verdict = verify(store.trail, full=True)
    assert (Kind.CLEAN, 1) == (verdict.kind, verdict.pruned)
    event_of = next(store.trail.entries(first=number))
    assert len(old) == event_of.event["counts"]["files"]
    with pytest.raises(
        DataError, match=r"was given up: older than 84 months; by ann at .*, entry \d+ of the audit trail"
    ):
        store.artefacts.path(next(one.digest for one in old if not one.entries))
    assert all(store.artefacts.path(digest) for digest in young.values())
    assert [] == prunable(store, "demo", UNTIL, LATER)
    store.trail.files.place(next(store.trail.entries(period=OTHER)).file).unlink()
    assert ["entry 3"] == [one.where for one in verify(store.trail, full=True).findings]


def aged(store: Store, old: list[Old]) -> int:
    """Given up, after the files became old."""
    for one in old:
        if not one.entries:
            os.utime(store.artefacts.place(one.digest), (0, 0))
    return prune(store, "demo", old, months=84, who="ann")


def test_a_file_that_was_kept_again_meanwhile_stays(store: Store) -> None:
    """A load under way may have made the same file just now."""
    loaded(store, PERIOD, AGREED)
    old = prunable(store, "demo", UNTIL, LATER)
    prune(store, "demo", old, months=84, who="ann")
    assert all(store.artefacts.path(one.digest) for one in old if not one.entries)


def test_what_was_given_up_can_be_made_again(store: Store) -> None:
    digest = kept(store, "a file")
    store.artefacts.give_up(digest, "too old")
    assert "too old" == store.artefacts.given_up(digest)
    assert digest == kept(store, "a file")
    assert "" == store.artefacts.given_up(digest)
    assert b"a file" == store.artefacts.path(digest).read_bytes()


def test_the_command_shows_first_and_keeps_to_the_retention(demo: object) -> None:
    """Nothing is removed without --yes; less than the connection file keeps is refused."""
    store = Store.open()
    files = loaded(store, PERIOD, AGREED)
    done = CliRunner().invoke(cli, ["audit", "prune", "demo", "--yes"])
    assert (0, "Nothing of demo is older than 84 months and free to be given up.\n") == (done.exit_code, done.output)
    refused = CliRunner().invoke(cli, ["audit", "prune", "demo", "--keep", "12"])
    assert (2, True) == (refused.exit_code, "demo keeps 84 months" in refused.output)
    assert all(store.artefacts.path(digest) for digest in files.values())
