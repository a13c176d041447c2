"""The audit trail, append-only by triggers."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_SQLITE = """
CREATE TRIGGER trail_no_update BEFORE UPDATE ON trail BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END
--
CREATE TRIGGER trail_no_delete BEFORE DELETE ON trail BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END
--
CREATE TRIGGER trail_only_next BEFORE INSERT ON trail
WHEN NEW.number IS NOT (SELECT COALESCE(MAX(number), 0) + 1 FROM trail)
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END
"""
_POSTGRES = """
CREATE FUNCTION trail_is_append_only() RETURNS trigger LANGUAGE plpgsql
AS $$ BEGIN RAISE EXCEPTION 'the audit trail is append-only'; END $$
--
CREATE TRIGGER trail_no_change BEFORE UPDATE OR DELETE ON trail FOR EACH ROW EXECUTE FUNCTION trail_is_append_only()
--
CREATE TRIGGER trail_no_truncate BEFORE TRUNCATE ON trail FOR EACH STATEMENT EXECUTE FUNCTION trail_is_append_only()
--
REVOKE UPDATE, DELETE, TRUNCATE ON trail FROM PUBLIC
"""


def upgrade() -> None:
    op.create_table(
        "trail",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("connection", sa.String(120), nullable=False),
        sa.Column("kind", sa.String(60), nullable=False),
        sa.Column("period", sa.String(20), nullable=False),
        sa.Column("reference", sa.String(80), nullable=False),
        sa.Column("run", sa.String(80), nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("first", sa.BigInteger, nullable=False),
        sa.Column("records", sa.BigInteger, nullable=False),
        sa.Column("root", sa.String(64), nullable=False),
        sa.Column("file", sa.String(64), nullable=False),
        sa.Column("header", sa.String(64), nullable=False),
        sa.Column("leaves", sa.LargeBinary, nullable=False),
    )
    op.create_index("trail_by_place", "trail", ["connection", "kind", "period", "number"])
    op.create_index("trail_by_reference", "trail", ["reference", "number"])
    for statement in (_SQLITE if op.get_bind().dialect.name == "sqlite" else _POSTGRES).split("--"):
        op.get_bind().exec_driver_sql(statement.strip())
