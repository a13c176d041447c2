"""Acumatica Cloud ERP as a general ledger: one company's posted figures over its contract-based REST API; and the ledgers that plans go into.

config       what a connection must say: site, tenant, company, ledger, endpoint version, shape of a subaccount
client       class Acumatica, the port `GeneralLedger`: what flows call
connection   the way to one site: pinned version checked first, sign-in at the first call, sign-out always
auth         OAuth password grant, or the older cookie sign-in
sessions     one API session: within the allowed number, written down before it is used, signed out always
tenants      which tenant and companies answered
openapi      what the endpoint publishes, held against the fields that are used
actions      actions of a form: sent once, then waited for
refusals     what an error answer means, in the words of a finance person, and who can mend it
wire         the site's payloads as types: value objects, records, rows
periods      "032026" <-> FY2026-P03
codec        master data and balances: wire <-> ledger frames
lines        columns of posted lines, and the checks every line must pass
inquiry      posted lines by the period inquiry: one answer
layout       how a site lays out a row of the inquiry, and the fields of all rows laid out alike, without an object per field
columns      rows laid out as usual straight into columns, held against the books
changes      batches changed since a moment of the site's own clock
push         notifications that the site sends: which periods they touch
records      reading records whole while others work on them: keys first, then closed ranges, then the keys again
transactions posted lines by their batches: the recipe of `records` for the ledger
extracts     any entity of the endpoint as a table, by the same recipe
odata        generic inquiries over OData, by the same recipe
shapes       which columns an extract has, held against what the site publishes
typed        fields of any entity or inquiry as typed columns, every digit kept
calendars    the site's own fiscal periods, as they stand for one company
plan_ledger  the ledger that plans are written into: what it is, which keys and periods it takes
plan_batches journals of a plan as batches: what is written, how far one is, what is read back
plan_journals   the port `PlanBooks`: drafts, look-ups, releases in a Statistical ledger
plan_budget  the port `BudgetTable`: articles of the Budget entity
"""
