"""A cell of the plan leads to the journal lines behind it, as they were loaded then; a journal line leads to the cells it went into. On every ERP."""

import json
import random
import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from click.testing import CliRunner

from mlc_pipelines.cli import cli
from mlc_pipelines.flows.actuals import load_actuals
from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.reference import refresh_reference
from mlc_pipelines.flows.spend import load_spend
from mlc_pipelines.flows.steps import ACTUALS, SPEND
from mlc_pipelines.flows.trace import Origin, trace_cell, trace_journal
from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines_tests.battery.houses import PERIOD, Cells, House, held_cells, opened, place

KEYS = ["account", "cost_center"]
ELSEWHERE = timezone(timedelta(hours=5, minutes=30))


def traced(desk: Desk, cell: tuple[str, str], load: int = 0) -> Origin:
    [origin] = trace_cell(
        desk.store, desk.connection, ACTUALS, PERIOD, dict(zip(KEYS, cell, strict=True)), keys=KEYS, load=load
    )
    return origin


def require_traced(desk: Desk, held: Cells, cells: int, load: int) -> None:
    """The lines of so many cells, chosen at random, add up to what the model held after that load."""
    for cell in random.Random(2026).sample(sorted(held), cells):
        origin = traced(desk, cell, load)
        assert (held[cell] * 100, True) == (origin.lines_minor, origin.agrees), cell
        assert origin.after_minor == origin.sent_minor == origin.lines_minor


def before_and_after_a_late_posting(desk: Desk, house: House, cells: int) -> None:
    """Two loads with a journal in between; each is told as it was, also once the other was loaded."""
    house.post(PERIOD, house.expense, house.centers[0], 1_000)
    load_actuals(desk, PERIOD)
    before = held_cells(house, PERIOD)
    house.post(PERIOD, house.expense, house.centers[0], 4_321)
    load_actuals(desk, PERIOD)
    after = held_cells(house, PERIOD)
    require_traced(desk, before, cells, load=1)
    require_traced(desk, after, cells, load=2)
    moved = f"A{house.expense}", house.center_member(house.centers[0])
    then, now = traced(desk, moved, load=1), traced(desk, moved)
    assert 4_321 == now.lines_minor - then.lines_minor == now.after_minor - now.before_minor
    assert len(then.lines) + 1 == len(now.lines)
    [landing] = trace_journal(desk.store, desk.connection, str(now.lines.iloc[-1]["document"]), period=PERIOD)
    assert now.target in set(landing.lines["target"])
    assert {then.target} == {one.target for one in (then, now)}


def test_cells_are_traced_before_and_after_a_late_posting(desk: Desk, house: House) -> None:
    """Twenty random cells: the sum of the lines is the cell, in the load before a late journal and in the one after it."""
    before_and_after_a_late_posting(desk, house, cells=20)


@pytest.mark.prove
def test_random_cells_are_traced_in_the_long_form(desk: Desk, house: House) -> None:
    """The same for 125 cells of either load: 500 in all over both ERPs."""
    before_and_after_a_late_posting(desk, house, cells=125)


def test_mlc_trace_tells_lines_screens_and_the_way_back(desk: Desk, house: House) -> None:
    """A person reads cell, load, lines with the ERP's screen, and the sum; a script gets the same; an exported row and a journal lead there too."""
    load_actuals(desk, PERIOD)
    (account, center), amount = max(held_cells(house, PERIOD).items(), key=lambda one: abs(one[1]))
    run = CliRunner().invoke
    told = run(cli, ["trace", desk.connection, PERIOD, account, center])
    assert (0, True) == (told.exit_code, "equal to the cell" in told.output), told.output
    facts = json.loads(run(cli, ["trace", desk.connection, PERIOD, account, center, "--json"]).output)[0]
    assert (amount * 100, facts["sent_minor"]) == (
        facts["after_minor"],
        sum(line["amount_minor"] for line in facts["lines"]),
    )
    first = facts["lines"][0]
    assert re.search(
        "ScreenId=GL301000&Module=.*&BatchNbr=" if desk.system == "acumatica" else "Journal Tracker, book MAIN",
        first["screen"],
    )
    assert all((first["transaction_on"], first["account"], first["document"]))
    label, version = place(house, PERIOD)
    assert (
        facts["target"]
        in run(cli, ["trace", desk.connection, "--row", f'{account},{center},"{label}",{version},1.00']).output
    )
    back = run(cli, ["trace", desk.connection, "--journal", first["document"].rpartition(" ")[2]]).output
    assert facts["target"] in back
    whole = run(cli, ["trace", desk.connection, PERIOD, account, "--json"])
    assert {center} <= {one["target"].split("|")[1] for one in json.loads(whole.output)}


