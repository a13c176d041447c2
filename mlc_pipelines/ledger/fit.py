"""Whether a connection is fit for its first load: checks that look and never write, what they found, and who mends it.

Each check runs by itself, so that one that fails hides no other; one that needs another which was not passed says so, and is not run.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from mlc_pipelines.ledger.errors import PipelineError, TransientError
from mlc_pipelines.ledger.ports import GeneralLedger, PlanningModel, ReadWay

ENGINEER = "finance-systems engineer"
ERP_ADMINISTRATOR = "ERP administrator"
MODEL_BUILDER = "model builder"
WORKSPACE_ADMINISTRATOR = "Anaplan workspace administrator"
CONTROLLER = "controller"

FINE, BEWARE, MISSING, NOT_CHECKED = "fine", "beware", "missing", "not checked"
"""beware does not stand in the way of a load; what is missing does, and so does what could not be looked at."""

READY, NOT_YET, BROKEN = "ready", "not yet", "broken"
"""broken: a file, a credential or a system could not be opened at all, so that the report is not whole."""

ERP, PLAN, BOTH = "ERP", "Anaplan", "both"


@dataclass(frozen=True, slots=True)
class Found:
    """What a check says. who: "" for the person that the check names."""

    state: str
    said: str
    next_step: str = ""
    who: str = ""


def fine(said: str) -> Found:
    return Found(FINE, said)


def beware(said: str, next_step: str = "", who: str = "") -> Found:
    return Found(BEWARE, said, next_step, who)


def missing(said: str, next_step: str = "", who: str = "") -> Found:
    return Found(MISSING, said, next_step, who)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to look at. name: its own among all; who: who mends what is amiss; needs: names of checks that must have been passed.

    gate: without it nothing more can be said of its system. A failure raised on purpose within `look` counts as missing; one that may pass by
    itself, as not checked.
    """

    name: str
    title: str
    area: str
    who: str
    look: Callable[[], Iterator[Found]]
    needs: tuple[str, ...] = ()
    gate: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report. who: "" where nothing is to be mended."""

    check: str
    title: str
    area: str
    state: str
    said: str
    who: str = ""
    next_step: str = ""
    gate: bool = False


def look_at(checks: Iterable[Check], *, progress: Callable[[str], None] = lambda _said: None) -> list[Finding]:
    """Every check in its order, and what it found; at least one finding for each."""
    findings: list[Finding] = []
    failed: dict[str, str] = {}  # check -> title of the one that it failed for
    for check in checks:
        if blocking := next((failed[name] for name in check.needs if name in failed), ""):
            failed[check.name] = blocking
            findings.append(_finding(check, Found(NOT_CHECKED, f"Not checked, because of: {blocking}.")))
            continue
        progress(f"{check.area}: {check.title}")
        found = list(_looked(check))
        if any(one.state in {MISSING, NOT_CHECKED} for one in found):
            failed[check.name] = f"{check.title} ({check.area})"
        findings += [_finding(check, one) for one in found]
    return findings


def _looked(check: Check) -> Iterator[Found]:
    said_something = False
    try:
        for found in check.look():
            said_something = True
            yield found
    except TransientError as error:
        if check.gate:
            yield missing(_told(error), error.next_step)
        else:
            yield Found(NOT_CHECKED, f"Could not be looked at. {_told(error)}", "Run the check again.", check.who)
    except PipelineError as error:
        yield missing(_told(error), error.next_step)
    else:
        if not said_something:
            yield fine("Nothing amiss.")


def _told(error: PipelineError) -> str:
    return error.what


def _finding(check: Check, found: Found) -> Finding:
    who = found.who or check.who if found.state in {BEWARE, MISSING} else found.who
    return Finding(check.name, check.title, check.area, found.state, found.said, who, found.next_step, check.gate)


@dataclass(frozen=True, slots=True)
class FitReport:
    """All findings about one connection. at: when it was looked at, in UTC. about: what was looked at, for people (title -> text)."""

    connection: str
    at: datetime
    findings: tuple[Finding, ...]
    about: tuple[tuple[str, str], ...] = ()

    @property
    def state(self) -> str:
        if any(one.gate and one.state == MISSING for one in self.findings):
            return BROKEN
        return NOT_YET if any(one.state in {MISSING, NOT_CHECKED} for one in self.findings) else READY

    @property
    def objections(self) -> tuple[Finding, ...]:
        """What somebody has to do something about, the serious first."""
        return tuple(one for state in (MISSING, BEWARE) for one in self.findings if one.state == state)

    def count(self, state: str) -> int:
        return sum(one.state == state for one in self.findings)

    @property
    def summary(self) -> str:
        """The report in a sentence or two."""
        verdict = {
            READY: "ready for its first load",
            NOT_YET: "not ready yet",
            BROKEN: "broken: not everything could be opened",
        }[self.state]
        people = list(dict.fromkeys(one.who for one in self.findings if one.state == MISSING and one.who))
        said = f"{self.connection} is {verdict}: {self.count(FINE)} fine, {self.count(MISSING)} missing, {self.count(BEWARE)} to beware of, {self.count(NOT_CHECKED)} not checked."
        return f"{said} To be mended by: {', '.join(people)}." if people else said


# -- what a system shows of itself, beside its port ----------------------------------------------------------------------


class LedgerSurvey(GeneralLedger, Protocol):
    """A ledger that can be looked at step by step. Reads only."""

    def checks(self) -> list[Check]:
        """From the first call to the books that are read, and every kind of record that a load uses."""
        ...

    def needs(self, what: str) -> tuple[str, ...]:
        """Names of its checks that must have been passed before it is asked for books, periods, accounts, cost_centers, vendors, balances or plans."""
        ...

    def clock(self) -> datetime | None:
        """Its own clock as its first answer told it, counted on; None where it did not."""
        ...


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A job of the customer's on the model. runs: when it may start within the time asked for, in UTC; uses: ids of actions that it starts.

    problem: why its schedule cannot be understood, "" where it can.
    """

    name: str
    running: bool
    runs: tuple[datetime, ...]
    uses: frozenset[str]
    problem: str = ""


class PlanSurvey(PlanningModel, Protocol):
    """A planning model that can be looked at step by step. Reads only: nothing is started, uploaded or asked to be made."""

    def checks(self) -> list[Check]:
        """From the first call to the model's state and the user's access to it."""
        ...

    def clock(self) -> datetime | None:
        """As of a ledger."""
        ...

    def find_action(self, kind: str, name: str) -> str:
        """The id of an import, export, process, view or list. SetupError with the candidates where there is none of that name, or several."""
        ...

    def require_shown(self, way: ReadWay) -> None:
        """Refuse a way of reading back that lacks a column or a dimension; nothing is read of the figures."""
        ...

    def require_export(self, name: str, columns: Sequence[str]) -> None:
        """Refuse an export that does not list these columns, each once."""
        ...

    def strangers(self, dimension: str, names: Sequence[str]) -> list[str]:
        """Those of the names that are no members of Time ("time") or of the versions ("versions")."""
        ...

    def scheduled(self, *, days: float) -> list[Scheduled] | None:
        """The jobs on the model; None where the connection does not look at CloudWorks. SetupError where this user may not see them."""
        ...
