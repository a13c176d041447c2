"""What goes wrong on the wire and in the answers: the figures are right, or there is an error that names what it is about."""

import json
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from mlc_pipelines.epicor.client import Epicor
from mlc_pipelines.epicor.metadata import published
from mlc_pipelines.ledger.errors import DataError, PipelineError, SetupError, TransientError
from mlc_pipelines.ledger.fiscal import FiscalPeriod
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.transport.answers import Answer
from mlc_pipelines.transport.caller import Limits
from mlc_pipelines_tests.epicor.test_reading import summed, truth

Connect = Callable[..., Epicor]
BULK = r"GLJrnDtls\?.*SegValue1"
JSON = {"content-type": "application/json"}


def lines_of(connect: Connect, period: FiscalPeriod, **changes: Any) -> pa.Table:
    with connect(**changes) as ledger:
        return pa.Table.from_batches(ledger.read_posted(period))


def refusal(connect: Connect, period: FiscalPeriod, kind: type[PipelineError] = DataError, **changes: Any) -> str:
    with pytest.raises(kind) as caught:
        lines_of(connect, period, **changes)
    return str(caught.value)


def plant(sandbox: Sandbox, match: str = BULK, times: int = 1, **action: Any) -> Any:
    return sandbox.traffic.plant({"match": match, "times": times, "action": action})


def answer(
    sandbox: Sandbox, body: str, *, match: str = BULK, status: int = 200, times: int = -1, **headers: str
) -> Any:
    return plant(sandbox, match, times, kind="status", status=status, headers={**JSON, **headers}, body=body)


def told(error_type: str, message: str, status: int = 400) -> str:
    said = {
        "HttpStatus": status,
        "ReasonPhrase": "REST API Exception",
        "ErrorMessage": message,
        "ErrorType": error_type,
    }
    return json.dumps({**said, "CorrelationId": "41893675-aaaa"})


@pytest.mark.parametrize(
    "action",
    [
        pytest.param({"kind": "truncate", "keep": 0.5}, id="A07-body-shorter-than-announced"),
        pytest.param({"kind": "reset"}, id="A03-reset"),
        pytest.param(
            {"kind": "status", "status": 200, "headers": {"content-encoding": "gzip"}}, id="A11-gzip-cut-short"
        ),
        pytest.param({"kind": "status", "status": 503, "headers": {"retry-after": "3"}}, id="B14-busy"),
        pytest.param({"kind": "status", "status": 500}, id="B14-failing"),
        pytest.param({"kind": "html", "status": 500}, id="restarting"),
        pytest.param({"kind": "status", "status": 429}, id="B10-too-many-requests"),
        pytest.param({"kind": "status", "status": 200, "headers": JSON, "body": '{"value":[{"a":'}, id="C01-cut-json"),
        pytest.param({"kind": "status", "status": 200, "headers": JSON, "body": ""}, id="A11-empty-body"),
    ],
)
def test_a_passing_fault_is_read_over(
    connect: Connect, sandbox: Sandbox, december: FiscalPeriod, action: dict[str, Any]
) -> None:
    """A fault that passes costs a repetition; no part of the broken answer is used."""
    fault = plant(sandbox, **action)
    sums = {pair: sides for pair, sides in summed(lines_of(connect, december)).items() if sides != (0, 0)}
    assert {pair: sides for pair, sides in truth(sandbox, december.key).items() if sides != (0, 0)} == sums
    assert 1 == fault.fired


def test_b14_a_lasting_fault_is_transient_and_bounded(
    connect: Connect, sandbox: Sandbox, december: FiscalPeriod
) -> None:
    """Attempts are counted, and the failure says that the same call may work later."""
    fault = plant(sandbox, times=-1, kind="status", status=502)
    assert "502" in refusal(connect, december, TransientError)
    assert 3 == fault.fired


def test_an_upgrade_is_told_as_such(connect: Connect, sandbox: Sandbox, december: FiscalPeriod) -> None:
    """503 with conversions pending: it is asked again after a long pause, and told when it lasts."""
    answer(
        sandbox,
        told("Ice.Common.ConversionsPendingException", "Conversions pending.", 503),
        match="GLBooks",
        status=503,
    )
    assert "is being upgraded" in refusal(connect, december, TransientError)


