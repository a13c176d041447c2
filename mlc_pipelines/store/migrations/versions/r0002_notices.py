"""Push notifications that were received: what changed in the ERP, waiting to be read."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "notices",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("connection", sa.String(120), nullable=False),
        sa.Column("source", sa.String(200), nullable=False),
        sa.Column("notice", sa.String(120), nullable=False),
        sa.Column("stamp", sa.BigInteger, nullable=False),
        sa.Column("periods", sa.Text, nullable=False),
        sa.Column("received_at", sa.String(40), nullable=False),
        sa.UniqueConstraint("connection", "source", "notice", name="notices_once"),
    )
