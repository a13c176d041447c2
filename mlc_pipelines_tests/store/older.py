"""Databases as older versions of this project left them."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from mlc_pipelines.store import schema


def migrate(url: str, revision: str) -> None:
    """A database as an older version of this project left it."""
    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    with sa.create_engine(url).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
