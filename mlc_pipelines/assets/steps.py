"""The steps of a connection as assets: what a person reads about each, what it needs, and which legs of the tie-out it proves."""

from dataclasses import dataclass

from mlc_pipelines.flows.steps import (
    ACTUALS,
    CELLS_ALL_EXPORTED,
    CELLS_MATCH_LINES,
    CHART,
    CODES_UNCHANGED,
    COST_CENTERS,
    DESTINATION_ALLOWED,
    INVOICES_MATCH_LEDGER,
    JOURNALS_APPROVED,
    JOURNALS_BALANCE,
    JOURNALS_MATCH_PLAN,
    LEDGER_MATCHES_PLAN,
    LIST_SYNC,
    MAPPING_SOUND,
    MEMBER_MAP,
    MEMBERS,
    MODEL_MATCHES_CELLS,
    NO_STRAY_DRAFTS,
    PLAN_APPROVED,
    POSTED_MATCHES_PLAN,
    ROWS_ALL_TAKEN,
    SIGN_OFF,
    SIGNS_PROVED,
    SPEND,
    SPEND_MATCHES_LEDGER,
    VENDORS,
    Feed,
    PlanSteps,
    legs_of_extract,
)
from mlc_pipelines.wiring.connections import Named
from mlc_pipelines.wiring.destinations import destination_of


@dataclass(frozen=True, slots=True)
class Step:
    """One asset: what a person reads about it, what it needs, and which legs of the tie-out it proves.

    plan: name of the plan on its way back, whose steps work on whole fiscal years. in_company: it writes into the ERP.
    """

    name: str
    description: str
    deps: tuple[str, ...]
    kinds: tuple[str, ...]
    by_period: bool = False
    legs: tuple[tuple[str, str], ...] = ()
    in_model: bool = False
    notices: tuple[tuple[str, str], ...] = ()
    plan: str = ""
    in_company: bool = False


_NOTICES = (
    (
        CODES_UNCHANGED,
        "Codes and members since the last map: renamed, moved, switched off, new, vanished. A warning; red where a code lost its member.",
    ),
    (
        MAPPING_SOUND,
        "The mapping tables: no code with two members in one period, none without its member or period; what is gone or repeated is a warning.",
    ),
)
_SIGN_OFF: tuple[tuple[str, str], ...] = (
    (
        SIGN_OFF,
        "Provisional while the ERP has the period open; final once it is closed and every leg agrees; suspended, and red, when the ERP changes it afterwards. Red as well while a load is in doubt, and while the plan holds kept figures of an earlier load (as then).",
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
    steps = [
        *_reference(named),
        *_figures(ACTUALS, chosen.erp.system, legs, () if chosen.actuals.sign_proof else _SIGNS),
    ]
    if chosen.ap_spend:
        steps += _figures(SPEND, chosen.erp.system, _SPEND_LEGS)
    for name in chosen.plans:
        steps += _plan(named, name)
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


_SIGNS = (
    (
        SIGNS_PROVED,
        "Every class of account comes out positive in the plan: its balance at the end of a closed period, with the declared sign.",
    ),
)


def _figures(
    feed: Feed, system: str, legs: tuple[tuple[str, str], ...], signs: tuple[tuple[str, str], ...] = ()
) -> list[Step]:
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
                *signs,
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
            notices=_SIGN_OFF if feed == ACTUALS else (),
        ),
    ]


def _plan(named: Named, name: str) -> list[Step]:
    """The three steps of a plan back into the ledger."""
    plan, system = named.settings.plans[name], named.settings.erp.system
    steps, destination = PlanSteps.of(name), destination_of(named, plan)[0]
    balance = (JOURNALS_BALANCE, "Every journal: debits = credits.")
    plan_leg = (
        JOURNALS_MATCH_PLAN,
        "Every account and subaccount: approved figures = what these journals make, with those posted before.",
    )
    held = (
        LEDGER_MATCHES_PLAN,
        f"Every account and subaccount: approved figures = what {destination.ledger} holds, whoever wrote it.",
    )
    posted = (
        POSTED_MATCHES_PLAN,
        "Every account and subaccount: approved figures = the lines of our journals, read back from the ERP.",
    )
    journals = f"The journals that the approved {name} would make"
    if plan.native:
        journals = f"The budget figures that the approved {name} would set"
    return [
        Step(
            steps.approved,
            f"Version {plan.version} of a fiscal year as approved in Anaplan: exported whole, leaf members only, with who approved which version and when.",
            (),
            ("anaplan", "parquet"),
            by_period=True,
            legs=((CELLS_ALL_EXPORTED, "Rows that the export says it made = rows read."),) if plan.export else (),
            in_model=True,
            notices=((PLAN_APPROVED, "The plan shows its approval in Anaplan: who, when, which version."),),
            plan=name,
        ),
        Step(
            steps.preview,
            f"{journals} in {destination}, beside what the ERP holds: by account and period, in natural sign. Nothing is written. The content it shows waits "
            f"for approval: `mlc budget approve {named.name} YEAR CONTENT`.",
            (steps.approved,),
            ("table",),
            by_period=True,
            legs=(plan_leg,) if destination.one_sided else (plan_leg, balance),
            notices=(
                (
                    DESTINATION_ALLOWED,
                    "The destination is no actual ledger, no main book, and not read by the inbound flow.",
                ),
            ),
            plan=name,
        ),
        Step(
            steps.posting,
            f"The approved {name} in {destination}: each journal once, read back and proved equal. What is posted already is found and told, and nothing is "
            "written again. Never launched by itself unless the connection says so.",
            (steps.preview,),
            (system,),
            by_period=True,
            legs=(held,) if plan.native else (posted,) if plan.shared else (posted, held),
            notices=(
                (JOURNALS_APPROVED, "Somebody else than prepared the journals approved exactly this content."),
                (NO_STRAY_DRAFTS, "No late draft of ours is left to a person, and nothing counts that was given up."),
            ),
            plan=name,
            in_company=True,
        ),
    ]
