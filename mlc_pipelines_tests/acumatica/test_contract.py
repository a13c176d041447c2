"""Before any record is read: the endpoint has every field that is used, and the tenant that answered is the one that was meant."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlc_pipelines.acumatica.client import Acumatica
from mlc_pipelines.acumatica.config import AcumaticaConfig, AcumaticaCredential
from mlc_pipelines.ledger.errors import DataError, SetupError, TransientError
from mlc_pipelines.ledger.fiscal import FiscalPeriod
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.store.home import Store

Connect = Callable[..., Acumatica]
SWAGGER = {"match": "swagger.json"}


def fetched(sandbox: Sandbox) -> int:
    return sum("swagger.json" in request.path for request in sandbox.traffic.requests)


def entities_read(sandbox: Sandbox) -> list[str]:
    """What was called of an endpoint beside its contract."""
    paths = [request.path for request in sandbox.traffic.requests if "/entity/" in request.path]
    return [path for path in paths if "swagger" not in path and "/auth/" not in path]


@pytest.mark.parametrize("form", ["2.0", "3.0.1"])
@pytest.mark.parametrize(
    ("removed", "way", "named"),
    [
        ("Ledger/Companies/Company", "inquiry", "Ledger/Companies/Company"),
        ("Account/Type", "inquiry", "Account/Type"),
        (
            "AccountDetailsForPeriodInquiry/Results/RefNumber",
            "inquiry",
            "AccountDetailsForPeriodInquiry/Results/RefNumber",
        ),
        ("AccountDetailsForPeriodInquiry/Ledger", "inquiry", "AccountDetailsForPeriodInquiry/Ledger"),
        ("JournalTransaction/Details/LineNbr", "transactions", "JournalTransaction/Details/LineNbr"),
        ("JournalTransaction/Details", "transactions", "JournalTransaction/Details"),
        ("Subaccount", "inquiry", "Subaccount"),
    ],
)
def test_c08_schema_drift_is_told_before_any_record_is_read(
    connect: Connect, sandbox: Sandbox, form: str, removed: str, way: str, named: str
) -> None:
    """A field or entity that an upgrade took away is named with its entity, from either form of the published contract."""
    sandbox.set_switches(acumatica={"removed": [removed], "swagger_form": form})
    with (
        connect(lines_from=way) as ledger,
        pytest.raises(SetupError, match=rf"(?s)does not have {named}\..*`erp.version`"),
    ):
        ledger.identity()
    assert [] == entities_read(sandbox)


def test_what_is_not_used_may_go(connect: Connect, sandbox: Sandbox, march: FiscalPeriod) -> None:
    """Fields that we never read are no reason to stop; nor are entities of the other way of reading."""
    sandbox.set_switches(acumatica={"removed": ["Account/TaxCategory", "JournalTransaction", "Subaccount"]})
    with connect(subaccount=None) as ledger:
        assert "ACTUAL" == ledger.identity().ledger


def test_the_contract_is_fetched_once_per_build(
    config: Callable[..., AcumaticaConfig], credential: AcumaticaCredential, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Later runs know it; after an upgrade of the site it is fetched and judged anew."""
    store = Store.open(tmp_path / "home", f"sqlite:///{tmp_path / 'home' / 'mlc.db'}")

    def run() -> None:
        with Acumatica(config(), credential, contracts=store.contracts) as ledger:
            ledger.identity()

    run()
    run()
    assert 1 == fetched(sandbox)
    sandbox.site.build = "26.101.0225"
    sandbox.set_switches(acumatica={"removed": ["Account/Type"]})
    with pytest.raises(SetupError, match="Account/Type"):
        run()
    assert 2 == fetched(sandbox)
    with pytest.raises(SetupError, match="Account/Type"):
        run()
    assert 2 == fetched(sandbox)


@pytest.mark.parametrize(
    "action",
    [
        {"kind": "status", "status": 404},
        {"kind": "status", "status": 403},
        {"kind": "status", "status": 200, "headers": {"content-type": "application/json"}, "body": '{"components":'},
    ],
)
def test_a_contract_that_cannot_be_had_can_be_done_without(
    connect: Connect, sandbox: Sandbox, action: dict[str, Any]
) -> None:
    """The message names the setting; with it nothing is fetched, and what people are shown says so."""
    sandbox.traffic.plant({**SWAGGER, "times": -1, "action": action})
    with connect() as ledger, pytest.raises(SetupError, match="check_fields: false"):
        ledger.identity()
    assert [] == entities_read(sandbox)
    before = fetched(sandbox)
    with connect(check_fields=False) as ledger:
        assert "not checked" in ledger.identity().warnings[0]
    assert before == fetched(sandbox)


