"""What the client reads equals what the books hold, to the cent, in our words."""

from collections import defaultdict
from collections.abc import Callable, Iterable

import pyarrow as pa
import pytest

from mlc_pipelines.epicor.client import Epicor
from mlc_pipelines.ledger.balances import carried_over
from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.ledger.fiscal import FiscalPeriod, from_iso
from mlc_pipelines.ledger.journal import LINES
from mlc_pipelines.ledger.ports import LedgerIdentity
from mlc_pipelines.sandbox.server import Sandbox

Connect = Callable[..., Epicor]
Sides = dict[tuple[str, str], tuple[int, int]]


def summed(table: pa.Table) -> Sides:
    """Debits and credits by account and subaccount."""
    sums: dict[tuple[str, str], tuple[int, int]] = defaultdict(lambda: (0, 0))
    for row in table.to_pylist():
        debit, credit = sums[row["account"], row["subaccount"]]
        sums[row["account"], row["subaccount"]] = debit + row["debit_minor"], credit + row["credit_minor"]
    return dict(sums)


def truth(sandbox: Sandbox, period: str, book: str = "MAIN") -> Sides:
    return {
        (one, f"{two}|{three}"): (debit, credit)
        for one, two, three, debit, credit in sandbox.ironvale.truth(book, period)
    }


def without_plant(sums: Sides) -> Sides:
    """As balances keep them: account and cost center."""
    kept: dict[tuple[str, str], tuple[int, int]] = defaultdict(lambda: (0, 0))
    for (account, subaccount), (debit, credit) in sums.items():
        key = account, subaccount.partition("|")[0] + "|"
        kept[key] = kept[key][0] + debit, kept[key][1] + credit
    return {key: sides for key, sides in kept.items() if sides != (0, 0)}


def posted(ledger: Epicor, period: FiscalPeriod) -> pa.Table:
    return pa.Table.from_batches(ledger.read_posted(period))


def periods_of(ledger: Epicor, keys: Iterable[str]) -> list[FiscalPeriod]:
    found = {one.key: one for one in ledger.read_periods()}
    return [from_iso(key, found[key].start_on, found[key].end_on, adjustment=found[key].adjustment) for key in keys]


def test_the_book_is_named_as_the_erp_names_it(ledger: Epicor) -> None:
    """Nobody has to guess whose figures these are."""
    assert LedgerIdentity("Epicor IVM", "IVM", "MAIN", "main book", "USD") == ledger.identity()


def test_another_book_is_read_and_said_to_be_another(connect: Connect, sandbox: Sandbox) -> None:
    """A book beside the main one has a calendar of its own, which is taken from it; the report says that it is not the main book."""
    with connect(book="TAX") as ledger:
        [period] = periods_of(ledger, ["FY2025-P11"])
        assert ("2025-11-01", "2025-11-30") == (period.start_on.isoformat(), period.end_on.isoformat())
        assert truth(sandbox, "FY2025-P11", "TAX") == summed(posted(ledger, period))
        assert "is not the main book of company IVM" in " ".join(ledger.identity().warnings)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"book": "MIAN"}, r"no book MIAN; it has MAIN, OLD, PLAN, TAX\.(?s:.*)`erp.book`"),
        ({"book": "OLD"}, r"Book OLD of company IVM is inactive; in use are MAIN, PLAN, TAX"),
        (
            {"cost_center_segment": 4},
            r"Chart MAIN has no segment 4; it has 1 Chart, 2 Dept, 3 Plant(?s:.*)`erp.cost_center_segment`",
        ),
        ({"account_segment": 5}, r"`erp.account_segment`"),
    ],
)
def test_books_and_segments_that_do_not_exist(connect: Connect, changes: dict[str, object], message: str) -> None:
    """What a connection names wrongly is told with what there is, and where to correct it."""
    with connect(**changes) as ledger, pytest.raises(SetupError, match=message):
        ledger.identity()


def test_periods_as_the_erp_has_them(ledger: Epicor) -> None:
    """Suffix, closing period and state of the book; a period is readable once it has begun."""
    found = {one.key: one for one in ledger.read_periods()}
    assert ["FY2024T-P01", "FY2024T-P02", "FY2024T-P03", "FY2025-P01"] == list(found)[:4]
    assert ("2024-07-01", "2024-07-27", "Closed", False) == (
        found["FY2024T-P01"].start_on,
        found["FY2024T-P01"].end_on,
        found["FY2024T-P01"].status,
        found["FY2024T-P01"].adjustment,
    )
    closing = found["FY2025-P13"]
    assert ("2025-09-27", "2025-09-27", "Closed", True) == (
        closing.start_on,
        closing.end_on,
        closing.status,
        closing.adjustment,
    )
    assert ("Closed", "Open") == (found["FY2026-P10"].status, found["FY2026-P11"].status)
    assert found["FY2027-P01"].readable
    assert not found["FY2027-P12"].readable


