"""A door on this machine's own address through which a browser brings back the answer of a log-in page (RFC 8252, 7.3)."""

import queue
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

from mlc_pipelines.ledger.errors import SetupError, TransientError
from mlc_pipelines.transport.secret import Secret

HOST = "127.0.0.1"
PATH = "/callback"
_BROWSER_SECONDS = 10.0
_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>mlc</title></head>
<body style="font-family: sans-serif; margin: 4em"><h1>{title}</h1><p>{text}</p></body></html>"""


class RedirectReceiver:
    """Listens from __enter__ to __exit__. Only an answer with the right state counts; everything else is refused and waited past.

    port 0 takes any free one; systems that compare the whole redirect address need a fixed one.
    """

    def __init__(self, port: int, state: Secret) -> None:
        self._answers: queue.SimpleQueue[dict[str, str]] = queue.SimpleQueue()
        try:
            self._server = ThreadingHTTPServer((HOST, port), _handler(state, self._answers))
        except OSError as error:
            raise SetupError(
                f"Port {port} of this machine cannot be listened on ({error.strerror}).",
                holds="Nothing was stored.",
                next_step="End the program that uses it, or write another port under `redirect_port` in the connection file and register the new address.",
            ) from None
        self._server.daemon_threads = True

    @property
    def redirect_uri(self) -> str:
        """The address to register with the system."""
        return f"http://{HOST}:{self._server.server_port}{PATH}"

    def __enter__(self) -> Self:
        # Looks every 50 ms whether it shall end.
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def wait(self, seconds: float) -> dict[str, str]:
        """The parameters of the answer: `code`, or `error`. Raises TransientError when none came in time."""
        try:
            return self._answers.get(timeout=seconds)
        except queue.Empty:
            raise TransientError(
                f"Nobody finished the log-in in the browser within {seconds:.0f} seconds.",
                holds="Nothing was stored.",
                next_step="Run the command again, and open the address in a browser on this machine.",
            ) from None


def _handler(state: Secret, answers: "queue.SimpleQueue[dict[str, str]]") -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = _BROWSER_SECONDS

        def do_GET(self) -> None:
            address = urlsplit(self.path)
            said = {name: values[0] for name, values in parse_qs(address.query).items() if len(values) == 1}
            if address.path != PATH or not self._comes_here():
                self._show(404, "Not here", "This address is only for the answer of a log-in page.")
            elif not state.equals(said.get("state", "")) or not ({"code", "error"} & said.keys()):
                self._show(400, "Not accepted", "This answer does not belong to the log-in that is under way.")
            elif "error" in said:
                answers.put({"error": said["error"]})
                self._show(
                    200, "Not logged in", "The log-in was refused. Return to the terminal; this page can be closed."
                )
            else:
                answers.put({"code": said["code"]})
                self._show(200, "Almost done", "Return to the terminal; this page can be closed.")

        def _comes_here(self) -> bool:
            """Whether the browser asked for this very address; another host name that leads here is somebody's trick."""
            port = self.connection.getsockname()[1]
            return self.headers.get("Host", "") == f"{HOST}:{port}"

        def _show(self, status: int, title: str, text: str) -> None:
            page = _PAGE.format(title=title, text=text).encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(page)))
            self.send_header("Cache-Control", "no-store")
            self.send_header("Referrer-Policy", "no-referrer")
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_said: object) -> None:
            """Nothing: the request line holds the code."""

    return Handler
