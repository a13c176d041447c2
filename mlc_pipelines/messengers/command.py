"""A message handed to a program of the customer's own: a pager, a ticket system, a chat nobody else knows."""

import json
import subprocess
from dataclasses import dataclass

from mlc_pipelines.ledger.errors import SetupError, TransientError
from mlc_pipelines.ledger.troubles import Message
from mlc_pipelines.transport.secret import redacted

_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Command:
    name: str
    words: tuple[str, ...]

    def send(self, message: Message) -> None:
        """Run it once, without a shell; the message is JSON on its input. Raises TransientError when it fails or takes too long, SetupError when it is not there."""
        said = {"connection": message.connection, "title": message.title, "text": message.text}
        said_too = {"troubles": message.troubles}
        try:
            ended = subprocess.run(  # noqa: S603  the words are the connection file's, and no shell reads them
                self.words,
                input=json.dumps({**said, **said_too}, ensure_ascii=False),
                capture_output=True,
                text=True,
                timeout=_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise TransientError(f"{self.words[0]} did not end within {_SECONDS} seconds.") from None
        except OSError as error:
            raise SetupError(
                f"{self.words[0]} cannot be run: {error.strerror}.",
                holds="The message was not handed over.",
                next_step="Correct `notify` in the connection file.",
            ) from None
        if ended.returncode:
            said_there = redacted(ended.stderr.strip())[-200:]
            raise TransientError(f"{self.words[0]} ended with {ended.returncode}: {said_there or 'nothing was said'}.")
