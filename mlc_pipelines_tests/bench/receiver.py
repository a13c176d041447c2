"""Where the uploads of the bench go: as little server as takes them, in a process of its own. It keeps the chunks as they came.

    python -m mlc_pipelines_tests.bench.receiver ROUND_TRIP_SECONDS BYTES_PER_SECOND

Answers as Anaplan does to a log-in, to `files/{id}`, its chunks and `complete`. GET /held unpacks all chunks and says what they are;
only then it works hard. Prints one line of JSON: its own port, and one that answers as if it were far away.
"""

import gzip
import hashlib
import json
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from mlc_pipelines_tests.bench.wan import LOOPBACK, far_away

FILE = "113000000001"


class Receiver(ThreadingHTTPServer):
    """One file of one model. chunks: the bodies by number, since the upload was last announced."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__((LOOPBACK, 0), _Door)
        self.chunks: dict[int, bytes] = {}

    def held(self) -> dict[str, Any]:
        """What the chunks are when unpacked and joined."""
        digest, size = hashlib.sha256(), 0
        for number in sorted(self.chunks):
            content = gzip.decompress(self.chunks[number])
            digest.update(content)
            size += len(content)
        return {"bytes": size, "sha256": digest.hexdigest()}


class _Door(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Receiver

    def do_POST(self) -> None:
        asked = self._body()
        if self.path.endswith("/token/authenticate"):
            info = {"tokenValue": "bench", "tokenId": "1", "expiresAt": 4102444800000}
            self._say({"status": "SUCCESS", "tokenInfo": info}, 201)
        elif self.path.endswith("/logout"):
            self._say(None, 204)
        else:
            if self.path.endswith(f"/files/{FILE}"):
                self.server.chunks = {}
            count = json.loads(asked or b"{}").get("chunkCount", 0)
            self._say({"status": {"code": 200}, "file": {"id": FILE, "chunkCount": count}})

    def do_PUT(self) -> None:
        self.server.chunks[int(self.path.rpartition("/")[2])] = self._body()
        self._say(None, 204)

    def do_GET(self) -> None:
        if self.path == "/held":
            self._say(self.server.held())
            return
        if not re.search(r"/chunks(\?|$)", self.path):
            self.send_error(404)
            return
        rows = [{"id": str(number)} for number in sorted(self.server.chunks)]
        paging = {"currentPageSize": len(rows), "totalSize": len(rows), "offset": 0}
        self._say({"meta": {"paging": paging}, "status": {"code": 200}, "chunks": rows})

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("content-length", 0)))

    def _say(self, answer: dict[str, Any] | None, status: int = 200) -> None:
        body = b"" if answer is None else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        if status != 204:
            self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  its parent calls it so
        """Say nothing."""


def main(round_trip_seconds: str, bytes_per_second: str) -> None:
    receiver = Receiver()
    Thread(target=receiver.serve_forever, daemon=True).start()
    line = {"round_trip_seconds": float(round_trip_seconds), "bytes_per_second": float(bytes_per_second)}
    with far_away(receiver.server_port, **line) as far_port:
        sys.stdout.write(json.dumps({"port": receiver.server_port, "far_port": far_port}) + "\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
