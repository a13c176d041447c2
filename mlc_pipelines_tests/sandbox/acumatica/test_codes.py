"""OAuth authorization code: page, redirect, exchange, and what is refused. Reference: acumatica 1.1."""

from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

BACK = "http://127.0.0.1:4711/callback"


def ask(rig, **changes: str) -> dict[str, str]:
    query = {
        "response_type": "code",
        "client_id": rig.site.client_id,
        "redirect_uri": BACK,
        "scope": "api offline_access",
        "state": "st&te",
    }
    return query | changes


def signed_in(rig, query: dict[str, str], **form: str) -> httpx.Response:
    said = {"username": rig.site.username, "password": rig.site.password, "decision": "allow"} | form
    return rig.http.post(f"{rig.base}/identity/connect/authorize", params=query, data=said)


def answer_of(response: httpx.Response) -> dict[str, str]:
    assert 302 == response.status_code
    address, _, query = response.headers["location"].partition("?")
    assert BACK == address
    return {name: values[0] for name, values in parse_qs(query).items()}


def code_of(rig) -> str:
    return answer_of(signed_in(rig, ask(rig)))["code"]


def exchange(rig, code: str, /, **changes: str | None) -> httpx.Response:
    left_out: dict[str, str | None] = dict.fromkeys(("username", "password", "scope"))
    form: dict[str, str | None] = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK}
    return rig.grant(**(form | left_out | changes))


def test_a_person_signs_in_on_a_page(rig):
    """The address shows a form; signing in there redirects with a code and the state as it was."""
    page = rig.http.get(f"{rig.base}/identity/connect/authorize", params=ask(rig))
    assert (200, True) == (page.status_code, "<form method='post'>" in page.text)
    said = answer_of(signed_in(rig, ask(rig)))
    assert ({"code", "state"}, "st&te") == (set(said), said["state"])


def test_a_code_is_good_for_one_exchange(rig):
    """It brings access and refresh token; the second time it is an invalid grant."""
    code = code_of(rig)
    first = exchange(rig, code).json()
    assert ("Bearer", "api offline_access") == (first["token_type"], first["scope"])
    assert 200 == rig.refresh(first["refresh_token"]).status_code
    assert "invalid_grant" == exchange(rig, code).json()["error"]


def test_without_offline_access_there_is_no_refresh_token(rig):
    """The scope decides."""
    code = answer_of(signed_in(rig, ask(rig, scope="api")))["code"]
    assert "refresh_token" not in exchange(rig, code).json()


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code": "made-up"}, "invalid_grant"),
        ({"redirect_uri": "http://127.0.0.1:4712/callback"}, "invalid_grant"),
        ({"client_secret": "wrong"}, "invalid_client"),
    ],
)
def test_an_exchange_must_fit_the_code(rig, changes, error):
    """Code, redirect address and application belong together."""
    assert error == exchange(rig, code_of(rig), **changes).json()["error"]


def test_a_code_ends(rig):
    """After the seconds of the switch."""
    code = code_of(rig)
    rig.clock.advance(301)
    assert "invalid_grant" == exchange(rig, code).json()["error"]


def test_a_person_may_refuse(rig):
    """The browser comes back with access_denied and the state."""
    assert {"error": "access_denied", "state": "st&te"} == answer_of(signed_in(rig, ask(rig), decision="deny"))


def test_a_wrong_password_stays_on_the_page(rig):
    """Nothing is redirected."""
    assert 401 == signed_in(rig, ask(rig), password="wrong").status_code


@pytest.mark.parametrize(
    "changes", [{"client_id": "OTHER@Meridian"}, {"redirect_uri": "https://elsewhere.example/callback"}]
)
def test_an_unknown_application_or_address_is_never_redirected_to(rig, changes):
    """The person sees a page instead: the address may be an attacker's."""
    for response in (
        rig.http.get(f"{rig.base}/identity/connect/authorize", params=ask(rig, **changes)),
        signed_in(rig, ask(rig, **changes)),
    ):
        assert (400, "location" in response.headers) == (response.status_code, False)


def test_registered_addresses_count_to_the_letter(rig):
    """As SM303010 compares them, by switch."""
    rig.site.set_switches({"redirect_uris": [BACK]})
    assert urlsplit(BACK).port == urlsplit(signed_in(rig, ask(rig)).headers["location"]).port
    assert 400 == signed_in(rig, ask(rig, redirect_uri=BACK + "/")).status_code


@pytest.mark.parametrize(
    ("changes", "error"),
    [({"response_type": "token"}, "unsupported_response_type"), ({"scope": "openid"}, "invalid_scope")],
)
def test_what_cannot_be_granted_is_told_by_redirect(rig, changes, error):
    """The application is known, so it is told."""
    assert error == answer_of(signed_in(rig, ask(rig, **changes)))["error"]
