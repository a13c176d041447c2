"""What people are told of, and the messages on their way to them."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "troubles",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("connection", sa.String(120), nullable=False),
        sa.Column("kind", sa.String(60), nullable=False),
        sa.Column("about", sa.String(200), nullable=False),
        sa.Column("content", sa.String(16), nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("next_step", sa.Text, nullable=False),
        sa.Column("since", sa.String(40), nullable=False),
        sa.Column("told_at", sa.String(40), nullable=False),
        sa.UniqueConstraint("connection", "kind", "about", name="troubles_once"),
    )
    op.create_table(
        "messages",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("connection", sa.String(120), nullable=False),
        sa.Column("way", sa.String(120), nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("made_at", sa.String(40), nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("next_at", sa.String(40), nullable=False),
        sa.Column("ended", sa.String(20), nullable=False),
        sa.Column("said", sa.Text, nullable=False),
    )
    op.create_index("messages_by_connection", "messages", ["connection", "id"])
