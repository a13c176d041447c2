"""The audit trail: what was moved, by whom, under which approval; written once, and any change of it afterwards shows.

trail        Trail: append an event with its records, read them again, prove one record
logbook      the trail in the hand of one piece of work
event        what an event says, and the header that chains it to the one before
records      the shape of records, their canonical lines, and the hashes of each 64 of them
merkle       roots and inclusion proofs (RFC 6962)
canonical    the one form in which an event may be written
body         records as a Parquet file named by its content
guards       the triggers that refuse changes, and whether they stand
checkpoints  signed heads in a file of their own, and the short texts for Dagster and for a journal
verify       what was tampered with, and where
evidence     a part of the trail as plain files, which verify_pack checks
verify_pack  the small verifier: standard library only, shares no code with all this, goes into every evidence pack
faults       a full disk, a broken file, a busy database: by name

docs/audit-trail.md defines every byte that is hashed.
"""