def test_a_reopened_period_is_open_again(ledger: Epicor, sandbox: Sandbox) -> None:
    """The state is the book's own, and can go back."""
    sandbox.ironvale.reopen("FY2026-P10")
    assert "Open" == {one.key: one.status for one in ledger.read_periods()}["FY2026-P10"]


def test_accounts_with_their_kinds(ledger: Epicor) -> None:
    """Codes stay text; kinds come from the category, also for a contra account; activity is flag and dates."""
    accounts = ledger.read_accounts().set_index("code")
    assert "0010" in accounts.index
    assert "NA" in accounts.index
    assert {"Asset", "Liability", "Income", "Expense"} == set(accounts["kind"])
    assert "Asset" == accounts["kind"]["1590"]
    assert not accounts["active"]["1190"]
    assert accounts.index.is_unique
    assert accounts.index.is_monotonic_increasing


def test_cost_centers_and_how_many_subaccounts_carry_them(ledger: Epicor) -> None:
    """One that expired is not active; accounts that stand without one have their own."""
    centers = ledger.read_cost_centers().set_index("code")
    assert ["", "015", "110"] == list(centers.index)[:3]
    assert not centers["active"]["700"]
    assert not centers["active"]["710"]
    assert centers["active"]["110"]
    assert (2, 0) == (centers["subaccounts"]["110"], centers["subaccounts"]["700"])


def test_no_cost_centers_where_none_are_declared(connect: Connect, december: FiscalPeriod) -> None:
    """All figures then belong to the cost center ""; the account is enough for balances."""
    with connect(cost_center_segment=None) as ledger:
        assert [""] == ledger.read_cost_centers()["code"].tolist()
        assert ["", ""] == ledger.cost_centers_of(["110|MF", "|"])
        assert "balances" == ledger.figures_from().source


def test_the_cost_center_is_the_declared_segment(connect: Connect) -> None:
    """Whichever it is; empty parts keep their place."""
    with connect() as ledger:
        assert ["110", "", "015"] == ledger.cost_centers_of(["110|MF", "|", "015|"])
    with connect(cost_center_segment=3) as ledger:
        assert ["MF", "", ""] == ledger.cost_centers_of(["110|MF", "|", "015|"])
        assert {"", "MF", "NO", "DI"} <= {*ledger.read_cost_centers()["code"]}


@pytest.mark.parametrize("key", ["FY2024T-P02", "FY2025-P13", "FY2026-P03", "FY2027-P02"])
def test_posted_lines_and_balances_equal_the_books(ledger: Epicor, sandbox: Sandbox, key: str) -> None:
    """Every line once; balances by account and cost center; both equal what the sandbox itself counts."""
    [period] = periods_of(ledger, [key])
    lines = posted(ledger, period)
    assert LINES == lines.schema
    assert truth(sandbox, key) == {
        pair: sides for pair, sides in summed(lines).items() if pair in truth(sandbox, key) or sides != (0, 0)
    }
    pairs = ledger.read_balances(period)
    moved = {
        (account, subaccount): (debit, credit)
        for account, subaccount, _, debit, credit, _ in pairs.itertuples(index=False)
        if (debit, credit) != (0, 0)
    }
    assert without_plant(summed(lines)) == moved
    trial = ledger.read_trial_balance(period)
    assert (trial["opening_minor"] + trial["debit_minor"] - trial["credit_minor"] == trial["closing_minor"]).all()
    assert 0 == trial["opening_minor"].sum() == trial["closing_minor"].sum()


def test_a_line_says_where_it_comes_from(ledger: Epicor, december: FiscalPeriod) -> None:
    """Journal, line, plant, day, text."""
    lines = posted(ledger, december).to_pylist()
    assert len({(line["batch"], line["line"]) for line in lines}) == len(lines)
    one = next(line for line in lines if line["batch"] == "RV 13" and line["line"] == 1)
    assert ("IVM", "MAIN", "USD", "MfgSys", "6520", "420|MF", "2025-11-23") == tuple(
        one[name] for name in ("company", "ledger", "currency", "branch", "account", "subaccount", "transaction_on")
    )
    assert one["description"].startswith("Reversal: ")


