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
CELLS_MATCH_LINES = "cells_match_lines"
ROWS_ALL_TAKEN = "rows_all_taken"
MODEL_MATCHES_CELLS = "model_matches_cells"
CODES_UNCHANGED = "codes_unchanged"

NOTHING_SENT = "Nothing was sent to the plan."
