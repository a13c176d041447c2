"""Alembic's steps from each older database to today's tables; run by store.schema when a database is opened."""
