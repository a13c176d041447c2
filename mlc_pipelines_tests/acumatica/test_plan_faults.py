"""Group G of the fault catalogue as this ERP makes it, with the real engine over HTTP."""

import re
from dataclasses import replace

import pytest

from mlc_pipelines.acumatica.plan_batches import ReferenceCut
from mlc_pipelines.flows.posting import sweep
from mlc_pipelines.ledger.drafts import PeriodClosed, ReferenceReused
from mlc_pipelines.ledger.errors import WaitingError
from mlc_pipelines.ledger.ports import ON_HOLD
from mlc_pipelines.store.postings import CONFLICT, SEALED, WAITING
from mlc_pipelines_tests.acumatica.plans import DRAFT, PERIOD, STAT, Posting, version, waiting_for_approval, writes

CREATE, RELEASE = "PUT .*/JournalTransaction$", "POST .*/ReleaseJournalTransaction"


@pytest.mark.parametrize(
    "action",
    [
        {"kind": "reset", "after": True},
        {"kind": "truncate"},
        {"kind": "status", "status": 503, "after": True},
        {"kind": "status", "status": 500, "after": True, "body": '{"exceptionMessage":"x"}'},
        {"kind": "html", "status": 502},
        {"kind": "reset"},
    ],
)
def test_G01_an_unanswered_create_is_looked_up(posting, sandbox, action) -> None:
    """One is posted, none is left, whether the create was applied or not."""
    fault = sandbox.traffic.plant({"match": CREATE, "action": action})
    assert [SEALED] == [one.state for one in posting.post()]
    posting.require_one()
    assert 1 == fault.fired


def test_G02_a_create_that_is_applied_late_leaves_a_stray_that_is_swept(posting, sandbox) -> None:
    """The request is long on its way and arrives after all was done: one is posted, the stray stands on hold until the sweep deletes it."""
    sandbox.traffic.plant({"match": CREATE, "action": {"kind": "reset"}})
    assert [SEALED] == [one.state for one in posting.post()]
    posting.books.create_on_hold(DRAFT)
    assert ["On Hold", "Posted"] == sorted(batch.status for batch in posting.batches())
    [swept] = sweep(posting.desk())
    assert ("", ON_HOLD) == (swept.said, swept.journal.state)
    posting.require_one()
    assert [] == sweep(posting.desk())


@pytest.mark.parametrize(("answer", "match"), [("202", RELEASE), ("204", RELEASE), ("202", CREATE)])
def test_G04_an_unanswered_release_is_looked_up(posting, sandbox, answer, match) -> None:
    """Also the answer to taking it off hold; what is released already is not released again."""
    sandbox.set_switches(acumatica={"release_answer": answer})
    skip = 1 if match == CREATE else 0
    sandbox.traffic.plant({"match": match, "skip": skip, "action": {"kind": "reset", "after": True}})
    assert [SEALED] == [one.state for one in posting.post()]
    batch = posting.require_one()
    posting.books.release(batch.number)
    assert "Posted" == posting.require_one().status


def test_G07_a_list_that_is_one_write_behind_makes_no_second_journal(posting, sandbox) -> None:
    """What the answer to the create pointed to is looked at by its key."""
    sandbox.set_switches(acumatica={"lists_behind": True})
    assert [SEALED] == [one.state for one in posting.post()]
    posting.require_one()


def test_G07_also_where_nothing_points_to_it(posting, sandbox) -> None:
    """The answer is lost as well: the lowest of two is posted, the other one deleted."""
    sandbox.set_switches(acumatica={"lists_behind": True})
    sandbox.traffic.plant({"match": CREATE, "action": {"kind": "reset", "after": True}})
    assert [SEALED] == [one.state for one in posting.post()]
    sandbox.set_switches(acumatica={"lists_behind": False})
    sweep(posting.desk())
    posting.require_one()


def test_G10_a_draft_that_a_person_changed_is_not_released(posting) -> None:
    """The line is named; so is a line of another branch, and a batch that went to another ledger."""
    batch = waiting_for_approval(posting)
    batch.lines[0] = replace(batch.lines[0], debit_minor=150_051)
    batch.status = "Balanced"
    [outcome] = posting.post()
    assert (CONFLICT, "Balanced") == (outcome.state, batch.status)
    assert "6100 020-ADV debit 1,500.51 USD was not approved" in outcome.why


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"ledger": "ACTUAL"}, "its ledger is ACTUAL, not STAT"),
        ({"period": "FY2026-P11"}, "period is 'FY2026-P11' instead of 'FY2026-P12'"),
        ({"description": "Budget"}, "its reference is 'Budget' now"),
    ],
)
def test_G10_a_draft_that_went_elsewhere_is_neither_released_nor_made_again(posting, change, said) -> None:
    batch = waiting_for_approval(posting)
    batch.status = "Balanced"
    for name, value in change.items():
        setattr(batch, name, value)
    [outcome] = posting.post()
    assert (CONFLICT, "Balanced") == (outcome.state, batch.status)
    assert said in outcome.why
    assert 1 == len([one for one in posting.sandbox.books.batches if one.lines == batch.lines])


