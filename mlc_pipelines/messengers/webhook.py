"""A message as JSON to an address. Whoever knows the address can write there, so the address itself is a secret of the vault."""

from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from mlc_pipelines.ledger.errors import PipelineError, SetupError, TransientError, UncertainError
from mlc_pipelines.ledger.troubles import Message
from mlc_pipelines.transport.caller import Caller, Limits
from mlc_pipelines.transport.secret import Secret, redacted

Shape = Literal["plain", "slack", "teams"]
_LIMITS = Limits(connect_seconds=10, read_seconds=20, deadline_seconds=30, body_bytes_max=1 << 20)
_SECTION_CHARACTERS_MAX = 2900
_BLOCKS_MAX = 45


@dataclass(frozen=True, slots=True)
class Webhook:
    name: str
    address: Secret
    shape: Shape = "plain"
    ca_file: str | None = None

    def send(self, message: Message) -> None:
        """Deliver it once. Raises TransientError where a later try may do, SetupError where a person must look first; both without the address."""
        whole = self.address.reveal()
        parts = urlsplit(whole)
        if parts.scheme not in {"https", "http"} or not parts.netloc or (parts.scheme == "http" and not _here(parts)):
            raise SetupError(
                f"The address of webhook {self.name} does not begin with https://.",
                holds="The message was not sent.",
                next_step=f"Store it again: `mlc secrets set {self.name}`, field url.",
            )
        site = f"{parts.scheme}://{parts.netloc}"
        hidden = [Secret(one, self.name).reveal() for one in (whole.removeprefix(site), parts.path) if one]
        with Caller(f"Webhook {self.name}", site, limits=_LIMITS, ca_file=self.ca_file) as caller:
            try:
                caller.write("POST", hidden[0] if hidden else "/", json=SHAPES[self.shape](message))
            except PipelineError as error:
                # Told twice is better than not at all: what may have arrived is sent again as well.
                kind = TransientError if isinstance(error, UncertainError) else type(error)
                raise kind(redacted(error.what), holds="The message was not sent, or nobody knows.") from None


def _here(parts: Any) -> bool:
    return parts.hostname in {"127.0.0.1", "localhost", "::1"}


def _plain(message: Message) -> dict[str, Any]:
    return {
        "connection": message.connection,
        "title": message.title,
        "text": message.text,
        "troubles": message.troubles,
        "sections": [{"heading": one.heading, "lines": list(one.lines)} for one in message.sections],
    }


def _slack(message: Message) -> dict[str, Any]:
    """An incoming webhook: text for notifications, blocks for the channel; &, < and > are escaped, at most 50 blocks of 3,000 characters
    [S docs.slack.dev: incoming webhooks, Block Kit].
    """
    blocks: list[dict[str, Any]] = [{"type": "header", "text": {"type": "plain_text", "text": message.title[:150]}}]
    for one in message.sections[:_BLOCKS_MAX]:
        said = "\n".join([f"*{_escaped(one.heading)}*", *(f"• {_escaped(line)}" for line in one.lines)])
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": said[:_SECTION_CHARACTERS_MAX]}})
    return {"text": _escaped(message.title), "blocks": blocks}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _teams(message: Message) -> dict[str, Any]:
    """An Adaptive Card in the envelope that a Teams workflow takes [S learn.microsoft.com: incoming webhooks with Workflows]."""
    body: list[dict[str, Any]] = [
        {"type": "TextBlock", "size": "Medium", "weight": "Bolder", "text": message.title, "wrap": True}
    ]
    for one in message.sections:
        body.append({"type": "TextBlock", "weight": "Bolder", "text": one.heading, "wrap": True, "spacing": "Medium"})
        body += [{"type": "TextBlock", "text": line, "wrap": True, "spacing": "Small"} for line in one.lines]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


SHAPES = {"plain": _plain, "slack": _slack, "teams": _teams}
