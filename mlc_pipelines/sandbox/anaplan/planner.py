"""What planners and whoever approves do to a plan by hand: a year's figure spread, an approval given or taken back. For tests."""

from decimal import Decimal
from typing import Any

from mlc_pipelines.sandbox.anaplan.plan import APPROVED, DRAFT, PLAN, evidence_of, put_evidence
from mlc_pipelines.sandbox.anaplan.tenant import Tenant

FINEST = Decimal("0.000000000001")


def spread(tenant: Tenant, key: tuple[str, ...], amount: Decimal, model: str = "") -> None:
    """Write a figure into a fiscal year of the plan ("FY27"): each period takes the same share, which is finer than cents.

    `key` is account, cost center, year, version. The shares add up to the figure but for what twelve decimals cannot say.
    """
    with tenant.lock:
        tenant.settle()
        place = tenant.model(model)
        account, center, year, version = key
        periods = [one.label for one in place.time.months.values() if place.time.year_label(one.year) == year]
        if not periods:
            raise KeyError(year)
        share = (amount / len(periods)).quantize(FINEST)
        for period in periods:
            tenant.edit_cell((account, center, period, version), share, place.id, PLAN)


def approve(
    tenant: Tenant,
    plan: str,
    *,
    by: str = "R. Okafor",
    at: str = "",
    revision: str = "",
    only: str = "",
    model: str = "",
) -> None:
    """Approve the next revision of a plan ("FY2027 Budget"), or the one named, now or at a time given as text.

    It is written into the list and the cells, or into one of them alone (`only`: list or cells). KeyError on an unknown plan.
    """
    with tenant.lock:
        now, place = tenant.settle(), tenant.model(model)
        held = {one["plan"]: one for one in evidence_of(place)}[plan]
        after = revision or str(int(held["list"]["Revision"]) + 1)
        said = {
            "Status": APPROVED,
            "Approved By": by,
            "Approved At": at or f"{now:%Y-%m-%dT%H:%M:%SZ}",
            "Revision": after,
        }
        put_evidence(place, plan, said, only)


def withdraw(tenant: Tenant, plan: str, *, only: str = "", model: str = "") -> None:
    """Take an approval back: the plan is a draft again, of the same revision. KeyError on an unknown plan."""
    with tenant.lock:
        tenant.settle()
        put_evidence(tenant.model(model), plan, {"Status": DRAFT, "Approved By": "", "Approved At": ""}, only)


def truth_approvals(tenant: Tenant, model: str = "") -> list[dict[str, Any]]:
    """What the approval of each plan says, in the list and in the cells."""
    with tenant.lock:
        tenant.settle()
        return evidence_of(tenant.model(model))
