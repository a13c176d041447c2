"""Who stored a credential, and what is bound into its cipher: 1 name and version, 2 everything that is said of it."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("credentials", sa.Column("format", sa.Integer, nullable=False, server_default="1"))
    op.add_column("credentials", sa.Column("made_by", sa.String(200), nullable=False, server_default=""))
