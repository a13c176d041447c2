"""Clients that we did not write run against the instance unmodified. Reference: epicor 8.

pypicor 1.0.4 wants a plotting library that nothing else here needs, so it is not installed with the others: what it sends was recorded when it ran
against this instance through a proxy, and is sent again.
"""

import getpass
import json

import keyring
import kinetic_devops
import pytest
import requests
from keyring.backend import KeyringBackend


class Ring(KeyringBackend):
    """A keyring that forgets: the client keeps its configuration and its tokens there."""

    priority = 1  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self.kept.pop((service, username), None)


@pytest.fixture
def configured(rig, monkeypatch, tmp_path):
    """kinetic-devops with our instance under the nickname LOCAL, and somebody who types the password."""
    before, ring = keyring.get_keyring(), Ring()
    keyring.set_keyring(ring)
    server = {"url": rig.base, "companies": "IVM", "api_key": rig.site.api_key, "sessions": []}
    ring.set_password("epicor-kinetic-servers", "config", json.dumps({"LOCAL": server}))
    monkeypatch.setattr(getpass, "getpass", lambda *_: rig.site.password)
    monkeypatch.chdir(tmp_path)
    yield "LOCAL", rig.site.username, "IVM"
    keyring.set_keyring(before)


def test_kinetic_devops_logs_in_and_runs_a_query(rig, configured):
    """It takes a token, proves it on its own user, and reads a query; pages and columns are as asked."""
    client = kinetic_devops.KineticBAQService(*configured)
    rows = client.get_baq_results("ML_GLJrnDtl", "?BookID=MAIN&FiscalYear=2026&$top=3&$select=GLJrnDtl_BookID")
    assert [{"GLJrnDtl_BookID": "MAIN"}] * 3 == rows
    with pytest.raises(requests.HTTPError, match="404"):
        client.get_baq_results("Nothing")


def test_kinetic_devops_reads_business_objects(rig, configured):
    """It names its token as a session, which is ignored; it reads a list by the generic reader, and a set by any path."""
    client = kinetic_devops.KineticBOReaderService(*configured)
    asked = {"whereClause": "BookID = 'MAIN'", "columnList": ["BookID", "MainBook"]}
    assert [{"BookID": "MAIN", "MainBook": True}] == client.get_list("Erp.BO.GLBookSvc", asked)["returnObj"][
        "GLBookList"
    ]
    books = client.execute_request("GET", f"{rig.base}/api/v2/odata/IVM/Erp.BO.GLBookSvc/GLBooks?$select=BookID")
    assert ["MAIN", "TAX", "PLAN", "OLD"] == [row["BookID"] for row in books["value"]]


def test_kinetic_devops_notices_a_wrong_key(rig, configured):
    """A wrong key is seen in the text of the 401."""
    client = kinetic_devops.KineticBAQService(*configured)
    rig.site.api_key = "another"
    with pytest.raises(requests.HTTPError, match="401"):
        client.get_baq_results("ML_GLJrnDtl")


def test_what_pypicor_sends(rig):
    """Quotes, commas and the dollar bare, blanks as %20, any Accept: it gets the first hundred rows, and an error it cannot read."""
    path = (
        "BaqSvc/ML_GLJrnDtl/Data?$filter=GLJrnDtl_BookID%20eq%20'MAIN'%20and%20GLJrnDtl_Posted%20eq%20true"
        "&$select=GLJrnDtl_SegValue1,GLJrnDtl_BookDebitAmount&FiscalYear=2026&FiscalPeriod=3"
    )
    headers = {"x-api-key": rig.site.api_key, "Content-Type": "application/json", "Accept": "*/*"}
    answer = rig.http.get(f"{rig.base}/api/v2/odata/IVM/{path}", headers=headers, auth=rig.login)
    assert {"GLJrnDtl_SegValue1", "GLJrnDtl_BookDebitAmount"} == set(answer.json()["value"][0])
    assert 8 == len(answer.json()["value"])
    missing = rig.http.get(f"{rig.base}/api/v2/odata/IVM/BaqSvc/Nothing/Data", headers=headers, auth=rig.login)
    assert (404, True) == (missing.status_code, missing.text.startswith("<Error>"))
