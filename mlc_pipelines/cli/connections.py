"""mlc connections: the files of the connection folder: seen, checked, begun."""

import json
import os

import click
import yaml

from mlc_pipelines.ledger.errors import PipelineError, SetupError
from mlc_pipelines.wiring.calendars import CalendarFile
from mlc_pipelines.wiring.connections import NAMES, Broken, Named, find, folder, read_all, read_one, usable_name
from mlc_pipelines.wiring.questions import file_of, questions_for
from mlc_pipelines.wiring.settings import ConnectionFile


@click.group()
def connections() -> None:
    """The connection files."""


@connections.command("list")
def list_() -> None:
    """Every connection with its systems; a broken one with its error."""
    named, broken = read_all()
    for one in named:
        erp, plan = one.settings.erp, one.settings.anaplan
        click.echo(f"{one.name}: {erp.system} {erp.said} -> Anaplan {plan.workspace} / {plan.model}")
    for other in broken:
        click.echo(f"{other.name}: broken. {other.error.what}")


@connections.command()
def check() -> None:
    """Read every file strictly; ends with exit code 3 if one cannot be used."""
    named, broken = read_all()
    count = len(named) + len(broken)
    broken += [other for one in named for other in _wrong_close(one)]
    if broken:
        raise SetupError(
            f"{len(broken)} of {count} connection files in {folder()} cannot be used.\n"
            + "\n".join(f"  {one.error.what}" for one in broken),
            next_step="Correct the files named above.",
        )
    click.echo(f"{len(named)} connection files in {folder()}, all usable.")


def _wrong_close(one: Named) -> list[Broken]:
    """A close of which no calendar can be made, for instance by holidays that nobody knows. Not looked at while the fiscal periods are still to come from the ERP."""
    chosen = one.settings.calendar
    if one.settings.close is None or (
        isinstance(chosen, CalendarFile) and not (one.file.parent / chosen.file).exists()
    ):
        return []
    try:
        _ = one.close
    except PipelineError as error:
        return [Broken(one.name, one.file, error)]
    return []


@connections.command()
@click.argument("connection")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output, for scripts.")
def show(connection: str, as_json: bool) -> None:
    """Every setting of CONNECTION as it counts, defaults and environment filled in. No secret stands in it: credentials are names."""
    settings = find(connection).settings.model_dump(mode="json", by_alias=True)
    click.echo(
        json.dumps(settings) if as_json else yaml.safe_dump(settings, sort_keys=False, allow_unicode=True).rstrip()
    )


@connections.command()
def schema() -> None:
    """The JSON schema of connection files, for editors."""
    click.echo(json.dumps(ConnectionFile.model_json_schema(), indent=1))


@connections.command()
@click.argument("name")
def new(name: str) -> None:
    """Write the commented connection file of NAME by asking. Nothing secret is asked for, and no file is overwritten."""
    if not usable_name(name):
        raise SetupError(
            f"A connection cannot be called {name!r}: its name must be {NAMES}.",
            holds="Nothing was asked or written.",
            next_step="Choose another name.",
        )
    file = folder() / f"{name}.yaml"
    if file.exists():
        raise SetupError(
            f"{file} is there already.", holds="It was not touched.", next_step="Choose another name, or edit the file."
        )
    answers: dict[str, str] = {}
    for one in questions_for(answers):
        kind = click.Choice(one.choices) if one.choices else None
        answers[one.key] = click.prompt(one.text, default=one.default, type=kind).strip()
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    draft.write_text(file_of(name, answers), encoding="utf-8")
    draft.replace(file)
    erp = read_one(file).settings.erp
    fields = {
        "acumatica": ("username", "password", "client_id", "client_secret"),
        "epicor": ("api_key", "username", "password"),
    }
    asked = " ".join(f"--field {one}" for one in fields[erp.system])
    click.echo(f"{file} is written. Next:")
    for step in (f"secrets set {erp.credential} {asked}", f"secrets set {name}-anaplan", f"check {name}"):
        click.echo(f"  mlc {step}")
