"""Acumatica Cloud ERP as a general ledger: one company's posted figures over its contract-based REST API. Reads only.

config       what a connection must say: site, tenant, company, ledger, endpoint version, shape of a subaccount
client       class Acumatica, the port `GeneralLedger`: what flows call
connection   the way to one site: pinned version checked first, sign-in at the first call, sign-out always
auth         OAuth password grant, or the older cookie sign-in
refusals     what an error answer means, in the words of a finance person, and who can mend it
wire         the site's payloads as types: value objects, records, rows
periods      "032026" <-> FY2026-P03
codec        master data and balances: wire <-> ledger frames
lines        columns of posted lines, and the checks every line must pass
amounts      exact amount texts -> whole minor units, a column at a time
inquiry      posted lines by the period inquiry: one answer
transactions posted lines by their batches: in closed key ranges, every announced batch exactly once
"""
