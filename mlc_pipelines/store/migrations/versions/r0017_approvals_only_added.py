"""Approvals can be added, and neither changed nor deleted, by triggers."""

from alembic import op

revision = "0017"
down_revision = "0016"

_SQLITE = """
CREATE TRIGGER approvals_no_update BEFORE UPDATE ON approvals BEGIN SELECT RAISE(ABORT, 'approvals are only added'); END
--
CREATE TRIGGER approvals_no_delete BEFORE DELETE ON approvals BEGIN SELECT RAISE(ABORT, 'approvals are only added'); END
"""
_POSTGRES = """
CREATE FUNCTION approvals_are_only_added() RETURNS trigger LANGUAGE plpgsql
AS $$ BEGIN RAISE EXCEPTION 'approvals are only added'; END $$
--
CREATE TRIGGER approvals_no_change BEFORE UPDATE OR DELETE ON approvals FOR EACH ROW EXECUTE FUNCTION approvals_are_only_added()
--
CREATE TRIGGER approvals_no_truncate BEFORE TRUNCATE ON approvals FOR EACH STATEMENT EXECUTE FUNCTION approvals_are_only_added()
"""


def upgrade() -> None:
    for statement in (_SQLITE if op.get_bind().dialect.name == "sqlite" else _POSTGRES).split("--"):
        op.get_bind().exec_driver_sql(statement.strip())
