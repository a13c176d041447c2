"""Cookie sign-in and sign-out. Reference: acumatica 1.2, 1.4."""

import socket

import pytest

SEVEN = {".ASPXAUTH", "ASP.NET_SessionId", "CompanyID", "Locale", "UserBranch", "requestid", "requeststat"}


def login(rig, **changes):
    body = {"name": rig.site.username, "password": rig.site.password, "tenant": rig.site.tenant} | changes
    return rig.http.post(f"{rig.base}/entity/auth/login", json={k: v for k, v in body.items() if v is not None})


def test_login_is_a_204_with_seven_cookies_and_the_session_reads(rig):
    """No body; the first two cookies come twice; the session works without any token."""
    response = login(rig)
    cookies = [value.partition("=")[0] for value in response.headers.get_list("set-cookie")]
    assert (204, b"", SEVEN, 9) == (response.status_code, response.content, set(cookies), len(cookies))
    assert 200 == rig.http.get(f"{rig.entity}/Ledger").status_code
    assert 1 == rig.site.sessions_open()


def test_a_wrong_password_is_a_500(rig):
    """The recorded body: PXException with an exceptionMessage."""
    response = login(rig, password="wrong")
    told = response.json()
    assert (500, "PX.Data.PXException") == (response.status_code, told["exceptionType"])
    assert "Error: Invalid credentials. Please try again." == told["exceptionMessage"]
    assert 0 == rig.site.sessions_open()


@pytest.mark.parametrize("tenant", [{"tenant": ""}, {"tenant": None}, {"tenant": None, "company": "Meridian"}])
def test_an_empty_tenant_is_the_default_one_and_company_is_its_old_name(rig, tenant):
    """All three sign in."""
    assert 204 == login(rig, **tenant).status_code


def test_tenant_and_company_together_are_an_error(rig):
    """Even when they agree."""
    assert 400 == login(rig, company="Meridian").status_code


def test_an_unknown_tenant_is_a_500_on_a_site_of_many_and_nothing_on_a_site_of_one(rig):
    """A single-tenant site takes any name."""
    response = login(rig, tenant="Elsewhere")
    assert (500, "PX.Data.PXUndefinedCompanyException") == (response.status_code, response.json()["exceptionType"])
    rig.site.set_switches({"multi_tenant": False})
    assert 204 == login(rig, tenant="Elsewhere").status_code


def test_an_empty_body_is_a_400(rig):
    """The recorded text."""
    response = rig.http.post(f"{rig.base}/entity/auth/login", content=b"")
    assert (400, {"": ["The request body should not be empty."]}) == (
        response.status_code,
        response.json()["modelState"],
    )


def test_logout_clears_the_session(rig):
    """204; the cookies no longer read; signing out again is no error."""
    login(rig)
    kept = "; ".join(f"{name}={value}" for name, value in rig.http.cookies.items())
    assert 204 == rig.http.post(f"{rig.base}/entity/auth/logout").status_code
    assert (401, 0) == (
        rig.http.get(f"{rig.entity}/Ledger", headers={"Cookie": kept}).status_code,
        rig.site.sessions_open(),
    )
    assert 204 == rig.http.post(f"{rig.base}/entity/auth/logout").status_code


def test_an_idle_cookie_session_closes(rig):
    """After ten unused minutes, by switch after fewer; each use starts them again."""
    login(rig)
    for _ in range(2):
        rig.clock.advance(590)
        assert 200 == rig.http.get(f"{rig.entity}/Ledger").status_code
    rig.clock.advance(601)
    assert (401, 0) == (rig.http.get(f"{rig.entity}/Ledger").status_code, rig.site.sessions_open())
    rig.site.set_switches({"idle_seconds": 5})
    login(rig)
    rig.clock.advance(6)
    assert 0 == rig.site.sessions_open()


def test_login_at_the_cap_is_refused(rig):
    """With the same text as a token request."""
    rig.site.set_switches({"max_sessions": 1})
    login(rig)
    response = login(rig)
    assert (500, True) == (response.status_code, "API Login Limit" in response.json()["exceptionMessage"])


def test_a_post_without_content_length_is_a_411(rig):
    """The web server in front says so, with a page."""
    host, port = rig.http.base_url.host or "127.0.0.1", int(rig.base.rpartition(":")[2].partition("/")[0])
    with socket.create_connection((host, port)) as raw:
        raw.sendall(b"POST /AcumaticaERP/entity/auth/logout HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: raw.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 411")
    assert b"text/html" in answer
