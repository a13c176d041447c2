"""Which tenant answered. A site sends a sign-in that names no tenant, or one it does not know yet, to its default tenant without a word.

[C acumatica-cli: docs/rest-api.md, build 26.101]: an unknown tenant of a site with several is refused; an empty name is the default
tenant; a site with one takes any name; and after tenants were added, names can lead to the default one until the site restarts. The
REST API does not tell the tenant; the sign-in page of a signed-in user does. A token cannot go astray: its client id belongs to one tenant.
"""

import re
from collections.abc import Sequence

from mlc_pipelines.acumatica import wire
from mlc_pipelines.acumatica.config import AcumaticaConfig
from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.transport.caller import Caller

_PAGE = "/Frames/Login.aspx"
_INPUT = re.compile(r"<input[^>]*\btxtSingleCompany\b[^>]*>", re.I)
_VALUE = re.compile(r"""\bvalue=(["'])(.*?)\1""", re.I)


def require_tenant(caller: Caller, config: AcumaticaConfig) -> None:
    """Raises SetupError when the session stands in another tenant. A site without that page is judged by its companies alone."""
    if config.auth != "cookie":
        return
    answer = caller.read("GET", _PAGE, expect=(200, 302, 401, 403, 404))
    found = _INPUT.search(answer.body.decode("utf-8", "replace"))
    value = _VALUE.search(found.group()) if found else None
    if value is None or value[2].casefold() == config.tenant.casefold():
        return
    raise SetupError(
        f"The sign-in for tenant {config.tenant!r} led to tenant {value[2]!r}.",
        holds="Nothing was read.",
        next_step=f"If {value[2]!r} is the right one, write it into `erp.tenant`; if not, ask the Acumatica administrator whether the "
        "tenant exists, and to restart the site if it was added lately.",
    )


def require_companies(ledgers: Sequence[wire.Ledger], config: AcumaticaConfig) -> None:
    """Raises SetupError when the ledgers belong to other companies than the connection names: a copy or another tenant answered."""
    found = {company.company.value or "" for ledger in ledgers for company in ledger.companies}
    if not config.companies or found == set(config.companies):
        return
    raise SetupError(
        f"Tenant {config.tenant} was expected to have the companies {', '.join(sorted(config.companies))}; "
        f"the one that answered has {', '.join(sorted(found)) or 'none'}.",
        holds="Nothing was read.",
        next_step="Correct `erp.tenant`, or bring `erp.companies` up to date if companies were added or closed.",
    )
