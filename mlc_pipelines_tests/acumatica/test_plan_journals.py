"""Journals of a plan in the Statistical ledger: the real engine over HTTP, and what is refused there; group G: test_plan_faults.py."""

import re
from dataclasses import replace

import httpx
import pandas as pd
import pytest

from mlc_pipelines.ledger.drafts import DraftLine
from mlc_pipelines.ledger.errors import DataError, SetupError, UncertainError
from mlc_pipelines.ledger.ports import ON_HOLD, POSTED, RELEASED
from mlc_pipelines.store.postings import SEALED, WAITING
from mlc_pipelines_tests.acumatica.plans import DRAFT, PERIOD, STAT, waiting_for_approval, writes

CREATE, RELEASE = "PUT .*/JournalTransaction$", "POST .*/ReleaseJournalTransaction"


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
