"""Signing in: OAuth tokens by password, code and refresh, cookie sign-in, and sign-out. Reference: acumatica 1.1 and 1.2."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from mlc_pipelines.sandbox.acumatica.codes import Codes
from mlc_pipelines.sandbox.acumatica.errors import RefusalError, as_json, bad_request, failure, message
from mlc_pipelines.sandbox.acumatica.site import SeatsTakenError, Session, Site

SCOPES = {"api", "offline_access"}
LIMIT_TEXT = "API Login Limit: the number of API users of the licence is reached."
SESSION_COOKIE = "ASP.NET_SessionId"
COOKIES = (".ASPXAUTH", SESSION_COOKIE, "CompanyID", "Locale", "UserBranch", "requestid", "requeststat")
"""The seven cookies of a sign-in [C Jetbuilt/acumatica: cassettes]."""


@dataclass(slots=True)
class Grant:
    """One authorization: all tokens of its chain share one session [S OAuthOIDC_GettingStarted_SignOut]."""

    session: Session
    offline: bool
    started_at: datetime
    signed_out: bool = False

    @property
    def scope(self) -> str:
        """Its scopes as one text."""
        return "api offline_access" if self.offline else "api"


class Auth:
    """Who is signed in to one site."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.codes = Codes(site)
        self._access: dict[str, tuple[Grant, datetime]] = {}
        self._refresh: dict[str, Grant] = {}

    # -- tokens -------------------------------------------------------------------------------------------------------

    def token(self, form: Mapping[str, str]) -> dict[str, Any]:
        """The answer of the token endpoint. Raises a 400 with a standard OAuth error, or the refusal for want of a seat."""
        self._require_application(form)
        match form.get("grant_type"):
            case "password":
                return self._by_password(form)
            case "refresh_token":
                return self._by_refresh(form)
            case "authorization_code":
                return self._by_code(form)
        raise _oauth("unsupported_grant_type")

    def _require_application(self, form: Mapping[str, str]) -> None:
        """The tenant is part of the client id, so a wrong tenant is an unknown client."""
        known = (self._site.client_id.casefold(), self._site.client_secret)
        if (form.get("client_id", "").casefold(), form.get("client_secret")) != known:
            raise _oauth("invalid_client")

    def _by_password(self, form: Mapping[str, str]) -> dict[str, Any]:
        scopes = set(form.get("scope", "").split())
        if "api" not in scopes or scopes - SCOPES:
            raise _oauth("invalid_scope")
        if not self.knows(form.get("username"), form.get("password")):
            raise _oauth("invalid_grant", "Invalid credentials.")
        return self._granted(offline="offline_access" in scopes)

    def _by_code(self, form: Mapping[str, str]) -> dict[str, Any]:
        code = self.codes.redeem(form)
        if code is None:
            raise _oauth("invalid_grant")
        return self._granted(offline="offline_access" in code.scope.split())

    def _granted(self, *, offline: bool) -> dict[str, Any]:
        """A new authorization with a session of its own: until it rests with offline_access, else as long as the token."""
        now = self._site.clock.now()
        session = Session("token", now, None, self._site.switches["idle_seconds"])
        if not offline:
            session = Session("token", now, now + self._token_life, None)
        self._take_seat(session, _limit_of_token(self._site))
        return self._issue(Grant(session, offline, now))

    def _by_refresh(self, form: Mapping[str, str]) -> dict[str, Any]:
        sent = form.get("refresh_token", "")
        grant = self._refresh.get(sent)
        if grant is None or self._site.clock.now() >= grant.started_at + self._chain_life:
            self._refresh.pop(sent, None)
            raise _oauth("invalid_grant")
        self._take_seat(grant.session, _limit_of_token(self._site))
        grant.signed_out = False
        if not self._site.switches["rotate_refresh"]:
            return self._issue(grant, keep=sent)
        del self._refresh[sent]
        return self._issue(grant)

    def _issue(self, grant: Grant, keep: str = "") -> dict[str, Any]:
        token, seconds, now = secrets.token_urlsafe(32), self._site.switches["token_seconds"], self._site.clock.now()
        self._access = {key: kept for key, kept in self._access.items() if now < kept[1]}
        self._access[token] = (grant, now + timedelta(seconds=seconds))
        answer = {"access_token": token, "expires_in": seconds, "token_type": "Bearer", "scope": grant.scope}
        if grant.offline:
            answer["refresh_token"] = keep or secrets.token_urlsafe(32)
            self._refresh[answer["refresh_token"]] = grant
        return answer

    @property
    def _token_life(self) -> timedelta:
        return timedelta(seconds=self._site.switches["token_seconds"])

    @property
    def _chain_life(self) -> timedelta:
        return timedelta(days=self._site.switches["refresh_days"])

    # -- cookies ------------------------------------------------------------------------------------------------------

    def login(self, body: Any) -> Session:
        """Cookie sign-in. Raises 400 for a body that cannot be used, 500 for wrong credentials or an unknown tenant."""
        if not isinstance(body, dict):
            raise bad_request("The request body should not be empty.")
        if body.get("tenant") and body.get("company"):
            raise bad_request("Only one of tenant and company can be specified.")
        self._require_tenant(str(body.get("tenant") or body.get("company") or ""))
        if not self.knows(body.get("name"), body.get("password")):
            raise failure("Error: Invalid credentials. Please try again.")
        branch = str(body.get("branch") or "")
        if branch and branch not in self._site.books.branches:
            raise failure(f"Error: The branch {branch} cannot be found.")
        session = Session(
            "cookie",
            self._site.clock.now(),
            None,
            self._site.switches["idle_seconds"],
            self._landing(str(body.get("tenant") or body.get("company") or "")),
            branch,
        )
        self._take_seat(session, _limit_of_login(self._site))
        return session

    def _require_tenant(self, tenant: str) -> None:
        """An empty tenant is the default one; a single-tenant site takes any name [C acumatica-cli]."""
        if tenant and tenant.casefold() != self._site.tenant.casefold() and self._site.switches["multi_tenant"]:
            raise failure(f"The tenant {tenant} is not found.", "PX.Data.PXUndefinedCompanyException")

    def _landing(self, tenant: str) -> str:
        """Where the sign-in leads. After tenants were added, names lead to the default one until a restart [C acumatica-cli]."""
        several = self._site.switches["multi_tenant"]
        if several and (not tenant or self._site.switches["tenant_map_stale"]):
            return self._site.default_tenant
        return self._site.tenant

    def cookies(self, session: Session) -> list[tuple[str, str]]:
        """The Set-Cookie headers of a sign-in, in order; the first two come twice [C Jetbuilt/acumatica: cassettes]."""
        values = (
            (".ASPXAUTH", f"{secrets.token_hex(24).upper()}; path=/; secure; HttpOnly"),
            (SESSION_COOKIE, f"{session.id}; path=/; HttpOnly; SameSite=Lax"),
            ("CompanyID", f"{session.tenant}; path=/"),
            ("Locale", "Culture=en-US&TimeZone=GMTE0000U; path=/"),
            ("UserBranch", "1; path=/"),
            ("requestid", f"{secrets.token_hex(16).upper()}; path=/"),
            ("requeststat", "+st:0+sc:~/entity/auth/login+start:0; path=/"),
        )
        headers = [("set-cookie", f"{name}={value}") for name, value in values]
        return headers[:2] + headers

    # -- using and leaving --------------------------------------------------------------------------------------------

    def session(self, bearer: str | None, cookie: str | None) -> Session:
        """The session behind a call. Raises a 401, or the refusal for want of a seat when it must be opened anew."""
        if bearer is not None:
            return self._session_of_token(bearer)
        session = self._site.find_session(cookie) if cookie else None
        if session is None:
            raise self._unauthorized()
        return session

    def _session_of_token(self, bearer: str) -> Session:
        grant, ends_at = self._access.get(bearer, (None, None))
        if grant is None or ends_at is None or self._site.clock.now() >= ends_at:
            raise self._unauthorized()
        if grant.signed_out and self._site.switches["token_after_signout"] == "refused":
            raise self._unauthorized()
        return self._take_seat(grant.session, _limit_of_login(self._site))

    def logout(self, bearer: str | None, cookie: str | None) -> None:
        """Free the seat. Signing out twice, or without a session, is no error [I]."""
        if bearer is not None and bearer in self._access:
            grant = self._access[bearer][0]
            grant.signed_out = True
            self._site.close(grant.session.id)
        if cookie:
            self._site.close(cookie)

    def forget(self) -> None:
        """Drop every token and session, as a new database would."""
        self._access.clear()
        self._refresh.clear()
        self._site.close_all()

    def knows(self, username: object, password: object) -> bool:
        """Whether this is the site's one user."""
        same_name = isinstance(username, str) and username.casefold() == self._site.username.casefold()
        return same_name and password == self._site.password

    def _take_seat(self, session: Session, at_limit: RefusalError) -> Session:
        try:
            return self._site.seat(session)
        except SeatsTakenError as taken:
            raise at_limit from taken

    def _unauthorized(self) -> RefusalError:
        if self._site.switches["unauthorized_body"] == "empty":
            return RefusalError(401)
        return message(401, "You are not logged in.")


def _oauth(error: str, description: str = "") -> RefusalError:
    return RefusalError(400, as_json({"error": error} | ({"error_description": description} if description else {})))


def _limit_of_token(site: Site) -> RefusalError:
    refusal = _oauth("invalid_grant", LIMIT_TEXT)
    refusal.status = site.switches["login_limit_status"] or 400
    return refusal


def _limit_of_login(site: Site) -> RefusalError:
    return failure(LIMIT_TEXT, status=site.switches["login_limit_status"] or 500)
