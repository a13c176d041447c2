"""The addresses of OAuth 2.0: token and device endpoints, and the few pages that a person sees. Reference: anaplan 2.6 [S]."""

import html
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from mlc_pipelines.sandbox.anaplan.oauth import BadRequestError, GrantRefusedError, OAuth
from mlc_pipelines.sandbox.anaplan.tenant import Tenant

PASSED_ON = ("response_type", "client_id", "redirect_uri", "scope", "state")
STATUSES = {"invalid_request": 400, "unauthorized_client": 401}


def oauth_routes(tenant: Tenant) -> list[Route]:
    """The routes, with and without a trailing slash."""
    pages = _Pages(tenant)
    table = [
        ("POST", "/oauth/device/code", pages.device_code),
        ("POST", "/oauth/token", pages.token),
        ("GET", "/auth/authorize", pages.authorize),
        ("GET", "/auth/prelogin", pages.prelogin),
        ("POST", "/auth/consent", pages.consent),
        ("GET", "/activate", pages.activate),
        ("POST", "/activate", pages.activated),
    ]
    return [Route(path + slash, call, methods=[method]) for method, path, call in table for slash in ("", "/")]


class _Pages:
    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant

    @property
    def oauth(self) -> OAuth:
        """The authorization server's knowledge; another one after a reset."""
        return self.tenant.oauth

    # -- for programs -------------------------------------------------------------------------------------------------

    async def device_code(self, request: Request) -> Response:
        """Begin the device grant."""
        asked = await _parameters(request)
        try:
            with self.tenant.lock:
                device = self.oauth.begin_device(asked)
        except GrantRefusedError as refused:
            return self._refusal(refused)
        address = f"{request.url.scheme}://{request.url.netloc}/activate"
        body = {
            "device_code": device.code,
            "user_code": device.user_code,
            "verification_uri": address,
            "verification_uri_complete": f"{address}?{urlencode({'user_code': device.user_code})}",
            "expires_in": int(self.tenant.switches["oauth_device_seconds"]),
            "interval": int(device.interval),
        }
        return JSONResponse(body)

    async def token(self, request: Request) -> Response:
        """Every grant: by device code, by authorization code, by refresh token."""
        asked = await _parameters(request)
        try:
            with self.tenant.lock:
                return JSONResponse(self.oauth.grant(asked), headers={"Cache-Control": "no-store"})
        except GrantRefusedError as refused:
            return self._refusal(refused)

    def _refusal(self, refused: GrantRefusedError) -> JSONResponse:
        error, description = refused.args
        status = STATUSES.get(error) or int(self.tenant.switches["oauth_error_status"])
        return JSONResponse({"error": error, "error_description": description}, status)

    # -- for a person's browser ---------------------------------------------------------------------------------------

    async def authorize(self, request: Request) -> Response:
        """Send the browser to the sign-in page."""
        return self._authorization(request, RedirectResponse(f"/auth/prelogin?{request.url.query}", 302))

    async def prelogin(self, request: Request) -> Response:
        """Sign-in and consent on one page."""
        asked = {name: request.query_params.get(name, "") for name in PASSED_ON if name in request.query_params}
        return self._authorization(request, _page("Sign in to Anaplan", "/auth/consent", self._sign_in(asked)))

    def _authorization(self, request: Request, answer: Response) -> Response:
        """The answer to an authorization request, which must be a good one; with a switch, the consent at once."""
        try:
            self.oauth.require_authorization(request.query_params)
            if not self.tenant.switches["oauth_auto_approve"]:
                return answer
            with self.tenant.lock:
                return RedirectResponse(self.oauth.consent(request.query_params), 302)
        except BadRequestError as refused:
            return _message(str(refused), 400)

    async def consent(self, request: Request) -> Response:
        """The sign-in page's form: on to the redirect URI, or the reason why not."""
        form = await _parameters(request)
        with self.tenant.lock:
            user = self.tenant.logins.by_password(form.get("username", ""), form.get("password", ""))
            if user is None:
                return _message("User name or password is wrong.", 401)
            try:
                return RedirectResponse(self.oauth.consent(form, user, form.get("decision", "")), 302)
            except BadRequestError as refused:
                return _message(str(refused), 400)

    async def activate(self, request: Request) -> Response:
        """Where a person enters the code that a device shows."""
        code = html.escape(request.query_params.get("user_code", ""), quote=True)
        field = f'<p><label>Code <input name="user_code" value="{code}"></label></p>'
        return _page("Activate a device", "/activate", field + self._sign_in({}))

    async def activated(self, request: Request) -> Response:
        """That page's form."""
        form = await _parameters(request)
        with self.tenant.lock:
            user = self.tenant.logins.without_sso(form.get("username", ""), form.get("password", ""))
            if user is None:
                return _message("User name or password is wrong.", 401)
            try:
                device = self.oauth.decide(form.get("decision", ""), form.get("user_code", "") or "-", user)
            except (KeyError, ValueError):
                return _message("No device waits under this code.", 400)
        done = "The device is connected." if device.decision == "approve" else "The access was refused."
        return _message(done + " You may close this window.")

    def _sign_in(self, hidden: Mapping[str, str]) -> str:
        """Fields of a form; user and password are filled in, as everything here is made up."""
        user = self.tenant.world.users[0]
        kept = "".join(
            f'<input type="hidden" name="{name}" value="{html.escape(value, quote=True)}">'
            for name, value in hidden.items()
        )
        return (
            f'{kept}<p><label>User <input name="username" value="{html.escape(user.email, quote=True)}"></label></p>'
            f'<p><label>Password <input name="password" type="password" value="{html.escape(user.password, quote=True)}">'
            '</label></p><p><button name="decision" value="approve">Allow</button> '
            '<button name="decision" value="deny">Refuse</button></p>'
        )


async def _parameters(request: Request) -> dict[str, str]:
    """What was sent, as JSON or as a form: both are in use [C]."""
    body = (await request.body()).decode("utf-8", "replace")
    if "json" in request.headers.get("content-type", "") or body.lstrip().startswith("{"):
        try:
            sent: Any = json.loads(body)
        except ValueError:
            sent = None
        return {str(name): str(value) for name, value in sent.items()} if isinstance(sent, dict) else {}
    return dict(parse_qsl(body))


def _page(title: str, action: str, fields: str) -> HTMLResponse:
    return HTMLResponse(
        f"<!DOCTYPE html><html><head><title>{title}</title></head><body><h1>{title}</h1>"
        f'<p>This is the sandbox: everything is made up.</p><form method="post" action="{action}">{fields}</form></body></html>'
    )


def _message(text: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(f"<!DOCTYPE html><html><body><p>{html.escape(text)}</p></body></html>", status)
