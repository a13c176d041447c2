"""What became of an action of the planning model, step by step, and whether it was done whole."""

from dataclasses import dataclass

from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.ledger.ports import ImportOutcome


@dataclass(frozen=True, slots=True)
class ActionOutcome:
    """What the planning model says a task did: an action without a file of ours, or a process. steps: one per step of a process that
    ran, in order; of anything else the one step is the action itself. A process is not atomic: steps before a failed one stay done.
    """

    label: str
    task: str
    state: str
    successful: bool
    messages: tuple[str, ...]
    steps: tuple[ImportOutcome, ...]

    @property
    def dumps(self) -> dict[str, bytes]:
        """The lists of refused rows, by id of the step."""
        return {step.object_id: step.dump for step in self.steps if step.dump is not None}

    def require_done(self) -> None:
        """Refuse a task that did not succeed whole. Raises DataError naming each step that failed, refused or ignored rows."""
        faults = [fault for step in self.steps if (fault := _fault_of(step))]
        if self.state == "COMPLETE" and self.successful and not faults:
            return
        told = [*faults, *self.messages] if faults else [*self.messages]
        error = DataError(
            f"The {self.label} ended {self.state}, {'successful' if self.successful else 'not successful'}. {' '.join(_sentence(one) for one in told)}".rstrip(),
            holds="Rows that were taken, and steps before a failed one, stay in the model."
            if self.state == "COMPLETE"
            else "It was cancelled; steps of a process that had ended stay done.",
            next_step="Correct what is named (the model builder can), then run it again.",
        )
        error.evidence = {
            f"Rows refused by {_named(step)}": step.refused for step in self.steps if not step.refused.empty
        }
        raise error


def shortfall(outcome: ImportOutcome, rows: int) -> str:
    """How an import ended that did not take all of its rows; "" where it took every one.

    COMPLETE, and even `successful`, prove nothing by themselves [S anaplan.md 6.3]; counts that cannot be read are a failure.
    """
    counted = (outcome.rows_taken, outcome.rows_ignored or 0, outcome.rows_failed or 0)
    if outcome.state == "COMPLETE" and outcome.successful and counted == (rows, 0, 0):
        return ""
    counts = "took {:,}, ignored {:,}, refused {:,} of {:,} rows".format(outcome.rows_taken or 0, *counted[1:], rows)
    readable = outcome.rows_taken is not None
    said = f" It said: {'; '.join(outcome.messages[:3])}." if outcome.messages else ""
    return (
        f"the import ended {outcome.state}, {'successful' if outcome.successful else 'not successful'}, "
        f"and {counts if readable else 'gave no readable row counts'}.{said}"
    )


def _fault_of(step: ImportOutcome) -> str:
    told = [] if step.successful else ["was not successful"]
    told += [f"refused {step.rows_failed:,} rows"] if step.rows_failed else []
    told += [f"ignored {step.rows_ignored:,} rows"] if step.rows_ignored else []
    told += [f"keeps its list of refused rows back ({step.dump_problem})"] if step.dump_problem else []
    return f"{_named(step)} {', '.join(told)}." if told else ""


def _named(step: ImportOutcome) -> str:
    return f"Step {step.object_name or 'without a name'} (id {step.object_id})"


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