@pytest.mark.parametrize(
    ("before", "first"),
    [
        ("FY2024T-P03", "FY2025-P01"),
        ("FY2025-P13", "FY2026-P01"),
        ("FY2026-P02", "FY2026-P03"),
        ("FY2026-P13", "FY2027-P01"),
    ],
)
def test_one_period_hands_to_the_next(ledger: Epicor, before: str, first: str) -> None:
    """Also into a year that Kinetic has not opened yet, because the one before is not closed: then it is carried over, and said so."""
    end, start = (ledger.read_trial_balance(one) for one in periods_of(ledger, [before, first]))
    kinds = ledger.read_accounts().set_index("code")["kind"].to_dict() if before[:6] != first[:6] else None
    wanted = carried_over(end, start, kinds).set_index("account")["amount_minor"]
    opening = start.set_index("account")["opening_minor"]
    assert {} == (opening.sub(wanted, fill_value=0).loc[lambda gap: gap != 0]).to_dict()
    assert (first == "FY2027-P01") == ("carried over from FY2026-P13" in " ".join(ledger.identity().warnings))


def test_a_period_without_lines(ledger: Epicor) -> None:
    """One batch, without rows."""
    [period] = periods_of(ledger, ["FY2027-P05"])
    [batch] = ledger.read_posted(period)
    assert (0, LINES) == (len(batch), batch.schema)


def test_figures_come_from_balances_where_the_chart_keeps_the_cost_center(ledger: Epicor, connect: Connect) -> None:
    """And both are read; the reason is told in one sentence."""
    said = ledger.figures_from()
    assert ("balances", True) == (said.source, said.both)
    assert (
        "Chart MAIN keeps Chart (segment 1, the account) and Dept (segment 2, the cost center) in its balances, not Plant (segment 3). "
        "So the figures are its balances, held against the posted lines." == said.why
    )
    for read in ("balances", "journals"):
        with connect(read=read) as declared:
            assert (read, "", False) == (
                declared.figures_from().source,
                declared.figures_from().why,
                declared.figures_from().both,
            )


def test_figures_come_from_lines_where_it_does_not(connect: Connect, sandbox: Sandbox, december: FiscalPeriod) -> None:
    """Balances are then only by account, and reading them as figures is refused before anything else."""
    sandbox.set_switches(epicor={"balance_segments": "1"})
    with connect() as ledger:
        said = ledger.figures_from()
        assert ("journals", False) == (said.source, said.both)
        assert "not Dept (segment 2, the cost center) and Plant (segment 3)" in said.why
        assert {"|"} == set(ledger.read_balances(december)["subaccount"])
        trial = ledger.read_trial_balance(december)
        assert sum(debit for debit, _ in truth(sandbox, december.key).values()) == trial["debit_minor"].sum()
    with (
        connect(read="balances") as ledger,
        pytest.raises(SetupError, match=r"cannot be read from balances(?s:.*)`read: auto`"),
    ):
        ledger.identity()


@pytest.mark.parametrize("family", ["D", "S"])
def test_one_family_of_balances(connect: Connect, sandbox: Sandbox, december: FiscalPeriod, family: str) -> None:
    """Detail or summary; all rows together would count money twice."""
    with connect(balance_type=family) as ledger:
        trial = ledger.read_trial_balance(december)
    assert sum(debit for debit, _ in truth(sandbox, december.key).values()) == trial["debit_minor"].sum()


@pytest.mark.parametrize(
    "switches",
    [
        {"decimals": "text"},
        {"decimals": "padded"},
        {"date_form": "Z"},
        {"date_form": "offset"},
        {"metadata_form": "xml"},
        {"extra_unknown_fields": True},
        {"order": "scrambled"},
        {"ignore_case": False},
    ],
    ids=str,
)
def test_habits_that_differ_between_sites_make_no_difference(
    connect: Connect, sandbox: Sandbox, december: FiscalPeriod, switches: dict[str, object]
) -> None:
    """How a site spells numbers and dates, describes itself or orders its rows."""
    sandbox.set_switches(epicor=switches)
    with connect() as ledger:
        lines = posted(ledger, december)
        assert without_plant(truth(sandbox, december.key)) == without_plant(summed(lines))
        days = {len(one) for one in lines["transaction_on"].to_pylist()}
        assert {len("2025-11-23")} == days
        assert "2025-11-23" == {one.key: one.start_on for one in ledger.read_periods()}["FY2026-P03"]
        assert (
            sum(debit for debit, _ in summed(lines).values())
            == ledger.read_trial_balance(december)["debit_minor"].sum()
        )


def test_nothing_is_ever_written(ledger: Epicor, sandbox: Sandbox, december: FiscalPeriod) -> None:
    """All calls are reads, save the session's own."""
    posted(ledger, december)
    ledger.read_trial_balance(december)
    calls = {(one.method, one.path.rpartition("/")[2]) for one in sandbox.traffic.requests if one.method != "GET"}
    assert {("POST", "Login")} == calls
