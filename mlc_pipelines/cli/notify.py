"""mlc notify: whether people can be reached, and what they were told of."""

import click

from mlc_pipelines.ledger.errors import PipelineError, SetupError
from mlc_pipelines.ledger.troubles import Message, Section
from mlc_pipelines.store.home import Store
from mlc_pipelines.store.outbox import Outbox
from mlc_pipelines.wiring.connections import find


@click.group()
def notify() -> None:
    """Messages to people about loads, sign-offs, codes and postings; docs/notices.md."""


@notify.command("test")
@click.argument("connection")
def test_(connection: str) -> None:
    """Send a test message through every messenger of CONNECTION, and say which of them delivered it."""
    from mlc_pipelines.wiring.messengers import messengers_of

    text = Section("This is a test", ("Nothing is wrong, and nobody has to do anything.",))
    message = Message(connection, f"{connection}: test message", (text,), 0)
    failed = []
    for name, messenger in messengers_of(find(connection), Store.open()).items():
        try:
            messenger.send(message)
        except PipelineError as error:
            failed.append(name)
            click.echo(f"{name}: not delivered. {' '.join(str(error).split())}")
        else:
            click.echo(f"{name}: delivered.")
    if failed:
        raise SetupError(
            f"{len(failed)} messengers of {connection} do not work: {', '.join(failed)}.",
            next_step="See above; then try again.",
        )


@notify.command()
@click.argument("connection")
def show(connection: str) -> None:
    """What people were told of CONNECTION and is not over, and the messages that did not get through yet."""
    outbox = Outbox(Store.open().engine, find(connection).name)
    known = outbox.known()
    for one in known:
        what = " ".join(one.trouble.what.split())
        click.echo(
            f"{one.trouble.kind}: {one.trouble.about}: {what} (since {one.since[:16]}, told {one.told_at[:16]} UTC)"
        )
    if not known:
        click.echo("People were told of nothing that is still on.")
    for posted in outbox.lost():
        state = "given up" if posted.ended else f"tried {posted.tries} times"
        click.echo(f"Message of {posted.made_at[:16]} UTC by {posted.way}: {state}. {posted.said}")
