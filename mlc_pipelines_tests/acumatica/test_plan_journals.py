"""Journals of a plan in the Statistical ledger: the real engine over HTTP, and group G of the fault catalogue as this ERP makes it."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import httpx
import pandas as pd
import pytest

from mlc_pipelines.acumatica.plan_batches import ReferenceCut
from mlc_pipelines.flows.posting import sweep
from mlc_pipelines.ledger.drafts import DraftLine, PeriodClosed, ReferenceReused
from mlc_pipelines.ledger.errors import DataError, SetupError, UncertainError, WaitingError
from mlc_pipelines.ledger.ports import ON_HOLD, POSTED, RELEASED
from mlc_pipelines.store.home import Store
from mlc_pipelines.store.postings import CONFLICT, SEALED, WAITING, Postings
from mlc_pipelines_tests.acumatica.plans import DRAFT, PERIOD, STAT, Posting, version, writes

CREATE, RELEASE = "PUT .*/JournalTransaction$", "POST .*/ReleaseJournalTransaction"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    home = tmp_path_factory.mktemp("home")
    opened = Store.open(home, f"sqlite:///{home / 'mlc.db'}")
    yield opened
    opened.engine.dispose()


@pytest.fixture
def register(store: Store, request: pytest.FixtureRequest) -> Postings:
    """Empty for each test."""
    with store.engine.begin() as db:
        for table in ("posting_events", "postings"):
            db.exec_driver_sql(f"delete from {table}")
    return store.postings("demo", who="r.diaz", run=request.node.name)


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def posting(connect, sandbox, register, opened) -> Posting:
    return Posting(sandbox, opened.enter_context(connect()).plan_journals(STAT), register)


def test_a_plan_is_posted_once_as_it_was_approved(posting, sandbox) -> None:
    """One draft, one release; the actual ledger is what it was; done again, nothing is asked or written."""
    actual = sandbox.books.truth("ACTUAL", PERIOD)
    [outcome] = posting.post()
    batch = posting.require_one()
    assert f"{DRAFT}: posted as {batch.number}" == str(outcome)
    assert f"{DRAFT.reference} Budget FY2026" == batch.description
    assert {DRAFT.reference[:15]} == {line.reference for line in batch.lines}
    assert ("HQ", {"HQ"}, "2026-06-30") == (batch.branch, {line.branch for line in batch.lines}, str(batch.date))
    assert ["PUT JournalTransaction", "PUT JournalTransaction"] == writes(sandbox)[:2]
    assert ["POST JournalTransaction/ReleaseJournalTransaction"] == writes(sandbox)[2:]
    assert actual == sandbox.books.truth("ACTUAL", PERIOD)
    asked = len(sandbox.traffic.requests)
    assert f"{DRAFT}: already posted as {batch.number}" == str(posting.post()[0])
    assert asked == len(sandbox.traffic.requests)


@pytest.mark.parametrize(("answer", "form"), [("202", "MM-YYYY"), ("204", "MMYYYY"), ("204 with Location", "MMYYYY")])
def test_every_way_a_release_answers(posting, sandbox, answer, form) -> None:
    """The proof is the status that is read afterwards."""
    sandbox.set_switches(acumatica={"release_answer": answer, "post_period_format": form})
    assert [SEALED] == [one.state for one in posting.post()]
    posting.require_one()


def test_an_adjustment_period_is_named_not_derived_from_a_date(posting) -> None:
    """P13 has the days of the year's last month."""
    draft = replace(DRAFT, period="FY2026-P13")
    assert [SEALED] == [one.state for one in posting.post(draft)]
    assert "2026-06-30" == str(posting.require_one(draft).date)


def test_parts_of_a_plan_are_posted_each_under_its_own_reference(posting, sandbox) -> None:
    """And what the ledger holds afterwards is read by account and subaccount, in our sign, beside what others wrote."""
    before = posting.books.read_held(PERIOD).set_index(["account", "subaccount"])["amount_minor"]
    drafts = [replace(DRAFT, part=part) for part in (1, 2, 3)]
    assert [SEALED] * 3 == [one.state for one in posting.post(*drafts, mode="all_or_none")]
    held = posting.books.read_held(PERIOD)
    assert ["account", "subaccount", "amount_minor"] == list(held)
    after = held.set_index(["account", "subaccount"])["amount_minor"]
    assert 450_150 == after["6100", "020-ADV"] - before.get(("6100", "020-ADV"), 0)
    assert -270_075 == after["4010", "020-ADV"] - before.get(("4010", "020-ADV"), 0)
    truth = sandbox.books.truth("STAT", PERIOD)
    sums: dict[tuple[str, str], int] = {}
    for row in truth:
        if row.branch == "HQ":
            key = (row.account, row.subaccount)
            sums[key] = sums.get(key, 0) + row.debit_minor - row.credit_minor
    assert {key: minor for key, minor in sums.items() if minor} == after.to_dict()


