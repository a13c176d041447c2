"""A message as e-mail, by SMTP: TLS from the first byte (tls), after STARTTLS (starttls), or none at all on this machine only."""

import smtplib
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Literal

from mlc_pipelines.ledger.errors import SetupError, TransientError
from mlc_pipelines.ledger.troubles import Message
from mlc_pipelines.transport.secret import Secret, redacted

Tls = Literal["tls", "starttls", "none"]
_SECONDS = 30.0
_LATER = range(400, 500)  # a code of 4xx says: later [S RFC 5321 4.2.1]


@dataclass(frozen=True, slots=True)
class Mail:
    name: str
    host: str
    port: int
    sender: str
    to: tuple[str, ...]
    tls: Tls = "starttls"
    log_in: Mapping[str, Secret] = field(default_factory=dict)
    ca_file: str | None = None

    def send(self, message: Message) -> None:
        """Deliver it once to all recipients. Raises TransientError where a later try may do, SetupError where a person must look first."""
        try:
            with self._server() as server:
                refused = server.send_message(self._mail(message))
        except smtplib.SMTPRecipientsRefused as error:
            raise self._refused(", ".join(error.recipients)) from None
        except smtplib.SMTPResponseException as error:
            raise self._answered(error) from None
        except (smtplib.SMTPException, OSError) as error:
            raise TransientError(
                f"Mail server {self.host}:{self.port} could not be used: {redacted(str(error) or type(error).__name__)}.",
                holds="The message was not sent.",
            ) from None
        if refused:
            raise self._refused(", ".join(refused))

    @contextmanager
    def _server(self) -> Iterator[smtplib.SMTP]:
        context = ssl.create_default_context(cafile=self.ca_file)
        if self.tls == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(self.host, self.port, timeout=_SECONDS, context=context)
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=_SECONDS)
        with server:
            if self.tls == "starttls":
                server.starttls(context=context)
            if self.log_in:
                server.login(self.log_in["username"].reveal(), self.log_in["password"].reveal())
            yield server

    def _mail(self, message: Message) -> EmailMessage:
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = self.sender, ", ".join(self.to), message.title
        mail["Date"], mail["Message-ID"] = formatdate(), make_msgid(domain=self.sender.rpartition("@")[2])
        mail["Auto-Submitted"] = "auto-generated"  # so that absence notices do not answer [S RFC 3834]
        mail.set_content(f"{message.title}\n\n{message.text}\n")
        return mail

    def _refused(self, recipients: str) -> SetupError:
        return SetupError(
            f"Mail server {self.host}:{self.port} does not take mail for {recipients}.",
            holds="These people did not get the message.",
            next_step="Correct `notify` in the connection file, or ask the mail administrator.",
        )

    def _answered(self, error: smtplib.SMTPResponseException) -> SetupError | TransientError:
        said = error.smtp_error.decode("utf-8", "replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
        what = f"Mail server {self.host}:{self.port} answered {error.smtp_code} {redacted(said)[:200]}."
        if error.smtp_code in _LATER:
            return TransientError(what, holds="The message was not sent.")
        return SetupError(
            what,
            holds="The message was not sent.",
            next_step="Correct `notify` or its credential, or ask the mail administrator.",
        )
