"""What goes wrong on the wire and in the answers: the figures are right, or there is an error that names the record."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from mlc_pipelines.acumatica.client import Acumatica
from mlc_pipelines.acumatica.config import AcumaticaConfig, AcumaticaCredential, SegmentRule
from mlc_pipelines.ledger.errors import DataError, PipelineError, SetupError, TransientError
from mlc_pipelines.ledger.fiscal import FiscalPeriod
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.transport.caller import Limits

Connect = Callable[..., Acumatica]
WAYS = {"inquiry": "AccountDetailsForPeriodInquiry", "transactions": "JournalTransaction.*Details"}
JSON = {"content-type": "application/json"}


def lines_of(connect: Connect, period: FiscalPeriod, **changes: Any) -> pa.Table:
    with connect(**changes) as ledger:
        return pa.Table.from_batches(ledger.read_posted(period))


def refusal(connect: Connect, period: FiscalPeriod, kind: type[PipelineError] = DataError, **changes: Any) -> str:
    with pytest.raises(kind) as caught:
        lines_of(connect, period, **changes)
    return str(caught.value)


def replace_in(match: str, pattern: str, text: str, *, count: int = 1, times: int = 1) -> dict[str, Any]:
    return {
        "match": match,
        "times": times,
        "action": {"kind": "replace", "pattern": pattern, "with": text, "count": count},
    }


def answer(match: str, body: str, *, status: int = 200, times: int = 1, **headers: str) -> dict[str, Any]:
    action = {"kind": "status", "status": status, "headers": {**JSON, **headers}, "body": body}
    return {"match": match, "times": times, "action": action}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "action",
    [
        pytest.param({"kind": "truncate", "keep": 0.5}, id="A07-body-shorter-than-announced"),
        pytest.param({"kind": "reset"}, id="A03-reset"),
        pytest.param(
            {"kind": "status", "status": 200, "headers": {"content-encoding": "gzip"}}, id="A11-gzip-cut-short"
        ),
        pytest.param({"kind": "status", "status": 503, "headers": {"retry-after": "3"}}, id="B14-busy"),
        pytest.param({"kind": "html", "status": 500}, id="restarting"),
        pytest.param({"kind": "status", "status": 429}, id="B10-too-many-requests"),
        pytest.param(
            {"kind": "status", "status": 200, "headers": JSON, "body": '[{"Results":[{"a":'}, id="C01-cut-json"
        ),
    ],
)
def test_a07_a11_b10_b14_c01_a_passing_fault_is_read_over(
    connect: Connect, sandbox: Sandbox, march: FiscalPeriod, way: str, action: dict[str, Any]
) -> None:
    """A fault that passes costs a repetition; no part of the broken answer is used."""
    fault = sandbox.traffic.plant({"match": WAYS[way], "action": action})
    assert len(sandbox.books.posted_lines("ACTUAL", march.key)) == len(lines_of(connect, march, lines_from=way))
    assert 1 == fault.fired


@pytest.mark.parametrize("way", WAYS)
def test_b14_a_lasting_fault_is_transient_and_bounded(
    connect: Connect, sandbox: Sandbox, march: FiscalPeriod, way: str
) -> None:
    """Attempts are counted, and the failure says that the same call may work later."""
    fault = sandbox.traffic.plant({"match": WAYS[way], "times": -1, "action": {"kind": "status", "status": 504}})
    assert "504" in refusal(connect, march, TransientError, lines_from=way)
    assert 3 == fault.fired


def test_a13_a_slow_answer_ends_at_the_deadline(connect: Connect, sandbox: Sandbox, march: FiscalPeriod) -> None:
    """However slow the site, a call ends."""
    sandbox.traffic.plant({"match": WAYS["inquiry"], "times": -1, "action": {"kind": "delay", "seconds": 2}})
    limits = Limits(attempts=1, deadline_seconds=0.3)
    assert "no whole answer" in refusal(connect, march, TransientError, limits=limits)


@pytest.mark.parametrize("body", ["json", "html", "empty"])
def test_b07_a_version_that_is_not_served_is_told_first(connect: Connect, sandbox: Sandbox, body: str) -> None:
    """The pinned version is held against the site's list before anything else is called, even the sign-in."""
    sandbox.set_switches(acumatica={"versions": ["22.200.001", "25.200.001"], "unknown_version_body": body})
    with connect() as ledger, pytest.raises(SetupError) as caught:
        ledger.identity()
    assert "22.200.001, 25.200.001" in str(caught.value)
    assert "`erp.version`" in str(caught.value)
    assert ["/AcumaticaERP/entity"] == [request.path for request in sandbox.traffic.requests]


