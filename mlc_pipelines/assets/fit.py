"""The fit report of a connection as an asset: one table of what is there and what is missing, and a check that tells whether a first load may begin."""

from collections.abc import Iterator

import dagster as dg

from mlc_pipelines.flows.steps import FIT
from mlc_pipelines.wiring.connections import Named

CHECK = "ready_to_load"


def fit_definitions(named: Named) -> dg.Definitions:
    """The asset, and a job of it alone."""
    asset = _asset(named)
    job = dg.define_asset_job(
        f"{named.name}_fit",
        dg.AssetSelection.assets(asset.key),
        description="Looks at both systems and says what is missing before the first load, and who can mend it. Nothing is written.",
    )
    return dg.Definitions(assets=[asset], jobs=[job])


def _asset(named: Named) -> dg.AssetsDefinition:
    key = dg.AssetKey([named.name, FIT])

    @dg.asset(
        key=key,
        description="What is there and what is missing before the first load: log-in, rights, ledger, periods, actions, columns, members, plans; each line "
        "with the person who can mend it. Nothing is written into either system.",
        group_name=named.name,
        kinds={named.settings.erp.system, "anaplan"},
        owners=list(named.settings.owners),
        check_specs=[
            dg.AssetCheckSpec(CHECK, asset=key, description="Nothing is missing, and all could be looked at.")
        ],
        metadata={"connection file": dg.MetadataValue.text(named.file.name)},
        code_version="1",
    )
    def work(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        # pandas is loaded by the process that works, not by the servers that only show definitions.
        from mlc_pipelines.assets.screens import table
        from mlc_pipelines.flows.fit import as_table, fit_report
        from mlc_pipelines.flows.fit_page import page_of
        from mlc_pipelines.ledger.fit import BEWARE, FINE, MISSING, NOT_CHECKED, READY
        from mlc_pipelines.store.home import Store
        from mlc_pipelines.wiring.fit import open_premises

        store = Store.open()
        with open_premises(named, store=store) as premises:
            report = fit_report(premises, progress=context.log.info)
        kept = store.artefacts.keep_bytes(page_of([report]).encode())
        facts = {"state": report.state, "summary": report.summary}
        store.history.record_step(named.name, FIT, "", kept, facts, run=context.run.run_id)
        counts = {state: dg.MetadataValue.int(report.count(state)) for state in (MISSING, BEWARE, NOT_CHECKED, FINE)}
        shown = {"summary": dg.MetadataValue.md(report.summary), "Findings": table(as_table(report))}
        yield dg.MaterializeResult(
            asset_key=key,
            metadata={**shown, **counts, "page": dg.MetadataValue.path(store.artefacts.place(kept))},
            check_results=[
                dg.AssetCheckResult(
                    passed=report.state == READY, check_name=CHECK, asset_key=key, description=report.summary
                )
            ],
        )

    return work
