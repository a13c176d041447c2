"""The evidence of one connection and period, as a folder that a controller reads and an auditor checks without us.

contents   what the installation holds of it: steps, loads, journals, approvals, kept files, entries of the audit trail
tables     the same as tables for people (CSV), and how a text is kept from being taken for a formula
charts     bars as inline SVG
page       the HTML page: what was read, what was sent, what agreed, who approved
pack       the folder or zip: everything together, with the small verifier and the hash of every file
"""
