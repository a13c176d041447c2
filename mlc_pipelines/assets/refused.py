"""The queue of refused records as an asset: a table with reason, age and money, and a check that is green when nothing waits."""

import dagster as dg

from mlc_pipelines.assets.overview import Overview, Seen, overview_definitions
from mlc_pipelines.flows.steps import REFUSED
from mlc_pipelines.wiring.connections import Named

_QUEUE = Overview(
    REFUSED,
    "Records that the plan refused, and codes without a member: which period, why, since when, with how much money. Each stays until a load "
    "that agrees takes it, or until somebody waives it by name (`mlc refused waive`).",
    frozenset({"anaplan"}),
    job=("refused", "Shows which records were refused and wait for somebody. Neither system is asked."),
    check=("nothing_refused", "No record waits for somebody."),
)


def refused_definitions(named: Named) -> dg.Definitions:
    """The asset, and a job of it alone."""
    return overview_definitions(named, _QUEUE, lambda _context: _seen(named))


def _seen(named: Named) -> Seen:
    # pandas is loaded by the process that works, not by the servers that only show definitions.
    from mlc_pipelines.assets.screens import table
    from mlc_pipelines.flows.refused import as_table, told
    from mlc_pipelines.store.home import Store
    from mlc_pipelines.store.refusals import OPEN, WAIVED

    queue = Store.open().refusals(named.name)
    waiting = queue.all(OPEN)
    shown = {
        "records": dg.MetadataValue.int(len(waiting)),
        "Refused": table(as_table(waiting).drop(columns=["state", "by", "why"])),
        "Waived": table(as_table(queue.all(WAIVED))),
    }
    return Seen(told(waiting), not waiting, shown)