def test_c01_a_contract_cut_once_is_fetched_again(connect: Connect, sandbox: Sandbox) -> None:
    """Half a document is not judged."""
    body = {"kind": "status", "status": 200, "headers": {"content-type": "application/json"}, "body": '{"components":'}
    sandbox.traffic.plant({**SWAGGER, "action": body})
    with connect() as ledger:
        assert () == ledger.identity().warnings
    assert 2 == fetched(sandbox)


@pytest.mark.parametrize("form", ["object", "bare"])
def test_b07_the_list_of_endpoints_in_both_forms(connect: Connect, sandbox: Sandbox, form: str) -> None:
    """Very old sites answer with the bare list; it is read once in a run."""
    sandbox.set_switches(acumatica={"entity_list": form, "versions": ["22.200.001"]})
    with connect(version="22.200.001") as ledger:
        ledger.identity()
        ledger.read_accounts()
    assert 1 == sum(request.path.endswith("/entity") for request in sandbox.traffic.requests)
    with (
        connect() as ledger,
        pytest.raises(SetupError, match=r"(?s)It serves Default in 22\.200\.001\..*`erp\.version`"),
    ):
        ledger.identity()


def test_an_endpoint_of_the_tenants_own(connect: Connect, sandbox: Sandbox, march: FiscalPeriod) -> None:
    """It is listed only to those who are signed in; figures are the same through it."""
    sandbox.set_switches(acumatica={"custom_endpoints": ["Planning/1.0", "Planning/2.0"]})
    with connect(endpoint="Planning", version="1.0") as ledger:
        lines = sum(len(batch) for batch in ledger.read_posted(march))
    assert len(sandbox.books.posted_lines("ACTUAL", march.key)) == lines
    with (
        connect(endpoint="Planning", version="3.0") as ledger,
        pytest.raises(SetupError, match=r"Planning in 1\.0, 2\.0"),
    ):
        ledger.identity()


def test_a_sign_in_that_strayed_to_the_default_tenant_is_noticed(connect: Connect, sandbox: Sandbox) -> None:
    """A site whose names lead astray says nothing; its sign-in page gives it away before any record is read."""
    sandbox.set_switches(acumatica={"tenant_map_stale": True})
    with (
        connect(auth="cookie") as ledger,
        pytest.raises(SetupError, match=r"tenant 'Meridian' led to tenant 'Company'"),
    ):
        ledger.identity()
    assert [] == entities_read(sandbox)


def test_a_site_of_one_tenant_takes_any_name(connect: Connect, sandbox: Sandbox) -> None:
    """The name in the connection file must still be the tenant's own."""
    sandbox.set_switches(acumatica={"multi_tenant": False})
    with (
        connect(auth="cookie", tenant="Nowhere") as ledger,
        pytest.raises(SetupError, match=r"'Nowhere' led to .*'Meridian'"),
    ):
        ledger.identity()


@pytest.mark.parametrize("auth", ["cookie", "oauth_password"])
def test_the_companies_that_are_pinned_are_those_that_answered(connect: Connect, sandbox: Sandbox, auth: str) -> None:
    """Where the sign-in page does not tell, the set of companies does: one too many or too few is another tenant."""
    sandbox.set_switches(acumatica={"login_page": False})
    with connect(auth=auth, companies=("MERIDIAN",)) as ledger:
        ledger.identity()
    with (
        connect(auth=auth, companies=("MERIDIAN", "SOUTH")) as ledger,
        pytest.raises(
            SetupError, match="expected to have the companies MERIDIAN, SOUTH; the one that answered has MERIDIAN"
        ),
    ):
        ledger.identity()


def test_branch_and_locale_go_with_every_call(connect: Connect, sandbox: Sandbox) -> None:
    """A branch that the site does not know ends the run with the site's words; one that it knows changes nothing that is read."""
    with connect(branch="EAST") as ledger, pytest.raises(DataError, match="branch EAST cannot be found"):
        ledger.identity()
    with connect(branch="WEST", auth="cookie") as ledger:
        assert "ACTUAL" == ledger.identity().ledger
        assert ["WEST"] == [session.branch for session in sandbox.site.sessions.values()]


def test_an_upgrade_in_the_middle_passes(connect: Connect, sandbox: Sandbox) -> None:
    """While the site restarts it answers with pages of HTML: that is waited out, and said when it lasts."""
    sandbox.traffic.plant({"match": "/Account", "times": 2, "action": {"kind": "html", "status": 500}})
    with connect() as ledger:
        assert len(ledger.read_accounts())
    sandbox.traffic.plant({"match": "/Account", "times": -1, "action": {"kind": "html", "status": 503}})
    with connect() as ledger, pytest.raises(TransientError, match="restarting or being published"):
        ledger.read_accounts()