def test_a13_a_slow_answer_ends_at_the_deadline(connect: Connect, sandbox: Sandbox, december: FiscalPeriod) -> None:
    """However slow the server, a call ends."""
    plant(sandbox, match="GLBooks", times=-1, kind="delay", seconds=2)
    limits = Limits(attempts=1, deadline_seconds=0.3)
    assert "no whole answer" in refusal(connect, december, TransientError, limits=limits)


@pytest.mark.parametrize("match", ["GLBooks", BULK, r"metadata"])
def test_b17_a_sign_in_page_that_calls_itself_json(
    connect: Connect, sandbox: Sandbox, december: FiscalPeriod, match: str
) -> None:
    """A page of HTML is never parsed, whatever its content type says."""
    plant(sandbox, match, -1, kind="html", content_type="application/json")
    assert "web page instead of data" in refusal(connect, december, SetupError)


@pytest.mark.parametrize(
    "body",
    [
        told("Ice.Common.BusinessObjectException", "Fiscal calendar is locked."),
        '{"error":{"code":"","message":"Fiscal calendar is locked."}}',
    ],
)
def test_b16_an_error_inside_a_success(connect: Connect, sandbox: Sandbox, december: FiscalPeriod, body: str) -> None:
    """200 with an error in its body is that error."""
    answer(sandbox, body)
    assert "Fiscal calendar is locked." in refusal(connect, december)


@pytest.mark.parametrize("status", [204, 206, 304])
def test_b19_a_status_that_no_list_has(connect: Connect, sandbox: Sandbox, december: FiscalPeriod, status: int) -> None:
    """Nothing is taken from it."""
    plant(sandbox, times=-1, kind="status", status=status)
    assert str(status) in refusal(connect, december, PipelineError)


def test_c01_malformed_twice_is_an_error(connect: Connect, sandbox: Sandbox, december: FiscalPeriod) -> None:
    """Read once more, then told."""
    fault = answer(sandbox, '{"value":[{]}')
    assert "malformed JSON" in refusal(connect, december, TransientError)
    assert 2 == fault.fired


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("NaN", r"record whose BookDebitAmount is NaN, which is no number \(.*JournalCode:"),
        ("-Infinity", "BookDebitAmount is -Infinity"),
        ("1e400", r"journal [A-Z]{2} \d+ line \d+: BookDebitAmount is 1e400, which has more digits"),
        ("1" * 5000, "more digits"),
        ("12.345", "12.345 is finer than USD allows"),
        ("null", "BookDebitAmount is missing"),
        ('"x"', "which is no number"),
    ],
)
def test_c02_c05_an_amount_that_is_none_is_named(
    connect: Connect, sandbox: Sandbox, december: FiscalPeriod, text: str, said: str
) -> None:
    """With its record and field; never rounded, never skipped."""
    import re

    plant(
        sandbox, times=-1, kind="replace", pattern=r'"BookDebitAmount":[\d.]+', **{"with": f'"BookDebitAmount":{text}'}
    )
    message = refusal(connect, december)
    assert re.search(said, message), message


def test_c04_large_amounts_keep_every_cent(connect: Connect, sandbox: Sandbox, december: FiscalPeriod) -> None:
    """1234567890123456.78 stays what it is."""
    large = '"BookDebitAmount":1234567890123456.78'
    plant(sandbox, times=-1, kind="replace", pattern=r'"BookDebitAmount":98\.92', **{"with": large})
    table = lines_of(connect, december, unbalanced="warn")
    assert 123456789012345678 in table["debit_minor"].to_pylist()


