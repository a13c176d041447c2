"""Generic inquiries over OData: types by $metadata, pages by key, links on the same site only."""

from collections.abc import Callable
from typing import Any

import pytest

from mlc_pipelines.acumatica.client import Acumatica
from mlc_pipelines.ledger.errors import DataError, PipelineError, SetupError
from mlc_pipelines.ledger.extracts import ExtractRead, ExtractRule
from mlc_pipelines.ledger.fiscal import FiscalPeriod
from mlc_pipelines.sandbox.server import Sandbox

Connect = Callable[..., Acumatica]

BALANCES = ExtractRule(
    "balances",
    ("Account", "Subaccount", "Branch"),
    inquiry="GLBalances",
    by_period="Period",
    parameters={"Ledger": "ACTUAL"},
    page=150,
)
ROWS = r"GET .*/api/odata/gi/GLBalances"


@pytest.fixture(autouse=True)
def few_books(sandbox: Sandbox) -> None:
    """Two periods of the sample company are enough here."""
    sandbox.books.batches[:] = [one for one in sandbox.books.batches if one.period in {"FY2026-P02", "FY2026-P03"}]


def read(connect: Connect, rule: ExtractRule, period: FiscalPeriod | None, **changes: Any) -> ExtractRead:
    with connect(**changes) as ledger:
        return ledger.read_extract(rule, period, {})


def refusal(connect: Connect, kind: type[PipelineError], period: FiscalPeriod, **changes: Any) -> str:
    with pytest.raises(kind) as caught:
        read(connect, ExtractRule(**{**BALANCES.__dict__, **changes}), period)
    return str(caught.value)


def totals(came: ExtractRead) -> dict[tuple[str, str, str], tuple[int, int]]:
    rows = came.rows.to_pylist()
    found = {
        (row["Account"], row["Subaccount"], row["Branch"]): (int(row["Debit"] * 100), int(row["Credit"] * 100))
        for row in rows
    }
    assert len(rows) == len(found)
    return found


def truth(sandbox: Sandbox, period: FiscalPeriod) -> dict[tuple[str, str, str], tuple[int, int]]:
    return {tuple(row[:3]): tuple(row[3:]) for row in sandbox.books.truth("ACTUAL", period.key)}  # type: ignore[misc]


@pytest.mark.parametrize(
    "switches",
    [
        pytest.param({"odata_page": 40, "order": "scrambled"}, id="next-links"),
        pytest.param({"odata_decimals": "text", "post_period_format": "MM-YYYY"}, id="texts", marks=pytest.mark.prove),
    ],
)
def test_an_inquiry_is_read_to_the_cent(
    connect: Connect, sandbox: Sandbox, march: FiscalPeriod, switches: dict[str, Any]
) -> None:
    """Balances per account, subaccount and branch, which no entity tells; whatever the site's own page is, and however it writes decimals."""
    sandbox.set_switches(acumatica=switches)
    came = read(connect, BALANCES, march)
    assert truth(sandbox, march) == totals(came)
    assert "Edm.Decimal" == came.types["Debit"]
    assert "decimal128(28, 8)" == str(came.rows.schema.field("Debit").type)
    assert not [one for one in sandbox.traffic.requests if "$skip=" in one.path]


@pytest.mark.parametrize(
    ("changes", "scheme"), [({}, "Bearer"), ({"odata_auth": "basic"}, "Basic"), ({"auth": "cookie"}, "Basic")]
)
def test_signed_in_by_token_or_by_name(
    connect: Connect, sandbox: Sandbox, march: FiscalPeriod, changes: dict[str, Any], scheme: str
) -> None:
    """Without a token the user's name and password do; no session is left open either way."""
    assert truth(sandbox, march) == totals(read(connect, BALANCES, march, **changes))
    assert 0 == sandbox.site.sessions_open()


def test_d01_rows_inserted_while_we_read_are_read_too(connect: Connect, sandbox: Sandbox) -> None:
    """Bills inserted while the pages are read are there at the end, once each."""
    rule = ExtractRule("bills", ("Type", "ReferenceNbr"), inquiry="APBills", page=500, filter="Vendor eq 'V00002'")
    sandbox.set_switches(acumatica={"meanwhile": "insert", "meanwhile_times": 3})
    came = read(connect, rule, None)
    assert len(came.announced) == len(came.rows)
    late = [one.number[2:] for one in sandbox.books.batches if one.description == "Meanwhile"]
    assert 3 == len(late)
    assert {*late} <= {*came.rows["ReferenceNbr"].to_pylist()}