def test_what_the_ledger_holds_is_read_in_a_few_calls_and_proved(posting, sandbox) -> None:
    """However many subaccounts the chart has; a line that is missing in the answer is not taken for one that is not there."""
    posting.books.read_held(PERIOD)
    inquiries = [one.path for one in sandbox.traffic.requests if "Inquiry" in one.path]
    assert 4 >= len(inquiries)
    sandbox.set_switches(acumatica={"drop_rows": 1})
    with pytest.raises(DataError, match=f"Lines and balances of ledger STAT differ in {PERIOD} on 1 accounts"):
        posting.books.read_held(PERIOD)


# -- group G ----------------------------------------------------------------------------------------------------------


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


def waiting_for_approval(posting: Posting) -> Any:
    posting.sandbox.set_switches(acumatica={"approval_map": True})
    [outcome] = posting.post()
    assert WAITING == outcome.state
    [batch] = posting.batches()
    return batch


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


# -- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"ledger": "ACTUAL"}, "is the one that actuals are read from"),
        ({"ledger": "ACTUAL2"}, "has the type Actual"),
        ({"ledger": "TRANSLATED"}, "has the type Reporting"),
        ({"ledger": "BUDGET"}, "has the type Budget"),
        ({"ledger": "NONE"}, "There is no ledger NONE"),
        ({"company": "SOUTH"}, "Company SOUTH does not keep ledger STAT; it belongs to MERIDIAN"),
        ({"branch": "EAST"}, "has no branch EAST"),
        ({"branch": ""}, "has several branches"),
    ],
)
def test_a_wrong_destination_is_refused_without_a_write(connect, sandbox, opened, rule, said) -> None:
    """Whatever the connection says: not one request that could change anything, and every ledger is what it was, byte for byte."""
    ledgers = sandbox.books.ledgers
    ledgers["ACTUAL2"] = replace(ledgers["ACTUAL"], code="ACTUAL2")
    ledgers["TRANSLATED"] = replace(ledgers["ACTUAL"], code="TRANSLATED", type="Reporting")
    before = {code: sandbox.books.truth(code, PERIOD) for code in ledgers}
    books = opened.enter_context(connect()).plan_journals(replace(STAT, **rule))
    with pytest.raises(SetupError, match=re.escape(said)):
        books.require_destination()
    for write in (lambda: books.create_on_hold(DRAFT), lambda: books.release("GL000001"), lambda: books.delete_draft("GL000001")):  # fmt: skip
        with pytest.raises(SetupError, match=re.escape(said)):
            write()
    assert [] == writes(sandbox)
    assert before == {code: sandbox.books.truth(code, PERIOD) for code in ledgers}


@pytest.mark.parametrize("kind", ["plan_journals", "budget_table"])
def test_an_actual_ledger_leaves_every_ledger_byte_for_byte_as_it_was(connect, sandbox, opened, kind) -> None:
    """Refused whatever the connection says, and in the site's log stands no request that writes."""

    def digest() -> bytes:
        return httpx.get(f"{sandbox.url}/control/acumatica/digest", params={"ledger": "ACTUAL"}).content

    before = digest()
    destination = getattr(opened.enter_context(connect()), kind)(replace(STAT, ledger="ACTUAL"))
    with pytest.raises(SetupError, match="plans are never written there"):
        destination.require_destination()
    assert ([], before) == (writes(sandbox), digest())


def test_the_destination_is_what_the_erp_says_it_is(posting, sandbox) -> None:
    """Asked anew each time: a ledger that became an actual one is refused from then on."""
    identity = posting.books.require_destination()
    assert ("MERIDIAN", "STAT", "Statistical", "USD") == (identity.company, identity.ledger, identity.ledger_type, identity.currency)  # fmt: skip
    sandbox.books.ledgers["STAT"].type = "Actual"
    with pytest.raises(SetupError, match="has the type Actual"):
        posting.books.require_destination()
    with pytest.raises(SetupError, match="has the type Actual"):
        posting.books.create_on_hold(DRAFT)
    assert [] == writes(sandbox)


def test_fields_that_are_written_must_be_published(connect, sandbox, opened) -> None:
    """A field that is not known is ignored without a word [C GRP]: an upgrade that took one away is noticed first."""
    sandbox.set_switches(acumatica={"removed": ["JournalTransaction/Description"]})
    books = opened.enter_context(connect()).plan_journals(STAT)
    with pytest.raises(SetupError, match="does not have JournalTransaction/Description"):
        books.require_destination()