def test_b07_an_endpoint_that_is_not_there(connect: Connect) -> None:
    """A name of one's own is also looked for signed in, since tenants have endpoints of their own; then it is refused with those there are."""
    with (
        connect(endpoint="Planning") as ledger,
        pytest.raises(SetupError, match=r"(?s)It has Default\..*`erp.endpoint`"),
    ):
        ledger.identity()


def test_a_site_that_is_not_acumatica(connect: Connect, sandbox: Sandbox) -> None:
    """A wrong virtual directory is told as such."""
    url = f"{sandbox.info['acumatica']['url']}/Typo"
    with connect(url=url) as ledger, pytest.raises(SetupError, match="no Acumatica site at this address"):
        ledger.identity()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "body", ['{"exceptionMessage":"Timeout expired."}', '{"message":"x","error":"Timeout expired."}']
)
def test_b16_an_error_inside_a_success(
    connect: Connect, sandbox: Sandbox, march: FiscalPeriod, way: str, body: str
) -> None:
    """200 with an error in its body is that error."""
    sandbox.traffic.plant(answer(WAYS[way], body))
    assert "Timeout expired." in refusal(connect, march, lines_from=way)


@pytest.mark.parametrize("entity", ["/Ledger", *WAYS.values()])
def test_b17_a_sign_in_page_that_calls_itself_json(
    connect: Connect, sandbox: Sandbox, march: FiscalPeriod, entity: str
) -> None:
    """A page of HTML is never parsed, whatever its content type says."""
    action = {"kind": "html", "content_type": "application/json"}
    sandbox.traffic.plant({"match": entity, "times": -1, "action": action})
    way = "inquiry" if "Inquiry" in entity else "transactions"
    assert "web page instead of data" in refusal(connect, march, SetupError, lines_from=way)


def test_c01_malformed_twice_is_an_error(connect: Connect, sandbox: Sandbox, march: FiscalPeriod) -> None:
    """JSON that is broken again on a second reading is not read a third time."""
    fault = sandbox.traffic.plant(answer("/Ledger", '[{"LedgerID":', times=-1))
    assert "malformed JSON" in refusal(connect, march, TransientError)
    assert 2 == fault.fired


AMOUNT = r'"DebitAmountInBaseCurrency":\{"value":[\d.]+\}'


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("1e400", "more digits", id="C02-1e400"),
        pytest.param("1" * 5000, "more digits", id="C05-5000-digits"),
        pytest.param("1" * 30 + ".00", "more digits", id="C05-30-digits"),
        pytest.param("12.3450", "finer than USD", id="finer-than-a-cent"),
        pytest.param("12.0000000001", "finer than USD", id="ten-decimals"),
        pytest.param('"12.34x"', "no number", id="a-text"),
        pytest.param("null", "is missing", id="null"),
        pytest.param("true", "no number", id="a-flag"),
    ],
)
def test_c02_c05_an_amount_that_is_none_is_named(
    connect: Connect, sandbox: Sandbox, march: FiscalPeriod, text: str, complaint: str
) -> None:
    """Batch, account, field, period and text of the amount stand in the message; nothing is rounded."""
    sandbox.traffic.plant(replace_in(WAYS["inquiry"], AMOUNT, f'"DebitAmountInBaseCurrency":{{"value":{text}}}'))
    said = refusal(connect, march)
    first = sandbox.books.batches_of("ACTUAL", march.key)[0]
    assert complaint in said
    for part in (march.key, f"batch {first.module} {first.number}", f"account {first.lines[0].account}"):
        assert part in said
    assert f"DebitAmountInBaseCurrency is {text[:20]}" in said or complaint in {"is missing", "finer than USD"}


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity"])
def test_c02_no_number_of_json(connect: Connect, sandbox: Sandbox, march: FiscalPeriod, text: str) -> None:
    """NaN and Infinity are no JSON; what only some parsers accept is refused."""
    sandbox.traffic.plant(replace_in(WAYS["inquiry"], AMOUNT, f'"DebitAmountInBaseCurrency":{{"value":{text}}}'))
    assert "cannot be read" in refusal(connect, march)


