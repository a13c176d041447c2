"""Who approved which content, and who took it back: rows are only added, and the newest of a content counts."""

from datetime import datetime

import pytest
import sqlalchemy as sa

from mlc_pipelines.ledger.drafts import Approval, ApprovalForged
from mlc_pipelines.store.home import Store
from mlc_pipelines.store.trail.logbook import Logbook

PLAN, CONTENT, OTHER = "Budget FY2027", "a" * 64, "b" * 64
SHOWN = "FY2027 Budget version 1: Approved by R. Okafor 2026-06-12"


def test_an_approval_is_kept_as_it_was_given(store: Store) -> None:
    """By whom, when, for which content and by what evidence; another process of the same home finds it."""
    given = store.approvals("demo").approve(PLAN, CONTENT, "r.diaz", evidence=SHOWN)
    assert Approval("r.diaz", given.at, CONTENT, SHOWN) == given
    assert datetime.fromisoformat(given.at).utcoffset() is not None
    assert given == Store.open(store.home).approvals("demo").find(CONTENT)


def test_an_approval_is_for_one_content_of_one_connection(store: Store) -> None:
    """Nothing else is approved by it, and nothing before it was given."""
    approvals = store.approvals("demo")
    assert approvals.find(CONTENT) is None
    approvals.approve(PLAN, CONTENT, "r.diaz", evidence=SHOWN)
    assert approvals.find(OTHER) is None
    assert approvals.find("") is None
    assert store.approvals("demo_epicor").find(CONTENT) is None


def test_an_approval_that_was_taken_back_counts_no_more_until_it_is_given_again(store: Store) -> None:
    """By whoever gives it then; taking one content back leaves the other one approved."""
    approvals = store.approvals("demo")
    approvals.approve(PLAN, CONTENT, "r.diaz", evidence=SHOWN)
    approvals.approve(PLAN, OTHER, "r.diaz", evidence=SHOWN)
    approvals.withdraw(PLAN, CONTENT, "m.lee", "wrong cost center")
    assert approvals.find(CONTENT) is None
    assert approvals.find(OTHER)
    again = approvals.approve(PLAN, CONTENT, "m.lee", evidence=SHOWN)
    assert again == approvals.find(CONTENT)
    assert "m.lee" == again.by


def test_no_approval_is_ever_written_over(store: Store) -> None:
    """Every act stays, with who, why and when, in the order in which they came."""
    approvals = store.approvals("demo")
    approvals.approve(PLAN, CONTENT, "r.diaz", evidence=SHOWN, note="as agreed")
    approvals.withdraw(PLAN, CONTENT, "m.lee", "wrong cost center")
    approvals.approve(PLAN, CONTENT, "r.diaz", evidence=SHOWN)
    with store.engine.connect() as db:
        acts = db.execute(sa.text("SELECT state, who, note, plan, evidence FROM approvals ORDER BY id")).all()
    assert [
        ("APPROVED", "r.diaz", "as agreed", PLAN, SHOWN),
        ("WITHDRAWN", "m.lee", "wrong cost center", PLAN, ""),
        ("APPROVED", "r.diaz", "", PLAN, SHOWN),
    ] == acts


def test_an_approval_that_somebody_wrote_into_the_database_counts_for_nothing(store: Store) -> None:
    """The audit trail must tell the same: a row that was added, one whose withdrawal was taken out, a changed name. Rows cannot be changed by mistake at all."""
    approvals = store.approvals("demo", Logbook(store.trail, "demo", "r.diaz"))
    given = approvals.approve(PLAN, CONTENT, "r.diaz", evidence=SHOWN)
    assert given == approvals.find(CONTENT)
    values = f"'demo', '{PLAN}', '{{}}', 'APPROVED', 'c.ontroller', '{SHOWN}', '', '{given.at}'"
    forged = f"INSERT INTO approvals (connection, plan, package, state, who, evidence, note, at) VALUES ({values})"
    for content, said in ((OTHER, "nobody approved it"), (CONTENT, f"APPROVED by r.diaz at {given.at}")):
        with store.engine.begin() as db:
            db.exec_driver_sql(forged.format(content))
        with pytest.raises(ApprovalForged, match="is not what the audit trail tells") as caught:
            approvals.find(content)
        assert said in caught.value.what
        assert caught.value.next_step
    for change in ("UPDATE approvals SET who = 'c.ontroller'", "DELETE FROM approvals"):
        with pytest.raises(sa.exc.DBAPIError, match="only added"), store.engine.begin() as db:
            db.exec_driver_sql(change)


@pytest.mark.parametrize("who", ["", "Ö. Åberg 会計", "'); DROP TABLE approvals;--"])
def test_names_are_kept_to_the_letter(store: Store, who: str) -> None:
    """Whatever the log-in of a company looks like."""
    store.approvals("demo").approve(PLAN, CONTENT, who, evidence=SHOWN)
    found = store.approvals("demo").find(CONTENT)
    assert found is not None
    assert who == found.by
