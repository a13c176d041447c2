"""Tasks and the queue of a model.

One task runs at a time, first come first served; a second one is queued, not refused. Reference: anaplan 7.1 [S]. The
queue is not driven by a thread: `settle` works out what has happened up to an instant. A task takes effect at the end
of its time, so a file is read late. Everything that changes the world settles first, hence a task sees the world as it
was at its own end, and goes on when the client has died.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

BEGINNING_OF_TIME = datetime(1970, 1, 1, tzinfo=UTC)
DONE, CANCELLED = "COMPLETE", "CANCELLED"


@dataclass(frozen=True, slots=True)
class Ending:
    """How a task ended: COMPLETE or CANCELLED, the result that the API shows, and how many rows it ignored."""

    state: str
    result: dict[str, Any]
    ignored: int = 0


@dataclass(slots=True, kw_only=True)
class Task:
    """One run of an action. `session` tells callers of the same user apart; `planted` was set up by a test.

    A `forgotten` task is not told of any more, whatever it does or did.
    """

    id: str
    kind: str
    action: str
    action_name: str
    user: str
    session: str
    created_at: datetime
    work_seconds: float
    effect: Callable[[datetime], Ending]
    planted: bool = False
    forgotten: bool = False
    started_at: datetime | None = None
    ended_at: datetime | None = None
    cancelled_by: str = ""
    ending: Ending | None = None

    def state(self, now: datetime) -> str:
        """One of the five states; COMPLETE means finished, good or bad. Reference: anaplan 5 [S]."""
        if self.ended_at and now >= self.ended_at:
            return self.ending.state if self.ending else CANCELLED
        if self.cancelled_by:
            return "CANCELLING"
        return "IN_PROGRESS" if self.started_at and now >= self.started_at else "NOT_STARTED"

    def progress(self, now: datetime) -> float:
        """Share of the work done, 0 to 1."""
        if self.started_at is None or now < self.started_at:
            return 0.0
        if self.ending or self.work_seconds <= 0:
            return 1.0
        return round(min((now - self.started_at).total_seconds() / self.work_seconds, 0.99), 2)


@dataclass(slots=True)
class Queue:
    """All tasks of a model in the order of their posting, and those that have not ended."""

    tasks: list[Task] = field(default_factory=list)
    waiting: deque[Task] = field(default_factory=deque)
    free_at: datetime = BEGINNING_OF_TIME

    def post(self, task: Task) -> None:
        """Queue a task."""
        self.tasks.append(task)
        self.waiting.append(task)

    def settle(self, now: datetime) -> None:
        """Start and end everything that is due by now, in order."""
        while self.waiting:
            task = self.waiting[0]
            if task.started_at is None:
                start = max(task.created_at, self.free_at)
                if start > now:
                    return
                task.started_at = start
            end = task.ended_at or task.started_at + timedelta(seconds=task.work_seconds)
            if end > now:
                return
            self.waiting.popleft()
            self.free_at = task.ended_at = end
            task.ending = Ending(CANCELLED, {}) if task.cancelled_by else task.effect(end)

    def cancel(self, task: Task, user: str, now: datetime, seconds: float) -> None:
        """Stop a task that has not ended: nothing of it is applied."""
        if task.ending or task.cancelled_by:
            return
        task.cancelled_by, task.ended_at = user, now + timedelta(seconds=seconds)
        if task.started_at is None:
            self.waiting.remove(task)
            task.ending = Ending(CANCELLED, {})

    def abandon(self) -> None:
        """End whatever waits, without effect, so that no call waits for it any longer."""
        while self.waiting:
            self.waiting.popleft().ending = Ending(CANCELLED, {})

    def running(self) -> Task | None:
        """The task that has the model, once the queue is settled."""
        return self.waiting[0] if self.waiting and self.waiting[0].started_at else None

    def find(self, kind: str, action: str, task_id: str) -> Task | None:
        """A task under the action that made it, and nowhere else."""
        return next((task for task in self.of(kind, action) if task.id == task_id), None)

    def of(self, kind: str, action: str) -> list[Task]:
        """The tasks of one action, everybody's, oldest first."""
        return [task for task in self.tasks if task.kind == kind and task.action == action and not task.forgotten]
