"""From a connection file to a log-in that works: every way, over real HTTP, with the store's own vault."""

import base64
import socket
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import yaml

from mlc_pipelines.flows.actuals import load_actuals
from mlc_pipelines.flows.reference import refresh_reference
from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.store.home import Store
from mlc_pipelines.transport.log_in import Invitation
from mlc_pipelines.wiring.connections import Named, find, read_one
from mlc_pipelines.wiring.log_in import log_in, systems_to_log_in
from mlc_pipelines.wiring.rooms import open_desk

PERIOD = "FY2026-P03"
Acme = Callable[..., Named]


@pytest.fixture
def sandbox(running_sandbox: Sandbox) -> Sandbox:
    """As it was seeded, but for the books: nothing here changes them, and to seed them takes longest."""
    running_sandbox.clock.reset()
    running_sandbox.tenant.reset()
    running_sandbox.site.reset_switches()
    running_sandbox.site.close_all()
    running_sandbox.traffic.clear()
    return running_sandbox


@pytest.fixture
def acme(written: Acme, demo: Named) -> Acme:
    """The same, with the demo's credentials in the vault."""
    return written


@pytest.fixture
def written(running_sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Acme:
    """The demo connection with some fields changed, as a file of its own; None takes a field away."""
    monkeypatch.setenv("MLC_SANDBOX_URL", running_sandbox.url)
    published = find("demo").file.read_text()

    def build(erp: dict[str, Any] | None = None, anaplan: dict[str, Any] | None = None) -> Named:
        said = yaml.safe_load(published)
        for part, changes in (("erp", erp or {}), ("anaplan", anaplan or {})):
            fields = {**said["attributes"][part], **changes}
            said["attributes"][part] = {name: value for name, value in fields.items() if value is not None}
        file = tmp_path / "acme.yaml"
        file.write_text(yaml.safe_dump(said))
        return read_one(file)

    return build


def short(seconds: float) -> None:
    """No waiting."""


def loaded(named: Named) -> list[str]:
    """The steps of a whole load, and then the same again by a second run."""
    with open_desk(named, sleep=short) as desk:
        refresh_reference(desk)
        return [report.step for report in load_actuals(desk, PERIOD)]


def oauth(sandbox: Sandbox, way: str) -> dict[str, Any]:
    return {"auth": way, "credential": "acme-plan", "oauth_url": sandbox.url}


def store_plan(sandbox: Sandbox, *fields: str) -> None:
    """Fields of the sandbox's info under the names that the vault wants."""
    info = sandbox.info["anaplan"]
    names = {
        "oauth_client_id": "client_id",
        "oauth_device_client_id": "client_id",
        "oauth_client_secret": "client_secret",
    }
    names["certificate_password"] = "passphrase"
    Store.open().vault.put("acme-plan", {names.get(field, field): info[field] for field in fields})


class AnaplanPerson:
    """Opens the address, agrees at Anaplan, and lets the browser come back."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def __call__(self, invitation: Invitation) -> None:
        asked = dict(parse_qsl(urlsplit(invitation.address).query))
        urllib.request.urlopen(self._sandbox.tenant.oauth.consent(asked), timeout=10).close()


class AcumaticaPerson:
    """Opens the address, fills in the form there, and lets the browser follow the redirect."""

    def __init__(self, sandbox: Sandbox, **form: str) -> None:
        erp = sandbox.info["acumatica"]
        self._form = {"username": erp["username"], "password": erp["password"], "decision": "allow"} | form

    def __call__(self, invitation: Invitation) -> None:
        urllib.request.urlopen(invitation.address, urlencode(self._form).encode(), timeout=10).close()


def test_a_load_with_a_certificate_from_the_vault(acme: Acme, sandbox: Sandbox) -> None:
    """PKCS#12 with its passphrase: read, mapped, loaded and proved equal, and nobody stays logged in."""
    store_plan(sandbox, "certificate_password")
    vault = Store.open().vault
    opened = {name: secret.reveal() for name, secret in vault.open("acme-plan").items()}
    vault.put("acme-plan", opened | {"private_key": sandbox.info["anaplan"]["pkcs12"]})
    steps = loaded(acme(anaplan={"auth": "certificate", "credential": "acme-plan"}))
    assert "actuals_import" == steps[-1]
    assert {} == dict(sandbox.tenant.logins.tokens)


def test_a_load_after_a_log_in_by_browser(acme: Acme, sandbox: Sandbox) -> None:
    """Both systems by OAuth: logged in once each, then a whole load without a person."""
    store_plan(sandbox, "oauth_client_id", "oauth_client_secret")
    named = acme(erp={"auth": "oauth_code"}, anaplan=oauth(sandbox, "oauth_code"))
    assert ["anaplan", "acumatica"] == systems_to_log_in(named)
    people = {"anaplan": AnaplanPerson(sandbox), "acumatica": AcumaticaPerson(sandbox)}
    credentials = [log_in(named, system, show=people[system], wait_seconds=10) for system in people]
    assert ["acme-plan", "demo-acumatica"] == credentials
    assert "actuals_import" == loaded(named)[-1]


def test_a_run_by_device_grant_goes_on_from_the_kept_log_in(acme: Acme, sandbox: Sandbox) -> None:
    """Two runs, one log-in; the second uses what the first one kept."""
    store_plan(sandbox, "oauth_device_client_id")
    named = acme(anaplan=oauth(sandbox, "oauth_device"))

    def person(invitation: Invitation) -> None:
        sandbox.tenant.oauth.decide("approve", invitation.code)

    assert "acme-plan" == log_in(named, "anaplan", show=person, wait_seconds=10, sleep=short)
    for _ in range(2):
        with open_desk(named, sleep=short) as desk:
            assert sandbox.info["anaplan"]["model_id"] == desk.plan.key()
    assert 3 == Store.open().vault.put("acme-plan (log-in)", {"refresh_token": "", "application": ""}) - 1


def test_before_the_log_in_a_run_names_the_command(acme: Acme, sandbox: Sandbox) -> None:
    """Nothing is called with a token that nobody has."""
    store_plan(sandbox, "oauth_client_id", "oauth_client_secret")
    named = acme(erp={"auth": "oauth_code"}, anaplan=oauth(sandbox, "oauth_code"))
    with open_desk(named, sleep=short) as desk:
        with pytest.raises(SetupError, match="Nobody has logged in yet") as caught:
            desk.plan.key()
        assert "mlc login acme --system anaplan" in caught.value.next_step
        with pytest.raises(SetupError, match="Nobody has logged in yet") as caught:
            desk.ledger.identity()
        assert "mlc login acme --system acumatica" in caught.value.next_step


def test_a_refused_log_in_changes_nothing(acme: Acme, sandbox: Sandbox) -> None:
    """The person pressed cancel: what was kept before is still there."""
    named = acme(erp={"auth": "oauth_code"})
    log_in(named, "acumatica", show=AcumaticaPerson(sandbox), wait_seconds=10)
    before = Store.open().vault.names()
    with pytest.raises(SetupError, match="access_denied"):
        log_in(named, "acumatica", show=AcumaticaPerson(sandbox, decision="deny"), wait_seconds=10)
    assert before == Store.open().vault.names()


def test_an_interrupted_log_in_stores_nothing(acme: Acme, sandbox: Sandbox) -> None:
    """Ctrl-C while the code is shown, and nothing listens any more."""
    store_plan(sandbox, "oauth_client_id", "oauth_client_secret")
    named = acme(anaplan=oauth(sandbox, "oauth_code"))
    before = Store.open().vault.names()
    addresses: list[str] = []

    def interrupt(invitation: Invitation) -> None:
        addresses.append(dict(parse_qsl(urlsplit(invitation.address).query))["redirect_uri"])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        log_in(named, "anaplan", show=interrupt, wait_seconds=10)
    assert before == Store.open().vault.names()
    with pytest.raises(urllib.error.URLError, match="refused"):
        urllib.request.urlopen(addresses[0], timeout=5)


def test_the_port_of_the_redirect_is_that_of_the_connection(acme: Acme, sandbox: Sandbox) -> None:
    """Systems compare the whole address with the registered one."""
    port = _free_port()
    sandbox.set_switches(acumatica={"redirect_uris": [f"http://127.0.0.1:{port}/callback"]})
    named = acme(erp={"auth": "oauth_code", "redirect_port": port})
    assert "demo-acumatica" == log_in(named, "acumatica", show=AcumaticaPerson(sandbox), wait_seconds=10)


def test_a_log_in_that_is_not_needed_is_refused(acme: Acme) -> None:
    """A password logs in by itself."""
    named = acme()
    assert [] == systems_to_log_in(named)
    with pytest.raises(SetupError, match="logs in to anaplan without a person"):
        log_in(named, "anaplan", show=lambda _invitation: None, wait_seconds=1)


def test_an_application_of_another_tenant_cannot_be_logged_in_to(acme: Acme, sandbox: Sandbox) -> None:
    """Before a browser is sent anywhere."""
    fields = {"client_id": "A1B2@Elsewhere", "client_secret": "s"}
    Store.open().vault.put("demo-acumatica", fields)
    with pytest.raises(SetupError, match="belongs to tenant 'Elsewhere'"):
        log_in(acme(erp={"auth": "oauth_code"}), "acumatica", show=AcumaticaPerson(sandbox), wait_seconds=1)


def test_key_and_certificate_from_files_beside_the_connection(acme: Acme, sandbox: Sandbox, tmp_path: Path) -> None:
    """PKCS#12 as it is; the passphrase stays in the vault. A key that everybody can read is refused with the command that mends it."""
    store_plan(sandbox, "certificate_password")
    key = tmp_path / "plan.p12"
    key.write_bytes(base64.b64decode(sandbox.info["anaplan"]["pkcs12"]))
    key.chmod(0o600)
    named = acme(
        anaplan={"auth": "certificate", "credential": "acme-plan", "certificate": {"private_key_file": "plan.p12"}}
    )
    with open_desk(named, sleep=short) as desk:
        assert sandbox.info["anaplan"]["model_id"] == desk.plan.key()
    key.chmod(0o644)
    with pytest.raises(SetupError, match=r"can be read by everybody \(mode 0644\)") as caught, open_desk(named):
        pass
    assert f"chmod 600 {key}" in caught.value.next_step
    key.unlink()
    with pytest.raises(SetupError, match=r"plan\.p12 cannot be read"), open_desk(named):
        pass


def test_files_need_no_credential_where_the_key_has_no_passphrase(acme: Acme, sandbox: Sandbox, tmp_path: Path) -> None:
    """PEM files alone."""
    for name in ("private_key", "certificate"):
        file = tmp_path / f"{name}.pem"
        file.write_text(sandbox.info["anaplan"][name])
        file.chmod(0o600)
    files = {"private_key_file": "private_key.pem", "certificate_file": "certificate.pem"}
    named = acme(anaplan={"auth": "certificate", "credential": None, "certificate": files})
    with open_desk(named, sleep=short) as desk:
        assert sandbox.info["anaplan"]["model_id"] == desk.plan.key()


def test_a_key_in_two_places_is_refused(acme: Acme, sandbox: Sandbox, tmp_path: Path) -> None:
    """Which one counts would be a guess."""
    store_plan(sandbox, "private_key", "certificate")
    (tmp_path / "key.pem").write_text(sandbox.info["anaplan"]["private_key"])
    (tmp_path / "key.pem").chmod(0o600)
    named = acme(
        anaplan={"auth": "certificate", "credential": "acme-plan", "certificate": {"private_key_file": "key.pem"}}
    )
    with pytest.raises(SetupError, match="private_key of the Anaplan log-in stand"), open_desk(named):
        pass


def test_what_a_credential_lacks_is_named(acme: Acme, sandbox: Sandbox) -> None:
    """Each way needs its own fields."""
    Store.open().vault.put("acme-plan", {"note": "nothing"})
    ways = {
        "basic": "username, password",
        "certificate": "private_key",
        "oauth_device": "client_id",
        "oauth_code": "client_id, client_secret",
    }
    for way, needed in ways.items():
        named = acme(anaplan={"auth": way, "credential": "acme-plan", "oauth_url": sandbox.url})
        with pytest.raises(SetupError, match=f"'acme-plan' lacks {needed}"), open_desk(named):
            pass


US9 = {"auth_url": None, "api_url": None, "region": "us9"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"region": "us9"}, "region us9 and auth_url, api_url contradict each other"),
        ({"api_url": None}, "give auth_url and api_url both"),
        ({"auth": "oauth_device"}, "give oauth_url as well"),
        ({**US9, "region": "us3"}, "us3"),
        ({"certificate": {"header": "der"}}, "nothing is done with `certificate`"),
        ({"redirect_port": 4711}, "nothing is done with `redirect_port`"),
        ({"credential": None}, "credential is missing"),
        (
            {"auth": "certificate", "certificate": {"private_key_file": "-----BEGIN PRIVATE KEY-----" + "A" * 300}},
            "250",
        ),
    ],
)
def test_contradictions_are_refused_when_the_file_is_read(written: Acme, changes: dict[str, Any], said: str) -> None:
    """Region or own addresses, never both; nothing that would be passed over in silence; no pasted key is shown."""
    with pytest.raises(SetupError) as caught:
        written(anaplan=changes)
    assert said in str(caught.value)
    assert "AAAA" not in str(caught.value)


def test_a_port_without_its_way_to_sign_in_is_refused(written: Acme) -> None:
    """For the ERP as well."""
    with pytest.raises(SetupError, match="nothing is done with `redirect_port`"):
        written(erp={"redirect_port": 4711})


def test_a_region_gives_all_addresses(written: Acme) -> None:
    """And without anything it is the first region's."""
    assert "https://us9.app.anaplan.com" == written(anaplan=US9).settings.anaplan.addresses.oauth_url
    plain = written(anaplan={**US9, "region": None}).settings.anaplan.addresses
    assert ("https://auth.anaplan.com", "https://api.anaplan.com/2/0") == (plain.auth_url, plain.api_url)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