@pytest.mark.parametrize("skip", [0, *(pytest.param(number, marks=pytest.mark.prove) for number in (1, 3))])
def test_d04_an_empty_page_in_between_loses_nothing(
    connect: Connect, sandbox: Sandbox, march: FiscalPeriod, skip: int
) -> None:
    """The list of keys seems to end early, or rows stay away: the second reading of the keys, or their names, bring them."""
    action = {"kind": "status", "status": 200, "headers": {"content-type": "application/json"}, "body": '{"value":[]}'}
    fault = sandbox.traffic.plant({"match": ROWS, "skip": skip, "action": action})
    assert truth(sandbox, march) == totals(read(connect, BALANCES, march))
    assert 1 == fault.fired


def test_d04_the_same_page_again_and_again_ends(connect: Connect, sandbox: Sandbox, march: FiscalPeriod) -> None:
    """A site that takes no notice of the filter would be read for ever."""
    row = '{"Account":"1010","Subaccount":"010-000","Branch":"HQ","Period":"032026"}'
    action = {
        "kind": "status",
        "status": 200,
        "headers": {"content-type": "application/json"},
        "body": f'{{"value":[{row}]}}',
    }
    sandbox.traffic.plant({"match": ROWS, "times": -1, "action": action})
    assert "brought only rows that had come before" in refusal(connect, DataError, march)


@pytest.mark.parametrize(
    ("link", "kind", "complaint"),
    [
        ("https://elsewhere.example.com/next", SetupError, "another site"),
        ("//elsewhere.example.com/next", SetupError, "another site"),
        ("{same}", DataError, "lead back to a page that was read"),
    ],
)
def test_d05_a_next_link_leads_nowhere_else_and_not_in_circles(
    connect: Connect, sandbox: Sandbox, march: FiscalPeriod, link: str, kind: type[PipelineError], complaint: str
) -> None:
    """No token leaves for another site; a link back to a page that was read ends the reading."""
    same = f"{sandbox.info['acumatica']['url']}/t/Meridian/api/odata/gi/GLBalances?$top=1"
    text = f'"@odata.nextLink":"{link.replace("{same}", same)}"}}'
    sandbox.traffic.plant(
        {"match": ROWS, "times": -1, "action": {"kind": "replace", "pattern": r"\}\Z", "with": "," + text}}
    )
    assert complaint in refusal(connect, kind, march)


UNFIT: list[tuple[dict[str, Any], str]] = [
    ({"inquiry": "PayrollDetail"}, r"Expose via OData \(Generic Inquiry, SM208000\)"),
    ({"inquiry": "Nothing"}, "Exposed are: APBills, GLBalances"),
    ({"keys": ("Acount",)}, "does not publish Acount of GLBalances"),
    ({"modified": "Debit"}, "modified Debit is Edm.Decimal, not a time"),
]


def test_an_inquiry_that_cannot_be_read_is_explained(connect: Connect, sandbox: Sandbox, march: FiscalPeriod) -> None:
    """Who can mend it is named: the form where inquiries are exposed, or the line of the connection file."""
    with connect() as ledger:
        for changes, complaint in UNFIT:
            with pytest.raises(SetupError, match=complaint):
                ledger.read_extract(ExtractRule(**{**BALANCES.__dict__, **changes}), march, {})


def test_a_right_taken_away_names_the_form(connect: Connect, sandbox: Sandbox, march: FiscalPeriod) -> None:
    """$metadata still lists it, the rows answer 403."""
    sandbox.traffic.plant({"match": ROWS, "times": -1, "action": {"kind": "status", "status": 403, "body": "{}"}})
    said = refusal(connect, SetupError, march)
    assert "SM208000" in said
    assert "inquiry GLBalances" in said


def test_metadata_that_is_none_is_refused(connect: Connect, sandbox: Sandbox, march: FiscalPeriod) -> None:
    """Neither a web page nor a document with entities of its own is parsed."""
    with connect() as ledger:
        for body in ("<html>Sign in</html>", '<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', "<Edmx"):
            headers = {"content-type": "application/xml"}
            action = {"kind": "status", "status": 200, "headers": headers, "body": body}
            sandbox.traffic.plant({"match": r"[$]metadata", "action": action})
            with pytest.raises(SetupError, match=r"web page|document type|cannot be read"):
                ledger.read_extract(BALANCES, march, {})


def test_a_wrong_filter_shows_the_sites_words(connect: Connect, sandbox: Sandbox, march: FiscalPeriod) -> None:
    """OData v4 is not the language of the other lists: the site says what it does not know."""
    assert "substringof" in refusal(connect, DataError, march, filter="substringof('10',Account)")
