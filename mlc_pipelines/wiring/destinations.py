"""The books that a plan goes into, by their names. Light: the servers that only show definitions load it too."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from mlc_pipelines.ledger.drafts import Destination
from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.wiring.connections import Named
from mlc_pipelines.wiring.erps import AcumaticaErp, EpicorErp
from mlc_pipelines.wiring.plans import OfAcumatica, OfEpicor, Plan, PlanBookJournal


@dataclass(frozen=True, slots=True)
class Company:
    """The ERP company that is written into, by one process at a time. Its name holds no secret and no path."""

    name: str

    @property
    def pool(self) -> str:
        """The Dagster pool of one."""
        return "erp_" + "".join(letter if letter.isalnum() else "_" for letter in self.name).lower()


def destination_of(named: Named, plan: Plan) -> tuple[Destination, Company]:
    """Which books, in the names of the ERP, and the company that its one writer holds.

    Our own part of a journal's reference is the connection's name: an installation that lost its memory gives the same references again, and
    so finds what it has posted. Site addresses stay out of it, since they may change.
    """
    erp, to = named.settings.erp, plan.destination
    site = urlsplit(erp.url).netloc
    if isinstance(to, OfAcumatica) and isinstance(erp, AcumaticaErp):
        company = to.company or erp.every_book[0].company
        return Destination(named.name, erp.tenant, company, to.ledger, True), Company(f"{site} {erp.tenant} {company}")
    if isinstance(erp, EpicorErp) and isinstance(to, OfEpicor):
        instance = urlsplit(erp.url).path.rstrip("/").rpartition("/")[2]
        balances = isinstance(to, PlanBookJournal)
        ledger = to.book if isinstance(to, PlanBookJournal) else f"{to.book} {to.budget_code}".strip()
        return Destination(named.name, instance, erp.company, ledger, not balances), Company(
            f"{site} {instance} {erp.company}"
        )
    raise SetupError(
        f"{erp.system} has no destination {to.kind}.",
        holds="Nothing was read or sent.",
        next_step="Name one that it has under plans.*.destination in the connection file; docs/budgets.md lists them.",
    )
