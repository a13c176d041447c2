"""Whose the credentials are: a random name of this installation, bound into each of them from now on."""

from uuid import uuid4

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    table = op.create_table("installation", sa.Column("name", sa.String(32), primary_key=True))
    op.bulk_insert(table, [{"name": uuid4().hex}])
