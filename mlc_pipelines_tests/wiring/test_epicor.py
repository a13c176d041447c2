"""What a connection file may say of Epicor Kinetic and of AP spend."""

from pathlib import Path

import pytest

from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.store.home import Store
from mlc_pipelines.wiring.configs import epicor_config
from mlc_pipelines.wiring.connections import find, folder, read_one
from mlc_pipelines.wiring.credentials import epicor_credential
from mlc_pipelines.wiring.erps import EpicorErp
from mlc_pipelines.wiring.rooms import actuals_target, spend_target

DEMO = (folder() / "demo_epicor.yaml").read_text()


def erp_of(tmp_path: Path, *changes: tuple[str, str]) -> EpicorErp:
    text = DEMO
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    file = tmp_path / "acme.yaml"
    file.write_text(text)
    erp = read_one(file).settings.erp
    assert isinstance(erp, EpicorErp)
    return erp


def test_the_client_is_told_what_the_file_says(tmp_path: Path) -> None:
    """Minutes become seconds, queries their rules; what is not said has the client's own default."""
    erp = erp_of(
        tmp_path,
        (
            "read: auto ",
            'session_wait_minutes: 2\n    baqs: {lines: {name: GLLines, parameters: {Book: "{book}"}}}\n    read: journals ',
        ),
    )
    config = epicor_config(erp)
    assert ("IVM", "MAIN", 1, 2, "journals", 120.0) == (
        config.company,
        config.book,
        config.account_segment,
        config.cost_center_segment,
        config.read,
        config.session_wait_seconds,
    )
    assert config.baqs.lines is not None
    assert ("GLLines", {"Book": "{book}"}) == (config.baqs.lines.name, config.baqs.lines.parameters)
    assert not config.baqs.auto


def test_queries_of_the_suggested_names_may_be_taken_where_they_are(tmp_path: Path) -> None:
    assert epicor_config(erp_of(tmp_path, ("    read: auto ", "    baqs: auto\n    read: auto "))).baqs.auto


@pytest.mark.parametrize(
    ("old", "new", "field", "said"),
    [
        ("auth: basic                  # or", "auth: client_credentials # or", "attributes.erp", "give identity_url"),
        ("company: IVM", "company: IVM\n    identity_url: https://login.test/token", "attributes.erp", "auth is basic"),
        ("cost_center_segment: 2", "cost_center_segment: 1", "attributes.erp", "name the same segment"),
        (
            "cost_center_segment: 2",
            "cost_center_segment: 21",
            "attributes.erp.cost_center_segment",
            "less than or equal to 20",
        ),
        (
            "    cost_center_segment: 2       #          and the cost center\n",
            "",
            "attributes.erp.cost_center_segment",
            "is missing",
        ),
        ("company: IVM", "company: IVM\n    api_key: canary", "attributes.erp.api_key", "is not known here"),
        ('    vendors: {list: Vendors, code: "V_{code}"}\n', "", "attributes", "belong together"),
        ("      vendor: V_NONE\n", "", "attributes", "name one for vendors as well"),
        ("system: epicor", "system: sap", "attributes.erp.system", "'acumatica', 'epicor'"),
    ],
)
def test_each_mistake_is_told_by_field(tmp_path: Path, old: str, new: str, field: str, said: str) -> None:
    """Contradictions are refused when the file is read; a key pasted into it is refused unshown."""
    with pytest.raises(SetupError) as caught:
        erp_of(tmp_path, (old, new))
    assert f": {field}: " in caught.value.what
    assert said in caught.value.what
    assert "canary" not in str(caught.value)


def test_ap_spend_belongs_to_an_erp_that_has_it(tmp_path: Path) -> None:
    """Acumatica's payables are an extract so far."""
    section = DEMO[DEMO.index("  ap_spend:") : DEMO.index("  mapping:")]
    text = (
        (folder() / "demo.yaml")
        .read_text()
        .replace("  mapping:\n", section + '  mapping:\n    vendors: {list: Vendors, code: "V_{code}"}\n')
    )
    (tmp_path / "acme.yaml").write_text(text)
    with pytest.raises(SetupError, match="ap_spend is read from Epicor Kinetic"):
        read_one(tmp_path / "acme.yaml")


def test_spend_lands_beside_actuals_with_vendors_before(tmp_path: Path) -> None:
    """The same accounts and cost centers, the vendors' list beside them, another import and export."""
    named = find("demo_epicor")
    actuals, spend = actuals_target(named), spend_target(named)
    assert ("account", "cost_center") == actuals.dimensions
    assert ("account", "cost_center", "vendor") == spend.dimensions
    assert ("Vendor", "Account", "Cost Center", "Period", "Version", "Amount") == spend.columns.header
    assert ("Export AP Spend", "Load AP Spend") == (spend.read_back.name, spend.import_name)
    assert ("actuals", "ap_spend") == (actuals.feed.name, spend.feed.name)


@pytest.mark.parametrize(
    ("auth", "lacking"), [("basic", "username"), ("token", "username"), ("client_credentials", "client_id")]
)
def test_a_credential_that_lacks_a_field_is_named(tmp_path: Path, home: Path, auth: str, lacking: str) -> None:
    """Which fields are needed follows from the way of signing in; the API key belongs to each."""
    changes = [("auth: basic                  # or", f"auth: {auth} # or")]
    if auth == "client_credentials":
        changes.append(("company: IVM", "company: IVM\n    identity_url: https://login.test/token"))
    store = Store.open()
    store.vault.put("demo-epicor", {"api_key": "key", "password": "word", "client_secret": "hidden"})
    with pytest.raises(SetupError, match=f"lacks {lacking}"):
        epicor_credential(erp_of(tmp_path, *changes), store)
