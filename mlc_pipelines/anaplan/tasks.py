"""One run of an action: started once, polled to a final state, never started blindly again."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mlc_pipelines.anaplan.api import Api, GoneError, content_of
from mlc_pipelines.anaplan.config import AnaplanConfig
from mlc_pipelines.ledger.errors import PipelineError, SetupError, TransientError, UncertainError
from mlc_pipelines.transport.answers import Answer

# COMPLETE is finished, good or bad; there is no FAILED [S PM, HELP]. An unknown state counts as running, until the deadline.
_FINAL = {"COMPLETE", "CANCELLED"}
_QUIET_SECONDS = (1.0, 4.0, 10.0)  # after an unclear start: how long its task is looked for
_MISSES_MAX = 3
_CANCEL_SECONDS = 60.0
_IN_LINE = "NOT_STARTED"
_IN_LINE_SECONDS = 2.0  # so long it may take to begin without anybody in the way
_OUT_OF_SIGHT = {"taskState": "not to be seen"}

Task = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Action:
    """Something to run. path is `.../imports/{id}`, label for people, again what a person does to run it once more.

    parameters: what the action asks for at run time, kind of entity -> name. They fill what its builder left to be asked [S APIMD].
    """

    path: str
    label: str
    again: str
    changes_model: bool
    parameters: Mapping[str, str] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """What starts it; en_US is the only language there is [S PM, APIMD]."""
        asked = [{"entityType": kind, "entityName": name} for kind, name in self.parameters.items()]
        return {"localeName": "en_US", **({"mappingParameters": asked} if asked else {})}

    def lost_sight_of(self, task: str, why: str) -> PipelineError:
        """The failure to see how a task of this action ended."""
        what = f"It is not known how task {task} of the {self.label} ended: {why}"
        if self.changes_model:
            return UncertainError(what, holds="It may have been carried out, or may still be.", next_step=self.again)
        return TransientError(what, holds="No file of it was used; the model is unchanged.", next_step=self.again)


@dataclass(frozen=True, slots=True)
class Ended:
    """A task that has ended, and all tasks of its action known by then."""

    task: Task
    known: frozenset[str]


class Runner:
    """Starts actions and waits for them. sleep and clock are handed in so that tests can move time.

    holder: who works in the model now, "" for nobody; say tells a person. Asked once a task of ours stands in line, and if it still does at the end.
    """

    def __init__(
        self,
        api: Api,
        config: AnaplanConfig,
        *,
        sleep: Callable[[float], None],
        clock: Callable[[], float] = time.monotonic,
        holder: Callable[[], str] = lambda: "",
        say: Callable[[str], None] = lambda _said: None,
    ) -> None:
        self._api = api
        self._config = config
        self._sleep = sleep
        self._clock = clock
        self._holder = holder
        self._say = say

    def run(self, action: Action) -> Ended:
        """Start the action and return its task once it has ended, well or badly.

        Raises UncertainError naming the task when it did not end in time, when it was lost from sight, or when it cannot be
        known whether it was started. An action that changes nothing raises TransientError instead for a task lost from sight.
        """
        before = self._tasks(action)
        task = self._start(action, before)
        try:
            return Ended(self._wait(action, task), frozenset({*before, task}))
        except UncertainError:
            raise
        except PipelineError as error:
            raise action.lost_sight_of(task, error.what) from error
        except BaseException as stop:
            stop.add_note(f"Task {task} of the {action.label} was left running in Anaplan.")
            raise

    def task_ids(self, action: Action) -> frozenset[str]:
        """Everybody's tasks of the action, as far as Anaplan still lists them [S PM]."""
        return frozenset(self._tasks(action))

    def running(self, action: Action) -> str:
        """A task of the action that has not ended, with its state; "" when there is none."""
        states = [(task, str(entry.get("taskState"))) for task, entry in self._tasks(action).items()]
        return next(
            (f"task {task} of the {action.label} is {state}" for task, state in states if state not in _FINAL), ""
        )

    def _start(self, action: Action, before: dict[str, Task]) -> str:
        """POST once. There is no idempotency key: a repeated POST starts a second task [C several clients do], so an unclear answer is looked up."""
        try:
            answer = self._posted(action, before)
        except UncertainError as error:
            return self._adopted(action, before, error.what)
        try:
            content = content_of(answer)
        except PipelineError as error:
            return self._adopted(action, before, error.what)
        # Some documents show the task without its wrapper [C OAS test, AUD4].
        task = content.get("task", content)
        name = task.get("taskId") if isinstance(task, dict) else None
        if not isinstance(name, str) or not name:
            return self._adopted(action, before, f"{answer.call} named no task.")
        return name

    def _posted(self, action: Action, before: dict[str, Task]) -> Answer:
        """A start that was surely refused (409, 429, no connection) is tried again for a while; anything else is never repeated.

        Raises UncertainError when a task appeared all the same.
        """
        give_up_at = self._clock() + min(self._config.wait_seconds, self._config.limits.retry_seconds)
        while True:
            try:
                return self._api.caller.write("POST", f"{action.path}/tasks", json=action.body())
            except TransientError as error:
                if self._clock() >= give_up_at:
                    raise error.within(
                        what=f"The {action.label} was not started:",
                        holds="The model is unchanged.",
                        next_step="Wait until the model is free, then run the step again.",
                    ) from None
                self._sleep(max(error.retry_after_seconds, self._config.poll_cap_seconds))
                if _new_tasks(before, self._tasks(action)):
                    raise UncertainError(error.what) from None

    def _adopted(self, action: Action, before: dict[str, Task], why: str) -> str:
        """The one task that was not there before the unclear start. Never posts again."""
        new: list[str] = []
        for pause_seconds in (0.0, *_QUIET_SECONDS):
            if pause_seconds:
                self._sleep(pause_seconds)
            try:
                new = _new_tasks(before, self._tasks(action))
            except PipelineError as error:
                why = f"{why} The list of its tasks could not be read either: {error.what}"
                break
            if len(new) == 1:
                return new[0]
        seen = f"{len(new)} tasks appeared at once ({', '.join(new)})" if new else "no new task appeared"
        raise UncertainError(
            f"It is not known whether the {action.label} was started: {why} Within {sum(_QUIET_SECONDS):.0f} seconds {seen}.",
            holds="It was not started again. It may have run, or may still start.",
            next_step=f"Look at the model's history in Anaplan. {action.again}",
        )

    def _tasks(self, action: Action) -> dict[str, Task]:
        """Everybody's tasks by id, with state and time of creation; those of other users are in the list too [S PM]."""
        listed = self._api.list(f"{action.path}/tasks", "tasks")
        return {str(task["taskId"]): task for task in listed if task.get("taskId")}

    def _wait(self, action: Action, task: str) -> Task:
        """Poll to a final state, or to the deadline: then cancel if that is wished for, else say who may still hold what."""
        read = self._polled(action, task, self._config.task_seconds)
        if read.get("taskState") in _FINAL:
            return read
        said = "It was left alone."
        if self._config.cancel_when_stuck:
            # On the same address; it may not succeed, and CANCELLED means rolled back [C JAVA; S APIMD, PM].
            self._api.caller.repeat("DELETE", f"{action.path}/tasks/{task}", expect=(200, 202, 204))
            read = self._polled(action, task, _CANCEL_SECONDS)
            if read.get("taskState") in _FINAL:
                return read
            said = f"It was asked to stop and has not within {_CANCEL_SECONDS:.0f} seconds."
        if read.get("taskState") == _IN_LINE:
            said = f"In the model: {self._seen_inside()}. {said}"
        raise UncertainError(
            f"Task {task} of the {action.label} is still {read.get('taskState')} after {self._config.task_seconds:.0f} seconds. {said}",
            holds="It may still be carried out.",
            next_step=f"Watch or cancel it in Anaplan's Model Management. {action.again}",
        )

    def _polled(self, action: Action, task: str, seconds: float) -> Task:
        """The task at its end, or as it was last seen. Pauses grow with the time spent; Anaplan may be out of reach for a while."""
        started, misses, told = self._clock(), 0, False
        seen_at = started
        while True:
            self._sleep(
                self._config.pause_seconds(self._clock() - started)
            )  # no task has ended the moment it was started
            try:
                read, misses = self._read(action, task), 0
                seen_at = self._clock()
            except (GoneError, _OtherTaskError) as error:
                read, misses = dict(_OUT_OF_SIGHT), misses + 1
                if misses >= _MISSES_MAX:
                    raise action.lost_sight_of(task, f"{error.what} {self._listed_as(action, task)}") from error
            except TransientError:
                read = dict(_OUT_OF_SIGHT)
                if self._clock() - seen_at >= self._config.limits.retry_seconds:
                    raise
            spent = self._clock() - started
            if read.get("taskState") in _FINAL or spent >= seconds:
                return read
            if read.get("taskState") == _IN_LINE and spent >= _IN_LINE_SECONDS and not told:
                told = True
                self._say(
                    f"Task {task} of the {action.label} waits in the model's queue. In the model: {self._seen_inside()}."
                )

    def _seen_inside(self) -> str:
        """Who has the model, for people; that it could not be seen changes nothing about the task."""
        try:
            return self._holder() or "nobody that its status names"
        except PipelineError as error:
            return f"not to be seen ({error.what})"

    def _read(self, action: Action, task: str) -> Task:
        answer = self._api.get(f"{action.path}/tasks/{task}")
        read = answer.get("task", answer)
        if not isinstance(read, dict) or not isinstance(read.get("taskState"), str):
            raise SetupError(
                f"Anaplan GET {action.path}/tasks/{task} answered without a state.",
                next_step="Look at the task in Anaplan, then start the step again: it finds out what became of it.",
            )
        if read.get("taskId", task) != task:
            raise _OtherTaskError(f"Anaplan answered with task {read['taskId']} when asked for {task}.")
        return {**read, "taskId": task}

    def _listed_as(self, action: Action, task: str) -> str:
        entry = self._tasks(action).get(task)
        return (
            f"The list of tasks shows it as {entry.get('taskState')}." if entry else "It is not listed any more either."
        )


class _OtherTaskError(TransientError):
    """The answer of another question came."""


def _new_tasks(before: dict[str, Task], now: dict[str, Task]) -> list[str]:
    """Tasks that were not there before, and are not older than the newest that was: both times are on Anaplan's clock."""
    newest = max((_created(task) for task in before.values()), default=0)
    return [name for name, task in now.items() if name not in before and (_created(task) or newest) >= newest]


def _created(task: Task) -> int:
    created = task.get("creationTime")
    return created if isinstance(created, int) else 0
