"""OAuth 2.0: device grant, authorization code, refresh tokens of both kinds. Reference: anaplan 2.4, 2.6."""

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

ME, TOKEN = "/2/0/users/me", "/oauth/token"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
SCOPE = "openid profile email offline_access"
CALLBACK = "http://127.0.0.1:8123/callback"


@pytest.fixture
def ask(caller):
    """Asks the token endpoint with JSON; status, and the tokens or the error."""

    def send(**fields):
        answer = caller.http.post(TOKEN, json=fields)
        body = answer.json()
        return (200, body) if answer.status_code == 200 else (answer.status_code, body["error"])

    return send


@pytest.fixture
def device(caller):
    """A device that has just begun to wait."""
    client = caller.info["oauth_device_client_id"]
    return caller.http.post("/oauth/device/code", json={"client_id": client, "scope": SCOPE}).json()


@pytest.fixture
def poll(caller, ask, device, clock):
    """Polls for the device, by default after its interval."""

    def send(after=5.0, **changes):
        clock.advance(after)
        fields = {
            "grant_type": DEVICE_GRANT,
            "client_id": caller.info["oauth_device_client_id"],
            "device_code": device["device_code"],
        }
        return ask(**{**fields, **changes})

    return send


@pytest.fixture
def code(caller):
    """A code that a person has consented to, with the fields that redeem it."""

    def consent(**changes):
        location = caller.http.post("/control/anaplan/authorize", json={"url": _address(caller, **changes)}).json()
        value = parse_qs(urlsplit(location["location"]).query)["code"][0]
        return {
            "grant_type": "authorization_code",
            "code": value,
            "client_id": caller.info["oauth_client_id"],
            "client_secret": caller.info["oauth_client_secret"],
            "redirect_uri": CALLBACK,
        }

    return consent


def _address(caller, page="authorize", **changes):
    fields = {
        "response_type": "code",
        "client_id": caller.info["oauth_client_id"],
        "redirect_uri": CALLBACK,
        "scope": SCOPE,
        "state": "s 1",
    }
    return f"/auth/{page}?{urlencode({**fields, **changes})}"


def _decide(caller, decision, **more):
    answer = caller.http.post("/control/anaplan/device", json={"decision": decision, **more})
    assert 200 == answer.status_code, answer.text
    return answer.json()["user_code"]


def _me(caller, token, scheme="Bearer"):
    return caller.http.get(ME, headers={"Authorization": f"{scheme} {token}"})


# -- device grant -----------------------------------------------------------------------------------------------------


def test_a_device_gets_a_code_to_show(caller, device):
    """A short code, an address for a person, how long both are good and how often to ask."""
    assert {
        "device_code",
        "user_code",
        "verification_uri",
        "verification_uri_complete",
        "expires_in",
        "interval",
    } == set(device)
    assert (900, 5, 9, "-") == (
        device["expires_in"],
        device["interval"],
        len(device["user_code"]),
        device["user_code"][4],
    )
    assert device["verification_uri_complete"] == f"{device['verification_uri']}?user_code={device['user_code']}"
    assert 200 == caller.http.get(device["verification_uri_complete"]).status_code


def test_a_device_waits_until_a_person_approves(caller, device, poll):
    """Pending, then tokens for 2100 seconds without the scope `profile`; the code is good once."""
    assert (403, "authorization_pending") == poll()
    assert device["user_code"] == _decide(caller, "approve")
    status, tokens = poll()
    assert (200, "Bearer", 2100, "openid email offline_access") == (
        status,
        tokens["token_type"],
        tokens["expires_in"],
        tokens["scope"],
    )
    assert {"access_token", "refresh_token", "id_token", "token_type", "expires_in", "scope"} == set(tokens)
    assert caller.info["username"] == _me(caller, tokens["access_token"]).json()["user"]["email"]
    assert (403, "invalid_grant") == poll()


def test_polling_too_fast_is_told_and_lengthens_the_interval(poll):
    """slow_down before the interval has passed; afterwards five seconds more are wanted."""
    assert (403, "authorization_pending") == poll()
    assert (403, "slow_down") == poll(after=1)
    assert (403, "slow_down") == poll(after=9)
    assert (403, "authorization_pending") == poll(after=15.1)


