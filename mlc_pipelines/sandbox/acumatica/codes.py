"""The authorization-code flow up to the code: the sign-in page, its answer by redirect, the code that is good once. Reference: acumatica 1.1.

The real page and the wording of its refusals are not known [I]; the redirect and its parameters are those of the standard.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from urllib.parse import urlencode, urlsplit

from mlc_pipelines.sandbox.acumatica.errors import page
from mlc_pipelines.sandbox.acumatica.site import Site

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True, slots=True)
class Code:
    """What a code stands for."""

    redirect_uri: str
    scope: str
    ends_at: datetime


class Codes:
    """The codes of one site that nobody has redeemed yet."""

    def __init__(self, site: Site) -> None:
        """Start with none."""
        self._site = site
        self._open: dict[str, Code] = {}

    def sign_in_page(self, query: Mapping[str, str]) -> str:
        """The form that a person fills in. Raises a 400 page for an unknown application or redirect address: it is never redirected to."""
        self._require_known(query)
        return (
            "<!DOCTYPE html><html><head><title>Sign In</title></head><body><form method='post'>"
            f"<p>Sign in to {escape(self._site.tenant)}</p><input name='username'><input name='password' type='password'>"
            "<button name='decision' value='allow'>Sign In</button><button name='decision' value='deny'>Cancel</button>"
            "</form></body></html>"
        )

    def decide(self, query: Mapping[str, str], form: Mapping[str, str]) -> str:
        """Where the browser goes after the form: back with a code, or with an error. Raises a 400 page as above, and a 401 one for a wrong password."""
        self._require_known(query)
        if query.get("response_type") != "code":
            return self._back(query, error="unsupported_response_type")
        if "api" not in query.get("scope", "").split():
            return self._back(query, error="invalid_scope")
        if form.get("decision") == "deny":
            return self._back(query, error="access_denied")
        if (form.get("username"), form.get("password")) != (self._site.username, self._site.password):
            raise page(401, "Invalid credentials. Please try again.")
        code = secrets.token_urlsafe(24)
        ends_at = self._site.clock.now() + timedelta(seconds=self._site.switches["code_seconds"])
        self._open[code] = Code(query["redirect_uri"], query["scope"], ends_at)
        return self._back(query, code=code)

    def redeem(self, form: Mapping[str, str]) -> Code | None:
        """What the code stands for, once; None when it is unknown, used, too old or for another address."""
        code = self._open.pop(form.get("code", ""), None)
        if code is None or self._site.clock.now() >= code.ends_at or form.get("redirect_uri") != code.redirect_uri:
            return None
        return code

    def _require_known(self, query: Mapping[str, str]) -> None:
        if query.get("client_id", "").casefold() != self._site.client_id.casefold():
            raise page(400, "unauthorized_client")
        address, registered = query.get("redirect_uri", ""), self._site.switches["redirect_uris"]
        known = address in registered if registered else urlsplit(address).hostname in _LOOPBACK
        if not known:
            raise page(400, "invalid redirect_uri")

    def _back(self, query: Mapping[str, str], **said: str) -> str:
        state = {"state": query["state"]} if "state" in query else {}
        return f"{query['redirect_uri']}?{urlencode(said | state)}"
