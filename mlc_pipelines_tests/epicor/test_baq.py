"""Queries in place of entity sets: the same figures, and every way in which a query can mislead is told with its name."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from mlc_pipelines.epicor.baq import SUGGESTED
from mlc_pipelines.epicor.client import Epicor
from mlc_pipelines.epicor.config import BaqRule, Baqs
from mlc_pipelines.ledger.errors import DataError, PipelineError, SetupError
from mlc_pipelines.ledger.fiscal import FiscalPeriod
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines_tests.epicor.test_reading import summed, truth, without_plant

Connect = Callable[..., Epicor]
LINES, BALANCES, AP_SPEND = SUGGESTED["lines"], SUGGESTED["balances"], SUGGESTED["ap_spend"]
BY_POSITION = replace(LINES, parameters={name: value for name, value in LINES.parameters.items() if name != "SinceRev"})
ALL = Baqs(LINES, BALANCES, AP_SPEND)


def posted(connect: Connect, period: FiscalPeriod, rule: BaqRule, **changes: Any) -> pa.Table:
    with connect(baqs=Baqs(lines=rule), **changes) as ledger:
        return pa.Table.from_batches(ledger.read_posted(period))


def refusal(
    connect: Connect, period: FiscalPeriod, rule: BaqRule, kind: type[PipelineError] = SetupError, **changes: Any
) -> str:
    with pytest.raises(kind) as caught:
        posted(connect, period, rule, **changes)
    return str(caught.value)


def moved(sums: Mapping[Any, Any]) -> dict[Any, Any]:
    return {pair: sides for pair, sides in sums.items() if sides != (0, 0)}


def asked(sandbox: Sandbox, name: str) -> list[str]:
    return [one.path for one in sandbox.traffic.requests if f"BaqSvc/{name}/Data" in one.path]


@pytest.mark.parametrize("rule", [LINES, BY_POSITION], ids=["by-row-version", "by-position"])
@pytest.mark.parametrize("page", [97, 5000])
def test_lines_by_a_query_equal_those_of_the_entity_set(
    connect: Connect, sandbox: Sandbox, december: FiscalPeriod, rule: BaqRule, page: int
) -> None:
    """Line by line, whichever way its pages are read; the entity set itself is not called."""
    table = posted(connect, december, rule, page=page)
    assert moved(truth(sandbox, december.key)) == moved(summed(table))
    assert 0 == sum("GLJrnDtls?" in one.path for one in sandbox.traffic.requests)
    with connect() as ledger:
        entity = pa.Table.from_batches(ledger.read_posted(december))
    order = [("batch", "ascending"), ("line", "ascending")]
    by_entity, by_query = (
        one.cast(
            pa.schema([(f.name, pa.string() if pa.types.is_dictionary(f.type) else f.type) for f in one.schema])
        ).sort_by(order)
        for one in (entity, table)
    )
    assert by_entity.drop(["reference"]).equals(by_query.drop(["reference"]))


def test_balances_by_a_query(connect: Connect, sandbox: Sandbox, december: FiscalPeriod) -> None:
    """The query shows a whole year of all books that were asked for; what is not ours is left aside."""
    with connect(baqs=ALL) as ledger, connect() as plain:
        assert ledger.read_balances(december).equals(plain.read_balances(december))
    assert asked(sandbox, BALANCES.name)


def test_only_columns_that_are_used_are_asked_for(connect: Connect, sandbox: Sandbox, december: FiscalPeriod) -> None:
    """Those that its first row shows; where it does not show all segments of the chart, they might come later, and nothing is chosen."""
    posted(connect, december, LINES)
    first, *others = asked(sandbox, LINES.name)
    assert "$select" not in first
    assert all("GLJrnDtl_Description," in path and "GLJrnDtl_VendorNum" not in path for path in others)
    sandbox.traffic.clear()
    sandbox.set_switches(epicor={"baq_removed": [f"{LINES.name}/GLJrnDtl_SegValue3"]})
    posted(connect, december, LINES)
    assert not any("$select" in path for path in asked(sandbox, LINES.name))


def test_parameters_are_filled_in(connect: Connect, sandbox: Sandbox, december: FiscalPeriod) -> None:
    """As plain names in the address; sizes and order are always said."""
    posted(connect, december, LINES)
    first = asked(sandbox, LINES.name)[0]
    assert "Company=IVM&BookID=MAIN&FiscalYear=2026&FiscalPeriod=3&SinceRev=0" in first
    assert all("$top=" in path for path in asked(sandbox, LINES.name))
    assert all("$orderby=" in path for path in asked(sandbox, LINES.name)[1:])


def test_columns_of_other_names(connect: Connect, sandbox: Sandbox, december: FiscalPeriod) -> None:
    """A designer may name them otherwise; the connection says how."""
    aliases = {f"{LINES.name}/GLJrnDtl_SegValue1": "Account", f"{LINES.name}/GLJrnDtl_BookDebitAmount": "Dr"}
    sandbox.set_switches(epicor={"baq_aliases": aliases})
    said = refusal(connect, december, LINES)
    assert "Query ML_GLJrnDtl has no column GLJrnDtl_BookDebitAmount, GLJrnDtl_SegValue1" in said
    assert "(`columns`)" in said
    named = replace(LINES, columns={"SegValue1": "Account", "BookDebitAmount": "Dr"})
    assert moved(truth(sandbox, december.key)) == moved(summed(posted(connect, december, named)))


def test_columns_that_a_query_may_lack(connect: Connect, sandbox: Sandbox, december: FiscalPeriod) -> None:
    """Those whose value the question has, and those for people only."""
    names = (
        "FiscalCalendarID",
        "FiscalYearSuffix",
        "COACode",
        "Posted",
        "SegValue3",
        "Description",
        "Plant",
        "SysRevID",
    )
    sandbox.set_switches(epicor={"baq_removed": [f"{LINES.name}/GLJrnDtl_{name}" for name in names]})
    table = posted(connect, december, BY_POSITION, page=97, unbalanced="warn")
    ours = {pair: sides for pair, sides in without_plant(truth(sandbox, december.key)).items() if sides != (0, 0)}
    found = without_plant(summed(table))
    assert set(ours) <= set(found)


@pytest.mark.parametrize(
    "column",
    ["Company", "BookID", "FiscalYear", "FiscalPeriod", "JournalNum", "SegValue1", "SegValue2", "BookCreditAmount"],
)
def test_c08_columns_that_a_query_must_have(
    connect: Connect, sandbox: Sandbox, december: FiscalPeriod, column: str
) -> None:
    """Named before a row is taken."""
    sandbox.set_switches(epicor={"baq_removed": [f"{LINES.name}/GLJrnDtl_{column}"]})
    assert f"GLJrnDtl_{column}" in refusal(connect, december, LINES)
    assert 1 == len(asked(sandbox, LINES.name))


@pytest.mark.parametrize(
    ("switch", "said"), [("baq_missing", "has no query ML_GLJrnDtl"), ("baq_not_shared", "ML_GLJrnDtl")]
)
def test_a_query_that_is_not_there_or_not_shared(
    connect: Connect, sandbox: Sandbox, december: FiscalPeriod, switch: str, said: str
) -> None:
    """By name, and what must be done so that it is."""
    sandbox.set_switches(epicor={switch: [LINES.name]})
    message = refusal(connect, december, LINES)
    assert said in message
    assert "access scope" in message


def test_rows_of_another_company_are_refused(connect: Connect, december: FiscalPeriod) -> None:
    """A query that is not limited to the company mixes them: the other one is named, and what to do."""
    unlimited = replace(
        LINES, parameters={name: value for name, value in LINES.parameters.items() if name != "Company"}
    )
    said = refusal(connect, december, unlimited)
    assert "brought a row of company IVC" in said
    assert "{company}" in said


@pytest.mark.prove
def test_rows_of_other_books_and_periods_are_left_aside(
    connect: Connect, sandbox: Sandbox, december: FiscalPeriod
) -> None:
    """A query may show more than was asked for."""
    wide = replace(BY_POSITION, parameters={"Company": "{company}", "FiscalYear": "{year}"})
    assert moved(truth(sandbox, december.key)) == moved(summed(posted(connect, december, wide)))


@pytest.mark.parametrize("rows", [50, 300])
def test_a_query_that_the_server_cuts_off(
    connect: Connect, sandbox: Sandbox, december: FiscalPeriod, rows: int
) -> None:
    """QueryMaxResultSet: read by row version nothing is lost; by position it is said."""
    sandbox.set_switches(epicor={"baq_max_rows": rows})
    assert moved(truth(sandbox, december.key)) == moved(summed(posted(connect, december, LINES, page=200)))
    refusal(connect, december, BY_POSITION, DataError, page=200)


@pytest.mark.parametrize("status", [500, 504, 408])
def test_a_query_that_takes_too_long_is_told_with_the_setting(
    connect: Connect, sandbox: Sandbox, december: FiscalPeriod, status: int
) -> None:
    """30 seconds where nothing else is set: smaller parts first, then the setting that would mend it."""
    sandbox.set_switches(epicor={"baq_timeout": [LINES.name], "baq_timeout_status": status})
    said = refusal(connect, december, LINES, PipelineError)
    assert LINES.name in said
    if status == 500:
        assert "Query Timeout (Execution Settings" in said


def test_a_query_that_takes_too_long_for_a_whole_period(
    connect: Connect, sandbox: Sandbox, december: FiscalPeriod
) -> None:
    """Where it takes days as parameters it is asked for in halves."""
    slow = {"kind": "status", "status": 500, "headers": {"content-type": "application/json"}}
    body = '{"HttpStatus":500,"ErrorMessage":"Execution Timeout Expired.","ErrorType":"System.Data.SqlClient.SqlException"}'
    whole = r"ML_APSpend/Data\?.*FromDate=2025-11-23&ToDate=2025-12-27.*orderby"
    sandbox.traffic.plant({"match": whole, "times": -1, "action": {**slow, "body": body}})
    with connect(baqs=Baqs(ap_spend=AP_SPEND)) as ledger:
        table = pa.Table.from_batches(ledger.read_spend(december))
    wanted = sum(amount for *_, amount in sandbox.ironvale.spend_truth(december.key))
    assert wanted == sum(table["debit_minor"].to_pylist()) - sum(table["credit_minor"].to_pylist())
    assert ["2025-11-23", "2025-12-11"] == sorted(
        {path.partition("FromDate=")[2][:10] for path in asked(sandbox, "ML_APSpend")}
    )


@pytest.mark.parametrize("switch", ["drop_rows", "repeat_rows"])
@pytest.mark.parametrize("rule", [LINES, BY_POSITION], ids=["by-row-version", "by-position"])
def test_d01_d02_lost_and_repeated_rows_of_a_query(
    connect: Connect, sandbox: Sandbox, december: FiscalPeriod, rule: BaqRule, switch: str
) -> None:
    """A join that repeats lines, an answer that loses some: told by their keys."""
    sandbox.set_switches(epicor={switch: {LINES.name: 40}})
    said = refusal(connect, december, rule, DataError, page=150)
    assert re.search(r"[A-Z]{2} \d+ (line )?\d+|journals do not balance .*: [A-Z]{2} \d+ by|row version \d+", said), (
        said
    )


def test_suggested_queries_are_used_where_they_are(connect: Connect, sandbox: Sandbox, december: FiscalPeriod) -> None:
    """With `auto`: found by their names; where one is missing or lacks columns the entity set is read, and the latter is told."""
    sandbox.set_switches(
        epicor={"baq_missing": [BALANCES.name], "baq_removed": ["ML_APSpend/APInvExpTGLC_BookDebitAmount"]}
    )
    with connect(baqs=Baqs(auto=True)) as ledger:
        table = pa.Table.from_batches(ledger.read_posted(december))
        trial = ledger.read_trial_balance(december)
        list(ledger.read_spend(december))
        warnings = " ".join(ledger.identity().warnings)
    assert sum(table["debit_minor"].to_pylist()) == trial["debit_minor"].sum()
    assert "Query ML_APSpend was not used: Query ML_APSpend has no column APInvExpTGLC_BookDebitAmount" in warnings
    assert 0 == sum("GLJrnDtls?" in one.path and "SegValue1" in one.path for one in sandbox.traffic.requests)
    assert any("GLPeriodBalSearches?" in one.path for one in sandbox.traffic.requests)
