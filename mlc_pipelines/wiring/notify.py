"""What a connection file may say of who is told of troubles. Neither the address of a webhook nor a password has a place in it."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from mlc_pipelines.wiring.parts import Port, Setting, Text

Address = Annotated[str, Field(pattern=r"^[^@\s,;<>]+@[^@\s,;<>]+$", max_length=254)]


class ByWebhook(Setting):
    """JSON to an address that stands in the vault, field `url` of the credential. shape: plain JSON, or as Slack or Teams expect it."""

    by: Literal["webhook"]
    shape: Literal["plain", "slack", "teams"] = "plain"
    credential: Text
    ca_file: str | None = None


class ByEmail(Setting):
    """Mail by SMTP. tls: from the first byte (port 465), after STARTTLS (587), or none, which only a server on this machine may have.

    credential: vault entry with username and password, "" for a server that asks for none.
    """

    by: Literal["email"]
    to: Annotated[tuple[Address, ...], Field(min_length=1)]
    sender: Address
    host: Text
    port: Port = 587
    tls: Literal["starttls", "tls", "none"] = "starttls"
    credential: str = ""
    ca_file: str | None = None

    @model_validator(mode="after")
    def _never_in_clear(self) -> "ByEmail":
        if self.tls == "none" and (self.credential or self.host not in {"127.0.0.1", "::1", "localhost"}):
            raise ValueError("tls is none: only a mail server on this machine, without a credential, may be used so")
        return self


class ByCommand(Setting):
    """A program of yours; the message comes as JSON on its input. No shell reads the words."""

    by: Literal["command"]
    command: Annotated[tuple[Text, ...], Field(min_length=1)]


Way = Annotated[ByWebhook | ByEmail | ByCommand, Field(discriminator="by")]


class Notify(Setting):
    """Who is told when loads fail or are late, sign-offs are suspended, codes have no member, postings wait.

    to: messengers by name. every_minutes: between two messages. remind_hours: how long after it was told a trouble that is still on is told again.
    late_hours: how long after its moment in the close calendar a period may be loaded before it counts as late.
    """

    to: Annotated[dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,49}$")], Way], Field(min_length=1)]
    every_minutes: int = Field(15, ge=1, le=1440)
    remind_hours: int = Field(24, ge=1, le=720)
    late_hours: float = Field(4, gt=0, le=240)
