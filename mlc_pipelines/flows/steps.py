"""Names that the steps of a slice share: they are the asset names in Dagit and the keys of the history."""

EXTRACT, FILE, IMPORT = "gl_actuals", "actuals_csv", "actuals_import"
EXPLANATION = "actuals_explained"
CHART, COST_CENTERS, MEMBERS, MEMBER_MAP = "chart_of_accounts", "cost_centers", "plan_members", "member_map"
LIST_SYNC = "list_sync"
ASSETS = frozenset(
    {EXTRACT, FILE, IMPORT, EXPLANATION, CHART, COST_CENTERS, MEMBERS, MEMBER_MAP, LIST_SYNC, "connection_error"}
)
"""The names that every connection's own assets and steps have."""

LINES_MATCH_LEDGER = "lines_match_ledger"
BALANCES_MATCH_LEDGER = "balances_match_ledger"
OPENING_MATCHES_BEFORE = "opening_matches_before"
CLOSING_MATCHES_LEDGER = "closing_matches_ledger"
CELLS_MATCH_LINES = "cells_match_lines"
ROWS_ALL_TAKEN = "rows_all_taken"
MODEL_MATCHES_CELLS = "model_matches_cells"
CODES_UNCHANGED = "codes_unchanged"

NOTHING_SENT = "Nothing was sent to the plan."

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
