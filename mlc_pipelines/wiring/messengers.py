"""A connection -> the messengers that reach its people, each with its credential from the vault; nothing is revealed here."""

from collections.abc import Mapping
from datetime import timedelta

from mlc_pipelines.flows.notify import Messenger, Rules
from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.ledger.troubles import Message
from mlc_pipelines.messengers.command import Command
from mlc_pipelines.messengers.mail import Mail
from mlc_pipelines.messengers.webhook import Webhook
from mlc_pipelines.store.home import Store
from mlc_pipelines.wiring.connections import Named
from mlc_pipelines.wiring.credentials import opened_credential
from mlc_pipelines.wiring.notify import ByCommand, ByWebhook, Notify, Way


def notify_of(named: Named) -> Notify:
    """Raises SetupError where the connection tells nobody."""
    if named.settings.notify is None:
        raise SetupError(
            f"Connection {named.name} tells nobody of its troubles.",
            next_step=f"Add a section `notify` to {named.file}; docs/notices.md shows one.",
        )
    return named.settings.notify


def rules_of(named: Named) -> Rules:
    notify = notify_of(named)
    return Rules(timedelta(minutes=notify.every_minutes), timedelta(hours=notify.remind_hours))


def messengers_of(named: Named, store: Store) -> Mapping[str, Messenger]:
    """By the names of the connection file. One whose credential is missing is there all the same, and says so when it is used."""
    return {name: _made(name, way, store) for name, way in notify_of(named).to.items()}


class Unusable:
    """A messenger that cannot be used: its message is not lost, and the reason is told."""

    def __init__(self, error: SetupError) -> None:
        self._error = error

    def send(self, _message: Message) -> None:
        raise self._error


def _made(name: str, way: Way, store: Store) -> Messenger:
    if isinstance(way, ByCommand):
        return Command(name, way.command)
    try:
        if isinstance(way, ByWebhook):
            return Webhook(name, opened_credential(store, way.credential, ("url",))["url"], way.shape, way.ca_file)
        needed = ("username", "password")
        log_in = opened_credential(store, way.credential, needed) if way.credential else {}
        return Mail(name, way.host, way.port, way.sender, way.to, way.tls, log_in, way.ca_file)
    except SetupError as error:
        return Unusable(error)
