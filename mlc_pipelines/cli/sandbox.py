"""mlc sandbox: the emulated systems in the foreground."""

import click

from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.sandbox.server import serve


@click.command()
@click.option("--port", default=8765, show_default=True, help="Port on the loopback address; 0 takes any free one.")
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print one line of JSON with addresses, ids and credentials once it is ready.",
)
@click.option("--tls", is_flag=True, help="Serve https with a certificate made on the spot.")
@click.option("--scale", default=1, show_default=True, help="Multiplies the batches of every month.")
def sandbox(port: int, as_json: bool, tls: bool, scale: int) -> None:
    """Serve the sample company's Acumatica and Anaplan until Ctrl-C. Everything in it is made up."""
    try:
        serve(port=port, as_json=as_json, tls=tls, scale=scale)
    except OSError as error:
        raise SetupError(
            f"Port {port} cannot be used ({error.strerror}).", next_step="Choose another with --port, or --port 0."
        ) from None
