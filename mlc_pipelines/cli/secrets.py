"""mlc secrets: credentials into the vault; never on the command line, never shown again."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click

from mlc_pipelines.anaplan.certificate import file_as_text
from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.store.home import Store
from mlc_pipelines.store.tokens import LOG_IN
from mlc_pipelines.store.vault import NEXT
from mlc_pipelines.wiring import custody
from mlc_pipelines.wiring.connections import read_all
from mlc_pipelines.wiring.people import who
from mlc_pipelines.wiring.trying import log_in_test, rotated, uses

_SHOWN = {"username", "client_id"}  # everything else is not echoed
_FIELD = click.option(
    "--field", "fields", multiple=True, help="Field to ask for; may be repeated. Without, the usual ones."
)
_FILE = click.option(
    "--file",
    "files",
    multiple=True,
    metavar="FIELD=PATH",
    help="Take a field from a file, such as private_key=key.pem; may be repeated. PEM, DER and PKCS#12.",
)
_STDIN = click.option(
    "--stdin", "from_stdin", is_flag=True, help="Read a JSON object of field and value from standard input."
)


@click.group()
def secrets() -> None:
    """The encrypted credentials."""


@secrets.command("set")
@click.argument("name")
@_FIELD
@_FILE
@_STDIN
def set_(name: str, fields: tuple[str, ...], files: tuple[str, ...], from_stdin: bool) -> None:
    """Store the credential NAME, which connection files then mention. Asks for each field; secrets are not echoed.

    An Acumatica connected application needs: --field username --field password --field client_id --field client_secret.
    """
    values = _values(fields or (() if files else ("username", "password")), files, from_stdin=from_stdin)
    store = Store.open()
    version = store.vault.put(name, values, by=who())
    custody.told(store, custody.STORED, name, version=str(version), fields=", ".join(sorted(values)))
    click.echo(f"{name} is stored, version {version}, with {', '.join(sorted(values))}.")


@secrets.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per credential and line.")
def list_(as_json: bool) -> None:
    """Names, versions, ages and who uses them; never values."""
    named, _ = read_all()
    for one in Store.open().vault.stored():
        used_by = [str(use) for use in uses(one.name.removesuffix(NEXT).removesuffix(LOG_IN), named)]
        if as_json:
            click.echo(json.dumps({**asdict(one), "used_by": used_by}))
            continue
        by = f" by {one.made_by}" if one.made_by else ""
        said = f"used by {', '.join(used_by)}" if used_by else "used by no connection"
        if one.name.endswith(NEXT):
            said = f"left by a rotation that did not end: `mlc secrets rotate {one.name.removesuffix(NEXT)}` again"
        click.echo(f"{one.name}  version {one.version}  stored {one.made_at}{by}  key {one.key_id}  {said}")


@secrets.command()
@click.argument("name")
def test(name: str) -> None:
    """Open the credential NAME, and log in with it wherever a connection uses it. Nothing is written there."""
    store = Store.open()
    fields = store.vault.open(name)
    click.echo(f"{name} opens, with {', '.join(sorted(fields))}.")
    for use in (used_by := uses(name)):
        click.echo(log_in_test(use, store))
    if not used_by:
        click.echo("No connection uses it, so no log-in was tried.")


@secrets.command()
@click.argument("name")
@_FIELD
@_FILE
@_STDIN
def rotate(name: str, fields: tuple[str, ...], files: tuple[str, ...], from_stdin: bool) -> None:
    """Change the values of the credential NAME after they were changed in the other system: stored beside the old ones, tried, then taken.

    Asks for the fields that are secret, unless told otherwise; the other fields stay as they are.
    """
    store = Store.open()
    asked = fields or (
        () if files or from_stdin else tuple(field for field in store.vault.open(name) if field not in _SHOWN)
    )
    changes = _values(asked, files, from_stdin=from_stdin)
    version = rotated(name, changes, store, by=who(), say=click.echo)
    custody.told(store, custody.ROTATED, name, version=str(version), fields=", ".join(sorted(changes)))
    click.echo(f"{name} is version {version} now, with new {', '.join(sorted(changes))}; the one before is forgotten.")


@secrets.command("rotate-key")
@click.option(
    "--keep-days",
    default=30.0,
    show_default=True,
    type=click.FloatRange(0),
    help="How long older keys stay in the ring, for database backups. 0 after a leak.",
)
def rotate_key(keep_days: float) -> None:
    """Encrypt everything that is stored with a new key, in one transaction. May be killed and done again at any point."""
    store = Store.open()
    done = store.vault.rotate_key(keep_days=keep_days)
    custody.told(store, custody.KEY_ROTATED, "", key=done.new_key, dropped=", ".join(done.dropped))
    click.echo(f"{done.credentials} credentials are encrypted with key {done.new_key} and were opened with it.")
    if done.kept:
        click.echo(f"Still in the ring: {', '.join(done.kept)}.")
    if done.dropped:
        click.echo(f"Gone for good: {', '.join(done.dropped)}.")


@secrets.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(name: str, yes: bool) -> None:
    """Forget the credential NAME, and a log-in that was made with it."""
    store = Store.open()
    used_by = ", ".join(map(str, uses(name)))
    if not yes:
        said = (
            f"{name} is used by {used_by}, which will not run any more." if used_by else f"No connection uses {name}."
        )
        click.confirm(f"{said} Forget it?", abort=True)
    gone = [one for one in (name, name + LOG_IN, name + NEXT) if store.vault.remove(one)]
    if not gone:
        raise SetupError(
            f"No credential is stored under the name {name!r}.", next_step="`mlc secrets list` shows the names."
        )
    for one in gone:
        custody.told(store, custody.FORGOTTEN, one)
    click.echo(f"Forgotten: {', '.join(gone)}. Take it out of use in the other system as well.")


@secrets.command("start-over")
@click.option("--yes", is_flag=True, help="Do not ask.")
def start_over(yes: bool) -> None:
    """After the key ring was lost: forget all credentials, which nobody can open any more, and nothing else."""
    if not yes:
        click.confirm("All stored credentials are forgotten and must be stored again. Go on?", abort=True)
    store = Store.open()
    names = store.vault.start_over()
    custody.told(store, custody.STARTED_OVER, "", forgotten=", ".join(names))
    for name in names:
        click.echo(f"mlc secrets set {name}")
    click.echo(f"{len(names)} credentials are forgotten; store them again, a new key ring is made with the first one.")


def _values(fields: tuple[str, ...], files: tuple[str, ...], *, from_stdin: bool) -> dict[str, str]:
    """What was asked for, read from files, or from standard input."""
    values = dict(_read_file(said) for said in files)
    return values | (_read_object() if from_stdin else {field: _ask(field) for field in fields})


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
