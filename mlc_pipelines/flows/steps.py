"""Names that the steps of a slice share: they are the asset names in Dagit and the keys of the history."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Feed:
    """A kind of figures on its way into the plan: its name, and its three steps (read, file of cells, import)."""

    name: str
    extract: str
    file: str
    load: str


@dataclass(frozen=True, slots=True)
class PlanSteps:
    """The three steps of a plan on its way back: the approved figures, the journals they would make, the posting."""

    approved: str
    preview: str
    posting: str

    @classmethod
    def of(cls, plan: str) -> "PlanSteps":
        return cls(f"approved_{plan}", f"{plan}_journals", f"{plan}_posting")

    @property
    def all(self) -> tuple[str, str, str]:
        return self.approved, self.preview, self.posting


ACTUALS = Feed("actuals", "gl_actuals", "actuals_csv", "actuals_import")
SPEND = Feed("ap_spend", "ap_spend", "ap_spend_csv", "ap_spend_import")
EXTRACT, FILE, IMPORT = ACTUALS.extract, ACTUALS.file, ACTUALS.load
EXPLANATION = "actuals_explained"
CHART, COST_CENTERS, VENDORS = "chart_of_accounts", "cost_centers", "ap_vendors"
MEMBERS, MEMBER_MAP = "plan_members", "member_map"
LIST_SYNC = "list_sync"
CLOSE_CALENDAR = "close_calendar"
FIT = "fit_report"
REFUSED = "refused_records"
PERIOD_CHANGES = "period_changes"
ASSETS = frozenset(
    {
        *(step for feed in (ACTUALS, SPEND) for step in (feed.extract, feed.file, feed.load)),
        *(
            EXPLANATION,
            CHART,
            COST_CENTERS,
            VENDORS,
            MEMBERS,
            MEMBER_MAP,
            LIST_SYNC,
            CLOSE_CALENDAR,
            FIT,
            REFUSED,
            PERIOD_CHANGES,
            "connection_error",
        ),
    }
)
"""The names that every connection's own assets and steps have."""

LINES_MATCH_LEDGER = "lines_match_ledger"
BALANCES_MATCH_LEDGER = "balances_match_ledger"
OPENING_MATCHES_BEFORE = "opening_matches_before"
CLOSING_MATCHES_LEDGER = "closing_matches_ledger"
SPEND_MATCHES_LEDGER = "spend_matches_ledger"
INVOICES_MATCH_LEDGER = "invoices_match_ledger"
SIGN_PROOF, SIGNS_PROVED = "sign_proof", "signs_match_classes"
CELLS_MATCH_LINES = "cells_match_lines"
ROWS_ALL_TAKEN = "rows_all_taken"
MODEL_MATCHES_CELLS = "model_matches_cells"
CODES_UNCHANGED = "codes_unchanged"
MAPPING_SOUND = "mapping_table_sound"
CELLS_ALL_EXPORTED = "cells_all_exported"
PLAN_APPROVED = "plan_approved"
DESTINATION_ALLOWED = "destination_allowed"
JOURNALS_MATCH_PLAN = "journals_match_plan"
JOURNALS_BALANCE = "journals_balance"
JOURNALS_APPROVED = "journals_approved"
NO_STRAY_DRAFTS = "no_stray_drafts"
POSTED_MATCHES_PLAN = "posted_matches_plan"
LEDGER_MATCHES_PLAN = "ledger_matches_plan"
SIGN_OFF = "sign_off"

NOTHING_SENT = "Nothing was sent to the plan."
NOTHING_WRITTEN = "Nothing was written into the ERP."

JOURNALS, BALANCES = "journals", "balances"
PERIODIC, YTD = "periodic", "ytd"


def legs_of_extract(read: str, figures: str) -> tuple[tuple[str, str], ...]:
    """The legs that reading a period proves, by what is read and which figures go on: name, and what it says."""
    lines = LINES_MATCH_LEDGER, "Debits and credits of every account: ERP trial balance = lines read."
    rows = (
        BALANCES_MATCH_LEDGER,
        "Opening, debit, credit and closing of every account: its own row in the ERP = the sum over its subaccounts.",
    )
    opening = OPENING_MATCHES_BEFORE, "Every account: closing of the period before = opening of this one."
    closing = CLOSING_MATCHES_LEDGER, "Every account: closing of the ERP trial balance = opening read + lines read."
    if read == BALANCES:
        return rows, opening
    return (lines, opening, closing) if figures == YTD else (lines,)
