"""Made-up secrets in every place where a real one would be, and what the emulated systems hand out themselves."""

import random
import secrets
import string
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives import serialization

import mlc_pipelines
from mlc_pipelines.sandbox.anaplan.logins import Logins
from mlc_pipelines.sandbox.epicor.site import Kinetic
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.store.home import Store

PUBLISHED = Path(mlc_pipelines.__file__).parent / "connections"
_LETTERS = string.ascii_letters + string.digits
_AWKWARD = '+/=&"ö%2F\\'
_PUSH = "    push: {credential: acme-push, query: MLC GL Changes, period_field: PostPeriod}\n\n  anaplan:\n"


def canary(name: str) -> str:
    """Random, and so awkward that whoever escapes it wrongly is seen."""
    return f"{name}-{''.join(random.SystemRandom().choices(_LETTERS, k=20))}{_AWKWARD}"


class Canaries:
    """All of them by name. `handed_out`: sessions and tokens, as the emulated systems make them."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.given: dict[str, str] = {}
        self.handed_out: list[str] = []
        self.on_token: Callable[[str], None] = lambda _token: None

    def __iter__(self):
        return iter([*self.given.values(), *self.handed_out])

    def record(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """From now on, whatever a system hands out is one. The sandbox runs in this process, the clients in others."""
        for name in ("token_hex", "token_urlsafe"):
            monkeypatch.setattr(secrets, name, self._kept(getattr(secrets, name)))
        monkeypatch.setattr(Logins, "open", self._kept(Logins.open, lambda token: token.value))
        monkeypatch.setattr(Kinetic, "open_session", self._kept(Kinetic.open_session))

    def _kept(self, make: Callable[..., Any], value: Callable[[Any], str] = str) -> Callable[..., Any]:
        def recorded(*arguments: Any, **named: Any) -> Any:
            made = make(*arguments, **named)
            self.handed_out.append(value(made))
            self.on_token(value(made))
            return made

        return recorded

    def install(self, store: Store, place: Path) -> None:
        """In the emulated systems and in the vault; and the connections that use them: demo, demo_epicor, acme, acme_oauth, acme_epicor."""
        site, kinetic, tenant = self.sandbox.site, self.sandbox.kinetic, self.sandbox.tenant
        given = self.given
        for name in ("acumatica-user", "acumatica-password", "acumatica-client-secret", "epicor-key", "epicor-user"):
            given[name] = canary(name)
        for name in ("epicor-password", "epicor-client-secret", "anaplan-password", "passphrase", "push"):
            given[name] = canary(name)
        given["anaplan-user"] = f"planner.{uuid.uuid4().hex}@example.com"
        given["epicor-user"] = given["epicor-user"].replace(":", "").replace("ö", "o")
        site.username, site.password = given["acumatica-user"], given["acumatica-password"]
        site.client_secret = given["acumatica-client-secret"]
        kinetic.api_key, kinetic.username, kinetic.password = (
            given[f"epicor-{one}"] for one in ("key", "user", "password")
        )
        kinetic.client_secret = given["epicor-client-secret"]
        user = replace(tenant.world.users[0], email=given["anaplan-user"], password=given["anaplan-password"])
        tenant.world.users[0] = user
        code_client = tenant.oauth.code_client
        given["anaplan-client-secret"] = code_client.secret
        key = tenant.certificates.main.private_key.splitlines()
        given["certificate-key"], given["certificate-key-2"] = key[3], key[9]
        encrypted = _encrypted(tenant.certificates.main.private_key, given["passphrase"])
        vault, info = store.vault, self.sandbox.info
        erp = {"username": site.username, "password": site.password}
        vault.put("demo-acumatica", {**erp, "client_id": site.client_id, "client_secret": site.client_secret})
        vault.put("demo-anaplan", {"username": user.email, "password": user.password})
        vault.put("demo-epicor", {field: info["epicor"][field] for field in ("api_key", "username", "password")})
        vault.put("acme-epicor", {field: info["epicor"][field] for field in ("api_key", "client_id", "client_secret")})
        certificate = info["anaplan"]["certificate"]
        vault.put(
            "acme-plan", {"private_key": encrypted, "certificate": certificate, "passphrase": given["passphrase"]}
        )
        vault.put("acme-oauth", {"client_id": code_client.id, "client_secret": code_client.secret})
        vault.put("acme-push", {"header_value": given["push"]})
        self._connections(place)

    def _connections(self, place: Path) -> None:
        url = self.sandbox.url
        for name in ("demo", "demo_epicor"):
            text = (PUBLISHED / f"{name}.yaml").read_text()
            (place / f"{name}.yaml").write_text(text.replace("\n  anaplan:\n", _PUSH, 1) if name == "demo" else text)
        acme: dict[str, dict[str, Any]] = {
            "acme": {"erp": {"auth": "cookie"}, "anaplan": {"auth": "certificate", "credential": "acme-plan"}},
            "acme_oauth": {
                "erp": {"auth": "oauth_code"},
                "anaplan": {"auth": "oauth_code", "credential": "acme-oauth", "oauth_url": url},
            },
        }
        acme["acme_epicor"] = {
            "erp": {
                "auth": "client_credentials",
                "credential": "acme-epicor",
                "identity_url": self.sandbox.info["epicor"]["token_url"],
            },
        }
        for name, changes in acme.items():
            said = yaml.safe_load((place / ("demo_epicor.yaml" if name == "acme_epicor" else "demo.yaml")).read_text())
            for part, fields in changes.items():
                said["attributes"][part] |= fields
            (place / f"{name}.yaml").write_text(yaml.safe_dump(said))


def _encrypted(key: str, passphrase: str) -> str:
    loaded = serialization.load_pem_private_key(key.encode(), None)
    return loaded.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(passphrase.encode()),
    ).decode()