@pytest.mark.parametrize(
    ("text", "minor"),
    [("1234567890123456.7800", 123456789012345678), ("-0.0100", -1), ("12", 1200), ("1.25E+2", 12500), ("0.30", 30)],
)
def test_c04_every_digit_is_kept(
    connect: Connect, sandbox: Sandbox, march: FiscalPeriod, text: str, minor: int
) -> None:
    """Amounts that a float cannot hold arrive to the cent, however the number is written."""
    sandbox.traffic.plant(replace_in(WAYS["inquiry"], AMOUNT, f'"DebitAmountInBaseCurrency":{{"value":{text}}}'))
    assert minor == lines_of(connect, march)["debit_minor"][0].as_py()


@pytest.mark.parametrize("shape", ['{"value":"6100","error":"No such account."}', '{"error":"No such account."}'])
def test_c07_a_value_with_an_error_is_that_error(
    connect: Connect, sandbox: Sandbox, march: FiscalPeriod, shape: str
) -> None:
    """An error beside or in place of a value is raised with its text and its record."""
    sandbox.traffic.plant(replace_in(WAYS["inquiry"], r'"Account":\{"value":"\w+"\}', f'"Account":{shape}'))
    said = refusal(connect, march)
    first = sandbox.books.batches_of("ACTUAL", march.key)[0]
    assert f"{first.module} {first.number}, Account: No such account." in said


@pytest.mark.parametrize("shape", ['"6100"', "6100", '["6100"]'])
def test_c07_a_value_without_its_wrapper_is_refused(
    connect: Connect, sandbox: Sandbox, march: FiscalPeriod, shape: str
) -> None:
    """A bare value where the contract has a value object is no guess of ours to unwrap."""
    sandbox.traffic.plant(replace_in(WAYS["inquiry"], r'"Account":\{"value":"\w+"\}', f'"Account":{shape}'))
    assert "Account" in refusal(connect, march)


@pytest.mark.parametrize(
    "field",
    [
        "Account",
        "Subaccount",
        "Branch",
        "Ledger",
        "PeriodID",
        "Module",
        "BatchNumber",
        "Posted",
        "Released",
        "DebitAmountInBaseCurrency",
        "CreditAmountInBaseCurrency",
    ],
)
def test_c08_a_field_that_was_renamed_is_named(
    connect: Connect, sandbox: Sandbox, march: FiscalPeriod, field: str
) -> None:
    """After an upgrade that renamed a field that counts, nothing is loaded and the field is named."""
    sandbox.traffic.plant(replace_in(WAYS["inquiry"], rf'"{field}":', f'"Renamed{field}":', count=0))
    said = refusal(connect, march)
    assert field in said
    assert "Nothing was loaded." in said


@pytest.mark.parametrize(
    ("pattern", "text", "complaint"),
    [
        (r'"Ledger":\{"value":"ACTUAL"\},"Module"', '"Ledger":{"value":"STAT"},"Module"', "Ledger is 'STAT'"),
        (r'"PeriodID":\{"value":"032026"\}', '"PeriodID":{"value":"042026"}', "PeriodID is '042026'"),
        (r'"PeriodID":\{"value":"032026"\}', '"PeriodID":{"value":"202603"}', "PeriodID is '202603'"),
        (r'"Posted":\{"value":true\}', '"Posted":{"value":false}', "Posted is False"),
        (r'"Released":\{"value":true\}', '"Released":{}', "Released is None"),
        (r'"Branch":\{"value":"HQ"\}', '"Branch":{"value":"EAST"}', "Branch is 'EAST'"),
        (r'"Subaccount":\{"value":"[^"]+"\}', '"Subaccount":{}', "Subaccount is missing"),
    ],
)
def test_d13_a_line_that_is_not_ours_is_named(
    connect: Connect, sandbox: Sandbox, march: FiscalPeriod, pattern: str, text: str, complaint: str
) -> None:
    """A site may have altered the inquiry: a line of another ledger, period or company, or not posted, stops the load by name."""
    fault = sandbox.traffic.plant(replace_in(WAYS["inquiry"], pattern, text))
    said = refusal(connect, march)
    assert complaint in said
    assert f"{march.key}, batch " in said
    assert 1 == fault.fired


