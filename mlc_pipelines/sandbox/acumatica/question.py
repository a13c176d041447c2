"""What an inquiry is asked: its parameters read and checked, and the question they make.

What a wrong parameter answers is not known: 422 with the entity echoed, or 500, by switch [I].
"""

from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlc_pipelines.sandbox.acumatica import periods
from mlc_pipelines.sandbox.acumatica.contract import Entity
from mlc_pipelines.sandbox.acumatica.errors import bad_request
from mlc_pipelines.sandbox.acumatica.site import Site
from mlc_pipelines.sandbox.acumatica.wire import Record, Value
from mlc_pipelines.sandbox.company import Batch, Period


class ParameterError(Exception):
    """Some parameters cannot be used; `errors` says why, by name."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(", ".join(errors))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Question:
    """`asked` names the question, `state` what its answer depends on beside it, `records` works the answer out."""

    asked: tuple[Any, ...]
    state: tuple[Any, ...]
    records: Callable[[], Iterator[Record]]


def parameters(entity: Entity, body: Any) -> dict[str, Value]:
    """The parameters that were sent; names the contract does not know are ignored [C GRP]. Raises a 400."""
    if not isinstance(body, dict):
        raise bad_request("The request body should be an object.")
    sent = {name: _plain(name, letter, body.get(name)) for name, letter in entity.fields.items()}
    return {name: value for name, value in sent.items() if value not in (None, "")}


def _plain(name: str, letter: str, sent: Any) -> Value:
    if sent is None:
        return None
    if not isinstance(sent, dict):
        raise bad_request(f"{name}: a value object is expected.")
    value = sent.get("value")
    if value is None or type(value) is (bool if letter == "b" else str):
        return value
    raise bad_request(f"{name}: the value has the wrong type.")


def required_ledger(site: Site, given: Mapping[str, Value]) -> str:
    """The ledger asked for, the branch too if one was given; ParameterError when a code is missing or unknown."""
    shelves: dict[str, Container[object]] = {"Ledger": site.books.ledgers, "Branch": site.books.branches}
    errors = {} if "Ledger" in given else {"Ledger": "'Ledger' cannot be empty."}
    for name, shelf in shelves.items():
        if name in given and given[name] not in shelf:
            errors[name] = f"'{name}' cannot be found in the system."
    if errors:
        raise ParameterError(errors)
    return str(given["Ledger"])


def required_period(site: Site, given: Mapping[str, Value], name: str) -> Period:
    """The period that a parameter names; ParameterError when it is missing or there is none of that name."""
    if name not in given:
        raise ParameterError({name: f"'{name}' cannot be empty."})
    period = periods.find(site, str(given[name]))
    if period is None:
        raise ParameterError({name: f"'{name}' cannot be found in the system."})
    return period


def state_of(site: Site, batches: Iterator[Batch]) -> tuple[Any, ...]:
    """How these batches stand now, and the switches that change how they are shown."""
    shown = tuple(site.switches[name] for name in ("post_period_format", "trial_balance_sign", "summary_of_mask"))
    return (*shown, hash(tuple((one.number, one.modified_at, one.status, len(one.lines)) for one in batches)))
