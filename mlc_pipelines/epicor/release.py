"""Posting the group of a plan journal: at once, or by a task where Kinetic wants one for so many lines [S SNO].

What an answer says decides nothing; it is read only to tell a person why a journal was not posted. That stands in the group: `PostErrorLog`, who has
it open, the review journal that locks it; and in the book: whether its period is closed. So nobody's wording has to be understood.
"""

from typing import Any

from mlc_pipelines.epicor import planwire
from mlc_pipelines.epicor.config import PlanJournalsRule
from mlc_pipelines.epicor.connection import Connection
from mlc_pipelines.epicor.datasets import GROUP, amount
from mlc_pipelines.epicor.draftnames import Number, mark_in
from mlc_pipelines.epicor.groups import Lookup
from mlc_pipelines.epicor.odata import feed_of, read_all, some, text
from mlc_pipelines.epicor.planbook import PlanBook, not_open
from mlc_pipelines.ledger.drafts import GroupBusy, PeriodClosed
from mlc_pipelines.ledger.errors import DataError, PipelineError, UncertainError
from mlc_pipelines.ledger.fiscal import period_key

_PROCESS = "Erp.Proc.GLJrnAsynchSvc"
_ACTIVE = "active"
_ROWS = 100
_BUSY_NEXT = "It is taken up again when the group is free; ask whoever has it open to leave it."


