"""A key ring kept by a HashiCorp Vault (or OpenBao) server, as one field of one secret of its key-value engine, version 2.

    GET  /v1/MOUNT/data/PATH  ->  {"data": {"data": {"ring": TEXT}, "metadata": {"version": 3}}}, 404 where there is none
    POST /v1/MOUNT/data/PATH  <-  {"options": {"cas": 3}, "data": {"ring": TEXT}}, refused when it is not version 3 any more

[S developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2]; seen working against an emulation only. The token comes from a file, where the
server's agent renews it: in the environment every program of the same user could read it.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.store.ring import KeyUnavailable, Ring
from mlc_pipelines.store.ringplaces import HandedIn, private_text
from mlc_pipelines.transport.answers import decode
from mlc_pipelines.transport.caller import Caller, Limits
from mlc_pipelines.transport.secret import Secret

_FIELD = "ring"
_LIMITS = Limits(
    connect_seconds=10, read_seconds=20, deadline_seconds=30, body_bytes_max=1 << 20, attempts=3, retry_seconds=30
)


@dataclass(slots=True)
class HashiCorpRing:
    """One secret of the server. site and path as its address says; ca_file: for a certificate of one's own."""

    site: str
    path: str
    token_file: Path
    ca_file: str | None = None
    writable: bool = True
    _version: int = field(default=0, init=False)

    @classmethod
    def from_address(cls, address: str, token_file: Path) -> "HashiCorpRing":
        """Raises SetupError unless it is https (or this machine's own http) and names a secret of that engine."""
        parts = urlsplit(address)
        near = parts.scheme == "http" and parts.hostname in {"127.0.0.1", "localhost", "::1"}
        if not (parts.scheme == "https" or near) or not parts.path.startswith("/v1/") or "/data/" not in parts.path:
            raise SetupError(
                "MLC_KEY_RING does not name a secret of a key-value engine, version 2.",
                next_step="Write hashicorp:https://HOST:8200/v1/MOUNT/data/PATH.",
            )
        return cls(
            f"{parts.scheme}://{parts.netloc}", parts.path, token_file, os.environ.get("MLC_KEY_RING_CA_FILE") or None
        )

    @property
    def named(self) -> str:
        return self.site + self.path

    def read(self) -> Ring | None:
        with self._caller() as server:
            answer = server.read("GET", self.path, expect=(200, 404))
        if answer.status == 404:
            self._version = 0
            return None
        try:
            held: Any = decode(answer.body)  # not `answer.json()`: its message would quote the body
            text, self._version = held["data"]["data"][_FIELD], int(held["data"]["metadata"]["version"])
        except (KeyError, TypeError, ValueError):
            raise KeyUnavailable(
                f"The secret {self.named} has no field {_FIELD!r}.",
                holds="No credential was opened or changed.",
                next_step="Put the key ring into that field, or correct MLC_KEY_RING.",
            ) from None
        return Ring.from_text(text, self.named)

    def write(self, ring: Ring) -> None:
        """Only over the version that was read, so that two machines cannot overwrite each other's keys."""
        for line in ring.to_text().splitlines():
            Secret(line.partition(" ")[0], "key ring").reveal()  # blanked out, should the server repeat it
        said = {"options": {"cas": self._version}, "data": {_FIELD: ring.to_text()}}
        with self._caller() as server:
            answer: Any = server.write("POST", self.path, expect=(200,), json=said).json()
        self._version = int(answer["data"]["version"])

    def _caller(self) -> Caller:
        token = Secret(
            private_text(self.token_file, HandedIn.mode, HandedIn.owners()).strip(), "token of the key server"
        )
        return Caller(
            "Key server", self.site, headers={"X-Vault-Token": token.reveal()}, limits=_LIMITS, ca_file=self.ca_file
        )
