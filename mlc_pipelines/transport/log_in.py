"""The two ways in which a person logs in once for all later runs: a code typed in at the system's page, or a visit by browser."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from mlc_pipelines.ledger.errors import PipelineError, SetupError, TransientError, UncertainError
from mlc_pipelines.transport.answers import Answer, error_for
from mlc_pipelines.transport.caller import Caller
from mlc_pipelines.transport.loopback import RedirectReceiver
from mlc_pipelines.transport.oauth import OAuthClient, fields_of, granted_in, oauth_error, withheld
from mlc_pipelines.transport.secret import Secret, redacted

_DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_OAUTH_STATUSES = (200, 400, 401, 403)
_INTERVAL_SECONDS, _SLOWER_SECONDS, _LONGEST_INTERVAL_SECONDS = 5.0, 5.0, 60.0
_LONGEST_WAIT_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a person is shown: where to go, and the code to type in there ("" where the address holds everything)."""

    address: str
    code: str
    minutes: float


Show = Callable[[Invitation], None]


def log_in_by_device(client: OAuthClient, *, show: Show, sleep: Callable[[float], None] = time.sleep) -> Secret:
    """Device grant: shows a code and asks until somebody has typed it in; returns the refresh token.

    Raises SetupError when it was denied or the client may not do this, TransientError when the code expired first.
    """
    with _caller(client, sleep) as caller:
        asked = _device_code(client, caller)
        show(Invitation(asked.address, asked.user_code, asked.seconds / 60))
        form = client.form(_DEVICE_GRANT, device_code=asked.device_code.reveal())
        waited, pause = 0.0, asked.interval
        while waited < asked.seconds:
            sleep(pause)
            waited += pause
            answer = caller.repeat("POST", urlsplit(client.token_url).path, expect=_OAUTH_STATUSES, data=form)
            if answer.status == 200:
                return _refresh_token(answer)
            match oauth_error(answer):
                case "authorization_pending":
                    continue
                case "slow_down":  # RFC 8628, 3.5: five seconds more from now on
                    pause = min(pause + _SLOWER_SECONDS, _LONGEST_INTERVAL_SECONDS)
                case "expired_token":
                    break
                case _:
                    raise _not_granted(answer, client)
    raise TransientError(
        f"The code for {client.system} expired before somebody typed it in.",
        holds="Nothing was stored.",
        next_step="Run the command again.",
    )


def log_in_by_browser(
    client: OAuthClient, *, port: int, wait_seconds: float, show: Show, sleep: Callable[[float], None] = time.sleep
) -> Secret:
    """Authorization code with a redirect to this machine; returns the refresh token.

    No PKCE: neither system is known to support it [reference: anaplan 2.6, acumatica 1.1]; the client secret and `state` protect the exchange.
    Raises SetupError when it was denied, TransientError when nobody finished in time.
    """
    state = Secret(secrets.token_urlsafe(32), "state")
    with _caller(client, sleep) as caller, RedirectReceiver(port, state) as receiver:
        query = {
            "response_type": "code",
            "client_id": client.client_id.reveal(),
            "redirect_uri": receiver.redirect_uri,
            "scope": client.scope,
            "state": state.reveal(),
        }
        show(Invitation(f"{client.authorize_url}?{urlencode(query)}", "", wait_seconds / 60))
        said = receiver.wait(wait_seconds)
        if "error" in said:
            raise _denied(client, said["error"])
        code = Secret(said["code"], "authorization code").reveal()
        form = client.form("authorization_code", code=code, redirect_uri=receiver.redirect_uri)
        try:
            answer = caller.write("POST", urlsplit(client.token_url).path, expect=_OAUTH_STATUSES, data=form)
        except UncertainError as error:  # the code is good for one exchange only
            raise TransientError(error.what, holds="Nothing was stored.", next_step="Run the command again.") from None
    if answer.status != 200:
        raise _not_granted(answer, client)
    return _refresh_token(answer)


@dataclass(frozen=True, slots=True)
class _DeviceCode:
    device_code: Secret
    user_code: str
    address: str
    seconds: float
    interval: float


def _device_code(client: OAuthClient, caller: Caller) -> _DeviceCode:
    form = {"client_id": client.client_id.reveal(), "scope": client.scope}
    answer = caller.repeat("POST", urlsplit(client.device_url).path, expect=_OAUTH_STATUSES, data=form)
    if answer.status != 200:
        raise _not_granted(answer, client)
    said = fields_of(answer)
    device, user, address = (said.get(name) for name in ("device_code", "user_code", "verification_uri"))
    seconds, interval = said.get("expires_in"), said.get("interval", _INTERVAL_SECONDS)
    if not all(isinstance(one, str) and one.strip() for one in (device, user, address)):
        raise _no_answer(answer, "a code and an address to type it in")
    if not isinstance(seconds, int) or seconds <= 0 or not isinstance(interval, (int, float)):
        raise _no_answer(answer, "a code and how long it is good")
    if urlsplit(str(address)).scheme not in {"https", "http"} or not f"{user}{address}".isprintable():
        raise _no_answer(answer, "an address that can be opened")
    return _DeviceCode(
        Secret(str(device), "device code"),
        str(user),
        str(address),
        min(float(seconds), _LONGEST_WAIT_SECONDS),
        min(max(float(interval), 1.0), _LONGEST_INTERVAL_SECONDS),
    )


def _refresh_token(answer: Answer) -> Secret:
    granted = granted_in(answer)
    if granted.refresh_token is None:
        raise SetupError(
            f"{answer.call} gave an access token, but no refresh token for later runs.",
            holds="Nothing was stored.",
            next_step="An administrator must allow the scope offline_access for this client.",
        )
    return granted.refresh_token


def _not_granted(answer: Answer, client: OAuthClient) -> PipelineError:
    code = oauth_error(answer)
    if not code:
        return error_for(withheld(answer), wrote=False).within(holds="Nothing was stored.")
    if code == "access_denied":
        return _denied(client, code)
    if code == "invalid_grant":
        return TransientError(
            f"{client.system} no longer accepts the code of this log-in ({code}).",
            holds="Nothing was stored.",
            next_step="Run the command again.",
        )
    return SetupError(
        f"{client.system} refused the log-in ({code}).",
        holds="Nothing was stored.",
        next_step="Compare the stored client id and secret, the way to log in and the redirect address with the registration of the client; "
        "an administrator of the system sees it.",
    )


def _denied(client: OAuthClient, code: str) -> SetupError:
    said = redacted("".join(letter for letter in code if letter.isprintable())[:40])
    return SetupError(
        f"The log-in at {client.system} was refused there ({said}).",
        holds="Nothing was stored.",
        next_step="Run the command again and agree, or ask an administrator of the system whether this user may log in this way.",
    )


def _no_answer(answer: Answer, missing: str) -> SetupError:
    return SetupError(
        f"{answer.call} answered {answer.status} without {missing}.",
        holds="Nothing was stored.",
        next_step="Check the address in the connection file: something else may be answering in its place.",
    )


def _caller(client: OAuthClient, sleep: Callable[[float], None]) -> Caller:
    """Device, token and sign-in addresses of a client stand at one host."""
    host = "{0.scheme}://{0.netloc}".format(urlsplit(client.token_url))
    return Caller(client.system, host, headers={"Accept": "application/json"}, ca_file=client.ca_file, sleep=sleep)