def test_a17_an_empty_answer_to_another_question(connect: Connect, sandbox: Sandbox, march: FiscalPeriod) -> None:
    """No lines for another period is not "no lines"."""
    body = '{"FromPeriod":{"value":"042026"},"ToPeriod":{"value":"042026"},"Ledger":{"value":"ACTUAL"},"Results":[]}'
    sandbox.traffic.plant(answer(WAYS["inquiry"], body))
    assert "042026" in refusal(connect, march)


@pytest.mark.parametrize(("status", "remedy"), [(404, "lines_from: transactions"), (403, "SM201025")])
def test_a_hidden_inquiry_names_the_other_way(
    connect: Connect, sandbox: Sandbox, march: FiscalPeriod, status: int, remedy: str
) -> None:
    """A site may hide the inquiry; the message says which line to change, or which right to give."""
    sandbox.set_switches(acumatica={"inquiry_hidden": status})
    assert remedy in refusal(connect, march, SetupError)
    assert len(sandbox.books.posted_lines("ACTUAL", march.key)) == len(
        lines_of(connect, march, lines_from="transactions")
    )


@pytest.mark.parametrize("status", [422, 500])
def test_a_refused_parameter_is_told_with_its_field(
    connect: Connect, sandbox: Sandbox, march: FiscalPeriod, status: int
) -> None:
    """A period that the ERP does not have comes back as a refusal with the field's own text, and is not repeated."""
    sandbox.set_switches(acumatica={"inquiry_error_status": status})
    said = refusal(connect, replace(march, year=2044))
    assert "FromPeriod: " in said
    assert 1 == sum("AccountDetails" in request.path for request in sandbox.traffic.requests)


@pytest.mark.parametrize(
    ("kind", "error", "says"),
    [
        ("PX.Api.ContractBased.NoEntitySatisfiesTheConditionException", DataError, "does not exist"),
        ("PX.Api.ContractBased.OptimizedExport.CannotOptimizeException", SetupError, "one query"),
        ("PX.Data.PXSetupNotEnteredException", SetupError, "never filled in"),
        ("PX.Data.PXUndefinedCompanyException", SetupError, "no tenant"),
        ("System.NullReferenceException", DataError, "NullReference"),
    ],
)
def test_a_500_of_the_erp_is_told_apart_and_not_repeated(
    connect: Connect, sandbox: Sandbox, kind: str, error: type[PipelineError], says: str
) -> None:
    """Almost everything is a 500 there; its type tells what it is, and an exception of the ERP does not pass by itself."""
    body = f'{{"message":"An error has occurred.","exceptionMessage":"In its own words.","exceptionType":"{kind}"}}'
    fault = sandbox.traffic.plant(answer("/Account", body, status=500, times=-1))
    with connect() as ledger, pytest.raises(error, match="In its own words") as caught:
        ledger.read_accounts()
    assert says in str(caught.value)
    assert 1 == fault.fired


def test_a_422_names_every_field(connect: Connect, sandbox: Sandbox) -> None:
    """The errors are collected from the whole tree, each with its path."""
    body = '{"error":"Two errors.","Ledger":{"value":"X","error":"Unknown."},"Details":[{},{"Account":{"error":"Closed."}}]}'
    sandbox.traffic.plant(answer("/Account", body, status=422))
    with connect() as ledger, pytest.raises(DataError) as caught:
        ledger.read_accounts()
    assert "Two errors.; Ledger: Unknown.; Details[2].Account: Closed." in str(caught.value)


def test_a_missing_right_names_the_form(connect: Connect, sandbox: Sandbox) -> None:
    """403 on subaccounts may also mean that the feature is off: the message says what to write then."""
    sandbox.traffic.plant(answer("/Subaccount", '{"message":"Insufficient rights."}', status=403))
    with connect() as ledger, pytest.raises(SetupError, match=r"(?s)Subaccount.*Insufficient rights.*subaccount: none"):
        ledger.read_cost_centers()


