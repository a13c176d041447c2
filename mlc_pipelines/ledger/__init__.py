"""Ground floor: the bookkeeping itself. Pure computation; knows no network, no database, no Dagster.

errors         four kinds of failure, by what to do next; every message has four parts
money          whole minor units inside, Decimal at the doors
amounts        exact amount texts -> whole minor units, a column at a time
decimals       any figure as a decimal column that keeps every digit
fiscal         fiscal periods and the calendar that orders them
workdays       business days, and the rules that name a day after a period's end
closing        the close calendar: when which period is loaded, and what was missed
journal        the shape of posted lines and their sums
drafts         journals that are to be written: reference, content hash, parts, objections
mapping        ERP codes <-> list members; what has no partner is kept and shown
control        the legs of the tie-out: who must equal whom, and by how much they differ
ports          what a general ledger and a planning model can do, in our words
extracts       any list of records of an ERP, declared: what is kept, what has changed, and its checks
outcomes       what became of an action, step by step
"""
