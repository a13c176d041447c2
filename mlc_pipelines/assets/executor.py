"""How the steps of a run are worked off: one after the other in the run's own process, which sleeps while another run is in the model.

Dagster's `in_process_executor` does not sleep there: the least of 0 and the time left is never above 0, so each run that waits takes a whole core
for as long as the one before it imports. It also looks more and more seldom, up to every 15 seconds, and the model stands idle meanwhile
[C dagster 1.13.27: instance_concurrency_context.py; github.com/dagster-io/dagster/pull/20367, never merged].
"""

import os
import time
from collections.abc import Iterator

import dagster as dg
from dagster._core.events import EngineEventData
from dagster._core.execution.api import ExecuteRunWithPlanIterable
from dagster._core.execution.context.system import PlanExecutionContext, PlanOrchestrationContext
from dagster._core.execution.context_creation_job import PlanExecutionContextManager
from dagster._core.execution.plan.execute_plan import inner_plan_execution_iterator
from dagster._core.execution.plan.instance_concurrency_context import InstanceConcurrencyContext
from dagster._core.execution.plan.plan import ExecutionPlan
from dagster._core.execution.retries import RetryMode
from dagster._core.executor.base import Executor


class Turns(InstanceConcurrencyContext):
    """A run's claims on pools. One that was refused is asked for again after a second, however often that was."""

    def claim(self, concurrency_key: str, step_key: str, step_priority: int = 0) -> bool:
        """As Dagster's, which lengthens its pauses by the number of refusals so far."""
        self._pending_claim_counts.clear()
        return super().claim(concurrency_key, step_key, step_priority)

    def interval_to_next_pending_claim_check(self) -> float:
        """Seconds until the next claim is due: what the run sleeps."""
        due = min(self._pending_timeouts.values(), default=0.0)
        return max(due - time.time(), 0.0)


class OneProcess(Executor):
    """All steps in the process of the run: one token for its whole life and one owner of the model's fence (design D10)."""

    @property
    def retries(self) -> RetryMode:
        return RetryMode.ENABLED

    def execute(
        self, plan_context: PlanOrchestrationContext, execution_plan: ExecutionPlan
    ) -> Iterator[dg.DagsterEvent]:
        """Work off the plan; the first event names the process, which the run launcher watches."""
        steps = EngineEventData.in_process(os.getpid(), execution_plan.step_keys_to_execute)
        yield dg.DagsterEvent.engine_event(plan_context, "All steps of this run run in one process.", steps)
        context = PlanExecutionContextManager(
            job=plan_context.job,
            execution_plan=execution_plan,
            run_config=plan_context.run_config,
            dagster_run=plan_context.dagster_run,
            instance=plan_context.instance,
            retry_mode=plan_context.retry_mode,
            raise_on_error=plan_context.raise_on_error,
            output_capture=plan_context.output_capture,
        )
        yield from ExecuteRunWithPlanIterable(execution_plan, _in_turn, context)


def _in_turn(job_context: PlanExecutionContext, execution_plan: ExecutionPlan) -> Iterator[dg.DagsterEvent]:
    with Turns(job_context.instance, job_context.dagster_run) as turns:
        yield from inner_plan_execution_iterator(job_context, execution_plan, turns)


@dg.executor
def one_process(_context: dg.InitExecutorContext) -> OneProcess:
    """The executor of all jobs here."""
    return OneProcess()
