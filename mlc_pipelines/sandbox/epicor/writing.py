"""The methods that write, by service. Each is carried out by itself, one after the other."""

from collections.abc import Mapping
from typing import Any

from mlc_pipelines.sandbox.epicor import wire
from mlc_pipelines.sandbox.epicor.budgets import Budgets, default_code
from mlc_pipelines.sandbox.epicor.groups import Groups
from mlc_pipelines.sandbox.epicor.journals import Journals
from mlc_pipelines.sandbox.epicor.keeper import Method
from mlc_pipelines.sandbox.epicor.posting import Posting
from mlc_pipelines.sandbox.epicor.reading import Call
from mlc_pipelines.sandbox.epicor.review import Review
from mlc_pipelines.sandbox.epicor.schema import Service
from mlc_pipelines.sandbox.epicor.site import Kinetic
from mlc_pipelines.sandbox.epicor.tasks import Tasks

BY_GET = {"GetNewParameters", "GetDefaultBudgetCode", "GetByGroupID"}
"""Methods that store nothing and may be asked by GET as well [S SNO for the first; I]."""


class Writing:
    """What can be written on one instance."""

    def __init__(self, site: Kinetic) -> None:
        """All of it goes into the same books."""
        self._site = site
        self.groups = Groups(site)
        self.journals = Journals(site, self.groups)
        self.review = Review(site, self.groups)
        self.posting = Posting(site, self.groups, self.journals, self.review)
        self.budgets = Budgets(site)
        self.tasks = Tasks(site, self.posting)
        site.writing = self

    def method(self, service: Service, name: str) -> Method | None:
        """The method of this name, its case exact; None for one that there is not."""
        match service.name:
            case "Erp.BO.GLJrnGrpSvc":
                return {**self.groups.methods, **self.posting.methods}.get(name)
            case "Erp.BO.GLJournalEntrySvc":
                return self.journals.methods.get(name)
            case "Erp.BO.AccountBudgetSvc":
                return self.budgets.methods.get(name)
            case "Erp.BO.BudgetCodeSvc":
                return {"GetDefaultBudgetCode": default_code(self._site)}.get(name)
            case "Erp.Proc.GLJrnAsynchSvc":
                return self.tasks.methods.get(name)
        return None

    def call(self, method: Method, call: Call, given: Mapping[str, Any]) -> bytes:
        """The answer of a method."""
        return wire.encoded(method(call, given))
