"""One API session: taken within what the connection may have, written down before it is used, signed out or found by the next run.

The licence counts sessions [S DOC IS__con_License_Restrictions_API_Users]; an abandoned one keeps its seat until it ends by
itself, cookies after minutes, a token's after up to an hour [S DOC Basic_Logout, SignOut]. Between the site's answer to a sign-in
and the record of it lie microseconds; a run killed just there leaves a session that nobody can name, and that ends by itself.
"""

from collections.abc import Generator, Mapping

import httpx

from mlc_pipelines.acumatica.auth import SECRET_COOKIES, SignIn
from mlc_pipelines.ledger.errors import PipelineError
from mlc_pipelines.transport.caller import Caller
from mlc_pipelines.transport.seats import Seat, Unwritten
from mlc_pipelines.transport.secret import Secret


class Recorded(httpx.Auth):
    """Any way of signing in; each new session is written down before the first request that uses it leaves."""

    def __init__(self, way: SignIn) -> None:
        self.seat: Seat = Unwritten()
        self._way = way
        self._written: Mapping[str, str] = {}

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        conversation = self._way.sync_auth_flow(request)
        try:
            message = next(conversation)
            while True:
                self._write_down()
                response = yield message
                try:
                    message = conversation.send(response)
                except StopIteration:
                    return
        finally:
            self._write_down()
            conversation.close()

    def _write_down(self) -> None:
        proof = self._way.proof()
        if proof and proof != self._written:
            self.seat.opened(proof)
            self._written = proof


def sign_out(caller: Caller, proof: Mapping[str, str]) -> None:
    """Give the seat back. Twice is the same as once; 401 says that the session has ended by itself."""
    caller.repeat("POST", "/entity/auth/logout", expect=(200, 204, 401), headers=proof)


def sign_out_left(caller: Caller, proof: Mapping[str, str]) -> bool:
    """Sign out what a killed run left open; False when the site could not be asked, so that a later run does it."""
    _blank_out(proof)
    try:
        sign_out(caller, proof)
    except PipelineError:
        return False
    return True


def _blank_out(proof: Mapping[str, str]) -> None:
    """From now on the token or the session's cookies are blanked out wherever they are echoed; innocent words are not."""
    cookies = (cookie.partition("=") for cookie in proof.get("Cookie", "").split("; "))
    values = [value for name, _, value in cookies if name in SECRET_COOKIES]
    for value in [*values, proof.get("Authorization", "").partition(" ")[2]]:
        Secret(value, "left session").reveal()
