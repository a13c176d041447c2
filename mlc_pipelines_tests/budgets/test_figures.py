"""Which figures of a plan may be posted, and what is made of blanks, zeros and fractions of a cent: told before anything is written."""

from decimal import Decimal
from pathlib import Path

import pytest

from mlc_pipelines.ledger.errors import DataError, PipelineError
from mlc_pipelines.wiring.plans import Target, Targets
from mlc_pipelines_tests.budgets.office import V1, Office, open_office
from mlc_pipelines_tests.budgets.ways import FIRST, PLAN, SECOND, Native, PlanBook, Statistical, Way, ways


def refused(office: Office, said: str) -> PipelineError:
    """The failure of a preview, whose message has all its parts; nothing was written."""
    with pytest.raises(DataError, match=said) as caught:
        office.preview()
    error = caught.value
    assert all((error.what, error.holds, error.next_step))
    assert [] == office.way.writes()
    return error


def targets(way: Way, folder: Path, *rows: str) -> Targets:
    """Accounts by a file alone, cost centers as they are."""
    file = folder / "targets.csv"
    file.write_text("\n".join(["member,target", *rows]) + "\n")
    held = way.named.settings.plans[way.plan].targets
    return Targets(accounts=Target(file=str(file)), cost_centers=held.cost_centers)


@ways(Statistical, PlanBook)
def test_accounts_that_take_no_plan_are_refused_in_one_list(way: Way, tmp_path: Path) -> None:
    """Inactive, not there, kept by the ERP itself, or a control account: each with its reason and the money, before anything is written."""
    for (account, _), amount in zip(way.refused, (Decimal(10), Decimal(20), Decimal(30)), strict=True):
        member, center = f"A{account}", way.members["travel"][1]
        way.sandbox.tenant.edit_member("Accounts", member, name=member, parent="", model=way.model)
        key = (member, center, way.labels[FIRST], way.version)
        way.sandbox.tenant.edit_cell(key, amount, way.model, PLAN)
    control = way.targets["travel"][0]
    with open_office(way, destination__control_accounts=(control,)) as office:
        error = refused(office, "The ERP takes no plan figures on 4 of [56]")
    listed = error.evidence["Refused accounts"].set_index("account")["problem"].to_dict()
    assert {account for account, _ in way.refused} | {control} == set(listed)
    assert all(why in listed[account] for account, why in (*way.refused, (control, "control account")))
    assert "20.00" in error.evidence["Refused accounts"].to_string()


@ways(Native)
def test_members_without_a_target_are_refused_with_their_money(way: Way, tmp_path: Path) -> None:
    """Nothing is posted anywhere but where it was declared; a blank or a zero needs no target."""
    way.sandbox.set_switches(anaplan={"new_hire_pool": True})
    way.plan_little(V1)
    pool = ("A_NEW_HIRES", way.members["travel"][1])
    for period, amount in ((FIRST, Decimal("2500.00")), (SECOND, Decimal("0"))):
        way.sandbox.tenant.edit_cell((*pool, way.labels[period], way.version), amount, way.model, PLAN)
    fees, travel = (way.targets[what][0] for what in ("fees", "travel"))
    declared = targets(way, tmp_path, f"{way.members['fees'][0]},{fees}", f"{way.members['travel'][0]},{travel}")
    with open_office(way, targets=declared) as office:
        error = refused(
            office,
            r"1 members of the plan hold figures and have no posting target: account A_NEW_HIRES \(1 cells, 2,500.00 USD\)",
        )
    [row] = error.evidence["Members without a posting target"].to_dict("records")
    assert ("account", "A_NEW_HIRES", 1) == (row["dimension"], row["member"], row["cells"])


@ways(Native)
def test_F08_parents_and_totals_are_refused(office: Office, way: Way) -> None:
    """An export that shows quarters and years beside the months, or a parent beside its members, would be posted twice."""
    way.sandbox.set_switches(anaplan={"export_totals": True})
    refused(office, "total over time")


@ways(Native)
def test_F08_a_member_by_its_name_is_no_leaf_by_code(office: Office, way: Way) -> None:
    """An export by names instead of codes is refused, never guessed at."""
    way.sandbox.set_switches(anaplan={"export_members": "name"})
    refused(office, "no leaves|no member")


@ways(Native)
@pytest.mark.parametrize("entered", [None, pytest.param(Decimal(0), marks=pytest.mark.prove)])
def test_F10_an_empty_plan_is_nothing_to_post(office: Office, way: Way, entered: Decimal | None) -> None:
    """Blank or zero in every cell: green, said, and nothing written."""
    way.plan_little({} if entered is None else dict.fromkeys(V1, entered))
    report = office.preview()
    assert "there is nothing to post" in report.summary
    assert (0, "nothing") == (report.counts["journals"], report.texts["content to approve"])
    assert "there is nothing to post" in office.post().summary
    assert [] == way.writes()


@ways()
def test_a_blank_may_leave_what_stands_there(way: Way) -> None:
    """`blank: unchanged`: an emptied cell is not touched, a zero takes the figure away; by default both do (version two of the posting tests)."""
    with open_office(way, blank="unchanged") as office:
        office.issue()
        after = {**V1, ("fees", FIRST): None, ("travel", FIRST): Decimal(0)}
        office.replan(after)
        office.issue()
    expected = {**V1, ("travel", FIRST): Decimal(0)}
    assert office.expected(expected, FIRST) == way.totals(FIRST)


@ways()
def test_figures_finer_than_cents(way: Way) -> None:
    """A year spread over its periods: refused by name, or, where it is declared, rounded with what is left in the last period."""
    spread = {("travel", FIRST): Decimal("33.333333"), ("travel", SECOND): Decimal("33.333333")}
    way.plan_little(spread)
    account, subaccount = way.targets["travel"]
    with open_office(way) as office:
        said = str(refused(office, "finer than USD allows"))
    assert f"{account} {subaccount} {FIRST}" in said
    assert "rounding: last_period" in said
    with open_office(way, rounding="last_period") as office:
        report = office.preview()
        [moved] = report.tables["Rounded into the last period"].to_dict("records")
        assert (account, SECOND, "0.01") == (moved["account"], moved["period"], moved["moved"])
        office.approve(report.texts["content to approve"])
        office.post_and_release()
    assert [3333, 3334] == [way.totals(period)[account, subaccount] for period in (FIRST, SECOND)]


@ways(Native)
def test_a_cell_that_stands_twice_is_refused(office: Office, way: Way) -> None:
    """Which of the two was approved cannot be told."""
    first = rf"({way.members['travel'][0]},{way.members['travel'][1]},{way.labels[FIRST]},{way.version},)"
    twice = {"kind": "replace", "pattern": first + r"([\d.]+)\n", "with": r"\g<1>\g<2>\n\g<1>\g<2>\n"}
    way.sandbox.traffic.plant(
        {"match": "GET .*/exports/.*/chunks/|GET .*/files/.*/chunks/", "times": -1, "action": twice}
    )
    with pytest.raises(PipelineError):
        office.preview()
    assert [] == way.writes()
