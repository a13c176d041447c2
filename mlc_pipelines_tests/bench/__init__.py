"""`make bench`: what a load costs us, beside what it costs with the tools a user would pick first. Ratios of one run, never seconds.

__main__     command line, table, JSON
measure      contenders in fresh processes, in turns; CPU, memory, and whether all came to the same figures
contender    one contender in its own process
server       what is asked, in a process of its own: a canned period of lines, or the whole sandbox
extract      posted lines from the wire into columns
baq          posted lines of a query of Epicor Kinetic, page by page into columns; baq_server: what is asked
aggregate    lines summed and mapped to cells
cells_file   cells written as CSV
audit        records of a load into the audit trail, and a trail verified
upload       a file into Anaplan: CPU, wall time over a slow line, memory; receiver: where it goes; wan: the slow line
period       a whole period, ledger to plan
dagster_run  a period as one Dagster run
"""
