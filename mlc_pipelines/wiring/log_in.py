"""A person logs in once, so that later runs can: which system of a connection needs it, and how."""

import time
from collections.abc import Callable

from mlc_pipelines.acumatica import auth as acumatica
from mlc_pipelines.anaplan import auth as anaplan
from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.store.home import Store
from mlc_pipelines.transport.log_in import Show, log_in_by_browser, log_in_by_device
from mlc_pipelines.transport.oauth import OAuthClient, TokenKeeper
from mlc_pipelines.wiring.configs import acumatica_config, anaplan_config
from mlc_pipelines.wiring.connections import Named
from mlc_pipelines.wiring.credentials import acumatica_credential, acumatica_log_in, anaplan_oauth_credential
from mlc_pipelines.wiring.erps import AcumaticaErp

SYSTEMS = ("anaplan", "acumatica")


def systems_to_log_in(named: Named) -> list[str]:
    """The systems of the connection where a person must log in once."""
    erp, plan = named.settings.erp, named.settings.anaplan
    needs = {"anaplan": plan.auth.startswith("oauth_"), "acumatica": erp.auth == "oauth_code"}
    return [system for system in SYSTEMS if needs[system]]


def log_in(
    named: Named,
    system: str,
    *,
    show: Show,
    wait_seconds: float,
    store: Store | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> str:
    """Log in to one system and keep the log-in, all of it or nothing; returns the name of its credential.

    Raises SetupError when the connection logs in there in another way, or the log-in is refused; TransientError when nobody finished in time.
    """
    if system not in systems_to_log_in(named):
        raise SetupError(
            f"Connection {named.name} logs in to {system} without a person: there is nothing to do.",
            holds="Nothing was stored.",
            next_step=f"Run `mlc load {named.name} PERIOD --dry-run` to try its log-in, or change `auth` in {named.file}.",
        )
    client, keeper, name = _application(named, system, store or Store.open())
    if system == "anaplan" and named.settings.anaplan.auth == "oauth_device":
        token = log_in_by_device(client, show=show, sleep=sleep)
    else:
        erp, plan = named.settings.erp, named.settings.anaplan
        port = erp.redirect_port if system == "acumatica" and isinstance(erp, AcumaticaErp) else plan.redirect_port
        token = log_in_by_browser(client, port=port, wait_seconds=wait_seconds, show=show, sleep=sleep)
    with keeper.held():
        keeper.keep(token, client.application)
    return name


def _application(named: Named, system: str, store: Store) -> tuple[OAuthClient, TokenKeeper, str]:
    """The registered application, who keeps its log-in, and the name of its credential."""
    erp = named.settings.erp
    if system == "acumatica" and isinstance(erp, AcumaticaErp):
        client = acumatica.oauth_client(acumatica_config(erp), acumatica_credential(named, store))
        return client, acumatica_log_in(named, store), erp.credential
    plan = anaplan_oauth_credential(named, store)
    return anaplan.oauth_client(anaplan_config(named.settings.anaplan), plan), plan.keeper, plan.name
