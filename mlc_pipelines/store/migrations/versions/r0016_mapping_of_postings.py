"""Which version of the targets a plan's journal went through; "" of those from before that was kept."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.add_column("postings", sa.Column("mapping", sa.String(64), nullable=False, server_default=""))
