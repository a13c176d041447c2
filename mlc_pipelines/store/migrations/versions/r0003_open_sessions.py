"""Sessions of foreign systems that are open, and their published contracts as they were read."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "open_sessions",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("place", sa.String(400), nullable=False),
        sa.Column("site", sa.String(400), nullable=False),
        sa.Column("slot", sa.Integer, nullable=False),
        sa.Column("holder", sa.String(200), nullable=False),
        sa.Column("key_id", sa.String(16), nullable=False),
        sa.Column("nonce", sa.LargeBinary, nullable=False),
        sa.Column("ciphertext", sa.LargeBinary, nullable=False),
        sa.Column("opened_at", sa.String(40), nullable=False),
    )
    op.create_table(
        "contracts",
        sa.Column("name", sa.String(600), primary_key=True),
        sa.Column("artefact", sa.String(64), nullable=False),
        sa.Column("read_at", sa.String(40), nullable=False),
    )
