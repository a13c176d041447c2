"""Epicor Kinetic as a general ledger and its payables: one company's posted figures over its REST API v2. Reads only."""
