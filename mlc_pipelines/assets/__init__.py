"""The flows in Dagster: one set of assets per connection. This room and definitions.py are the only ones that know Dagster.

location     every connection of the folder, each in its own try; a broken one appears by name with its error
connection   the assets, checks, pool and jobs of one connection
extracts     declared extracts, plain or by period
perform      a flow within an asset: its report, or its failure with the legs that did not agree
notices      the sensor that tells people; failures: what Dagster itself knows of troubles; freshness: loaded in time or not
launcher     how runs are started, and noticed when their process is gone; named in dagster.yaml
changes      the sensor that asks for periods the ERP said have changed
trail        the full verification of the audit trail, for the whole installation
screens      reports and failures as metadata that a finance person can read
"""
