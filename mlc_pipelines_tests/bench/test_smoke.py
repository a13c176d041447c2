"""The benches compare like with like: on small sizes all contenders come to the same figures. No time is judged here."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp

from mlc_pipelines.sandbox.listener import Listener
from mlc_pipelines.sandbox.server import LOOPBACK
from mlc_pipelines.sandbox.world import Seed, World
from mlc_pipelines_tests.bench import aggregate, audit, baq, baq_server, cells_file, extract
from mlc_pipelines_tests.bench.__main__ import table
from mlc_pipelines_tests.bench.measure import Bench, Contender, Goal, Row, run
from mlc_pipelines_tests.bench.server import Canned, canned_answer

Prepare = Callable[[Mapping[str, Any]], tuple[Callable[[], Any], Callable[[Any], Mapping[str, Any]]]]
FOREIGN = ["easy_dicts", "requests_normalized"]


def came_to(prepare: Prepare, setting: Mapping[str, Any]) -> Mapping[str, Any]:
    work, summarise = prepare(setting)
    return summarise(work())


@contextmanager
def serving(changed: Callable[[ASGIApp], ASGIApp]) -> Iterator[dict[str, Any]]:
    """The sandbox in this process, with something in front of it; gives what it says about itself."""
    world = World(Seed())
    listener = Listener(changed(world.app), LOOPBACK, 0)
    world.url = f"http://{LOOPBACK}:{listener.port}"
    yield world.info
    listener.stop()


@pytest.fixture(scope="module", params=[False, True], ids=["used fields", "all fields"])
def canned(request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    """The sandbox with 500 ready lines, what they add up to, and their bytes."""
    body, totals = canned_answer(500, all_fields=request.param)
    with serving(lambda app: Canned(app, body)) as info:
        yield {"info": info, "totals": totals, "bytes": len(body)}


@pytest.mark.parametrize("contender", ["ours", *FOREIGN])
def test_every_line_is_extracted_with_its_amounts(canned: dict[str, Any], contender: str) -> None:
    """Lines, debits and credits as they were rendered."""
    assert canned["totals"] == came_to(getattr(extract, contender), canned)


def test_a_line_has_the_size_seen_in_the_field(canned: dict[str, Any]) -> None:
    """About 686 bytes, 870 with all fields of the documented answer; else the figures say nothing about a real site."""
    assert 660 <= canned["bytes"] / 500 <= 710 or 850 <= canned["bytes"] / 500 <= 890


@pytest.mark.parametrize("contender", FOREIGN)
def test_all_end_with_the_same_table(canned: dict[str, Any], contender: str) -> None:
    """The same columns, and in them the same texts and cents."""
    ours, theirs = (getattr(extract, one)(canned)[0]() for one in ("ours", contender))
    assert {*ours.column_names} == {*theirs.columns, "company", "ledger", "currency"}
    for name in theirs.columns:
        assert ours[name].to_pylist() == [*theirs[name]], name


@pytest.mark.parametrize("contender", ["ours", "requests_normalized"])
def test_every_line_of_a_query_is_extracted_with_its_amounts(contender: str) -> None:
    """A page and a part of one: lines, and debits and credits by account, as they were rendered."""
    with serving(lambda app: baq_server.Queried(app, 7_000)) as info:
        assert baq_server.totals(7_000) == came_to(getattr(baq, contender), {"info": info})


def test_both_end_with_the_same_table_of_a_query() -> None:
    """The same columns, and in them the same texts and cents."""
    with serving(lambda app: baq_server.Queried(app, 600)) as info:
        ours, theirs = (one({"info": info})[0]() for one in (baq.ours, baq.requests_normalized))
    assert {*ours.column_names} == {*theirs.columns, "company", "ledger", "currency"}
    for name in theirs.columns:
        assert ours[name].to_pylist() == [*theirs[name]], name


def test_a_ready_line_is_one_as_the_query_itself_gives_it() -> None:
    """The same columns in the same order, values of the same kinds, about as many bytes: else the figures say nothing about a real site."""
    with serving(lambda app: app) as info:
        erp = info["epicor"]
        url = f"{erp['url']}/api/v2/odata/IVM/BaqSvc/{baq_server.QUERY}/Data?Company=IVM&FiscalYear=2026&$top=50"
        key, user = {"x-api-key": erp["api_key"]}, (erp["username"], erp["password"])
        own = httpx.get(url, headers=key, auth=user, timeout=60)
    ready = baq_server.page(50, "$top=50")
    assert {kinds(row) for row in own.json()["value"]} == {kinds(row) for row in json.loads(ready)["value"]}
    assert 0.9 < len(ready) / len(own.content) < 1.1


def kinds(row: Mapping[str, Any]) -> tuple[tuple[str, type], ...]:
    return tuple((name, type(value)) for name, value in row.items())


def test_both_ways_of_mapping_come_to_the_same_cells(tmp_path: Path) -> None:
    """Every cell, by digest; some lines land on the suspense member."""
    setting = aggregate.bench(3_000, tmp_path).setting
    ours = came_to(aggregate.ours, setting)
    assert ours == came_to(aggregate.pandas_decimals, setting)
    assert ours["cells"] > 2_000


def test_all_files_hold_the_same_cells() -> None:
    """Header, labels and every amount, read back from the bytes."""
    files = [
        came_to(way, {"cells": 300}) for way in (cells_file.ours, cells_file.pandas_decimals, cells_file.pandas_floats)
    ]
    assert [list(cells_file.HEADER), 300] == [files[0]["header"], files[0]["cells"]]
    assert [files[0], files[0]] == files[1:]


def test_a_contender_with_other_figures_is_named() -> None:
    """What the exit code hangs on; a goal that is missed is shown, and is no failure."""
    goal = Goal("cpu_seconds", times=1_000_000)
    bench = Bench(
        "csv", "", cells_file.__name__, {"cells": 240}, (Contender("one", "ours", (goal,)),), truth={"cells": 1}
    )
    [row] = run(bench, 1)
    assert "expected was {'cells': 1}" in row.differs
    assert [False] == [met for *_, met in row.goals]
    assert "DIFFERS  csv, one: came to" in table([row])


def test_the_table_says_which_goal_was_met() -> None:
    """One line per contender: figures, ratios, goal, verdict."""
    names = ("cpu_seconds", "wall_seconds", "peak_mb", "whole_cpu_seconds", "whole_peak_mb")
    row = Row("csv", "one", dict.fromkeys(names, 2.0), dict.fromkeys(names, 9.0), (("CPU >= 8x", 9.0, True),))
    assert (
        "csv    one        2.00   9.0  2.00    9.0  2        9.0  2.00               9.0  2        9.0  CPU >= 8x  yes"
        in table([row])
    )


def test_audit_contenders_write_the_same_records() -> None:
    """Ours are the lines that the standard library's JSON writes, and both trails verify."""
    setting = {"records": 3000}
    assert came_to(audit.ours, setting) == came_to(audit.sqlite_rows, setting)
    assert (
        {"records": 3000, "clean": True}
        == came_to(audit.ours_verified, setting)
        == came_to(audit.sqlite_verified, setting)
    )
