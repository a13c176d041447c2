"""mlc secrets: credentials into the vault; never on the command line, never shown again."""

import json
import sys
from pathlib import Path

import click

from mlc_pipelines.anaplan.certificate import file_as_text
from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.store.home import Store

_SHOWN = {"username", "client_id"}  # everything else is not echoed


@click.group()
def secrets() -> None:
    """The encrypted credentials."""


@secrets.command("set")
@click.argument("name")
@click.option(
    "--field", "fields", multiple=True, help="Field to ask for; may be repeated. Default: username, password."
)
@click.option(
    "--file",
    "files",
    multiple=True,
    metavar="FIELD=PATH",
    help="Take a field from a file, such as private_key=key.pem; may be repeated. PEM, DER and PKCS#12.",
)
@click.option("--stdin", "from_stdin", is_flag=True, help="Read a JSON object of field and value from standard input.")
def set_(name: str, fields: tuple[str, ...], files: tuple[str, ...], from_stdin: bool) -> None:
    """Store the credential NAME, which connection files then mention. Asks for each field; secrets are not echoed.

    An Acumatica connected application needs: --field username --field password --field client_id --field client_secret.
    """
    values = dict(_read_file(said) for said in files)
    if from_stdin:
        values |= _read_object()
    else:
        values |= {field: _ask(field) for field in fields or (() if files else ("username", "password"))}
    version = Store.open().vault.put(name, values)
    click.echo(f"{name} is stored, version {version}, with {', '.join(sorted(values))}.")


@secrets.command("list")
def list_() -> None:
    """Names and versions; never values."""
    for name, version, made_at in Store.open().vault.names():
        click.echo(f"{name}  version {version}  stored {made_at}")


def _ask(field: str) -> str:
    answer: str = click.prompt(field, hide_input=field not in _SHOWN)
    return answer


def _read_file(said: str) -> tuple[str, str]:
    field, equals, path = said.partition("=")
    if not (field and equals and path):
        raise click.UsageError(f"--file {said}: write FIELD=PATH, such as private_key=key.pem.")
    try:
        return field, file_as_text(Path(path).read_bytes())
    except OSError as error:
        raise SetupError(
            f"{path} cannot be read ({error.strerror}).", holds="Nothing was stored.", next_step="Correct the path."
        ) from None


def _read_object() -> dict[str, str]:
    try:
        values = json.load(sys.stdin)
    except ValueError:
        raise SetupError(
            "Standard input holds no JSON object.",
            holds="Nothing was stored.",
            next_step='Write {"username": ..., "password": ...}.',
        ) from None
    if not isinstance(values, dict) or not values or not all(isinstance(value, str) for value in values.values()):
        raise SetupError(
            "Standard input must hold one JSON object whose values are texts.",
            holds="Nothing was stored.",
            next_step='Write {"username": ..., "password": ...}.',
        )
    return values