def test_a_refused_device_gets_nothing(caller, poll):
    """access_denied ends it."""
    _decide(caller, "deny")
    assert (403, "access_denied") == poll()
    assert (403, "invalid_grant") == poll()


def test_a_device_code_expires_by_the_clock(caller, poll):
    """After 15 minutes, and then nobody can approve it either."""
    assert (403, "expired_token") == poll(after=901)
    assert 400 == caller.http.post("/control/anaplan/device", json={"decision": "approve"}).status_code


def test_the_status_of_a_refusal_can_be_another(tenant, poll):
    """4xx is all that is known."""
    tenant.set_switches({"oauth_error_status": 400})
    assert (400, "authorization_pending") == poll()


def test_unknown_clients_and_codes_are_refused(caller, poll):
    """Each with its own error."""
    assert (401, "unauthorized_client") == poll(client_id="0" * 32)
    assert (401, "unauthorized_client") == poll(client_id=caller.info["oauth_client_id"])
    assert (400, "invalid_request") == poll(client_id="")
    assert (400, "invalid_request") == poll(grant_type="client_credentials")
    assert (403, "invalid_grant") == poll(device_code="x")
    assert 401 == caller.http.post("/oauth/device/code", json={"client_id": "0" * 32}).status_code


def test_a_form_is_as_good_as_json(caller, device):
    """Both are in use."""
    fields = {"grant_type": DEVICE_GRANT, "client_id": caller.info["oauth_device_client_id"]}
    answer = caller.http.post(TOKEN, data={**fields, "device_code": device["device_code"]})
    assert (403, "authorization_pending") == (answer.status_code, answer.json()["error"])


@pytest.mark.parametrize(("decision", "ends"), [("approve", 200), ("deny", 403)])
def test_a_person_activates_the_device_in_a_browser(caller, tenant, device, poll, decision, ends):
    """The page asks for the code and a sign-in, and says what came of it; a wrong code or password changes nothing."""
    person = tenant.world.users[1]
    form = {"user_code": device["user_code"].lower(), "username": person.email, "decision": decision}
    for wrong, status in (({"password": "wrong"}, 401), ({"password": person.password, "user_code": "X"}, 400)):
        assert status == caller.http.post("/activate", data={**form, **wrong}).status_code
    assert (403, "authorization_pending") == poll()
    assert 200 == caller.http.post("/activate", data={**form, "password": person.password}).status_code
    status, tokens = poll()
    assert ends == status
    if ends == 200:
        assert person.email == _me(caller, tokens["access_token"]).json()["user"]["email"]


def test_enforced_single_sign_on_leaves_the_other_doors(caller, tenant, device):
    """No password logs in or approves a device; a browser's consent and a certificate are as good as ever."""
    tenant.set_switches({"sso_enforced": True})
    person = tenant.world.users[0]
    sign_in = {"username": person.email, "password": person.password, "decision": "approve"}
    assert 401 == caller.http.post("/token/authenticate", auth=(person.email, person.password)).status_code
    assert 401 == caller.http.post("/activate", data={**sign_in, "user_code": device["user_code"]}).status_code
    form = dict(parse_qs(urlsplit(_address(caller)).query))
    assert 302 == caller.http.post("/auth/consent", data={**form, **sign_in}).status_code


def test_the_page_shows_only_text(caller):
    """What stands in the address is not taken for HTML."""
    page = caller.http.get("/activate", params={"user_code": '"><script>'})
    assert "<script>" not in page.text


# -- authorization code -----------------------------------------------------------------------------------------------


def test_the_authorization_request_leads_to_the_sign_in_page(caller):
    """302 to the log-in; the page that one client opens at once is 200 HTML."""
    first = caller.http.get(_address(caller))
    assert 302 == first.status_code
    page = caller.http.get(first.headers["location"])
    assert (200, "text/html") == (page.status_code, page.headers["content-type"].split(";")[0])
    assert 200 == caller.http.get(_address(caller, "prelogin")).status_code


