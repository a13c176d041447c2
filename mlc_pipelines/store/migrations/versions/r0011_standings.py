"""What became of each period: agreed, suspended, closed, re-opened."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "standings",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("connection", sa.String(120), nullable=False),
        sa.Column("period", sa.String(20), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("load", sa.Integer, nullable=False),
        sa.Column("notice", sa.Integer, nullable=False),
        sa.Column("reading", sa.Text, nullable=False),
        sa.Column("changes", sa.String(64), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("run", sa.String(80), nullable=False),
        sa.Column("at", sa.String(40), nullable=False),
    )
    op.create_index("standings_by_period", "standings", ["connection", "period", "id"])
