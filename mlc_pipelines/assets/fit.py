"""The fit report of a connection as an asset: one table of what is there and what is missing, and a check that tells whether a first load may begin."""

import dagster as dg

from mlc_pipelines.assets.overview import Overview, Seen, overview_definitions
from mlc_pipelines.flows.steps import FIT
from mlc_pipelines.wiring.connections import Named


def fit_definitions(named: Named) -> dg.Definitions:
    """The asset, and a job of it alone."""
    overview = Overview(
        FIT,
        "What is there and what is missing before the first load: log-in, rights, ledger, periods, actions, columns, members, plans; each line "
        "with the person who can mend it. Nothing is written into either system.",
        frozenset({named.settings.erp.system, "anaplan"}),
        job=(
            "fit",
            "Looks at both systems and says what is missing before the first load, and who can mend it. Nothing is written.",
        ),
        check=("ready_to_load", "Nothing is missing, and all could be looked at."),
    )
    return overview_definitions(named, overview, lambda context: _seen(named, context))


def _seen(named: Named, context: dg.AssetExecutionContext) -> Seen:
    # pandas is loaded by the process that works, not by the servers that only show definitions.
    from mlc_pipelines.assets.screens import table
    from mlc_pipelines.flows.fit import as_table, fit_report
    from mlc_pipelines.flows.fit_page import page_of
    from mlc_pipelines.flows.trail import record
    from mlc_pipelines.ledger.fit import BEWARE, FINE, MISSING, NOT_CHECKED, READY
    from mlc_pipelines.store.home import Store
    from mlc_pipelines.wiring.fit import open_premises
    from mlc_pipelines.wiring.versions import logbook_of

    store = Store.open()
    with open_premises(named, store=store) as premises:
        report = fit_report(premises, progress=context.log.info)
    kept = store.artefacts.keep_bytes(page_of([report]).encode())
    facts = {"state": report.state, "summary": report.summary}
    record(store, logbook_of(named, store, context.run.run_id), FIT, "", kept, facts)
    counts = {state: dg.MetadataValue.int(report.count(state)) for state in (MISSING, BEWARE, NOT_CHECKED, FINE)}
    page = dg.MetadataValue.path(store.artefacts.place(kept))
    every = as_table(report)
    to_mend = every[every["state"].isin([MISSING, BEWARE])]
    shown = {  # narrow tables: what is cut off at the right of a screen is read by nobody
        "To be mended": table(to_mend[["what", "what to do", "who mends it"]]),
        "Findings": table(every[["state", "what", "found"]]),
    }
    return Seen(report.summary, report.state == READY, {**shown, **counts, "page": page})
