"""Who may call: key, login, tokens, companies, rights. Reference: epicor 1.2 to 1.4, 7.1."""

import base64
import json
import uuid
from datetime import timedelta
from xml.etree import ElementTree

import pytest

BOOKS = "Erp.BO.GLBookSvc/GLBooks"


def get(rig, company: str = "IVM", auth=None, **headers: str):
    url = f"{rig.base}/api/v2/odata/{company}/{BOOKS}"
    return rig.http.get(url, headers={"Accept": "application/json", **headers}, auth=auth)


def token(rig, **headers: str):
    sent = {"Accept": "application/json", **headers}
    return rig.http.post(
        f"{rig.base}/TokenResource.svc/", headers=sent, auth=None if "username" in headers else rig.login
    )


def bearer(value: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {value}"}


def claims(token: str) -> dict[str, int]:
    middle = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))


def message(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["ErrorMessage"]


def test_key_and_login_are_both_needed(rig):
    """With both it works, the key in the header in any case, or in the query, which wins."""
    key = {"X-API-Key": rig.site.api_key}
    assert 200 == get(rig, auth=rig.login, **key).status_code
    assert 401 == get(rig, auth=rig.login).status_code
    assert 401 == get(rig, **key).status_code
    url = f"{rig.base}/api/v2/odata/IVM/{BOOKS}?api-key="
    assert 200 == rig.http.get(url + rig.site.api_key, auth=rig.login).status_code
    assert 401 == rig.http.get(url + "other", headers=key, auth=rig.login).status_code


def test_the_three_401_texts(rig):
    """A wrong key, which is repeated; a wrong login; no rights: each says so in its recorded words, and carries a CorrelationId."""
    key = {"x-api-key": rig.site.api_key}
    wrong_key = get(rig, auth=rig.login, **{"x-api-key": "guess"})
    assert (401, "Invalid API Key guess.\r\nCompany IVM.") == message(wrong_key)
    wrong_login = get(rig, auth=("integration", "guess"), **key)
    assert (401, "Invalid username or password.") == message(wrong_login)
    rig.switch(denied=["Erp.BO.GLBookSvc"], denied_status=401)
    no_rights = get(rig, auth=rig.login, **key)
    assert (401, "Access denied (Erp.BO.GLBook.GetRows).") == message(no_rights)
    for answer in (wrong_key, wrong_login, no_rights):
        assert "System.UnauthorizedAccessException" == answer.json()["ErrorType"]
        assert uuid.UUID(answer.json()["CorrelationId"])


def test_outside_the_keys_scope_is_a_403(rig):
    """A service, a method, a set or a BAQ may be outside of it; the others go on."""
    rig.switch(denied=["Erp.BO.GLBookSvc/GetByID", "BaqSvc/OpenPOs", "Erp.BO.VendorSvc/Vendors"])
    assert 403 == rig.ask("Erp.BO.GLBookSvc/GetByID", _bookID="MAIN").status_code
    assert (403, 403) == (rig.ask("BaqSvc/OpenPOs/Data").status_code, rig.ask("Erp.BO.VendorSvc/Vendors").status_code)
    assert (200, 200) == (rig.ask(BOOKS).status_code, rig.ask("BaqSvc/ML_GLJrnDtl/Data").status_code)


def test_companies_without_access(rig):
    """A company that the key is not for says so in the words of a wrong key; one that the user may not enter is denied."""
    assert (401, f"Invalid API Key {rig.site.api_key}.\r\nCompany EPIC06.") == message(rig.ask(BOOKS, company="EPIC06"))
    assert 200 == rig.ask(BOOKS, company="IVC").status_code
    rig.switch(user_companies=["IVM"])
    assert (401, "Access denied (IVC).") == message(rig.ask(BOOKS, company="IVC"))


def test_errors_are_xml_unless_json_is_accepted(rig):
    """Without a JSON Accept the same names stand as elements."""
    url = f"{rig.base}/api/v2/odata/IVM/{BOOKS}"
    answer = rig.http.get(url, headers={"x-api-key": "guess", "Accept": "*/*"}, auth=rig.login)
    root = ElementTree.fromstring(answer.text)
    assert "application/xml" in answer.headers["content-type"]
    assert ("401", "REST API Exception") == (root.findtext("HttpStatus"), root.findtext("ReasonPhrase"))
    assert root.findtext("ErrorMessage").startswith("Invalid API Key guess.")


@pytest.mark.parametrize(
    ("shape", "kind", "begins"),
    [
        ("odata", "application/json", '{"error":'),
        ("html", "text/html", "<!DOCTYPE"),
        ("text", "text/plain", "Invalid API Key"),
    ],
)
def test_other_shapes_of_errors(rig, shape, kind, begins):
    """The OData layer, a proxy's page and plain text have been met too."""
    rig.switch(error_shape=shape)
    answer = get(rig, auth=rig.login, **{"x-api-key": "guess"})
    assert kind in answer.headers["content-type"]
    assert answer.text.startswith(begins)


def test_an_error_may_repeat_the_callers_secrets(rig):
    """By switch every error shows the Authorization header and the key, which must never reach a log."""
    rig.switch(echo_key=True)
    text = rig.ask(BOOKS, select="Nope").json()["ErrorMessage"]
    assert rig.site.api_key in text
    assert base64.b64encode(":".join(rig.login).encode()).decode() in text


# -- tokens -----------------------------------------------------------------------------------------------------------


def test_a_token_for_name_and_password(rig):
    """As Basic or as two headers; it tells its end, and works with the key."""
    answer = token(rig)
    by_headers = token(rig, username=rig.site.username, password=rig.site.password)
    assert {"AccessToken", "TokenType", "ExpiresIn"} == set(answer.json()) == set(by_headers.json())
    value = answer.json()["AccessToken"]
    assert 3600 == claims(value)["exp"] - claims(value)["iat"]
    assert 200 == get(rig, **bearer(value), **{"x-api-key": rig.site.api_key}).status_code
    assert 401 == get(rig, **bearer(value)).status_code


def test_a_wrong_password_gets_no_token(rig):
    """The words are those of a wrong login."""
    assert (401, "Invalid username or password.") == message(token(rig, username="integration", password="guess"))


def test_token_answers_by_accept_and_switch(rig):
    """XML with a root Token without a JSON Accept; other members may be missing; the token may be opaque; the address may not exist."""
    root = ElementTree.fromstring(token(rig, Accept="*/*").text)
    assert ("Token", True) == (root.tag, bool(root.findtext("AccessToken")))
    rig.switch(token_body="bare", token_kind="opaque")
    answer = token(rig).json()
    assert ({"AccessToken"}, 0) == (set(answer), answer["AccessToken"].count("."))
    rig.switch(token_resource=False)
    assert 404 == token(rig).status_code


def test_a_token_ends(rig):
    """After its seconds a token is a 401 that is none of the three recorded ones; a new one works."""
    rig.switch(token_seconds=2)
    old = token(rig).json()["AccessToken"]
    key = {"x-api-key": rig.site.api_key}
    assert 200 == get(rig, **bearer(old), **key).status_code
    rig.clock.advance(timedelta(seconds=3).total_seconds())
    status, text = message(get(rig, **bearer(old), **key))
    assert 401 == status
    assert not [word for word in ("username", "API Key", "denied") if word in text]
    assert 200 == get(rig, **bearer(token(rig).json()["AccessToken"]), **key).status_code


def test_all_tokens_may_end_at_once(rig, stage):
    """The administrator ends them through the control door."""
    value = token(rig).json()["AccessToken"]
    assert {"tokens": 1} == rig.http.post(f"{stage.url}/control/epicor/revoke-tokens").json()
    assert 401 == get(rig, **bearer(value), **{"x-api-key": rig.site.api_key}).status_code


def test_a_token_of_the_identity_provider(rig, stage):
    """Client credentials as a form; the token works with the key. What does not fit is a 400 in the standard shape."""
    form = {
        "grant_type": "client_credentials",
        "client_id": rig.site.client_id,
        "client_secret": rig.site.client_secret,
        "scope": "epicor_erp",
    }
    url = stage.url + rig.site.token_path
    answer = rig.http.post(url, data=form).json()
    assert ("Bearer", 3600, "epicor_erp") == (answer["token_type"], answer["expires_in"], answer["scope"])
    assert 200 == get(rig, **bearer(answer["access_token"]), **{"x-api-key": rig.site.api_key}).status_code
    for wrong, said in (
        ({"client_secret": "guess"}, "invalid_client"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"scope": "openid email"}, "invalid_scope"),
    ):
        refused = rig.http.post(url, data={**form, **wrong})
        assert (400, {"error": said}) == (refused.status_code, refused.json())
    assert {"error": "invalid_request"} == rig.http.post(url, json=form).json()
