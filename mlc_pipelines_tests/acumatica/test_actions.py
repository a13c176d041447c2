"""Actions: sent once, waited for at the right address, and every way they can fail told by its field or its exception."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mlc_pipelines.acumatica.config import AcumaticaConfig, AcumaticaCredential
from mlc_pipelines.acumatica.connection import Connection
from mlc_pipelines.ledger.errors import DataError, PipelineError, SetupError, UncertainError
from mlc_pipelines.sandbox.company import Batch, Line
from mlc_pipelines.sandbox.server import Sandbox

RELEASE = ("JournalTransaction", "ReleaseJournalTransaction")


@pytest.fixture
def site(
    config: Callable[..., AcumaticaConfig], credential: AcumaticaCredential, sandbox: Sandbox
) -> Iterator[Connection]:
    def wait(seconds: float) -> None:
        sandbox.clock.advance(seconds)

    opened = Connection(config(), credential, sleep=wait)
    yield opened
    opened.close(None)


@pytest.fixture
def draft(sandbox: Sandbox) -> Batch:
    """A batch ready to be released."""
    lines = [Line(0, "6100", "010-000", "HQ", 4200, 0)]
    return sandbox.books.post("STAT", "FY2026-P12", "HQ", "Balanced", "plan", lines, now=sandbox.clock.now())


def keys(batch: Batch) -> dict[str, str]:
    return {"Module": batch.module, "BatchNbr": batch.number}


def posts(sandbox: Sandbox) -> int:
    return sum("Release" in one.path for one in sandbox.traffic.requests if one.method == "POST")


def polls(sandbox: Sandbox) -> int:
    return sum("/status/" in one.path for one in sandbox.traffic.requests)


@pytest.mark.parametrize(
    ("answer", "seconds", "polled"), [("202", 0, 1), ("202", 7, 5), ("204", 0, 0), ("204 with Location", 0, 0)]
)
def test_an_action_is_waited_for_where_the_site_says(
    site: Connection, sandbox: Sandbox, draft: Batch, answer: str, seconds: int, polled: int
) -> None:
    """202: its Location, a path of the site, is asked until it says 204. A 204 is never asked about, whatever Location it carries."""
    sandbox.set_switches(acumatica={"release_answer": answer, "release_seconds": seconds})
    site.invoke(*RELEASE, keys(draft))
    assert "Posted" == draft.status
    assert (1, polled) == (posts(sandbox), polls(sandbox))


def test_an_operation_that_fails_is_told_with_its_text(site: Connection, sandbox: Sandbox, draft: Batch) -> None:
    """The batch stays as it was."""
    sandbox.set_switches(acumatica={"release_fails": True})
    with pytest.raises(DataError, match="At least one item has not been processed"):
        site.invoke(*RELEASE, keys(draft))
    assert "Balanced" == draft.status


def test_an_operation_without_end_is_uncertain(site: Connection, sandbox: Sandbox, draft: Batch) -> None:
    """After the last poll nobody knows; the action was sent once all the same."""
    sandbox.set_switches(acumatica={"release_seconds": 100_000, "token_seconds": 1_000_000})
    with pytest.raises(UncertainError, match="had not ended after 10 minutes"):
        site.invoke(*RELEASE, keys(draft))
    assert 1 == posts(sandbox)


@pytest.mark.parametrize(
    "location",
    [
        "https://elsewhere.example.com/x",
        "//elsewhere.example.com/AcumaticaERP/entity/x",
        "",
        "/other/entity/x",
        "/AcumaticaERP/entity/../x",
    ],
)
def test_d05_a_status_address_elsewhere_is_not_asked(
    site: Connection, sandbox: Sandbox, draft: Batch, location: str
) -> None:
    """A token goes to the configured site only."""
    action = {"kind": "status", "status": 202, "headers": {"location": location}}
    sandbox.traffic.plant({"match": "POST .*Release", "action": action})
    with pytest.raises(UncertainError, match="none of this site"):
        site.invoke(*RELEASE, keys(draft))
    assert 0 == polls(sandbox)


@pytest.mark.parametrize(
    ("call", "action"),
    [
        ("POST .*Release", {"kind": "reset", "after": True}),
        ("POST .*Release", {"kind": "status", "status": 429}),
        ("POST .*Release", {"kind": "status", "status": 503}),
        ("POST .*Release", {"kind": "html", "status": 500}),
        ("/status/", {"kind": "status", "status": 503}),
        ("/status/", {"kind": "reset"}),
    ],
)
def test_b13_a_write_whose_end_was_not_seen_is_uncertain_and_sent_once(
    site: Connection, sandbox: Sandbox, draft: Batch, call: str, action: dict[str, Any]
) -> None:
    """Also a 429: that it was not carried out is documented nowhere."""
    sandbox.traffic.plant({"match": call, "times": -1, "action": action})
    with pytest.raises(UncertainError):
        site.invoke(*RELEASE, keys(draft))
    assert 1 == posts(sandbox)


@pytest.mark.parametrize(
    ("tree", "error", "says"),
    [
        (
            {"exceptionMessage": "Optimization cannot be performed. X: View Filter has BQL delegate"},
            SetupError,
            "one query",
        ),
        ({"exceptionMessage": "The given key was not present in the dictionary."}, SetupError, "one query"),
        ({"exceptionMessage": "Required configuration data is not entered. GL102000"}, SetupError, "GL102000"),
        ({"exceptionMessage": "Error: Invalid credentials. Please try again."}, SetupError, "not accepted"),
        ({"exceptionMessage": "A binary operator with incompatible types was detected."}, SetupError, "filter"),
        (
            {"exceptionMessage": "Outer", "innerException": {"exceptionType": "PX.Data.PXSetupNotEnteredException"}},
            SetupError,
            "never filled in",
        ),
        ({"exceptionMessage": "Something else."}, UncertainError, "Something else."),
    ],
)
def test_a_500_is_told_apart_by_type_or_text_also_of_an_inner_exception(
    site: Connection, sandbox: Sandbox, draft: Batch, tree: dict[str, Any], error: type[PipelineError], says: str
) -> None:
    """Builds differ in what they put where; a permanent failure is asked for once."""
    body = json.dumps({"message": "An error has occurred.", **tree})
    fault = {"match": "POST .*Release", "action": {"kind": "status", "status": 500, "body": body}}
    sandbox.traffic.plant(fault)
    with pytest.raises(error, match=says):
        site.invoke(*RELEASE, keys(draft))
    assert 1 == posts(sandbox)


@pytest.mark.parametrize("form", ["record", "nested"])
def test_a_422_names_the_rows_of_its_details(site: Connection, sandbox: Sandbox, form: str) -> None:
    """Errors stand at any depth, in the record or in the record under `entity`; each is told with its row."""
    sandbox.set_switches(acumatica={"refusal_form": form})
    rows = [{"Account": {"value": code}, "Subaccount": {"value": "010-000"}} for code in ("6100", "9999")]
    body = {"LedgerID": {"value": "BUDGET"}, "PostPeriod": {"value": "122026"}, "Details": rows}
    with pytest.raises(DataError) as caught:
        site._caller().write("PUT", "/entity/Default/24.200.001/JournalTransaction", json=body)
    before = "entity." if form == "nested" else ""
    assert f"{before}LedgerID: 'Ledger' cannot be found" in str(caught.value)
    assert f"{before}Details[2].Account: 'Account' cannot be found" in str(caught.value)
