"""The flows in Dagster: one set of assets per connection. This room and definitions.py are the only ones that know Dagster.

location     every connection of the folder, each in its own try; a broken one appears by name with its error
connection   the assets, checks, pool and jobs of one connection
changes      the sensor that asks for periods the ERP said have changed
screens      reports and failures as metadata that a finance person can read
"""
