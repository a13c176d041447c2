"""Epicor Kinetic over its REST API, version 2: one book of one company as a general ledger and as payables, which is only read; and, apart from it,
the two places that an approved plan may be written into.

config       what a connection must say: instance, company, book, which segments are account and cost center, queries in place of entity sets
client       class Epicor, the ports `GeneralLedger` and `Payables`: what flows call
connection   the way to one instance: key and sign-in with each call, one session for a run, the server's clock, what was noticed on the way
auth         the API key, and beside it Basic, tokens of the instance, or tokens of an identity provider
sessions     one session: opened before the first question, opened again when it has ended, closed always; waiting for a licence
refusals     what an error answer means, in the words of a finance person, and who can mend it
metadata     what a service publishes about its columns, held against those that are used
wire         rows of Kinetic as types, and the entity sets they are read from
odata        entity sets and queries read whole, page by page, whatever the server makes of page sizes, order and links
codec        books and periods as Kinetic describes them
chart        segments, which of them balances keep, accounts and cost centers
columns      rows as columns, and the checks every row must pass
lines        posted lines: each once, each journal in balance
balances     balances by account and subaccount, once Kinetic has added every line to them
changes      which periods changed, by row versions
payables     vendors, distributions in the shape SPEND, and the ledger's own lines from payables
invoices     invoices with everything below them, through their parents
baq          Business Activity Queries in place of entity sets
extracts     any entity set or query as a table
planbook     the book that a plan is written into: its chart, its periods, what stands against an account
journals     class PlanJournals, the port `PlanBooks`: plan journals of a plan book, in two phases
draftnames, planwire, datasets, groups, entry, release    names and marks, rows, datasets, looking up, building and deleting, posting
budget       class NativeBudget, the port `BudgetTable`: figures of the budget tables, by key
shapes       which columns an extract has, and their values, every digit kept
"""
