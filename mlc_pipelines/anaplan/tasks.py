"""One run of an action: started once, polled to a final state, never started blindly again."""

import random
import time
from collections.abc import Callable
from typing import Any

from mlc_pipelines.anaplan.api import Api, content_of
from mlc_pipelines.anaplan.config import AnaplanConfig
from mlc_pipelines.ledger.errors import SetupError, UncertainError

# All other states are final or unknown; there is no FAILED [S PM, HELP]. An unknown one counts as running, until the deadline.
_FINAL = {"COMPLETE", "CANCELLED"}
_LOOKS, _LOOK_SECONDS = 3, 2.0


class Runner:
    """Starts actions and waits for them. sleep and clock are handed in so that tests can move time."""

    def __init__(
        self,
        api: Api,
        config: AnaplanConfig,
        *,
        sleep: Callable[[float], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._api = api
        self._config = config
        self._sleep = sleep
        self._clock = clock

    def run(self, action: str) -> dict[str, Any]:
        """Start the action whose path is `.../imports/{id}` and return its task once it has ended, well or badly.

        Raises UncertainError naming the task when it did not end in time, or when it cannot be known whether it was started.
        """
        return self._wait(action, self._start(action))

    def _start(self, action: str) -> str:
        """POST once. There is no idempotency key: a repeated POST starts a second task [C several clients do], so an unclear answer is looked up."""
        before = self._task_ids(action)
        try:
            answer = content_of(self._api.caller.write("POST", f"{action}/tasks", json={"localeName": "en_US"}))
        except UncertainError as error:
            return self._adopted(action, before, error)
        # Some documents show the task without its wrapper [C OAS test, AUD4].
        task = answer.get("task", answer).get("taskId")
        if not isinstance(task, str) or not task:
            return self._adopted(action, before, UncertainError(f"Anaplan started {action} without naming its task."))
        return task

    def _adopted(self, action: str, before: set[str], error: UncertainError) -> str:
        """The one task that was not there before. Never posts again."""
        new: set[str] = set()
        for _ in range(_LOOKS):
            new = self._task_ids(action) - before
            if len(new) == 1:
                return new.pop()
            self._sleep(_LOOK_SECONDS)
        raise UncertainError(
            f"{error.what} {len(new) or 'No'} new tasks stand in the action's list.",
            holds="The action may have been started or may start later.",
            next_step="Look at the model's history in Anaplan, then run the load again: it sends the whole slice.",
        )

    def _task_ids(self, action: str) -> set[str]:
        return {str(task["taskId"]) for task in self._api.list(f"{action}/tasks", "tasks")}

    def _wait(self, action: str, task: str) -> dict[str, Any]:
        """Poll with pauses that grow with the time already spent: late by a small share, never a flood of requests."""
        started = self._clock()
        state = "unknown"
        while (spent := self._clock() - started) < self._config.task_seconds:
            read = self._read(action, task)
            state = str(read.get("taskState"))
            if state in _FINAL:
                return read
            pause = min(
                max(spent * self._config.poll_share, self._config.poll_floor_seconds), self._config.poll_cap_seconds
            )
            self._sleep(pause * random.uniform(0.9, 1.1))  # noqa: S311  jitter, not a secret
        raise UncertainError(
            f"Anaplan task {task} of {action} is still {state} after {self._config.task_seconds:.0f} seconds.",
            holds="It may still be carried out.",
            next_step="Watch or cancel it in Anaplan's Model Management, then run the load again.",
        )

    def _read(self, action: str, task: str) -> dict[str, Any]:
        try:
            answer = self._api.get(f"{action}/tasks/{task}")
        except SetupError as error:
            raise UncertainError(
                f"Anaplan task {task} of {action} cannot be seen any more: {error.what}",
                holds="It may have been carried out.",
                next_step="Run the load again: it sends the whole slice and reads it back.",
            ) from None
        read: dict[str, Any] = answer.get("task", answer)
        return read
