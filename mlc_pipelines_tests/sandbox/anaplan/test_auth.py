"""Logging in, and what a login is good for."""

import base64

import pytest

ME = "/2/0/users/me"


def _basic(text):
    return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}


def test_login_answers_201_with_a_token_for_35_minutes(caller, clock):
    """The expiry stands in milliseconds since 1970, 35 minutes ahead by the sandbox clock."""
    body = caller.log_in()
    assert "SUCCESS" == body["status"]
    assert {"expiresAt", "tokenId", "tokenValue", "refreshTokenId"} == set(body["tokenInfo"])
    ahead = body["tokenInfo"]["expiresAt"] / 1000 - clock.now().timestamp()
    assert 34 * 60 < ahead <= 35 * 60


@pytest.mark.parametrize(
    ("header", "status", "code"),
    [
        (_basic("integration@meridian.example:wrong"), 401, "FAILURE_BAD_CREDENTIAL"),
        (_basic("nobody@meridian.example:x"), 401, "FAILURE_BAD_CREDENTIAL"),
        ({"Authorization": "Basic ???"}, 400, "FAILURE_BAD_HEADER"),
        ({}, 400, "FAILURE_BAD_HEADER"),
    ],
)
def test_a_refused_login_has_its_own_body(caller, header, status, code):
    """Wrong password or user is 401, a malformed header is 400; neither body is the integration API's."""
    answer = caller.http.post("/token/authenticate", headers=header)
    assert (status, code) == (answer.status_code, answer.json()["status"])


def test_a_token_dies_after_35_minutes(caller, clock):
    """At 34 minutes it works, a minute later it is 401 with the integration API's error body."""
    clock.advance(34 * 60)
    assert 200 == caller.get(ME).status_code
    clock.advance(61)
    answer = caller.get(ME)
    assert 401 == answer.status_code
    assert {"status", "path", "timestamp"} == set(answer.json())
    assert ME == answer.json()["path"]


def test_refresh_keeps_the_token_and_moves_the_expiry(caller, clock):
    """Refresh answers 200 with the same token value; it works long after the first expiry."""
    clock.advance(30 * 60)
    body = caller.call("POST", "/token/refresh").json()
    assert ("Token refreshed", caller.token) == (body["statusMessage"], body["tokenInfo"]["tokenValue"])
    clock.advance(20 * 60)
    assert 200 == caller.get(ME).status_code


def test_validate_says_who_it_is(caller):
    """The message is what one client compares literally."""
    body = caller.get("/token/validate").json()
    assert "Token validated" == body["statusMessage"]
    assert caller.info["username"] == body["userInfo"]["userId"]


def test_logout_kills_the_token_at_once(caller):
    """204, and every later use is 401."""
    assert 204 == caller.call("POST", "/token/logout").status_code
    assert 401 == caller.get(ME).status_code
    assert 401 == caller.call("POST", "/token/refresh").status_code


def test_bearer_works_on_the_integration_api_only(caller):
    """On the auth host, validate and refresh answer 400 and logout 401."""
    bearer = {"Authorization": f"Bearer {caller.token}"}
    assert 200 == caller.http.get(ME, headers=bearer).status_code
    assert 400 == caller.http.get("/token/validate", headers=bearer).status_code
    assert 400 == caller.http.post("/token/refresh", headers=bearer).status_code
    assert 401 == caller.http.post("/token/logout", headers=bearer).status_code


def test_two_logins_of_one_user_live_side_by_side(new_caller):
    """A second login does not end the first."""
    first, second = new_caller(), new_caller()
    assert first.token != second.token
    assert [200, 200] == [one.get(ME).status_code for one in (first, second)]


def test_tokens_can_be_revoked_by_a_test(caller, tenant):
    """The control door ends every login."""
    tenant.revoke_tokens()
    assert 401 == caller.get(ME).status_code


def test_without_a_token_nothing_is_shown(caller):
    """No header, an unknown token, another scheme: 401."""
    for header in ({}, {"Authorization": "AnaplanAuthToken x"}, {"Authorization": f"Basic {caller.token}"}):
        assert 401 == caller.http.get(ME, headers=header).status_code
