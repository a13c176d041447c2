"""Push notifications of the site (SM302000): a changed batch is told to every destination, as the rows of a generic inquiry.

At least once, in no promised order, a static header as the only proof, five tries, then the list of failed ones, from which an
administrator sends again (SM502000). Reference: acumatica 7 [S].
"""

import http.client
import json
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from mlc_pipelines.sandbox.clock import Clock
from mlc_pipelines.sandbox.shapes import Batch

TRIES = 5
QUERY = "MLC GL Changes"
_TICKS_AT_1970 = 621_355_968_000_000_000
_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Destination:
    """A webhook and its one custom header."""

    url: str
    header: str
    value: str


@dataclass
class Pusher:
    """What one site sends; its switches `push_twice` and `push_period` say how."""

    tenant: str
    clock: Clock
    switches: Mapping[str, Any]
    destinations: list[Destination] = field(default_factory=list)
    sent: list[dict[str, Any]] = field(default_factory=list)
    failed: list[dict[str, Any]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _last_stamp: int = 0

    def tell(self, inserted: Batch | None, deleted: Batch | None) -> None:
        """One notification to every destination. An update has its old rows under Deleted and its new ones under Inserted."""
        note = {
            "Inserted": self._rows(inserted),
            "Deleted": self._rows(deleted),
            "Query": QUERY,
            "CompanyId": self.tenant,
            "Id": str(uuid.uuid4()),
            "TimeStamp": self._stamp(),
            "AdditionalInfo": {},
        }
        for destination in self.destinations:
            for _ in range(2 if self.switches["push_twice"] else 1):
                self._deliver(destination, note)

    def log(self) -> dict[str, Any]:
        """How many notifications arrived, how many did not, and after how many tries each."""
        with self._lock:
            return {
                "destinations": [one.url for one in self.destinations],
                "sent": [{"id": one["note"]["Id"], "tries": one["tries"]} for one in self.sent],
                "failed": [{"id": one["note"]["Id"], "status": one["status"]} for one in self.failed],
            }

    def send_again(self) -> int:
        """The failed ones once more, newest first; how many."""
        with self._lock:
            waiting, self.failed = self.failed[::-1], []
        for one in waiting:
            self._deliver(one["destination"], one["note"])
        return len(waiting)

    def _deliver(self, destination: Destination, note: dict[str, Any]) -> None:
        tries = 0
        for tries in range(1, TRIES + 1):  # noqa: B007  read after the loop
            status = _post(destination, json.dumps(note).encode())
            if 200 <= status < 300:
                break
        with self._lock:
            place = self.sent if 200 <= status < 300 else self.failed
            place.append({"destination": destination, "note": note, "tries": tries, "status": status})

    def _rows(self, batch: Batch | None) -> list[dict[str, Any]]:
        if batch is None:
            return []
        year, number = batch.period[2:6], batch.period[-2:]
        period = f"{number}{year}" if self.switches["push_period"] == "MMYYYY" else f"{year}{number}"
        return [
            {
                "Module": batch.module,
                "BatchNbr": batch.number,
                "LineNbr": line.number,
                "Ledger": batch.ledger,
                "PostPeriod": period,
                "Account": line.account,
                "Subaccount": line.subaccount,
            }
            for line in batch.lines
        ]

    def _stamp(self) -> int:
        """Ticks of 100 ns since the year 1, always growing."""
        ticks = _TICKS_AT_1970 + int(self.clock.now().timestamp()) * 10_000_000
        with self._lock:
            self._last_stamp = max(self._last_stamp + 1, ticks)
            return self._last_stamp


def _post(destination: Destination, body: bytes) -> int:
    """The status of one try; 0 when nobody answered."""
    address = urlsplit(destination.url)
    kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
    connection = kind(address.hostname or "", address.port, timeout=_SECONDS)
    try:
        connection.request(
            "POST",
            address.path,
            body,
            {"Content-Type": "application/json", destination.header: destination.value},
        )
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()