def test_a_person_signs_in_and_the_code_is_redeemed_once(caller, tenant, ask):
    """Back to the redirect URI with code and state; a second use of the code is refused."""
    person = tenant.world.users[1]
    form = dict(parse_qs(urlsplit(_address(caller)).query))
    form |= {"username": person.email, "password": person.password, "decision": "approve"}
    answer = caller.http.post("/auth/consent", data=form)
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    assert (302, True, ["s 1"]) == (answer.status_code, answer.headers["location"].startswith(CALLBACK), query["state"])
    fields = {
        "grant_type": "authorization_code",
        "code": query["code"][0],
        "client_id": caller.info["oauth_client_id"],
        "client_secret": caller.info["oauth_client_secret"],
        "redirect_uri": CALLBACK,
    }
    status, tokens = ask(**fields)
    assert (200, person.email) == (status, _me(caller, tokens["access_token"]).json()["user"]["email"])
    assert (403, "invalid_grant") == ask(**fields)
    assert 401 == caller.http.post("/auth/consent", data={**form, "password": "wrong"}).status_code


def test_a_refused_consent_comes_back_as_an_error(caller):
    """access_denied, with the state."""
    wish = {"url": _address(caller), "decision": "deny"}
    location = caller.http.post("/control/anaplan/authorize", json=wish).json()["location"]
    assert {"error": ["access_denied"], "state": ["s 1"]} == parse_qs(urlsplit(location).query)


def test_consent_without_a_person_by_switch(caller, tenant):
    """A browser is sent on at once."""
    tenant.set_switches({"oauth_auto_approve": True})
    location = caller.http.get(_address(caller)).headers["location"]
    assert {"code", "state"} == set(parse_qs(urlsplit(location).query))


@pytest.mark.parametrize(
    "changes", [{"client_id": "0" * 32}, {"redirect_uri": "https://elsewhere.example/callback"}, {"redirect_uri": ""}]
)
def test_an_authorization_request_that_cannot_be_trusted_is_shown_not_redirected(caller, changes):
    """Unknown client, or a redirect URI that is not registered: 400, and no Location."""
    for page in ("authorize", "prelogin"):
        answer = caller.http.get(_address(caller, page, **changes))
        assert (400, False) == (answer.status_code, "location" in answer.headers)


def test_the_device_client_cannot_ask_for_a_code(caller):
    """It has no secret to redeem it with."""
    assert 400 == caller.http.get(_address(caller, client_id=caller.info["oauth_device_client_id"])).status_code


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"redirect_uri": "http://127.0.0.1:9/callback"}, (403, "invalid_grant")),
        ({"client_secret": "wrong"}, (401, "unauthorized_client")),
        ({"client_secret": ""}, (401, "unauthorized_client")),
        ({"code": "x"}, (403, "invalid_grant")),
    ],
)
def test_a_code_is_redeemed_by_its_own_client_only(code, ask, changes, refusal):
    """With the same redirect URI and the secret."""
    assert refusal == ask(**{**code(), **changes})


def test_a_code_expires(code, ask, clock):
    """By the clock."""
    fields = code()
    clock.advance(301)
    assert (403, "invalid_grant") == ask(**fields)


# -- tokens -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def tokens(code, ask):
    """The tokens of an authorization code."""
    return ask(**code())[1]


@pytest.fixture
def refresh(caller, ask):
    """Refreshes with the authorization-code client."""

    def send(value, **changes):
        fields = {
            "grant_type": "refresh_token",
            "client_id": caller.info["oauth_client_id"],
            "client_secret": caller.info["oauth_client_secret"],
            "refresh_token": value,
        }
        return ask(**{**fields, **changes})

    return send


def test_an_access_token_lives_2100_seconds(caller, tokens, clock):
    """Under either header it opens the integration API; then it is 401."""
    for scheme in ("Bearer", "AnaplanAuthToken"):
        assert 200 == _me(caller, tokens["access_token"], scheme).status_code
    clock.advance(2101)
    assert 401 == _me(caller, tokens["access_token"]).status_code


def test_the_auth_host_wants_its_own_header_for_an_access_token_too(caller, tokens):
    """Bearer there is 400 for validate and refresh and 401 for logout; AnaplanAuthToken works."""
    own, bearer = ({"Authorization": f"{scheme} {tokens['access_token']}"} for scheme in ("AnaplanAuthToken", "Bearer"))
    calls = [("GET", "validate"), ("POST", "refresh"), ("POST", "logout")]
    assert [400, 400, 401] == [
        caller.http.request(method, f"/token/{name}", headers=bearer).status_code for method, name in calls
    ]
    assert [200, 200, 204] == [
        caller.http.request(method, f"/token/{name}", headers=own).status_code for method, name in calls
    ]


