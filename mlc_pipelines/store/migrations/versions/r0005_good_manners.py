"""The budget of requests per minute, and ids of foreign systems by name."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "request_grants",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("budget", sa.String(200), nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("permits", sa.Integer, nullable=False),
    )
    op.create_index("request_grants_by_time", "request_grants", ["budget", "at"])
    op.create_table(
        "request_pauses",
        sa.Column("budget", sa.String(200), primary_key=True),
        sa.Column("until", sa.Double, nullable=False),
    )
    op.create_table(
        "known_ids",
        sa.Column("place", sa.String(600), primary_key=True),
        sa.Column("name", sa.String(400), primary_key=True),
        sa.Column("id", sa.String(80), nullable=False),
        sa.Column("listed_at", sa.Double, nullable=False),
    )
