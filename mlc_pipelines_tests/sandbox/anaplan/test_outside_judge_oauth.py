"""The OAuth classes of a client that we did not write, unmodified: authorization code, refresh, validation.

They speak to us1a.app.anaplan.com, which a proxy brings to the sandbox. Reference: anaplan 2.6, 12.1 [C run].
"""

import asyncio
import builtins

import anaplan_sdk
import httpx
import pytest
from anaplan_sdk import AnaplanLocalOAuth, AnaplanRefreshTokenAuth, AsyncOauth, Oauth
from anaplan_sdk.exceptions import InvalidCredentialsException

CALLBACK = "https://localhost:8443/callback"


@pytest.fixture
def sandbox_(anaplan_internet):
    """The sandbox under Anaplan's names."""
    return anaplan_internet.sandbox


@pytest.fixture
def ours(sandbox_):
    """The client as it is registered."""
    info = sandbox_.info["anaplan"]
    return {
        "client_id": info["oauth_client_id"],
        "client_secret": info["oauth_client_secret"],
        "redirect_uri": CALLBACK,
    }


@pytest.fixture
def consent(sandbox_):
    """What a person does with the address: opens it, signs in, and copies where the browser is sent."""

    def give(url: str) -> str:
        user = sandbox_.tenant.world.users[0]
        page = httpx.get(url)
        assert (200, True) == (page.status_code, "/auth/consent" in page.text)
        query = dict(httpx.URL(url).params)
        form = {**query, "username": user.email, "password": user.password, "decision": "approve"}
        target = httpx.URL(url).copy_with(path="/auth/consent", query=None)
        return httpx.post(target, data=form).headers["location"]

    return give


@pytest.fixture
def tokens(ours, consent):
    """Tokens after a person's consent."""
    oauth = Oauth(**ours)
    url, state = oauth.authorization_url()
    return oauth.fetch_token(consent(url), state)


def test_a_web_application_gets_tokens_and_checks_them(sandbox_, ours, tokens):
    """Code for tokens, the access token validated at the authentication host, a refresh that brings another one."""
    oauth = Oauth(**ours)
    assert sandbox_.info["anaplan"]["username"] == oauth.validate_token(tokens["access_token"])["userInfo"]["userId"]
    again = oauth.refresh_token(tokens["refresh_token"])
    assert again["refresh_token"] != tokens["refresh_token"]
    assert ["Finance", "Operations"] == [
        one.name for one in anaplan_sdk.Client(token=again["access_token"]).get_workspaces()
    ]


def test_the_asynchronous_application_does_the_same(ours, consent):
    """With its own client."""

    async def sign_in() -> tuple[str, str]:
        oauth = AsyncOauth(**ours)
        url, state = oauth.authorization_url()
        tokens = await oauth.fetch_token(consent(url), state)
        again = await oauth.refresh_token(str(tokens["refresh_token"]))
        return (await oauth.validate_token(str(again["access_token"])))["statusMessage"]

    assert "Token validated" == asyncio.run(sign_in())


def test_a_long_lived_client_refreshes_by_itself(sandbox_, ours, tokens):
    """After 2100 seconds; the new refresh token works the next time."""
    auth = AnaplanRefreshTokenAuth(**ours, token=tokens)
    it = anaplan_sdk.Client(auth=auth)
    for _ in range(2):
        sandbox_.clock.advance(2101)
        assert ["Finance", "Operations"] == [one.name for one in it.get_workspaces()]
    assert tokens["refresh_token"] != auth.token["refresh_token"]


def test_a_used_refresh_token_is_refused_as_it_expects(sandbox_, ours, tokens):
    """Somebody else has used it: bad credentials."""
    Oauth(**ours).refresh_token(tokens["refresh_token"])
    it = anaplan_sdk.Client(auth=AnaplanRefreshTokenAuth(**ours, token=tokens))
    sandbox_.clock.advance(2101)
    with pytest.raises(InvalidCredentialsException):
        it.get_workspaces()


def test_a_person_at_the_terminal(ours, consent, monkeypatch):
    """It prints the address and asks for the one that the browser was sent to."""
    monkeypatch.setattr(builtins, "input", lambda text: consent(text.split()[3]))
    it = anaplan_sdk.Client(auth=AnaplanLocalOAuth(**ours))
    assert ["Finance", "Operations"] == [one.name for one in it.get_workspaces()]