@pytest.mark.parametrize(
    ("removed", "named"),
    [
        ("GLJrnDtl/BookDebitAmount", "Erp.BO.GLJrnDtlSvc/GLJrnDtls of Epicor IVM has no column BookDebitAmount"),
        ("GLJrnDtl/SegValue2", "GLJrnDtls of Epicor IVM has no column SegValue2"),
        ("COA/PerBalFmt", "COAs of Epicor IVM has no column PerBalFmt"),
        ("GLBook/FiscalCalendarID", "GLBooks of Epicor IVM has no column FiscalCalendarID"),
    ],
)
@pytest.mark.parametrize("form", ["by accept", "xml"])
def test_c08_schema_drift_is_told_before_any_row_is_read(
    connect: Connect, sandbox: Sandbox, december: FiscalPeriod, form: str, removed: str, named: str
) -> None:
    """A column that an upgrade took away is named with its entity, from either form of the description."""
    sandbox.set_switches(epicor={"removed": [removed], "metadata_form": form})
    assert named in refusal(connect, december, SetupError)
    entity = named.split("/")[-1].split(" ")[0]
    assert not [one.path for one in sandbox.traffic.requests if f"/{entity}?" in one.path]


def test_c08_without_the_check_the_request_tells_it(connect: Connect, sandbox: Sandbox, december: FiscalPeriod) -> None:
    """Kinetic refuses a request that names an unknown column; the report says that columns were not checked."""
    with connect(check_fields=False) as ledger:
        assert "were not checked" in ledger.identity().warnings[0]
        assert len(pa.Table.from_batches(ledger.read_posted(december))) > 600
        assert 0 == sum("$metadata" in one.path for one in sandbox.traffic.requests)
    sandbox.set_switches(epicor={"removed": ["GLJrnDtl/BookDebitAmount"]})
    assert "has no column BookDebitAmount" in refusal(connect, december, SetupError, check_fields=False)


@pytest.mark.parametrize(
    ("pattern", "text", "said"),
    [
        ('"Posted":true', '"Posted":false', "Posted is False, expected was True"),
        ('"BookID":"MAIN"', '"BookID":"PLAN"', "BookID is 'PLAN', expected was MAIN"),
        ('"FiscalPeriod":3', '"FiscalPeriod":4', "FiscalPeriod is 4, expected was 3"),
        ('"FiscalYearSuffix":""', '"FiscalYearSuffix":"T"', "FiscalYearSuffix is 'T'"),
        ('"FiscalCalendarID":"F445"', '"FiscalCalendarID":"CAL12"', "FiscalCalendarID is 'CAL12', expected was F445"),
        ('"COACode":"MAIN"', '"COACode":"OLD"', "COACode is 'OLD', expected was MAIN"),
        ('"JournalNum":\\d+', '"JournalNum":"x"', "JournalNum"),
        ('"SegValue1":"\\d+"', '"SegValue1":""', "SegValue1, the account, is missing"),
        ('"JEDate":"2025-12-0\\d', '"JEDate":"31/12/2025', "which does not say a day without doubt"),
        ('"JEDate":"(2025-12-0\\d)T00:00:00', '"JEDate":"\\1T22:00:00', "which does not say a day without doubt"),
    ],
)
def test_d08_d13_a_row_that_was_not_asked_for_is_refused(
    connect: Connect, sandbox: Sandbox, december: FiscalPeriod, pattern: str, text: str, said: str
) -> None:
    """Not posted, of other books, of another period or calendar, without an account or with a doubtful day: by its journal and line."""
    fault = plant(sandbox, times=-1, kind="replace", pattern=pattern, **{"with": text})
    message = refusal(connect, december)
    assert said in message
    assert fault.fired


@pytest.mark.parametrize(("policy", "stops"), [("stop", True), ("warn", False)])
def test_a_journal_that_does_not_balance_is_named(
    connect: Connect, sandbox: Sandbox, december: FiscalPeriod, policy: str, stops: bool
) -> None:
    """It stops the reading, or stands in the report, as the connection says."""
    plant(
        sandbox,
        times=-1,
        kind="replace",
        pattern=r'"BookDebitAmount":9892\.\d\d|"BookDebitAmount":98\.92',
        **{"with": '"BookDebitAmount":98.93'},
    )
    with connect(unbalanced=policy) as ledger:
        if stops:
            with pytest.raises(DataError, match=r"1 journals do not balance .*: [A-Z]{2} \d+ by 0\.01 USD"):
                list(ledger.read_posted(december))
        else:
            list(ledger.read_posted(december))
            assert "do not balance" in " ".join(ledger.identity().warnings)


