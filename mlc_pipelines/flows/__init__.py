"""The directions as plain functions: how a posted line becomes a cell, told once, for Dagster, the command line and tests alike.

desk        what a flow works with: the connected rooms and the connection's declared answers
report      what a step tells afterwards: counts, totals, legs, tables
reference   chart of accounts, cost centers, list members, and their alignment; always first
actuals     posted lines -> cells -> the model -> read back and proved equal: the paragraph, and its three steps
            extract (ledger -> lines), shape (lines -> file of cells), load (file -> model)
read_back   what the model holds, by its own export, and whether its other periods stayed untouched
watch       which loaded periods have changed in the ERP since, and wait to be read again
signoff     how each period stands: provisional, final, suspended; since_agreed: the journals that changed
as_then     kept figures of an earlier load, which nobody signs off
again       which changed periods are asked for now, and which wait for a day or a person
troubles    what the store knows of that people should look at; freshness: which periods are late by the close calendar
notify      what is on held against what was told: one message of the difference, delivered or given up
budgets     an approved plan -> journals or native figures of the ERP -> posted once, read back and proved equal:
            approved (export), preview (strangers: what stands there and is not known), approval, native, plan_tie_out (standing: our
            journals as they are now), resume (what could go on), by_hand (what a person decides about single journals)
posting     approved journals -> exactly one released journal each in the ERP; sweep and abandon; strays: what a sweep leaves to a person
clerk       one such journal brought to its end, acting on look-ups alone
evidence/   what is held of one period, as a pack for a controller and an auditor
extracts    declared lists of records, kept whole or brought up to date
files       frames and tables as kept files
refused     what was refused, in a queue until somebody has dealt with it
retention   old files are given up, and the audit trail says which
steps       names that the steps share with Dagit and the history
"""