def test_a_rotating_refresh_token_is_good_once(tokens, refresh):
    """Each refresh brings a new one and ends the old one."""
    status, second = refresh(tokens["refresh_token"])
    assert (200, True) == (status, second["refresh_token"] != tokens["refresh_token"])
    assert (403, "invalid_grant") == refresh(tokens["refresh_token"])
    assert 200 == refresh(second["refresh_token"])[0]


def test_a_used_refresh_token_can_end_all_that_came_of_it(tokens, refresh, tenant):
    """By switch."""
    tenant.set_switches({"oauth_reuse_revokes": True})
    second = refresh(tokens["refresh_token"])[1]
    assert (403, "invalid_grant") == refresh(tokens["refresh_token"])
    assert (403, "invalid_grant") == refresh(second["refresh_token"])


def test_a_refresh_token_that_does_not_rotate_stays(caller, tokens, refresh, tenant):
    """By switch, and by client."""
    tenant.set_switches({"oauth_rotation": "never"})
    for _ in range(2):
        assert tokens["refresh_token"] == refresh(tokens["refresh_token"])[1]["refresh_token"]


def test_a_client_of_its_own_kind(caller, tenant, clock, ask):
    """A device client that does not rotate and whose refresh tokens live 100 seconds."""
    wish = {"grant": "device", "rotating": False, "refresh_seconds": 100}
    made = caller.http.post("/control/anaplan/oauth-client", json=wish).json()
    assert "" == made["client_secret"]
    device = caller.http.post("/oauth/device/code", data={"client_id": made["client_id"], "scope": SCOPE}).json()
    _decide(caller, "approve", user_code=device["user_code"])
    client = {"client_id": made["client_id"]}
    first = ask(grant_type=DEVICE_GRANT, device_code=device["device_code"], **client)[1]
    again = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"], **client}
    assert first["refresh_token"] == ask(**again)[1]["refresh_token"]
    clock.advance(101)
    assert (403, "invalid_grant") == ask(**again)
    assert 400 == caller.http.post("/control/anaplan/oauth-client", json={"grant": "password"}).status_code


def test_a_rotating_refresh_token_lives_twelve_hours(tokens, refresh, clock):
    """43 000 seconds each, counted anew for every new one."""
    clock.advance(42_000)
    second = refresh(tokens["refresh_token"])[1]
    clock.advance(42_000)
    status, third = refresh(second["refresh_token"])
    assert 200 == status
    clock.advance(43_001)
    assert (403, "invalid_grant") == refresh(third["refresh_token"])


def test_a_refresh_wants_the_secret_and_its_own_client(caller, tokens, refresh):
    """The device client has no secret, but also not this token."""
    assert (401, "unauthorized_client") == refresh(tokens["refresh_token"], client_secret="")
    device = caller.info["oauth_device_client_id"]
    assert (403, "invalid_grant") == refresh(tokens["refresh_token"], client_id=device, client_secret="")
    assert 200 == refresh(tokens["refresh_token"])[0]


def test_without_offline_access_there_is_no_refresh_token(code, ask):
    """It is a scope like another."""
    assert "refresh_token" not in ask(**code(scope="openid"))[1]


def test_revoking_ends_access_and_on_request_refresh_tokens(caller, tokens, refresh):
    """As an administrator would."""
    caller.http.post("/control/anaplan/revoke-tokens")
    assert 401 == _me(caller, tokens["access_token"]).status_code
    second = refresh(tokens["refresh_token"])[1]
    caller.http.post("/control/anaplan/revoke-tokens", json={"refresh": True})
    assert 401 == _me(caller, second["access_token"]).status_code
    assert (403, "invalid_grant") == refresh(second["refresh_token"])


def test_a_login_can_end_the_earlier_ones_of_its_user(new_caller, tenant):
    """By switch; other users stay."""
    first, planner = new_caller(), new_caller(user=1)
    tenant.set_switches({"login_ends_others": True})
    second = new_caller()
    assert [401, 200, 200] == [one.get(ME).status_code for one in (first, second, planner)]