@pytest.mark.parametrize(
    ("status", "error_type", "message", "kind", "said"),
    [
        (
            400,
            "Ice.Common.BusinessObjectException",
            "Part is required.",
            DataError,
            "Part is required. (Kinetic's number for this failure: 41893675-aaaa.)",
        ),
        (
            400,
            "Microsoft.OData.ODataException",
            "An identifier was expected at position 7.",
            SetupError,
            "was not understood",
        ),
        (
            400,
            "ODataException",
            "Could not find a property named 'X' on type 'Erp.GLBook'.",
            SetupError,
            "Erp.GLBook has no column X",
        ),
        (
            404,
            "Epicor.RESTApi.ErrorHandling.ApiException",
            "Not found.",
            SetupError,
            "this instance has no Erp.BO.GLBookSvc/GLBooks",
        ),
        (404, "Ice.Common.RecordNotFoundException", "Record not found.", DataError, "the record does not exist"),
        (409, "Ice.Common.DuplicateRecordException", "Duplicate record.", DataError, "Duplicate record."),
        (
            409,
            "Ice.Common.BusinessObjectException",
            "Row has been modified by another user.",
            TransientError,
            "modified by another user",
        ),
        (414, "", "", SetupError, "its address is too long"),
        (418, "", "", SetupError, "418"),
    ],
)
@pytest.mark.parametrize("form", ["json", "xml"])
def test_what_an_error_means(
    connect: Connect,
    sandbox: Sandbox,
    december: FiscalPeriod,
    form: str,
    status: int,
    error_type: str,
    message: str,
    kind: type[PipelineError],
    said: str,
) -> None:
    """By status, type and text, as JSON or as XML, for whoever has to mend it."""
    body = told(error_type, message, status)
    if form == "xml":
        fields = "".join(
            f"<{name}>{str(value).replace('&', '&amp;')}</{name}>" for name, value in json.loads(body).items()
        )
        body = f'<?xml version="1.0"?><Error xmlns="http://x.example.com">{fields}</Error>'
    answer(sandbox, body, match="GLBooks", status=status)
    assert said in refusal(connect, december, kind)


@pytest.mark.parametrize("path", ["/Typo", ""])
def test_a_wrong_address_is_told_as_such(connect: Connect, sandbox: Sandbox, december: FiscalPeriod, path: str) -> None:
    """An instance that is not there, or none in the address."""
    said = refusal(connect, december, SetupError, url=sandbox.url + path)
    assert "`erp.url`" in said


def test_a_description_that_is_none() -> None:
    """Neither JSON CSDL nor EDMX; one with a document type is refused unread."""
    for body in (b"[]", b"{}", b"<x/>", b'<!DOCTYPE a [<!ENTITY b "c">]><a/>', b"\xff", b'{"a":{"$Kind":5}}'):
        with pytest.raises(SetupError, match="not with a description of a service"):
            published(Answer("call", 200, {}, body))


def test_a_description_with_inherited_and_unqualified_types() -> None:
    """Types with a base, a container beside them, names with and without a namespace."""
    body = json.dumps(
        {
            "$Version": "4.01",
            "$EntityContainer": "Default.Container",
            "Erp": {
                "Base": {"$Kind": "EntityType", "Company": {}},
                "Row": {
                    "$Kind": "EntityType",
                    "$BaseType": "Erp.Base",
                    "Amount": {"$Type": "Edm.Decimal"},
                    "@x": {},
                    "Rows": {"$Kind": "NavigationProperty", "$Collection": True, "$Type": "Erp.Base"},
                },
            },
            "Default": {"Container": {"$Kind": "EntityContainer", "Rows": {"$Collection": True, "$Type": "Erp.Row"}}},
        }
    )
    kind = published(Answer("call", 200, {}, body.encode())).rows_of("Rows")
    assert kind is not None
    assert {"Company": "Edm.String", "Amount": "Edm.Decimal"} == kind.columns
    assert {"Rows": "Erp.Base"} == kind.children
