"""A controller's approval of what would be written: given for one content, by somebody else than prepared it, and void once anything changed."""

from mlc_pipelines.flows.approved import PlanApproval, read_plan_approval
from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.route import PlanRoute
from mlc_pipelines.flows.steps import NOTHING_WRITTEN
from mlc_pipelines.ledger.drafts import Approval, ApprovalVoid
from mlc_pipelines.ledger.errors import DataError, WaitingError
from mlc_pipelines.store.history import Step

_SHORTEST = 8


class SamePerson(DataError):  # noqa: N818  # in the words of the rule
    """Who prepared the journals wants to approve them as well."""


def latest_preview(desk: Desk, route: PlanRoute, year: str) -> Step:
    """The newest preview of a plan and year. Raises DataError where it was made of older figures than the newest approved ones (F07), or for other books."""
    previewed = desk.store.history.require_step(desk.connection, route.steps.preview, year)
    approved = desk.store.history.require_step(desk.connection, route.steps.approved, year)
    if previewed.facts["approved"] != approved.artefact:
        raise ApprovalVoid(
            f"The preview of {route.plan_of(year)} was made of older figures than those exported last.",
            holds=NOTHING_WRITTEN,
            next_step=f"Preview it again: materialize {desk.connection}/{route.steps.preview}, or `mlc budget preview {desk.connection} {year}{route.option}`.",
        )
    if previewed.facts["books"] != str(route.destination):
        raise ApprovalVoid(
            f"The preview of {route.plan_of(year)} was made for {previewed.facts['books']}; the connection names {route.destination} now.",
            holds=NOTHING_WRITTEN,
            next_step=f"Preview it again, or restore plans.{route.name}.destination in the connection file.",
        )
    return previewed


def approve(desk: Desk, route: PlanRoute, year: str, content: str) -> Approval:
    """Approve the content whose hash begins so, as the person at the desk. It must be what the newest preview shows, and approved in the plan."""
    previewed = latest_preview(desk, route, year)
    package = str(previewed.facts["package"])
    if len(content) < _SHORTEST or not package.startswith(content):
        raise ApprovalVoid(
            f"The newest preview of {route.plan_of(year)} has content {package[:16] or 'without journals'}, not {content or 'nothing'}.",
            holds="Nothing was approved.",
            next_step=f"Look at the newest preview, and approve it by at least {_SHORTEST} characters of its content.",
        )
    _require_two(route, year, previewed, desk.who, "Nothing was approved.")
    evidence = require_same_evidence(desk, route, year, previewed)
    return desk.approvals.approve(route.plan_of(year), package, desk.who, evidence=str(evidence), note=_log_in(desk))


def _require_two(route: PlanRoute, year: str, previewed: Step, approver: str, holds: str) -> None:
    """Four eyes: whoever prepared the content is not who approves it, unless the company says that one person may be both."""
    if not route.same_person and approver == previewed.facts["prepared_by"]:
        raise SamePerson(
            f"{approver} prepared the journals of {route.plan_of(year)} and cannot approve them.",
            holds=holds,
            next_step=f"Have somebody else approve them, or declare `same_person: true` under plans.{route.name}.approval in the connection file.",
        )


def _log_in(desk: Desk) -> str:
    """Who of the operating system acted, where that is not the name given: a variable of the environment says who somebody is, and nothing proves it."""
    return f"log-in {desk.log_in}" if desk.log_in not in ("", desk.who) else ""


def require_approval(desk: Desk, route: PlanRoute, year: str, previewed: Step) -> Approval:
    """The approval of the newest preview. Raises WaitingError while nobody gave one, SamePerson where it is not somebody else's than the preparer's."""
    package = str(previewed.facts["package"])
    if approval := desk.approvals.find(package):
        _require_two(route, year, previewed, approval.by, "Nothing further was released.")
        return approval
    raise WaitingError(
        f"Nobody has approved the journals of {route.plan_of(year)} (content {package[:16]}), prepared by {previewed.facts['prepared_by']}.",
        holds=NOTHING_WRITTEN,
        next_step=f"Have them approved: `mlc budget approve {desk.connection} {year} {package[:16]}{route.option}`; then start the posting again.",
    )


def require_same_evidence(desk: Desk, route: PlanRoute, year: str, previewed: Step) -> PlanApproval:
    """The plan's own approval, read again. Raises ApprovalVoid where it is not the one that the preview was made under."""
    then, now = PlanApproval(**previewed.facts["approval"]), read_plan_approval(desk, route, year)
    if now != then:
        raise ApprovalVoid(
            f"The approval in Anaplan is not the one that was previewed any more: then {then}; now {now}.",
            holds="Nothing further was released.",
            next_step=f"Export and preview {route.plan_of(year)} again, and have it approved as it is now.",
        )
    return now


def withdraw(desk: Desk, route: PlanRoute, year: str, why: str) -> str:
    """Take the approval of the newest preview back; returns its content. What is released already stays released."""
    if not why.strip():
        raise DataError(
            "An approval is withdrawn for a reason, which is kept.",
            holds="The approval stands as it did.",
            next_step="Say why.",
        )
    previewed = desk.store.history.require_step(desk.connection, route.steps.preview, year)
    package = str(previewed.facts["package"])
    if desk.approvals.find(package) is None:
        raise DataError(
            f"The newest preview of {route.plan_of(year)} (content {package[:16]}) is not approved.",
            holds="Nothing was changed.",
            next_step="There is nothing to take back.",
        )
    desk.approvals.withdraw(route.plan_of(year), package, desk.who, "; ".join(filter(None, (why, _log_in(desk)))))
    return package
