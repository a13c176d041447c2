"""What was proposed and accepted at the mapping desk, and which versions of the mapping were used."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "mapping_changes",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("proposal", sa.Integer, nullable=False),
        sa.Column("connection", sa.String(120), nullable=False),
        sa.Column("dimension", sa.String(40), nullable=False),
        sa.Column("code", sa.String(120), nullable=False),
        sa.Column("since", sa.String(20), nullable=False),
        sa.Column("member", sa.String(200), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("who", sa.String(200), nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("at", sa.String(40), nullable=False),
    )
    op.create_index("mapping_changes_by_connection", "mapping_changes", ["connection", "id"])
    op.create_table(
        "mapping_versions",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("connection", sa.String(120), nullable=False),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("used_at", sa.String(40), nullable=False),
        sa.Column("who", sa.String(200), nullable=False),
        sa.Column("run", sa.String(80), nullable=False),
        sa.UniqueConstraint("connection", "version", name="mapping_versions_once"),
    )
