"""Sessions and licences. Reference: epicor 1.2, 7.2."""

import json
import uuid

BOOKS = "Erp.BO.GLBookSvc/GLBooks"
LOGIN, LOGOUT = "Ice.Lib.SessionModSvc/Login", "Ice.Lib.SessionModSvc/Logout"


def within(rig, session: str, path: str = BOOKS, method: str = "GET"):
    """A call within a session: the header is a JSON object."""
    headers = {**rig.headers, "SessionInfo": json.dumps({"SessionID": session})}
    return rig.http.request(method, f"{rig.base}/api/v2/odata/IVM/{path}", headers=headers, auth=rig.login)


def test_a_session_from_login_to_logout(rig):
    """Login gives a GUID, calls name it, Logout ends it; after that it is a 410."""
    session = rig.call(LOGIN).json()["returnObj"]
    assert str(uuid.UUID(session)) == session
    assert (200, 1) == (within(rig, session).status_code, rig.site.sessions_open())
    assert 200 == within(rig, session, LOGOUT, "POST").status_code
    assert 0 == rig.site.sessions_open()
    dead = within(rig, session)
    assert 410 == dead.status_code
    assert dead.json()["ErrorType"].endswith("InvalidSessionException")


def test_an_unknown_session_is_gone_and_what_is_no_guid_is_ignored(rig):
    """A client in the field sends its token as SessionID; that must not break it."""
    assert 410 == within(rig, str(uuid.uuid4())).status_code
    assert 200 == within(rig, "eyJhbGciOi.not.a-guid").status_code
    headers = {**rig.headers, "SessionInfo": str(uuid.uuid4())}
    assert 200 == rig.http.get(f"{rig.base}/api/v2/odata/IVM/{BOOKS}", headers=headers, auth=rig.login).status_code


def test_licences_run_out(rig):
    """Sessions hold one each; without a free one neither a login nor a call without session gets in, in words about the session."""
    rig.switch(max_sessions=1)
    session = rig.call(LOGIN).json()["returnObj"]
    for answer in (rig.call(LOGIN), rig.ask(BOOKS), rig.ask("BaqSvc/OpenPOs/Data")):
        assert (401, "Your session is invalid or has been deleted.") == (
            answer.status_code,
            answer.json()["ErrorMessage"],
        )
    assert 200 == within(rig, session).status_code
    within(rig, session, LOGOUT, "POST")
    assert 200 == rig.ask(BOOKS).status_code


def test_the_status_without_a_licence_is_not_known(rig):
    """It is whatever the switch says."""
    rig.switch(max_sessions=0, licence_status=503)
    assert 503 == rig.ask(BOOKS).status_code


def test_sessions_end_with_the_server(rig, stage):
    """After a restart every session is gone."""
    session = rig.call(LOGIN).json()["returnObj"]
    assert {"sessions": 1} == rig.http.post(f"{stage.url}/control/epicor/end-sessions").json()
    assert 410 == within(rig, session).status_code


def test_the_licence_that_a_client_claims_is_noted(rig):
    """The License header is accepted as it comes."""
    claim = json.dumps({"ClaimedLicense": "00000003-9439-4B30-A6F4-6D2FD4B9FD0F", "SessionID": ""})
    rig.http.get(f"{rig.base}/api/v2/odata/IVM/{BOOKS}", headers={**rig.headers, "License": claim}, auth=rig.login)
    assert [claim] == rig.site.licences


def test_a_shared_licence_delays_business_objects(rig):
    """Each call of a business object waits; queries do not."""
    rig.switch(shared_licence_ms=300)
    slow, quick = rig.ask(BOOKS), rig.ask("BaqSvc/OpenPOs/Data")
    assert (200, 200) == (slow.status_code, quick.status_code)
    assert 0.3 <= slow.elapsed.total_seconds()
