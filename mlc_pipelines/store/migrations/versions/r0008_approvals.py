"""Who approved which journals, and which plan a journal belongs to."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("postings", sa.Column("plan", sa.String(200), nullable=False, server_default=""))
    op.create_table(
        "approvals",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("connection", sa.String(120), nullable=False),
        sa.Column("plan", sa.String(200), nullable=False),
        sa.Column("package", sa.String(64), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("who", sa.String(200), nullable=False),
        sa.Column("evidence", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("at", sa.String(40), nullable=False),
    )
    op.create_index("approvals_by_package", "approvals", ["connection", "package", "id"])
