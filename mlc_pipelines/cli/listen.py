"""mlc listen: the door that an ERP's push notifications come to."""

import logging
import socket
from contextlib import suppress

import click

from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.store.home import Store
from mlc_pipelines.wiring.connections import read_all


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8770, show_default=True, help="Port to listen on; 0 takes any free one.")
@click.option("--certificate", type=click.Path(exists=True, dir_okay=False), help="PEM file; without it plain http.")
@click.option("--key", type=click.Path(exists=True, dir_okay=False), help="Private key of the certificate, PEM.")
def listen(host: str, port: int, certificate: str | None, key: str | None) -> None:
    """Receive push notifications until Ctrl-C; the sensors then ask for the periods they name.

    Serves every connection that declares `erp.push`. Put it behind your reverse proxy, or give it a certificate: the shared secret travels in a header.
    """
    import uvicorn

    from mlc_pipelines.wiring.receiver import doors, receiver

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    store = Store.open()
    known, problems = doors(read_all()[0], store)
    for problem in problems:
        click.echo(f"Not served: {problem}", err=True)
    if not known:
        raise SetupError(
            "No connection can be served: none declares `erp.push` with a shared secret in the vault.",
            next_step="Add `erp.push` to the connection file, and store the secret with `mlc secrets set`.",
        )
    with _bound(host, port) as door, suppress(KeyboardInterrupt):
        base = f"{'https' if certificate else 'http'}://{host}:{door.getsockname()[1]}"
        for one in known.values():
            click.echo(f"{one.connection}: {base}/push/{one.connection}, secret in header {one.header}")
        config = uvicorn.Config(receiver(known, store), ssl_certfile=certificate, ssl_keyfile=key, log_level="warning")
        uvicorn.Server(config).run(sockets=[door])


def _bound(host: str, port: int) -> socket.socket:
    """The port, held and queueing from now on."""
    try:
        return socket.create_server((host, port))
    except OSError as error:
        raise SetupError(
            f"Port {port} of {host} cannot be used ({error.strerror}).", next_step="Choose another with --port."
        ) from None
