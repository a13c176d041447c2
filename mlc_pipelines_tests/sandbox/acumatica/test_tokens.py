"""OAuth: password and refresh grants, what is refused, and how long a seat is held. Reference: acumatica 1.1, 1.3."""

import pytest


def test_password_grant_gives_a_bearer_of_an_hour(rig):
    """With scope `api` there is an access token and no refresh token."""
    answer = rig.grant().json()
    assert {"access_token", "expires_in", "token_type", "scope"} == set(answer)
    assert (3600, "Bearer", "api") == (answer["expires_in"], answer["token_type"], answer["scope"])


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_id": "SOME-OTHER@Meridian"}, "invalid_client"),
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"username": "nobody"}, "invalid_grant"),
        ({"password": "wrong"}, "invalid_grant"),
        ({"scope": ""}, "invalid_scope"),
        ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
    ],
)
def test_a_bad_token_request_is_a_400_with_an_oauth_error(rig, changes, error):
    """Failure is the standard error body; there is no client-credentials grant."""
    response = rig.grant(**changes)
    assert (400, error) == (response.status_code, response.json()["error"])


def test_the_tenant_is_part_of_the_client_id(rig):
    """The same application under another tenant is unknown."""
    guid = rig.site.client_id.partition("@")[0]
    assert "invalid_client" == rig.grant(client_id=f"{guid}@Elsewhere").json()["error"]
    assert 200 == rig.grant(client_id=f"{guid}@meridian").status_code


def test_a_call_without_or_with_a_foreign_token_is_a_401(rig):
    """The body is an HttpError, or by switch nothing."""
    url = f"{rig.entity}/Ledger"
    assert 401 == rig.http.get(url).status_code
    response = rig.http.get(url, headers={"Authorization": "Bearer made-up"})
    assert (401, "You are not logged in.") == (response.status_code, response.json()["message"])
    rig.site.set_switches({"unauthorized_body": "empty"})
    assert b"" == rig.http.get(url).content


def test_a_token_ends_after_its_hour_and_frees_the_seat(rig):
    """Without offline_access the seat is held until the token expires."""
    rig.rows("Ledger")
    rig.clock.advance(3590)
    assert (200, 1) == (rig.get("Ledger").status_code, rig.site.sessions_open())
    rig.clock.advance(20)
    assert (401, 0) == (rig.get("Ledger").status_code, rig.site.sessions_open())


def test_a_refresh_token_is_good_once(rig):
    """It is replaced at each refresh; the old one is refused, the new one works."""
    first = rig.grant(scope="api offline_access").json()
    second = rig.refresh(first["refresh_token"]).json()
    assert first["refresh_token"] != second["refresh_token"]
    assert "invalid_grant" == rig.refresh(first["refresh_token"]).json()["error"]
    assert 200 == rig.refresh(second["refresh_token"]).status_code


def test_without_rotation_the_refresh_token_stays(rig):
    """A refresh may also return the same one."""
    rig.site.set_switches({"rotate_refresh": False})
    first = rig.grant(scope="api offline_access").json()
    assert first["refresh_token"] == rig.refresh(first["refresh_token"]).json()["refresh_token"]


def test_all_tokens_of_a_chain_share_one_seat(rig):
    """One session per grant; a second password grant takes a second seat."""
    answer = rig.grant(scope="api offline_access").json()
    rig.refresh(answer["refresh_token"])
    assert 1 == rig.site.sessions_open()
    rig.grant()
    assert 2 == rig.site.sessions_open()


def test_a_refresh_chain_ends_thirty_days_after_the_first_authorization(rig):
    """Refreshing in between does not prolong it."""
    token = rig.grant(scope="api offline_access").json()["refresh_token"]
    rig.clock.advance(29 * 86_400)
    token = rig.refresh(token).json()["refresh_token"]
    rig.clock.advance(86_401)
    assert "invalid_grant" == rig.refresh(token).json()["error"]


def test_an_idle_offline_session_frees_its_seat_and_takes_it_again(rig):
    """With offline_access sign-out is not needed: an unused session closes, the next call opens it."""
    token = rig.grant(scope="api offline_access").json()["access_token"]
    rig.headers = {"Authorization": f"Bearer {token}"}
    rig.clock.advance(601)
    assert 0 == rig.site.sessions_open()
    assert (200, 1) == (rig.get("Ledger").status_code, rig.site.sessions_open())


def test_at_the_cap_a_token_is_refused_until_somebody_signs_out(rig):
    """The text holds "API Login Limit"; signing out with the earlier token cures it."""
    rig.site.set_switches({"max_sessions": 1})
    earlier = rig.grant().json()["access_token"]
    refused = rig.grant()
    assert (400, True) == (refused.status_code, "API Login Limit" in refused.text)
    rig.http.post(f"{rig.base}/entity/auth/logout", headers={"Authorization": f"Bearer {earlier}"})
    assert 200 == rig.grant().status_code


def test_the_status_at_the_cap_is_a_switch(rig):
    """The real one is not known."""
    rig.site.set_switches({"max_sessions": 0, "login_limit_status": 429})
    assert 429 == rig.grant().status_code


def test_sign_out_by_bearer_frees_the_seat_and_ends_the_token(rig):
    """By switch the token opens a new session instead."""
    rig.rows("Ledger")
    response = rig.http.post(f"{rig.base}/entity/auth/logout", headers=rig.headers)
    assert (204, 0) == (response.status_code, rig.site.sessions_open())
    assert 401 == rig.get("Ledger").status_code
    rig.site.set_switches({"token_after_signout": "reopens"})
    assert (200, 1) == (rig.get("Ledger").status_code, rig.site.sessions_open())


def test_discovery_names_the_token_endpoint(rig):
    """It is found below the virtual directory."""
    document = rig.http.get(f"{rig.base}/identity/.well-known/openid-configuration").json()
    assert f"{rig.base}/identity/connect/token" == document["token_endpoint"]
    assert f"{rig.base}/identity/connect/authorize" == document["authorization_endpoint"]
    assert ["authorization_code", "password", "refresh_token"] == document["grant_types_supported"]
