"""mlc_pipelines keeps a company's plan (Anaplan) and its ledger (Acumatica, Epicor Kinetic) in agreement, to the cent.

The house has seven floors; imports run downwards only and `lint-imports` holds that:

    definitions.py   front door: what Dagster loads
    assets/ | cli/   the same flows in Dagster and by hand
    wiring/          configuration -> connected rooms; the one place where credentials are opened
    flows/           the two directions as plain functions
    acumatica/ | anaplan/ | store/ | sandbox/    rooms that do not know one another
    transport/       one polite HTTP caller: deadlines, retries of reads, the JSON door, streaming of rows
    ledger/          ground floor, pure: money, fiscal periods, mapping, control totals, ports
"""
