"""Bad input has a clear answer: what happened, to which thing by name, what now holds, and what to do next."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlc_pipelines.flows.actuals import load_actuals
from mlc_pipelines.flows.reference import refresh_reference
from mlc_pipelines.ledger.errors import DataError, PipelineError, SetupError, TransientError
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.store.home import Store
from mlc_pipelines.wiring.connections import Named
from mlc_pipelines.wiring.rooms import open_desk

PERIOD = "FY2026-P03"


def changed(named: Named, part: str, **changes: Any) -> Named:
    """The same connection with some settings changed."""
    settings = named.settings
    return Named(
        named.name, named.file, settings.model_copy(update={part: getattr(settings, part).model_copy(update=changes)})
    )


def answer_to(named: Named, kind: type[PipelineError], period: str = PERIOD) -> PipelineError:
    with pytest.raises(kind) as caught:
        _load(named, period)
    assert caught.value.next_step
    return caught.value


def _load(named: Named, period: str) -> None:
    with open_desk(named, sleep=lambda _seconds: None) as desk:
        refresh_reference(desk)
        load_actuals(desk, period)


@pytest.mark.parametrize("credential", ["demo-acumatica", "demo-anaplan"])
def test_wrong_password(demo: Named, sandbox: Sandbox, credential: str) -> None:
    """Names the credential, never what is in it."""
    fields = {field: secret.reveal() for field, secret in Store.open().vault.open(credential).items()}
    Store.open().vault.put(credential, fields | {"password": "not-this-one-4711"})
    error = answer_to(demo, SetupError)
    assert f"'{credential}'" in str(error)
    assert [False] * 2 == [secret in str(error) for secret in ("not-this-one-4711", fields["username"])]


def test_missing_credential(demo: Named) -> None:
    """A name that the vault does not know is answered with the command that stores it."""
    error = answer_to(changed(demo, "erp", credential="acme-erp"), SetupError)
    assert "acme-erp" in error.what
    assert "mlc secrets set acme-erp" in error.next_step


def test_wrong_tenant(demo: Named) -> None:
    """A tenant other than the application's own is refused by both names."""
    error = answer_to(changed(demo, "erp", tenant="Nadir"), SetupError)
    assert "Nadir" in error.what
    assert "Meridian" in str(error)


def test_wrong_company(demo: Named) -> None:
    """A company that the ledger does not serve is answered with those it serves."""
    error = answer_to(changed(demo, "erp", company="NADIR"), SetupError)
    assert "NADIR" in error.what
    assert "MERIDIAN" in str(error)


def test_b07_wrong_endpoint_version(demo: Named, sandbox: Sandbox) -> None:
    """The versions that the site offers are listed, with the line to change, and nothing else is called."""
    error = answer_to(changed(demo, "erp", version="25.100.001"), SetupError)
    assert "25.100.001" in error.what
    assert "24.200.001" in str(error)
    assert "version" in error.next_step
    assert {"/AcumaticaERP/entity"} == {row.path.rstrip("/") for row in sandbox.traffic.requests}


@pytest.mark.parametrize("ledger", ["STAT", "NADIR"])
def test_wrong_ledger(demo: Named, ledger: str) -> None:
    """Actuals come from an Actual ledger only; one that is not there is answered with those that are."""
    error = answer_to(changed(demo, "erp", ledger=ledger), SetupError)
    assert ledger in error.what
    assert "ACTUAL" in str(error)


def test_unknown_model(demo: Named) -> None:
    """The nearest names are offered."""
    error = answer_to(changed(demo, "anaplan", model="Meridian FPA"), SetupError)
    assert "Meridian FPA" in error.what
    assert "Meridian FP&A" in error.what


def test_action_renamed(demo: Named, sandbox: Sandbox) -> None:
    """An import that the model builder renamed is missed by its old name; nothing is sent."""
    sandbox.set_switches(anaplan={"rename_import": "Load GL Actuals v2"})
    error = answer_to(demo, SetupError)
    assert "'Load GL Actuals'" in error.what
    assert "Load GL Actuals v2" in error.what
    assert "Nothing was sent" in error.holds


def test_e25_two_actions_of_one_name(demo: Named, sandbox: Sandbox) -> None:
    """Both ids are named; neither is run."""
    sandbox.set_switches(anaplan={"duplicate_action_names": True})
    error = answer_to(demo, SetupError)
    assert 2 == error.what.count("1120000")
    assert [] == sandbox.tenant.log()["actions"]


def test_c11_mapping_file_with_a_duplicate(demo: Named, tmp_path: Path) -> None:
    """The code and both lines are named before anything is read."""
    (tmp_path / "accounts.csv").write_text("code,member\n0010,A0010\n1010,A1010\n0010,A1020\n")
    rule = demo.settings.mapping.accounts.model_copy(update={"file": "accounts.csv"})
    named = changed(demo, "mapping", accounts=rule)
    error = answer_to(Named("demo", tmp_path / "demo.yaml", named.settings), DataError)
    assert "0010" in error.what
    assert "line 2" in error.what
    assert "line 4" in error.what


@pytest.mark.parametrize(("part", "field"), [("erp", "url"), ("anaplan", "auth_url")])
def test_a01_unreachable_host(demo: Named, part: str, field: str) -> None:
    """The host is named, tries are limited, nothing was sent."""
    error = answer_to(changed(demo, part, **{field: "http://127.0.0.1:9"}), TransientError)
    assert "127.0.0.1:9" in error.what
    assert "address" in error.next_step


@pytest.mark.parametrize(
    ("period", "said"),
    [("FY2031-P01", "FY2025-P01 to FY2027-P13"), ("2026-03", "FY2026-P03"), ("FY2027-P05", "Inactive")],
)
def test_period_that_does_not_exist(demo: Named, period: str, said: str) -> None:
    """A period outside the calendar, a period written otherwise, a period not yet open: each says what would do."""
    error = answer_to(demo, DataError, period)
    assert period in error.what
    assert said in str(error)


def test_a_calendar_that_differs_from_the_ledgers(demo: Named, change_calendar: Callable[[Named], Named]) -> None:
    """Every run holds the declared calendar against the ERP's own periods before it reads a figure."""
    error = answer_to(change_calendar(demo), DataError)
    assert "runs from" in error.what
    assert "calendar" in error.next_step


@pytest.fixture
def change_calendar() -> Callable[[Named], Named]:
    return lambda named: changed(named, "calendar", first_month=4)
