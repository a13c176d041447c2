"""What an ERP publishes about its entities, distilled and kept, so that megabytes are fetched once per site, endpoint and build."""

from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from mlc_pipelines.store.artefacts import Artefacts
from mlc_pipelines.store.schema import contracts


@dataclass(frozen=True, slots=True)
class Contracts:
    """Kept contracts by name (site, endpoint, version and build)."""

    engine: sa.Engine
    artefacts: Artefacts

    def find(self, name: str) -> bytes | None:
        """The contract as it was kept; None when it is not there. Raises DataError when its file was changed."""
        with self.engine.connect() as db:
            artefact = db.execute(sa.select(contracts.c.artefact).where(contracts.c.name == name)).scalar()
        return None if artefact is None else self.artefacts.path(artefact).read_bytes()

    def keep(self, name: str, content: bytes) -> None:
        """Keep it under the name; what two processes keep at once is the same."""
        row = {"artefact": self.artefacts.keep_bytes(content), "read_at": datetime.now(UTC).isoformat()}
        with self.engine.begin() as db:
            db.execute(contracts.delete().where(contracts.c.name == name))
            db.execute(contracts.insert().values(name=name, **row))
