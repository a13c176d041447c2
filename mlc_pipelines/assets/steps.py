"""The steps of a connection as assets: what a person reads about each, what it needs, and which legs of the tie-out it proves."""

from dataclasses import dataclass

from mlc_pipelines.flows.steps import (
    ACTUALS,
    CELLS_MATCH_LINES,
    CHART,
    CODES_UNCHANGED,
    COST_CENTERS,
    INVOICES_MATCH_LEDGER,
    LIST_SYNC,
    MEMBER_MAP,
    MEMBERS,
    MODEL_MATCHES_CELLS,
    ROWS_ALL_TAKEN,
    SPEND,
    SPEND_MATCHES_LEDGER,
    VENDORS,
    Feed,
    legs_of_extract,
)
from mlc_pipelines.wiring.connections import Named


@dataclass(frozen=True, slots=True)
class Step:
    """One asset: what a person reads about it, what it needs, and which legs of the tie-out it proves."""

    name: str
    description: str
    deps: tuple[str, ...]
    kinds: tuple[str, ...]
    by_period: bool = False
    legs: tuple[tuple[str, str], ...] = ()
    in_model: bool = False
    notices: tuple[tuple[str, str], ...] = ()


_NOTICES = (
    (
        CODES_UNCHANGED,
        "Codes and members since the last map: renamed, moved, switched off, new, vanished. A warning; red where a code lost its member.",
    ),
)
_SPEND_LEGS = (
    (
        SPEND_MATCHES_LEDGER,
        "Every vendor, account and cost center: distributions of the invoices = the ledger's own lines from payables.",
    ),
    (INVOICES_MATCH_LEDGER, "Every invoice: read from payables = found in the ledger."),
)


def steps_of(named: Named) -> tuple[Step, ...]:
    """The steps of a connection, reference data first. Lists are synchronized, before they are read, only where the connection declares some."""
    chosen = named.settings
    legs = legs_of_extract(chosen.erp.proved_by, chosen.actuals.figures)
    steps = [*_reference(named), *_figures(ACTUALS, chosen.erp.system, legs)]
    if chosen.ap_spend:
        steps += _figures(SPEND, chosen.erp.system, _SPEND_LEGS)
    return tuple(steps)


def _reference(named: Named) -> list[Step]:
    system = named.settings.erp.system
    read = [
        Step(CHART, "The accounts of the ledger, read from the ERP: code, name, class, active or not.", (), (system,)),
        Step(COST_CENTERS, "The cost centers of the ledger, read from the ERP's account segments.", (), (system,)),
    ]
    if named.settings.ap_spend:
        read.append(Step(VENDORS, "The vendors, read from the ERP: code, name, active or not.", (), (system,)))
    codes = tuple(step.name for step in read)
    synced = [
        Step(
            LIST_SYNC,
            "The declared Anaplan lists brought up to the ERP's codes: new members, names, parents, properties; read back. Nothing is deleted; "
            "members that are gone from the ERP are listed.",
            (CHART, COST_CENTERS),
            ("anaplan",),
            in_model=True,
        )
    ]
    lists = synced if named.settings.lists else []
    members = Step(
        MEMBERS,
        "The members of the Anaplan lists that the ERP's codes land on.",
        tuple(step.name for step in lists),
        ("anaplan",),
    )
    pairs = Step(
        MEMBER_MAP,
        "Which list member each code of the ERP lands on, and every code that has none. Make it again when codes or members have changed.",
        (*codes, MEMBERS),
        ("table",),
        notices=_NOTICES,
    )
    return [*lists, *read, members, pairs]


_READS = {
    ACTUALS: "Posted figures of one fiscal period, read from the ERP and equal to its own trial balance in every account.",
    SPEND: "What vendors charged in one fiscal period, by vendor, expense account and cost center: the posted invoices, equal to the ledger's own lines from "
    "payables. Credit memos count; tax, prepayments and payments are told apart.",
}


def _figures(feed: Feed, system: str, legs: tuple[tuple[str, str], ...]) -> list[Step]:
    """The three steps of a feed: read, file, import."""
    return [
        Step(feed.extract, _READS[feed], (), (system, "parquet"), by_period=True, legs=legs),
        Step(
            feed.file,
            "The period's figures on the plan's members, whole, as the file that the Anaplan import expects. Codes without a member are listed with their money.",
            (feed.extract, MEMBER_MAP),
            ("csv",),
            by_period=True,
            legs=(
                (
                    CELLS_MATCH_LINES,
                    "Every plan member: mapped figures = cells in the file, read again from its bytes.",
                ),
            ),
        ),
        Step(
            feed.load,
            "The period in the Anaplan model: file sent, import run, figures read back and equal in every cell.",
            (feed.file,),
            ("anaplan",),
            by_period=True,
            legs=(
                (ROWS_ALL_TAKEN, "Rows of the file = rows the import took; none ignored, none refused."),
                (MODEL_MATCHES_CELLS, "Every cell: sent = held by the model afterwards, read back by export."),
            ),
            in_model=True,
        ),
    ]
