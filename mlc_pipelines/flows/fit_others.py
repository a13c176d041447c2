"""Who else works in the model, and how long the log-in lives."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise

from mlc_pipelines.flows.premises import DAYS_AHEAD, Premises
from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.ledger.fit import (
    ENGINEER,
    MODEL_BUILDER,
    PLAN,
    WORKSPACE_ADMINISTRATOR,
    Check,
    Found,
    Scheduled,
    beware,
    fine,
    missing,
)

_STARTING_SECONDS = 120.0
_PASSWORD_DAYS = 80
_CERTIFICATE_DAYS = 30


def other_checks(premises: Premises) -> list[Check]:
    opened = ("set_up.plan", "plan.role")
    return [
        Check("plan.jobs", "CloudWorks schedules", PLAN, MODEL_BUILDER, partial(_jobs, premises), opened),
        Check("plan.age", "Age of the log-in", PLAN, ENGINEER, partial(_ages, premises), ("plan.log_in",)),
    ]


def _jobs(premises: Premises) -> Iterator[Found]:
    """No job of the customer's starts what we start, and they leave room between them. What cannot be seen stops no load."""
    try:
        jobs = premises.the_plan.scheduled(days=DAYS_AHEAD)
    except SetupError as error:
        yield beware(f"CloudWorks schedules cannot be seen: {error.what}", error.next_step, WORKSPACE_ADMINISTRATOR)
        return
    if jobs is None:
        yield fine("Not looked at: the connection names no address of CloudWorks, or `anaplan.cloudworks` is false.")
        return
    active = [job for job in jobs if job.runs or job.running]
    objections = list(_clashes(premises, jobs))
    runs = sorted(run for job in active for run in job.runs)
    needed = timedelta(seconds=premises.margin_seconds + _STARTING_SECONDS)
    if runs and _longest_gap(runs, premises.now()) <= needed:
        names = ", ".join(job.name for job in active if job.runs)
        objections.append(
            missing(
                f"The schedules of {names} leave no {needed.total_seconds() / 60:.0f} minutes between two starts: a load would always wait.",
                "Move the schedules, or have `anaplan.job_margin_minutes` lowered in the connection file.",
            )
        )
    else:
        objections += _in_the_way(premises, jobs)
    yield from objections
    if not objections:
        said = "; ".join(f"{job.name} next {job.runs[0]:%Y-%m-%d %H:%M} UTC" for job in active if job.runs)
        yield fine(f"No schedule stands in the way{f': {said}' if said else ''}.")


def _clashes(premises: Premises, jobs: Sequence[Scheduled]) -> Iterator[Found]:
    """Jobs that start an import or process of this connection's, and those whose schedule cannot be understood."""
    for job in jobs:
        if ours := sorted(premises.actions[one] for one in job.uses & set(premises.actions)):
            yield beware(
                f"The CloudWorks job {job.name} starts {', '.join(ours)}, which this connection loads by: it would load another file over our figures.",
                "Take the action out of the job, or build one of its own for the job.",
            )
        if job.problem:
            yield beware(f"The CloudWorks job {job.name} is not kept clear of: {job.problem}", "Look at its schedule.")


def _in_the_way(premises: Premises, jobs: Sequence[Scheduled]) -> Iterator[Found]:
    """Jobs that are due when the close calendar has a load begin: the load waits for them, each time."""
    margin, starting = timedelta(seconds=premises.margin_seconds), timedelta(seconds=_STARTING_SECONDS)
    for job in jobs:
        met = [(at, run) for at in premises.loads_at for run in job.runs if at - starting <= run <= at + margin]
        if met:
            at, run = met[0]
            yield beware(
                f"The CloudWorks job {job.name} is due at {run:%Y-%m-%d %H:%M} UTC, and a load by the close calendar at {at:%H:%M} UTC: the load would wait for it"
                f"{f', as at {len(met) - 1} other times within a week' if len(met) > 1 else ''}.",
                "Move the schedule of the job, or the hour under `close` in the connection file.",
            )


def _longest_gap(runs: Sequence[datetime], now: datetime) -> timedelta:
    ends = [now, *(run for run in runs if run > now), now + timedelta(days=DAYS_AHEAD)]
    return max(after - before for before, after in pairwise(ends))


def _ages(premises: Premises) -> Iterator[Found]:
    """Anaplan's passwords end after about three months [S COMM-oauth1], a certificate on its day; neither says so beforehand."""
    if ends := premises.certificate_ends_at:
        left = (ends - premises.now()).days
        said = f"The certificate is valid until {ends:%Y-%m-%d}, {left} days from now."
        yield beware(said, "Request a new one and store it.") if left < _CERTIFICATE_DAYS else fine(said)
    if stored := premises.password_stored_at:
        days = (premises.now() - stored).days
        said = f"The password was stored {days} days ago."
        if days > _PASSWORD_DAYS:
            yield beware(
                f"{said} Anaplan's passwords end after about 90.", "Change it in Anaplan, and store the new one."
            )
        else:
            yield fine(said)