def test_a_draft_for_other_books_is_not_written(posting, sandbox) -> None:
    for draft in (replace(DRAFT, currency="EUR"), replace(DRAFT, destination=replace(DRAFT.destination, ledger="X"))):
        with pytest.raises(SetupError, match="this destination is MERIDIAN STAT USD"):
            posting.books.create_on_hold(draft)
    assert [] == writes(sandbox)


def test_objections_name_what_the_erp_would_refuse(connect, sandbox, opened) -> None:
    """Every key at once; "" where a plan figure is taken."""
    sandbox.traffic.plant(
        {
            "match": "GET .*/Account",
            "action": {"kind": "replace", "pattern": r'(\{"value":"1050"\}[^\n]*?"CurrencyID":)\{\}', "with": r'\1{"value":"EUR"}'},
        }
    )  # fmt: skip
    rule = replace(STAT, control_accounts=("2010",))
    books = opened.enter_context(connect()).plan_journals(rule)
    said = {
        ("6100", "020-ADV"): "",
        ("0010", "010-000"): "",
        ("9999", "020-ADV"): "account 9999 does not exist",
        ("6990", "020-ADV"): "account 6990 is inactive",
        ("3999", "010-000"): "account 3999 is the YTD Net Income account, which the ERP keeps itself",
        ("2010", "010-000"): "account 2010 is a control account, which takes no entry by hand",
        ("1050", "010-000"): "account 1050 is held in EUR, the plan's ledger in USD",
        ("6100", "100-TEC"): "subaccount 100-TEC is inactive",
        ("9999", "000"): "account 9999 does not exist; subaccount 000 does not exist",
        ("6100", ""): "a subaccount is missing",
    }
    keys = pd.DataFrame(list(said), columns=["account", "subaccount"])
    assert list(said.values()) == books.objections(keys)


def test_a_refused_record_is_told_by_its_field(posting, sandbox) -> None:
    """What no objection foresaw comes back as the ERP's own refusal of the line; nothing is made."""
    [outcome] = posting.post(replace(DRAFT, lines=(DRAFT.lines[0], DraftLine("6990", "020-ADV", 5, 0))))
    assert (WAITING, DataError) == (outcome.state, type(outcome.error))
    assert "Details[2].Account" in outcome.why
    assert [] == posting.batches()


def test_an_unknown_status_stops(posting, sandbox) -> None:
    """It may be released or not: nothing is done."""
    batch = waiting_for_approval(posting)
    batch.status = "En attente"
    [outcome] = posting.post()
    assert (WAITING, SetupError) == (outcome.state, type(outcome.error))
    assert "has the status 'En attente'" in outcome.why


@pytest.mark.parametrize(
    ("status", "state", "waiting"),
    [("On Hold", ON_HOLD, ""), ("Balanced", ON_HOLD, ""), ("Scheduled", ON_HOLD, "out of its recurring schedule"), ("Void", ON_HOLD, "void"), ("Unposted", RELEASED, "posting of batch"), ("Posted", POSTED, "")],
)  # fmt: skip
def test_every_status_says_how_far_a_batch_is(posting, status, state, waiting) -> None:
    batch = waiting_for_approval(posting)
    batch.status = status
    [found] = posting.books.find_by_reference(DRAFT.reference)
    assert (batch.number, int(batch.number[2:]), state) == (found.number, found.order, found.state)
    assert waiting in found.waiting
    assert bool(waiting) == bool(found.waiting)


def test_only_drafts_of_ours_are_deleted(posting, sandbox) -> None:
    """A released one, a stranger's, one of another ledger and one that is gone are refused before anything is sent."""
    posting.post()
    now = sandbox.clock.now()
    numbers = [
        posting.require_one().number,
        sandbox.books.post("STAT", PERIOD, "HQ", "On Hold", "Travel plan", [], now=now).number,
        sandbox.books.post("ACTUAL", PERIOD, "HQ", "On Hold", DRAFT.reference, [], now=now).number,
        "GL999999",
    ]
    before = writes(sandbox)
    for number in numbers:
        with pytest.raises(DataError):
            posting.books.delete_draft(number)
        if number != numbers[0]:
            with pytest.raises(DataError):
                posting.books.release(number)
    assert before == writes(sandbox)


def test_a_release_whose_end_is_not_seen_is_uncertain(connect, sandbox, opened) -> None:
    """The batch is left as it is found; only a later look tells."""
    sandbox.set_switches(acumatica={"release_seconds": 100_000})
    books = opened.enter_context(connect()).plan_journals(STAT)
    books.create_on_hold(DRAFT)
    [found] = books.find_by_reference(DRAFT.reference)
    with pytest.raises(UncertainError):
        books.release(found.number)
    assert ON_HOLD == books.find_by_reference(DRAFT.reference)[0].state