def test_a16_a_redirect_to_an_error_page_is_no_answer(connect: Connect, sandbox: Sandbox) -> None:
    """Broken endpoint metadata answers with a redirect to an error page [C acumatica-cli]."""
    sandbox.traffic.plant(answer("/Account", "", status=302, location="/ui/error?secret=1"))
    with connect() as ledger, pytest.raises(SetupError, match="/ui/error;"):
        ledger.read_accounts()


@pytest.mark.parametrize(
    ("entity", "pattern", "text", "complaint"),
    [
        ("/Account", '"Type":{"value":"Asset"}', '"Type":{"value":"Equity"}', "'Equity'"),
        ("/Account", '"AccountCD":{"value":"1020"}', '"AccountCD":{"value":"1010"}', "Account 1010 stands twice"),
        ("/FinancialPeriod", '"Status":{"value":"Closed"}', '"Status":{"value":"Ajar"}', "'Ajar'"),
        (
            "/FinancialPeriod",
            '"FinancialPeriodID":{"value":"032026"}',
            '"FinancialPeriodID":{"value":"202603"}',
            "'202603'",
        ),
        (
            "/FinancialPeriod",
            '"FinancialPeriodID":{"value":"032026"}',
            '"FinancialPeriodID":{"value":"022026"}',
            "FY2026-P02",
        ),
        ("/FinancialPeriod", '"EndDate":{"value":"2025-09-30[^"]*"}', '"EndDate":{}', "FY2026-P03"),
        ("/Subaccount", '"SubaccountCD":{"value":"020-ADV"}', '"SubaccountCD":{"value":"020/ADV"}', "'020/ADV'"),
    ],
)
def test_odd_master_data_is_named(
    connect: Connect, sandbox: Sandbox, entity: str, pattern: str, text: str, complaint: str
) -> None:
    """A code, type or status that cannot be understood stops by name; nothing is skipped or guessed."""
    fault = sandbox.traffic.plant(replace_in(entity, pattern.replace("{", r"\{"), text))
    reads = {"/Account": "read_accounts", "/FinancialPeriod": "read_periods", "/Subaccount": "read_cost_centers"}
    changes = {"subaccount": SegmentRule(lengths=(3, 3))} if entity == "/Subaccount" else {}
    with connect(**changes) as ledger, pytest.raises(DataError, match=complaint):
        getattr(ledger, reads[entity])()
    assert 1 == fault.fired


@pytest.mark.parametrize(
    ("pattern", "text", "complaint"),
    [
        (r'"DebitTotal":\{"value":[\d.]+\}', '"DebitTotal":{"value":987654.3200}', "does not add up"),
        (r'"EndingBalance":\{"value":[-\d.]+\}', '"EndingBalance":{}', "EndingBalance is missing"),
        (r'"Ledger":\{"value":"ACTUAL"\}', '"Ledger":{"value":"STAT"}', "ledger STAT"),
        (r'"Period":\{"value":"032026"\}', '"Period":{"value":"042026"}', "period 042026"),
        (r'"Results":', '"Rows":', "without Results"),
    ],
)
def test_odd_balances_are_named(
    connect: Connect, sandbox: Sandbox, march: FiscalPeriod, pattern: str, text: str, complaint: str
) -> None:
    """Balances that do not add up, or answer another question, are refused."""
    sandbox.traffic.plant(replace_in("AccountSummaryInquiry", pattern, text))
    with connect() as ledger, pytest.raises(DataError, match=complaint):
        ledger.read_trial_balance(march)


