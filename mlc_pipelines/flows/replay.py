"""A load done again: from what the ERP says now, or from the files that an earlier load left, exactly as then; with the mapping of now or of then.

What is finished is found to be finished: nothing is sent, and that is said.
"""

from dataclasses import dataclass, replace

from mlc_pipelines.flows.attempts import LOAD_BEGUN, reference_of
from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.extract import read_slice
from mlc_pipelines.flows.load import load_slice
from mlc_pipelines.flows.reference import refresh_reference
from mlc_pipelines.flows.report import Report
from mlc_pipelines.flows.shape import write_slice
from mlc_pipelines.flows.spend import read_spend_slice
from mlc_pipelines.flows.steps import MEMBER_MAP, NOTHING_SENT, SPEND
from mlc_pipelines.flows.trail import record_step
from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.store.history import Step

NOW, THEN = "now", "then"


@dataclass(frozen=True, slots=True)
class Then:
    """What an earlier load was made of: its steps, and the member map that it went through."""

    load: int
    extract: Step
    file: Step
    member_map: Step


def replay(desk: Desk, period: str, *, figures: str = NOW, mapping: str = NOW, load: int = 0) -> list[Report]:
    """Do a period of the desk's feed again. load: whose files or mapping are meant by `then`, the newest attempt unless given.

    Raises DataError where that load left nothing to be replayed from.
    """
    desk = replace(desk, only_if_needed=True)
    desk.calendar.period(period)
    then = _then(desk, period, load) if THEN in (figures, mapping) else None
    reports = refresh_reference(desk) if mapping == NOW else []
    reports.append(_taken_up(desk, period, then) if figures == THEN and then else _read(desk, period))
    written = write_slice(desk, period, then.member_map if mapping == THEN and then else None)
    return [*reports, written, load_slice(desk, period)]


def _read(desk: Desk, period: str) -> Report:
    return read_spend_slice(desk, period) if desk.feed == SPEND else read_slice(desk, period)


def _taken_up(desk: Desk, period: str, then: Then) -> Report:
    """The figures of then become the newest ones, as if they were read now; the legs that they agreed on then are not asked again."""
    facts = {**then.extract.facts, "replayed_from": reference_of(then.load)}
    record_step(desk, desk.feed.extract, period, then.extract.artefact, facts)
    when = then.extract.made_at[:16].replace("T", " ")
    said = (
        f"The figures as {reference_of(then.load)} took them, read from the ERP at {when} UTC. The ERP was not asked."
    )
    return Report(desk.feed.extract, period, said, then.extract.artefact)


def _then(desk: Desk, period: str, load: int) -> Then:
    history = desk.store.history
    attempts = [one.id for one in history.loads(desk.connection, period, feed=desk.feed.name)]
    meant = load or (attempts[-1] if attempts else 0)
    begun = [
        one
        for one in desk.store.trail.entries(connection=desk.connection, kind=LOAD_BEGUN, period=period)
        if one.event["reference"] == reference_of(meant)
    ]
    if meant not in attempts or not begun:
        known = ", ".join(map(reference_of, attempts[-10:])) or "none"
        raise DataError(
            f"{desk.connection} {period}: there is no {reference_of(meant) if meant else 'load'} of {desk.feed.name} to be replayed; there are: {known}.",
            holds=NOTHING_SENT,
            next_step="Name one of them with --load, or replay from what the ERP says now.",
        )
    of_period = history.steps(desk.connection, period)
    file = _made(of_period, desk.feed.file, begun[-1].event["artefacts"][desk.feed.file])
    extract = _made(of_period, desk.feed.extract, file.facts["source"])
    return Then(meant, extract, file, _made(history.steps(desk.connection), MEMBER_MAP, file.facts["member_map"]))


def _made(steps: list[Step], step: str, artefact: str) -> Step:
    """The newest result of a step with this file."""
    return [one for one in steps if (one.step, one.artefact) == (step, artefact)][-1]
