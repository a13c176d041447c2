"""A load done again: from what the ERP says now, or from the files that an earlier load left, exactly as then; with the mapping of now or of then.

What is finished is found to be finished: nothing is sent, and that is said.
"""

from dataclasses import dataclass, replace

from mlc_pipelines.flows.as_then import NOW, THEN, of_then, told
from mlc_pipelines.flows.attempts import LOAD_BEGUN, reference_of
from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.flows.extract import read_slice
from mlc_pipelines.flows.load import load_slice
from mlc_pipelines.flows.reference import refresh_reference
from mlc_pipelines.flows.report import Report
from mlc_pipelines.flows.shape import write_slice
from mlc_pipelines.flows.spend import read_spend_slice
from mlc_pipelines.flows.steps import MEMBER_MAP, NOTHING_SENT, SPEND
from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.store.history import Step


@dataclass(frozen=True, slots=True)
class Then:
    """What an earlier load was made of: its steps, and the member map that it went through."""

    load: int
    extract: Step
    member_map: Step


def replay(desk: Desk, period: str, *, figures: str = NOW, mapping: str = NOW, load: int = 0) -> list[Report]:
    """Do a period of the desk's feed again. load: whose files or mapping are meant by `then`, the newest attempt unless given.

    Raises DataError where that load left nothing to be replayed from.
    """
    desk = replace(desk, only_if_needed=True)
    desk.calendar.period(period)
    then = _then(desk, period, load) if THEN in (figures, mapping) else None
    map_of_then = then.member_map if then and mapping == THEN else None
    figures_of_then = of_then(then.extract, reference_of(then.load)) if then and figures == THEN else None
    reports = [] if map_of_then else refresh_reference(desk)
    reports.append(_taken_up(desk, period, figures_of_then) if figures_of_then else _read(desk, period))
    written = write_slice(desk, period, map_of_then, figures_of_then)
    return [*reports, written, load_slice(desk, period, figures_of_then)]


def _read(desk: Desk, period: str) -> Report:
    return read_spend_slice(desk, period) if desk.feed == SPEND else read_slice(desk, period)


def _taken_up(desk: Desk, period: str, reading: Step) -> Report:
    """The figures of then, which stay what they are: the newest reading is still the newest, and the legs that they agreed on then are not asked again."""
    return Report(desk.feed.extract, period, told(reading), reading.artefact)


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
    extract = _made(of_period, desk.feed.extract, file.facts["source"], before=file)
    maps = history.steps(desk.connection)
    return Then(meant, extract, _made(maps, MEMBER_MAP, file.facts["member_map"], before=file))


def _made(steps: list[Step], step: str, artefact: str, before: Step | None = None) -> Step:
    """The newest result of a step with this file, of those that were made before another."""
    found = [one for one in steps if (one.step, one.artefact) == (step, artefact)]
    return [one for one in found if before is None or one.number < before.number][-1]