class Poster:
    """Posts groups of one plan book, and says why one was not posted."""

    def __init__(self, site: Connection, book: PlanBook, rule: PlanJournalsRule, lookup: Lookup) -> None:
        self._site, self._book, self._rule, self._lookup = site, book, rule, lookup

    def post(self, number: Number) -> None:
        """Post the group, in which this journal alone must stand, finished. Raises what Kinetic has against it."""
        header = self._require_alone(number)
        try:
            said = self._by_task(number) if self._wants_task(number.group) else self._at_once(number.group)
        except DataError as error:
            raise self.explained(error, number.group) from None
        if said:
            log = group.log if (group := self._lookup.group(number.group)) else ""
            more = f" ({log})" if log and log not in said else ""
            refusal = DataError(
                f"Kinetic did not post journal {number}: {said}{more}",
                holds=f"Journal {number} stands in entry of book {self._book.code}.",
                next_step=self._remedy(header),
            )
            raise self.explained(refusal, number.group)

    def explained(self, error: PipelineError, group: str) -> PipelineError:
        """A refusal as the state of group and period explains it; the refusal itself where they do not."""
        entry = self._lookup.in_entry(group)
        if entry.waiting:
            return busy(entry.waiting, error.holds)
        keys = {period_key(one.year, one.number, one.suffix or "") for one in entry.headers}
        for key, why in not_open(self._site, self._book, sorted(keys), earliest=self._rule.earliest_date).items():
            return closed(key, why, error.holds or f"Group {group} stands in entry of book {self._book.code}.")
        return error

    def _remedy(self, header: planwire.Header) -> str:
        """What to do; whether the book takes journals that do not balance is told by the journal itself [S SNO AllowUnbalancedEntries]."""
        if header.takes_unbalanced or not amount(header.balance):
            return "Correct what Kinetic names."
        return f"Book {self._book.code} takes no journal that does not balance: declare an offset line for this destination."

    def _require_alone(self, number: Number) -> planwire.Header:
        entry = self._lookup.in_entry(number.group)
        if entry.waiting:
            raise busy(entry.waiting, f"Journal {number} stands in entry.")
        found = [one for one in entry.headers if _is(one, number)]
        if not found:
            raise DataError(
                f"Journal {number} is not in entry in book {self._book.code}, or not finished.",
                holds="Nothing was posted by this call.",
                next_step="Take the posting up again: it is looked up first.",
            )
        if others := [str(one.journal_number) for one in entry.headers if one not in found]:
            raise GroupBusy(
                f"group {number.group} holds journal {', '.join(others)} beside journal {number.journal}; posting would post both.",
                holds="Nothing was posted.",
                next_step="Move the other journal to a group of its own in Kinetic, or delete it.",
            )
        return found[0]

    # -- at once ------------------------------------------------------------------------------------------------------------

    def _wants_task(self, group: str) -> bool:
        asked = {"groupID": group, "maxCountOfLines": self._rule.lines_at_once}
        answer = self._site.ask(GROUP, "IsNeedAsyncronousPosting", asked)  # misspelt like this [S SNO]
        return bool(isinstance(answer, dict) and answer.get("returnObj"))

    def _at_once(self, group: str) -> str:
        answer = self._site.write(GROUP, "PostGroupJournals", {"postGroupID": group})
        parameters = answer.get("parameters") if isinstance(answer, dict) else None
        return str((parameters or {}).get("NotAllPostedMessage") or "")

    # -- by a task ----------------------------------------------------------------------------------------------------------

    def _by_task(self, number: Number) -> str:
        """Have the agent post it, and wait for that; a task for this very journal that is still at it is waited for, not doubled."""
        note = f"mlc {number}"
        if self._running(note) is None:
            answer = self._site.ask(_PROCESS, "GetNewParameters", {})
            ds = answer.get("returnObj", answer)
            ds["GLJrnAsynchParam"][-1] |= {"GroupID": number.group, "BookMode": "S", "TaskNote": note}
            if not self._rule.maintenance_program:
                self._site.write(_PROCESS, "RunDirect", {"ds": ds})
                return self._left_behind(number.group)
            self._site.write(_PROCESS, "SubmitToAgent", {"ds": ds, **self._agent})
        self._wait(note)
        return self._left_behind(number.group)

    @property
    def _agent(self) -> dict[str, Any]:
        program = self._rule.maintenance_program
        return {"agentID": self._rule.agent, "agentSchedNum": 0, "agentTaskNum": 0, "maintProgram": program}

    def _tasks(self, note: str) -> list[planwire.Task]:
        rows = some(self._site, feed_of(self._site, planwire.TASKS, where=f"TaskNote eq {text(note)}"), _ROWS)
        return [row for row in rows if row.note == note]

    def _running(self, note: str) -> planwire.Task | None:
        """Its task while that is at work. Whether that is spelt Active or ACTIVE differs [S SNO, C KDV]."""
        return next((one for one in self._tasks(note) if one.status.casefold() == _ACTIVE), None)

    def _wait(self, note: str) -> None:
        waited = 0.0
        while (task := self._running(note)) is not None:
            if waited >= self._rule.post_wait_seconds:
                raise UncertainError(
                    f"Task {task.number} of Kinetic still posts after {waited:g} seconds.",
                    holds="The journal may be posted at any moment.",
                    next_step="Take the posting up again: the task is waited for, not started anew.",
                )
            self._site.sleep(self._rule.post_poll_seconds)
            waited += self._rule.post_poll_seconds

    def _left_behind(self, group: str) -> str:
        """Why the group still stands in entry after its posting; "" where it is gone."""
        found = self._lookup.group(group)
        if found is None:
            return ""
        return found.log or self._last_words(group) or f"group {group} is still in entry after its posting"

    def _last_words(self, group: str) -> str:
        tasks = [one for one in read_all(self._site, planwire.TASKS) if (one.note or "").startswith(f"mlc {group}-")]
        if not tasks:
            return ""
        last = max(one.number for one in tasks)
        rows = read_all(self._site, planwire.TASK_LOGS, where=f"SysTaskNum eq {last}")
        return " ".join(row.text or "" for row in rows if row.number == last)


def busy(who: str, holds: str) -> GroupBusy:
    return GroupBusy(f"{who}.", holds=holds or "Nothing was posted.", next_step=_BUSY_NEXT)


def closed(period: str, why: str, holds: str) -> PeriodClosed:
    return PeriodClosed(
        f"period {period} takes no journal: {why}.",
        holds=holds,
        next_step="It is taken up again once the period is open in Kinetic.",
    )


def _is(header: planwire.Header, number: Number) -> bool:
    mark = mark_in(header.comment)
    return (
        mark is not None
        and not mark.unfinished
        and (header.journal_number, mark.token) == (number.journal, number.token)
    )