def test_G11_a_draft_that_a_person_deleted_is_made_again(posting, sandbox) -> None:
    """And the run says so."""
    said: list[str] = []
    batch = waiting_for_approval(posting)
    sandbox.books.remove(batch)
    sandbox.set_switches(acumatica={"approval_map": False})
    assert [SEALED] == [one.state for one in posting.post(progress=said.append)]
    assert any(f"journal {batch.number} is gone" in line for line in said)
    assert batch.number != posting.require_one().number


def test_G13_an_approval_map_is_waited_for(posting, sandbox) -> None:
    """The batch is named; once somebody approved it in the ERP the work goes on. A rejected one waits for a decision."""
    batch = waiting_for_approval(posting)
    [outcome] = posting.post()
    assert f"waits for approval of batch {batch.number} in Acumatica" in outcome.why
    batch.status = "Rejected"
    [outcome] = posting.post()
    assert f"batch {batch.number}, which its approver in Acumatica rejected" in outcome.why
    batch.status = "Balanced"
    assert [SEALED] == [one.state for one in posting.post()]
    posting.require_one()


def test_G14_released_but_not_posted(posting, sandbox) -> None:
    """It counts as released. Posting it is a person's on GL502000, where the connection asks for it."""
    sandbox.set_switches(acumatica={"post_on_release": False})
    [outcome] = posting.post(post_too=True)
    batch = posting.require_one(status="Unposted")
    assert (WAITING, True) == (outcome.state, "GL502000" in outcome.why)
    with pytest.raises(WaitingError, match="GL502000"):
        posting.books.post(batch.number)
    batch.status = "Posted"
    posting.books.post(batch.number)
    assert [SEALED] == [one.state for one in posting.post(post_too=True)]
    assert [SEALED] == [one.state for one in posting.post(version(2))]
    posting.require_one(version(2), status="Unposted")


def test_G16_changed_figures_under_an_old_reference_are_refused(posting, sandbox) -> None:
    """Nothing is asked or written; as a new version they have a batch of their own."""
    posting.post()
    asked = len(sandbox.traffic.requests)
    changed = replace(DRAFT, lines=(replace(DRAFT.lines[0], debit_minor=7),))
    with pytest.raises(ReferenceReused):
        posting.post(changed)
    assert asked == len(sandbox.traffic.requests)
    assert [SEALED] == [one.state for one in posting.post(replace(changed, version="2"))]
    posting.require_one()


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("rounded", r"6100 020-ADV debit 1,500\.00 USD was not approved"),
        ("balanced", r"debit 600\.25|credit 600\.25 USD was not approved"),
        ("branch", "line 1: branch is not HQ"),
        ("subaccount", r"6100 020-ADV debit 1,500\.50 USD is not there"),
    ],
)
def test_G17_what_the_erp_made_of_the_lines_is_seen_before_the_release(posting, sandbox, rule, said) -> None:
    """It stays on hold for a person."""
    sandbox.set_switches(acumatica={"line_rules": rule})
    [outcome] = posting.post()
    assert (CONFLICT, ["On Hold"]) == (outcome.state, [one.status for one in posting.batches()])
    assert re.search(said, outcome.why)


@pytest.mark.parametrize("kept", [23, 15, 9, 5, 0])
def test_G19_a_reference_that_is_cut_is_named_and_nothing_is_made_again(posting, sandbox, kept) -> None:
    """The first draft shows it; this run makes no second one."""
    sandbox.set_switches(acumatica={"description_max": kept})
    drafts = len([one for one in sandbox.books.batches if one.status == "On Hold"])
    [outcome] = posting.post()
    assert (WAITING, ReferenceCut) == (outcome.state, type(outcome.error))
    assert f"keeps the first {kept} characters" in outcome.why
    assert drafts + 1 == len([one for one in sandbox.books.batches if one.status == "On Hold"])


def test_G19_a_later_run_recognises_the_cut_draft(posting, connect, sandbox, register, opened) -> None:
    """By its beginning; once descriptions are kept whole and the draft is deleted the work goes on."""
    sandbox.set_switches(acumatica={"description_max": 20})
    posting.post()
    sandbox.set_switches(acumatica={"description_max": 512})
    later = Posting(sandbox, opened.enter_context(connect()).plan_journals(STAT), register)
    [outcome] = later.post()
    assert (ReferenceCut, 1) == (type(outcome.error), len(writes(sandbox)))
    [short] = [one for one in sandbox.books.batches if one.description == DRAFT.reference[:20]]
    sandbox.books.remove(short)
    assert [SEALED] == [one.state for one in later.post()]
    later.require_one()


