"""Actions that take their time: 202 and a Location, which says 202 until they are done, then 204. Reference: acumatica 5.5.

A 204 at once may carry a Location too, which is dead [C acumatica-cli, live]. A release that fails leaves the batch as it was.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from mlc_pipelines.sandbox.acumatica import periods
from mlc_pipelines.sandbox.acumatica.errors import RefusalError, bad_request, failure, no_entity
from mlc_pipelines.sandbox.acumatica.site import Site
from mlc_pipelines.sandbox.company import Batch


@dataclass(slots=True)
class Operation:
    """The release of one batch."""

    batch: Batch
    ready_at: datetime
    failed: RefusalError | None = None
    done: bool = False


class Operations:
    """What is under way on one site."""

    def __init__(self, site: Site) -> None:
        """Nothing is."""
        self._site = site
        self._operations: dict[str, Operation] = {}

    def release(self, body: Any) -> str | None:
        """Start the release of the batch that the body names; the operation's id, None when it was done at once.

        Raises the 500 of a missing record or of a batch that cannot be released.
        """
        with self._site.lock:
            batch = self._batch(body)
            if batch.status != "Balanced":
                raise failure(f"The {batch.status} batch cannot be released.")
            wait = timedelta(seconds=self._site.switches["release_seconds"])
            operation = Operation(batch, self._site.clock.now() + wait)
            if self._site.switches["release_answer"] != "202":
                self._finish(operation)
                if operation.failed:
                    raise operation.failed
                return None
            key = str(uuid.uuid4())
            self._operations[key] = operation
            return key

    def status(self, key: str) -> int:
        """202 while it runs, 204 when it is done. Raises what it failed with, or a 404."""
        self.settle()
        operation = self._operations.get(key)
        if operation is None:
            raise RefusalError(404)
        if operation.failed is not None:
            raise operation.failed
        return 204 if operation.done else 202

    def settle(self) -> None:
        """Carry out what is due by the site's clock."""
        with self._site.lock:
            for operation in self._operations.values():
                if not operation.done and operation.failed is None and self._site.clock.now() >= operation.ready_at:
                    self._finish(operation)

    def _finish(self, operation: Operation) -> None:
        if self._site.switches["release_fails"]:
            operation.failed = failure(
                "At least one item has not been processed.", "PX.Data.PXOperationCompletedException"
            )
            return
        if wrong := periods.refusing(self._site, self._site.books.periods[operation.batch.period]):
            operation.failed = failure(wrong, "PX.Data.PXOperationCompletedException")
            return
        self._site.about_to_write()
        operation.batch.status = "Posted" if self._site.switches["post_on_release"] else "Unposted"
        operation.batch.modified_at = self._site.clock.now()
        operation.done = True

    def _batch(self, body: Any) -> Batch:
        entity = body.get("entity") if isinstance(body, dict) else None
        if not isinstance(entity, Mapping):
            raise bad_request("The entity of the action is missing.")
        number = (entity.get("BatchNbr") or {}).get("value")
        for batch in self._site.books.batches:
            if entity.get("id") == batch.note_id or number == batch.number:
                return batch
        raise no_entity()
