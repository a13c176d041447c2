"""The flows in Dagster: one set of assets per connection. This room and definitions.py are the only ones that know Dagster.

location     every connection of the folder, each in its own try; a broken one appears by name with its error
connection   the assets, checks, pool and jobs of one connection
screens      reports and failures as metadata that a finance person can read
"""