def test_G20_a_careless_filter_is_filtered_again(posting, sandbox) -> None:
    """All rows come, among them drafts whose reference differs in case, in blanks or at its end: they are neither released nor deleted."""
    sandbox.set_switches(acumatica={"filter_ignored": True})
    strange = [DRAFT.reference.lower(), f" {DRAFT.reference}", f"{DRAFT.reference}X", "MLC-", "", version(2).reference]
    made = [
        sandbox.books.post("STAT", PERIOD, "HQ", "On Hold", text, [], now=sandbox.clock.now(), module="GL")
        for text in strange
    ]
    assert [SEALED] == [one.state for one in posting.post()]
    assert {"On Hold"} == {one.status for one in made}
    assert 1 == len(
        [
            one
            for one in sandbox.books.batches
            if one.status == "Posted" and one.lines and one.lines[0].reference == DRAFT.reference[:15]
        ]
    )
    found = {journal.reference for journal in posting.books.find_drafts()}
    assert {f"{DRAFT.reference}X", "MLC-", version(2).reference} == found


def test_G20_a_filter_that_finds_nothing_makes_no_second_journal(posting, sandbox) -> None:
    """A filter can answer with an empty list without a word [C ACU/GRP]; the batch is then looked at by its key."""
    empty = {"kind": "status", "status": 200, "headers": {"content-type": "application/json"}, "body": "[]"}
    sandbox.traffic.plant({"match": "GET .*startswith", "times": -1, "action": empty})
    assert [SEALED] == [one.state for one in posting.post()]
    posting.require_one()


def test_G22_a_period_that_closed_before_the_release_leaves_the_draft_on_hold(posting, sandbox) -> None:
    """Nothing is sent to it; after the period is open again the work goes on."""
    close = {"kind": "control", "path": "/control/acumatica/period", "body": {"period": PERIOD, "status": "Closed"}}
    sandbox.traffic.plant({"match": CREATE, "action": {**close, "after": True}})
    [outcome] = posting.post()
    [batch] = posting.batches()
    assert (WAITING, PeriodClosed, "On Hold") == (outcome.state, type(outcome.error), batch.status)
    assert f"Period {PERIOD} takes no journal in ledger STAT: it is closed in the ERP" in outcome.why
    sandbox.books.periods[PERIOD].status = "Open"
    assert [SEALED] == [one.state for one in posting.post()]
    posting.require_one()


@pytest.mark.parametrize(("answer", "status"), [("202", "Closed"), ("204", "Inactive"), ("202", "Locked")])
def test_G22_a_release_that_met_a_closed_period_says_so(posting, sandbox, answer, status) -> None:
    """The ERP's own words may be in any language: its calendar is asked."""
    sandbox.set_switches(acumatica={"release_answer": answer})
    close = {"kind": "control", "path": "/control/acumatica/period", "body": {"period": PERIOD, "status": status}}
    sandbox.traffic.plant({"match": RELEASE, "action": close})
    [outcome] = posting.post()
    assert (WAITING, PeriodClosed) == (outcome.state, type(outcome.error))
    assert ["Balanced"] == [one.status for one in posting.batches()]


def test_G22_a_closed_period_takes_no_draft_unless_the_site_lets_it(
    posting, connect, sandbox, register, opened
) -> None:
    """Restrict Access to Closed Periods may be off, or the user a Financial Supervisor: the connection says so."""
    draft = replace(DRAFT, period="FY2026-P03")
    [outcome] = posting.post(draft)
    assert (PeriodClosed, []) == (type(outcome.error), writes(sandbox))
    sandbox.set_switches(acumatica={"closed_accepts": True})
    allowed = opened.enter_context(connect()).plan_journals(replace(STAT, into_closed=True))
    assert [SEALED] == [one.state for one in Posting(sandbox, allowed, register).post(draft)]
    keys = ["FY2026-P03", "FY2025-P01", "FY2027-P05", PERIOD, "FY2031-P01", "FY2026T-P02"]
    said = posting.books.not_open(keys)
    assert ["FY2026-P03", "FY2025-P01", "FY2027-P05", "FY2031-P01", "FY2026T-P02"] == list(said)
    assert ["closed", "locked", "inactive"] == [said[key].split()[2] for key in keys[:3]]
    assert ["FY2025-P01"] == list(allowed.not_open(["FY2025-P01", "FY2026-P03"]))
