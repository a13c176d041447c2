"""Figures of an earlier load, put into the plan once more from its kept files: exactly as then, and without the ERP.

So nobody knows whether plan and ledger agree: such a load is never signed off, and its period waits until it is read again.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mlc_pipelines.flows.desk import Desk
from mlc_pipelines.store import clock
from mlc_pipelines.store.history import Step

NOW, THEN = "now", "then"
FIGURES_OF, REPLAYED_FROM = "figures_of", "replayed_from"
"""Facts of a load: whether its figures are those of then, and of which load."""
LOADED_AS_THEN = "loaded as then"
"""Why its period waits to be read again."""


def of_then(reading: Step, load: str) -> Step:
    """The reading behind an earlier load, marked so that everybody who works with it knows what it is."""
    return replace(reading, facts={**reading.facts, FIGURES_OF: THEN, REPLAYED_FROM: load})


def marks(facts: Mapping[str, Any]) -> dict[str, str]:
    """Of a reading, or of a load: what says that it is one of then; {} where the ERP was asked."""
    return {name: str(facts[name]) for name in (FIGURES_OF, REPLAYED_FROM) if facts.get(name)}


def told(reading: Step) -> str:
    """Whose figures they are, and what is not known of them."""
    when = reading.made_at[:16].replace("T", " ")
    return f"The figures of {reading.facts[REPLAYED_FROM]}, read from the ERP at {when} UTC; the ERP was not asked when they were loaded again."


def have_read_again(desk: Desk, period: str, load: int) -> None:
    """The period waits, as if the ERP had told of a change: only a reading that begins after this takes it in."""
    stamp = int(clock.now().timestamp() * 1000)
    desk.store.notices.keep(desk.connection, LOADED_AS_THEN, f"load {load}", stamp, [period])