@pytest.mark.parametrize(
    ("url", "host"),
    [("http://127.0.0.1:9/Site", r"127\.0\.0\.1:9"), ("https://no-such-site.invalid/Site", "no-such-site")],
)
def test_a01_a02_a_site_out_of_reach_is_named(connect: Connect, url: str, host: str) -> None:
    """Connection refused, or a host that does not exist: tried a few times, then told with the host; nothing was read."""
    with connect(url=url) as ledger, pytest.raises(TransientError, match=host):
        ledger.identity()


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("target", ["https://elsewhere.example.com/AcumaticaERP/entity", "http://127.0.0.2/x"])
def test_a16_no_redirect_to_another_host_is_followed(
    connect: Connect, sandbox: Sandbox, status: int, target: str
) -> None:
    """The token goes to the configured site only; the message names where it was to be sent."""
    sandbox.traffic.plant(answer("/Account", "", status=status, location=target))
    with connect() as ledger, pytest.raises(SetupError, match=target.partition("://")[2].partition("/")[0]):
        ledger.read_accounts()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "action", [{"kind": "html"}, {"kind": "status", "status": 407, "body": "<html>Proxy</html>"}], ids=["portal", "407"]
)
def test_a20_a_proxys_page_is_not_parsed(
    connect: Connect, sandbox: Sandbox, march: FiscalPeriod, way: str, action: dict[str, Any]
) -> None:
    """A captive portal or a proxy that wants a password answers in the site's place: never data, never no lines."""
    sandbox.traffic.plant({"match": WAYS[way], "times": -1, "action": action})
    assert WAYS[way].partition(".")[0] in refusal(connect, march, SetupError, lines_from=way)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("status", [204, 206, 304])
def test_b19_an_answer_without_a_whole_body_is_none(
    connect: Connect, sandbox: Sandbox, march: FiscalPeriod, way: str, status: int
) -> None:
    """Nothing, a part, or not modified: an unexpected status is named and its body is not used."""
    sandbox.traffic.plant(answer(WAYS[way], "" if status != 206 else "[]", status=status, times=-1))
    assert str(status) in refusal(connect, march, SetupError, lines_from=way)


@pytest.mark.parametrize("said", ["-7", "9999999", "soon", "Mon, 05 Jan 2015 12:00:00 GMT"])
def test_b11_an_odd_retry_after_does_not_stop_us(
    config: Callable[..., AcumaticaConfig], credential: AcumaticaCredential, sandbox: Sandbox, said: str
) -> None:
    """The past, a negative, garbage and months: the pause stays within two minutes and the jitter of our own."""
    pauses: list[float] = []
    sandbox.traffic.plant(answer("/Account", "", status=429, **{"retry-after": said}))
    with Acumatica(config(), credential, sleep=pauses.append) as ledger:
        assert len(ledger.read_accounts())
    assert [True] == [0 <= pause <= 180 for pause in pauses]


@pytest.mark.parametrize(
    "code",
    [
        "0012",
        "=1+2",
        "-5",
        'a"b,c',
        " lead",
        "trail ",
        "x" * 61,
        "\u202eabc",
        "a\u200bb",
        "\ufeffBOM",
        "e\u0301",
        "\U0001f600",
    ],
)
@pytest.mark.parametrize("way", WAYS)
def test_c10_a_code_travels_as_it_is(
    connect: Connect, sandbox: Sandbox, march: FiscalPeriod, way: str, code: str
) -> None:
    """Every letter of an account's code arrives, whatever it looks like; nothing is trimmed, turned round or made a number."""
    text = json.dumps({"value": code})
    sandbox.traffic.plant(
        replace_in(WAYS[way], r'"Account":\{"value":"\w+"\}', f'"Account":{text}'.replace("\\", r"\\"))
    )
    assert code in lines_of(connect, march, lines_from=way)["account"].to_pylist()


def test_c10_half_a_letter_is_refused(connect: Connect, sandbox: Sandbox, march: FiscalPeriod) -> None:
    """A lone surrogate is no letter of any alphabet; it is not replaced by a question mark."""
    sandbox.traffic.plant(replace_in(WAYS["inquiry"], r'"Account":\{"value":"\w+"\}', r'"Account":{"value":"\\ud800"}'))
    assert "cannot be read" in refusal(connect, march, PipelineError)


def test_d11_balances_that_differ_from_the_lines_are_found_by_the_flow(
    connect: Connect, sandbox: Sandbox, march: FiscalPeriod
) -> None:
    """The two readings are independent of each other: a line lost in one is a difference to the other, to the cent."""
    sandbox.set_switches(acumatica={"drop_rows": 1})
    with connect() as ledger:
        lines = pa.Table.from_batches(ledger.read_posted(march))
        balance = ledger.read_trial_balance(march)
    lost = sandbox.books.posted_lines("ACTUAL", march.key)[-1]
    assert lost.debit_minor == balance["debit_minor"].sum() - sum(lines["debit_minor"].to_pylist())
    assert lost.credit_minor == balance["credit_minor"].sum() - sum(lines["credit_minor"].to_pylist())
