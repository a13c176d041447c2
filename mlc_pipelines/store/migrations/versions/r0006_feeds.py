"""Loads by kind of figures: what was loaded before are actuals."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("loads", sa.Column("feed", sa.String(40), nullable=False, server_default="actuals"))
    op.drop_index("loads_by_slice", "loads")
    op.create_index("loads_by_feed", "loads", ["connection", "feed", "period", "id"])