def test_a_figure_is_told_as_of_a_moment(desk: Desk, house: House) -> None:
    """The load that had agreed by then, in UTC or with an offset; a day means its end; before the first load there is nothing; no moment is wrong usage."""
    cell = (f"A{house.expense}", house.center_member(house.centers[0]))

    def sent(as_of: str) -> int:
        told = CliRunner().invoke(cli, ["trace", desk.connection, PERIOD, *cell, "--as-of", as_of, "--json"])
        return int(json.loads(told.output)[0]["sent_minor"])

    house.post(PERIOD, house.expense, house.centers[0], 1_000)
    load_actuals(desk, PERIOD)
    loaded = datetime.fromisoformat(traced(desk, cell).entry.event["at"])
    house.post(PERIOD, house.expense, house.centers[0], 4_321)
    load_actuals(desk, PERIOD)
    now, then = (traced(desk, cell, load).sent_minor for load in (2, 1))
    assert 4_321 == now - then
    assert then == sent(loaded.replace(tzinfo=None).isoformat()) == sent(loaded.astimezone(ELSEWHERE).isoformat())
    assert now == sent(datetime.now(UTC).date().isoformat())
    with pytest.raises(DataError, match=r"no load that agreed by 2020-01-31T23:59:59\.999"):
        CliRunner().invoke(
            cli, ["trace", desk.connection, PERIOD, *cell, "--as-of", "2020-01-31"], catch_exceptions=False
        )
    for text in ("31.03.2026", "20260331", "2026-W14", "2026-02-31", "2026-03-31T25:00", "0001-01-01T00:00+05:00"):
        wrong = CliRunner().invoke(cli, ["trace", desk.connection, PERIOD, *cell, "--as-of", text])
        assert (2, True) == (wrong.exit_code, f"'{text}' is no moment" in wrong.output)
    both = CliRunner().invoke(cli, ["trace", desk.connection, PERIOD, *cell, "--load", "1", "--as-of", "2026-03-31"])
    assert (2, True) == (both.exit_code, "Give one of them" in both.output)


def test_spend_is_traced_to_invoices(house: House) -> None:
    """Every cell of AP spend is the sum of its invoices' distributions; what was no spend is told as such."""
    if not house.named.settings.ap_spend:
        pytest.skip("this company declares no AP spend")
    with opened(house) as desk:
        refresh_reference(desk)
        load_spend(desk, PERIOD)
        vendor = trace_cell(desk.store, desk.connection, SPEND, PERIOD, {}, keys=["vendor", *KEYS])[0].target.split(
            "|"
        )[0]
        cells = trace_cell(desk.store, desk.connection, SPEND, PERIOD, {"vendor": vendor}, keys=["vendor", *KEYS])
    assert all(cell.agrees and cell.after_minor == cell.sent_minor for cell in cells)
    assert all(cell.lines["document"].str.contains(" ").all() for cell in cells if cell.sent_minor)


def test_what_nobody_loaded_is_refused_by_name(desk: Desk, house: House) -> None:
    """A cell, a load, a journal or a period that the trail does not know: it says what it knows."""
    with pytest.raises(DataError, match=r"knows no load .*none at all") as never:
        traced(desk, ("A1010", "CC_110"))
    assert "Check how the period is written" in never.value.next_step
    load_actuals(desk, PERIOD)
    with pytest.raises(DataError, match=r"no load 7 .* it knows load 1 AGREED"):
        traced(desk, ("A1010", "CC_110"), load=7)
    with pytest.raises(DataError, match=r"load 1 .* moved no cell NOBODY / CC_110"):
        traced(desk, ("NOBODY", "CC_110"))
    moved = {account for account, center in held_cells(house, PERIOD) if center == "CC_110"}
    wrong = f"{min(moved)}0"
    with pytest.raises(DataError) as caught:
        traced(desk, (wrong, "CC_110"))
    assert f"Near {wrong} it moved {min(moved)}; " in caught.value.next_step
    with pytest.raises(DataError, match="moved a line of GL999999"):
        trace_journal(desk.store, desk.connection, "GL999999")
