"""The one place where the vault is opened: a connection's credential -> what its room logs in with. Nothing is revealed here."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mlc_pipelines.acumatica.config import AcumaticaCredential
from mlc_pipelines.anaplan.auth import Credential
from mlc_pipelines.anaplan.config import AnaplanCredential, OAuthCredential
from mlc_pipelines.epicor.config import EpicorCredential
from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.store.home import Store
from mlc_pipelines.store.tokens import LogIn
from mlc_pipelines.transport.secret import Secret
from mlc_pipelines.wiring import settings
from mlc_pipelines.wiring.connections import Named
from mlc_pipelines.wiring.erps import EpicorErp

if TYPE_CHECKING:
    from mlc_pipelines.anaplan.certificate import CertificateLogIn

_ACUMATICA_NEEDS = {
    "oauth_password": ("username", "password", "client_id", "client_secret"),
    "oauth_code": ("client_id", "client_secret"),
    "cookie": ("username", "password"),
}


def acumatica_credential(named: Named, store: Store) -> AcumaticaCredential:
    """The fields that the way of signing in needs. Raises SetupError naming those that the vault lacks."""
    erp = named.settings.erp
    opened = opened_credential(store, erp.credential, _ACUMATICA_NEEDS[erp.auth])
    nothing = Secret("", "not needed")
    return AcumaticaCredential(
        username=opened.get("username", nothing),
        password=opened.get("password", nothing),
        client_id=opened.get("client_id", nothing),
        client_secret=opened.get("client_secret", nothing),
        name=erp.credential,
        keeper=acumatica_log_in(named, store),
    )


_EPICOR_NEEDS = {
    "basic": ("api_key", "username", "password"),
    "token": ("api_key", "username", "password"),
    "client_credentials": ("api_key", "client_id", "client_secret"),
}


def epicor_credential(erp: EpicorErp, store: Store) -> EpicorCredential:
    """The API key and what the way of signing in needs beside it. Raises SetupError naming what the vault lacks."""
    needed = _EPICOR_NEEDS[erp.auth]
    opened = opened_credential(store, erp.credential, needed)
    return EpicorCredential(**{field: opened[field] for field in needed}, name=erp.credential)


def acumatica_log_in(named: Named, store: Store) -> LogIn:
    return store.log_in(named.settings.erp.credential, command=f"mlc login {named.name} --system acumatica")


def anaplan_credential(named: Named, store: Store) -> Credential:
    """What `anaplan.auth` asks for. Raises SetupError naming the fields that the vault lacks, or the file that cannot be used."""
    plan = named.settings.anaplan
    if plan.auth == "certificate":
        return _certificate(named, plan, store)
    if plan.auth != "basic":
        return anaplan_oauth_credential(named, store)
    opened = opened_credential(store, plan.credential, ("username", "password"))
    return AnaplanCredential(opened["username"], opened["password"], plan.credential)


def anaplan_oauth_credential(named: Named, store: Store) -> OAuthCredential:
    """A device-grant client has no secret [S OAS oauth], an authorization-code client has one."""
    name, by_device = named.settings.anaplan.credential, named.settings.anaplan.auth == "oauth_device"
    opened = opened_credential(store, name, ("client_id",) if by_device else ("client_id", "client_secret"))
    keeper = store.log_in(name, command=f"mlc login {named.name} --system anaplan")
    return OAuthCredential(opened["client_id"], None if by_device else opened["client_secret"], keeper, name)


def _certificate(named: Named, plan: settings.Anaplan, store: Store) -> "CertificateLogIn":
    """Key and certificate from the vault, or from files that the connection names."""
    from mlc_pipelines.anaplan.certificate import CertificateLogIn

    said = plan.certificate
    files = {"private_key": said.private_key_file, "certificate": said.certificate_file}
    from_files = {field: _file(named, field, name) for field, name in files.items() if name}
    stored = store.vault.open(plan.credential) if plan.credential else {}
    if twice := sorted(from_files.keys() & stored.keys()):
        raise SetupError(
            f"{' and '.join(twice)} of the Anaplan log-in stand in credential {plan.credential!r} and in a file as well.",
            holds="Nothing was called.",
            next_step=f"Delete {' and '.join(f'`{field}_file`' for field in twice)} from the connection file, or store the credential again without.",
        )
    opened = {**stored, **from_files}
    _require(opened, plan.credential, ("private_key",))
    nothing = Secret("", "not needed")
    return CertificateLogIn(
        private_key=opened["private_key"],
        certificate=opened.get("certificate", nothing),
        passphrase=opened.get("passphrase", nothing),
        header=said.header,
        payload=said.payload,
        timestamp=said.timestamp,
        name=plan.credential or said.private_key_file,
    )


def _file(named: Named, field: str, name: str) -> Secret:
    """The content of a file beside the connection file, or anywhere."""
    path = named.file.parent / name
    try:
        content, mode = path.read_bytes(), path.stat().st_mode
    except OSError as error:
        raise SetupError(
            f"The {field} file {path} cannot be read ({error.strerror}).",
            next_step=f"Correct `anaplan.certificate.{field}_file` in the connection file.",
        ) from None
    if field == "private_key" and mode & 0o007:
        raise SetupError(
            f"The private key file {path} can be read by everybody (mode {mode & 0o777:04o}).",
            holds="It was not used.",
            next_step=f"chmod 600 {path}, or store it with `mlc secrets set`.",
        )
    from mlc_pipelines.anaplan.certificate import file_as_text

    return Secret(file_as_text(content), f"{name}/{field}")


def opened_credential(store: Store, name: str, needed: tuple[str, ...]) -> dict[str, Secret]:
    """The fields of a stored credential. Raises SetupError when it is not there or lacks one of the needed ones."""
    opened = store.vault.open(name)
    _require(opened, name, needed)
    return opened


def _require(opened: Mapping[str, Secret], name: str, needed: tuple[str, ...]) -> None:
    if missing := [field for field in needed if field not in opened]:
        raise SetupError(
            f"Credential {name!r} lacks {', '.join(missing)}.",
            next_step=f"Store it again with `mlc secrets set {name}`.",
        )
