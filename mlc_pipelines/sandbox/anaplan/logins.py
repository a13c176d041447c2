"""Who may log in, and the tokens that a log-in gives. Reference: anaplan 2.1, 2.3 [S]."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from mlc_pipelines.sandbox.anaplan.switches import Switches

TOKEN_LIFE = timedelta(minutes=35)
"""Measured live; some documents say 30. Reference: anaplan 2.1 [S]."""


class Ticking(Protocol):
    """Whatever tells the time."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...


@dataclass(frozen=True, slots=True)
class User:
    """A person or integration user; `admin` is a workspace administrator."""

    id: str
    email: str
    password: str
    first_name: str
    last_name: str
    admin: bool = True


@dataclass(slots=True)
class Token:
    """A login. `id` names it in the evidence; refreshing moves only the expiry."""

    id: str
    value: str
    refresh_id: str
    user: User
    expires_at: datetime


class Logins:
    """The logins of one tenant, from whichever way in."""

    def __init__(self, clock: Ticking, switches: Switches, users: Sequence[User]) -> None:
        """Nobody is logged in yet."""
        self.clock, self.switches, self.users = clock, switches, users
        self.tokens: dict[str, Token] = {}

    def user(self, email: str) -> User | None:
        """A user by e-mail address."""
        return next((user for user in self.users if user.email == email), None)

    def by_password(self, email: str, password: str) -> User | None:
        """The user whose name and password these are."""
        user = self.user(email)
        return user if user and user.password == password else None

    def without_sso(self, email: str, password: str) -> User | None:
        """The same at a door that does not know single sign-on: closed where that is enforced [S]."""
        return None if self.switches["sso_enforced"] else self.by_password(email, password)

    def open(self, user: User, life: timedelta = TOKEN_LIFE) -> Token:
        """A new token; the user's earlier ones live on, unless a switch says otherwise."""
        if self.switches["login_ends_others"]:
            self.tokens = {value: token for value, token in self.tokens.items() if token.user != user}
        value = uuid.uuid4().hex + uuid.uuid4().hex
        token = Token(str(uuid.uuid4()), value, str(uuid.uuid4()), user, self.clock.now() + life)
        self.tokens[value] = token
        return token

    def find(self, value: str) -> Token | None:
        """The login behind a token value, unless it has expired."""
        token = self.tokens.get(value)
        return token if token and self.clock.now() < token.expires_at else None

    def extend(self, token: Token) -> None:
        """Another 35 minutes from now, under the same value [S]."""
        token.expires_at = self.clock.now() + TOKEN_LIFE

    def end(self, token: Token) -> None:
        """Log out."""
        del self.tokens[token.value]

    def end_all(self) -> None:
        """Log everybody out."""
        self.tokens.clear()
