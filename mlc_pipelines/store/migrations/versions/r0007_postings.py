"""Journals written into an ERP: how far each one is, and how it came there."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "postings",
        sa.Column("reference", sa.String(40), primary_key=True),
        sa.Column("connection", sa.String(120), nullable=False),
        sa.Column("package", sa.String(64), nullable=False),
        sa.Column("period", sa.String(20), nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("draft", sa.Text, nullable=False),
        sa.Column("approval", sa.Text, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("number", sa.String(80), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("made_at", sa.String(40), nullable=False),
        sa.Column("changed_at", sa.String(40), nullable=False),
    )
    op.create_index("postings_by_state", "postings", ["connection", "state"])
    op.create_table(
        "posting_events",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("reference", sa.String(40), sa.ForeignKey("postings.reference"), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("number", sa.String(80), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("who", sa.String(200), nullable=False),
        sa.Column("run", sa.String(80), nullable=False),
        sa.Column("at", sa.String(40), nullable=False),
    )
    op.create_index("posting_events_by_reference", "posting_events", ["reference", "id"])
