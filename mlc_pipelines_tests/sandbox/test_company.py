"""The sample company: its books hold, its oddities are there, and the sums over them are right."""

from collections import Counter, defaultdict
from datetime import UTC, date, datetime
from itertools import pairwise

import pytest

from mlc_pipelines.sandbox import chart
from mlc_pipelines.sandbox.company import Batch, Books, Line, empty_company, sample_company
from mlc_pipelines.sandbox.second import OWN, SHARED, found

NOW = datetime(2026, 8, 14, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def books() -> Books:
    """The books as seeded: read only."""
    return sample_company()


def begun(books: Books) -> list[str]:
    """The months that are complete: no adjustment period, no month in progress."""
    return [
        key
        for key, period in books.periods.items()
        if not period.adjustment and period.status != "Inactive" and key != "FY2027-P02"
    ]


def actual(books: Books, key: str) -> list[Batch]:
    return books.batches_of("ACTUAL", key)


# -- the books hold ---------------------------------------------------------------------------------------------------


def test_every_posted_actual_batch_balances(books: Books) -> None:
    """Debits equal credits in each posted batch of ACTUAL, and no line has a sign or both sides."""
    posted = [batch for batch in books.batches if batch.ledger == "ACTUAL" and batch.status == "Posted"]
    assert [] == [batch.number for batch in posted if batch.debit_minor != batch.credit_minor]
    lines = [line for batch in books.batches for line in batch.lines]
    assert [] == [line for line in lines if line.debit_minor < 0 or line.credit_minor < 0]
    assert [] == [line for line in lines if (line.debit_minor == 0) == (line.credit_minor == 0)]


def test_the_size_is_realistic(books: Books) -> None:
    """Two full years of 13 periods, several thousand batches of 2 to 12 lines, about 200 a month."""
    full = [key for key in books.periods if key < "FY2027" and actual(books, key)]
    assert 26 == len(full)
    assert 4_500 < len(books.batches)
    assert 20_000 < sum(len(batch.lines) for batch in books.batches)
    sizes = [len(batch.lines) for batch in books.batches if batch.ledger == "ACTUAL"]
    assert (2, 12) == (min(sizes), max(sizes))
    months = [len(books.batches_of("ACTUAL", key)) for key in begun(books) if key < "FY2027"]
    assert 190 <= min(months)
    assert max(months) <= 205


def test_every_code_is_known(books: Books) -> None:
    """No line names an account, subaccount or branch that the company does not have."""
    lines = [line for batch in books.batches for line in batch.lines]
    assert set() == {line.account for line in lines} - set(books.accounts)
    assert set() == {line.subaccount for line in lines} - set(books.subaccounts)
    assert {"HQ", "WEST"} == {line.branch for line in lines}


def test_batches_are_ordered_and_numbered_without_gaps(books: Books) -> None:
    """Batches stand by module and number; each module counts from 1; ids are unique."""
    assert sorted(books.batches, key=lambda batch: (batch.module, batch.number)) == books.batches
    assert ["AP", "AR", "CA", "GL"] == sorted({batch.module for batch in books.batches})
    general = [batch.number for batch in books.batches if batch.module == "GL"]
    assert [f"GL{at:06d}" for at in range(1, len(general) + 1)] == general
    assert len(books.batches) == len({batch.note_id for batch in books.batches})


def test_the_same_seed_gives_the_same_books() -> None:
    """Same seed, same books to the id; another seed, other figures; a copy handed out earlier changes nothing."""
    first = sample_company(7)
    first.batches[0].lines[0] = Line(1, "1030", "010-000", "HQ", 1, 0)
    first.accounts["1030"].active = False
    second = sample_company(7)
    assert 1 != second.batches[0].lines[0].debit_minor
    assert second.accounts["1030"].active
    first_again, other = sample_company(7), sample_company(8)
    assert second.batches == first_again.batches
    assert second.batches != other.batches


def test_scale_multiplies_the_month() -> None:
    """Twice the scale, about twice the batches, and they still balance."""
    large = sample_company(2026, scale=2)
    assert 390 <= len(actual(large, "FY2026-P03")) <= 405
    assert 0 == sum(row.debit_minor - row.credit_minor for row in large.truth("ACTUAL", "FY2026-P03"))


def test_lines_in_fills_one_period_exactly(books: Books) -> None:
    """A bench gets the number of posted lines it asked for, in that period alone; impossible wishes are refused."""
    large = sample_company(lines_in=("FY2026-P03", 3_001))
    assert 3_001 == len(large.posted_lines("ACTUAL", "FY2026-P03"))
    assert 0 == sum(row.debit_minor - row.credit_minor for row in large.truth("ACTUAL", "FY2026-P03"))
    assert actual(books, "FY2026-P04") == actual(large, "FY2026-P04")
    with pytest.raises(ValueError, match="FY2026-P03 cannot be filled up to 10 lines"):
        sample_company(lines_in=("FY2026-P03", 10))


# -- calendar ---------------------------------------------------------------------------------------------------------


def test_the_calendar(books: Books) -> None:
    """Years from 1 July named by their end, twelve months without a gap, an adjustment period of one day."""
    first, thirteenth = books.periods["FY2026-P01"], books.periods["FY2026-P13"]
    assert (date(2025, 7, 1), date(2025, 7, 31), "012026") == (first.start, first.end, first.id)
    assert (date(2026, 6, 30), date(2026, 6, 30), "132026") == (thirteenth.start, thirteenth.end, thirteenth.id)
    assert date(2026, 2, 28) == books.periods["FY2026-P08"].end
    months = [period for period in books.periods.values() if not period.adjustment]
    assert {1} == {(b.start - a.end).days for a, b in pairwise(months)}
    assert first is books.period_of_id("012026")
    assert books.period_of_id("142026") is None


def test_period_statuses(books: Books) -> None:
    """FY2025 is locked or closed, FY2026 closed up to P10, two months of FY2027 are open and the rest is not begun."""
    by_status = defaultdict(list)
    for key, period in books.periods.items():
        by_status[period.status].append(key)
    assert [f"FY2025-P{n:02d}" for n in range(1, 7)] == by_status["Locked"]
    assert "FY2026-P10" == by_status["Closed"][-1]
    assert ["FY2026-P11", "FY2026-P12", "FY2026-P13", "FY2027-P01", "FY2027-P02"] == by_status["Open"]
    assert 11 == len(by_status["Inactive"])
    assert [] == [batch.number for batch in books.batches if batch.period in by_status["Inactive"]]


# -- what stands in it on purpose -------------------------------------------------------------------------------------


@pytest.mark.parametrize("account", ["0010", "NA", "7770", "8880"])
def test_awkward_accounts_are_posted_to_every_month(books: Books, account: str) -> None:
    """Codes like numbers or like nothing, and codes the planning model lacks, come up in every month."""
    missing = [key for key in begun(books) if account not in {row.account for row in books.truth("ACTUAL", key)}]
    assert [] == missing


def test_awkward_descriptions(books: Books) -> None:
    """One description has a comma, one a double quote, one no Latin letter at all."""
    described = {account.code: account.description for account in books.accounts.values()}
    assert ("Dépôt, Genève", 'The "Summit" fund', "旅費交通費") == (
        described["1350"],
        described["6440"],
        described["6150"],
    )
    texts = {line.description for batch in books.batches for line in batch.lines}
    assert any("," in text for text in texts)
    assert any('"' in text for text in texts)


def test_inactive_and_system_accounts(books: Books) -> None:
    """Four accounts are inactive, one of them posted to in FY2025 only; the system accounts are never posted to."""
    posted = {line.account for batch in books.batches for line in batch.lines}
    assert 4 == sum(not account.active for account in books.accounts.values())
    assert {"6990"} == posted & {account.code for account in books.accounts.values() if not account.active}
    years = {batch.period[:6] for batch in books.batches for line in batch.lines if line.account == "6990"}
    assert {"FY2025"} == years
    assert set() == posted & {books.retained_earnings, books.net_income}
    assert {"Liability"} == {books.accounts[code].type for code in chart.SYSTEM_ACCOUNTS}


def test_every_status_occurs_every_month(books: Books) -> None:
    """Each month has entries On Hold, Balanced and Unposted; those on hold do not balance."""
    for key in begun(books):
        assert {"Posted", "On Hold", "Balanced", "Unposted"} == {batch.status for batch in actual(books, key)}
    held = [batch for batch in books.batches if batch.status == "On Hold" and batch.ledger == "ACTUAL"]
    assert {1} == {batch.debit_minor - batch.credit_minor for batch in held}


def test_reversed_pairs_leave_a_cell_of_zero(books: Books) -> None:
    """What was booked in error and taken back has lines on both sides that cancel out."""
    for key in begun(books):
        (row,) = [row for row in books.truth("ACTUAL", key) if row.account == "6760"]
        assert 0 < row.debit_minor == row.credit_minor


def test_accruals_reverse_on_the_first_of_the_next_month(books: Books) -> None:
    """Each accrual of a complete month has exactly one reversal with sides changed, in the next month."""
    accruals = [batch for batch in books.batches if batch.auto_reversing and batch.period != "FY2027-P01"]
    assert 3 * 24 == len(accruals)
    months = begun(books)
    reversals = Counter(batch.original for batch in books.batches if batch.original)
    for accrual in accruals:
        assert 1 == reversals[accrual.number]
        (back,) = [batch for batch in books.batches if batch.original == accrual.number]
        assert months[months.index(accrual.period) + 1] == back.period
        assert books.periods[back.period].start == back.date
        assert [(line.account, line.debit_minor, line.credit_minor) for line in accrual.lines] == [
            (line.account, line.credit_minor, line.debit_minor) for line in back.lines
        ]


def test_statistics_are_one_sided_and_share_an_account_with_the_actuals(books: Books) -> None:
    """STAT holds debits without credits, on an account that ACTUAL uses too; BUDGET holds nothing."""
    for key in begun(books):
        rows = books.truth("STAT", key)
        assert 0 == sum(row.credit_minor for row in rows)
        assert {"6100", "9010", "9020"} == {row.account for row in rows}
    assert [] == [batch for batch in books.batches if batch.ledger == "BUDGET"]


def test_late_bills_and_shared_cost_centers(books: Books) -> None:
    """One bill a month is dated before its period; both branches book to the corporate office."""
    for key in begun(books):
        late = [batch for batch in actual(books, key) if batch.date < books.periods[key].start]
        assert 1 == len(late)
        branches = {row.branch for row in books.truth("ACTUAL", key) if row.subaccount == "010-000"}
        assert {"HQ", "WEST"} == branches


def test_cost_centers_and_subaccounts(books: Books) -> None:
    """Twelve cost centers by four practices; each cost center has a name and a region; about 600 people."""
    assert [f"{n:03d}" for n in range(10, 130, 10)] == list(books.cost_centers)
    assert 48 == len(books.subaccounts)
    assert set(books.cost_centers) == set(books.regions)
    assert {"000", "ADV", "TAX", "TEC"} == {code.split("-")[1] for code in books.subaccounts}
    assert 590 <= sum(chart.STAFF.values()) <= 610


# -- sums -------------------------------------------------------------------------------------------------------------


def test_truth_is_a_plain_recount_of_posted_lines(books: Books) -> None:
    """The truth of a period equals a recount by hand, and leaves out what is not posted."""
    for key in ("FY2025-P01", "FY2026-P03", "FY2026-P13", "FY2027-P02"):
        recount: dict[tuple[str, str, str], list[int]] = {}
        for batch in books.batches:
            if (batch.ledger, batch.period, batch.status) == ("ACTUAL", key, "Posted"):
                for line in batch.lines:
                    sums = recount.setdefault((line.account, line.subaccount, line.branch), [0, 0])
                    sums[0] += line.debit_minor
                    sums[1] += line.credit_minor
        assert [(*codes, *sums) for codes, sums in sorted(recount.items())] == books.truth("ACTUAL", key)


def test_balances_roll_forward(books: Books) -> None:
    """Every balance begins where it ended the period before, within a year; all balances add up to zero."""
    for before, after in (("FY2026-P03", "FY2026-P04"), ("FY2026-P12", "FY2026-P13")):
        ended = {row.account: row.ending_minor for row in books.balances("ACTUAL", before)}
        rows = books.balances("ACTUAL", after)
        assert {row.account: ended.get(row.account, 0) for row in rows} == {
            row.account: row.beginning_minor for row in rows
        }
        assert 0 == sum(row.ending_minor for row in rows)
        assert sum(row.debit_minor for row in books.truth("ACTUAL", after)) == sum(row.debit_minor for row in rows)


def test_a_new_year_begins_with_retained_earnings(books: Books) -> None:
    """Income and expense begin the year at zero, and retained earnings have grown by last year's result."""
    result = books.year_result("ACTUAL", "FY2025-P13").ending_minor
    rows = {row.account: row for row in books.balances("ACTUAL", "FY2026-P01")}
    begins = {row.beginning_minor for row in rows.values() if books.accounts[row.account].type in ("Income", "Expense")}
    assert {0} == begins
    assert result == rows["3900"].beginning_minor
    assert result < 0
    assert 0 == sum(row.beginning_minor for row in rows.values())
    later = {row.account: row.ending_minor for row in books.balances("ACTUAL", "FY2027-P01")}
    assert result + books.year_result("ACTUAL", "FY2026-P13").ending_minor == later["3900"]


def test_balances_by_subaccount_and_branch_add_up(books: Books) -> None:
    """The finer balances are a split of the coarse ones."""
    whole = {row.account: row.ending_minor for row in books.balances("ACTUAL", "FY2026-P03")}
    fine: Counter[str] = Counter()
    for branch in books.branches:
        for row in books.balances("ACTUAL", "FY2026-P03", by_subaccount=True, branch=branch):
            fine[row.account] += row.ending_minor
    assert whole == fine


# -- booking ----------------------------------------------------------------------------------------------------------


def late_journal(books: Books, status: str = "Posted", credit: int = 1_000) -> Batch:
    lines = [Line(0, "6100", "020-ADV", "HQ", 1_000, 0), Line(0, "2010", "010-000", "HQ", 0, credit)]
    return books.post("ACTUAL", "FY2026-P03", "HQ", status, "Late", lines, now=NOW)


def test_a_late_journal_counts_at_once() -> None:
    """A posted batch gets the next number, stands in its place and changes the truth by its lines."""
    books = sample_company()
    before = {row[:3]: row for row in books.truth("ACTUAL", "FY2026-P03")}
    last = [batch for batch in books.batches if batch.module == "GL"][-1].number
    batch = late_journal(books)
    assert int(last[2:]) + 1 == int(batch.number[2:])
    assert [1, 2] == [line.number for line in batch.lines]
    assert (NOW, date(2025, 9, 30)) == (batch.modified_at, batch.date)
    assert sorted(books.batches, key=lambda one: one.sort_key) == books.batches
    after = {row[:3]: row for row in books.truth("ACTUAL", "FY2026-P03")}
    key = ("2010", "010-000", "HQ")
    assert before[key].credit_minor + 1_000 == after[key].credit_minor


def test_what_is_not_posted_does_not_count() -> None:
    """A batch on hold, though out of balance, is accepted and changes no sum."""
    books = sample_company()
    before = books.truth("ACTUAL", "FY2026-P03")
    late_journal(books, "On Hold", credit=999)
    assert before == books.truth("ACTUAL", "FY2026-P03")


def test_recoding_moves_the_amount() -> None:
    """A re-coded line leaves its old place and comes up in the new one; the batch shows when."""
    books = empty_company()
    batch = late_journal(books)
    books.recode(batch.number, 1, subaccount="040-TAX", now=NOW.replace(hour=10))
    assert [("2010", "010-000"), ("6100", "040-TAX")] == [row[:2] for row in books.truth("ACTUAL", "FY2026-P03")]
    assert NOW.replace(hour=10) == batch.modified_at


def test_nonsense_is_not_booked() -> None:
    """Unknown codes, an unbalanced posting and an unknown batch are refused, and nothing is left behind."""
    books = empty_company()
    line = Line(1, "6100", "020-ADV", "HQ", 1_000, 0)
    with pytest.raises(ValueError, match="debits of 1000 minor units, credits of 999"):
        late_journal(books, credit=999)
    with pytest.raises(ValueError, match="unknown period 'FY2030-P01'"):
        books.post("ACTUAL", "FY2030-P01", "HQ", "Posted", "x", [line], now=NOW)
    with pytest.raises(ValueError, match="unknown subaccount '999-ADV'"):
        books.post("ACTUAL", "FY2026-P03", "HQ", "On Hold", "x", [Line(1, "6100", "999-ADV", "HQ", 1, 0)], now=NOW)
    with pytest.raises(KeyError, match="no batch GL000001"):
        books.recode("GL000001", 1, account="6110", now=NOW)
    assert [] == books.batches


@pytest.mark.parametrize(("kind", "ledger", "branch"), [(OWN, "ACTUAL_EU", "BERLIN"), (SHARED, "ACTUAL", "BOSTON")])
def test_a_second_company_is_founded_once_and_balances(kind: str, ledger: str, branch: str) -> None:
    """It posts under its own branch only, adds nothing the second time, and leaves the books of others untouched."""
    books, untouched = sample_company(), sample_company()
    found(books, kind)
    batches = len(books.batches)
    found(books, kind)
    assert batches == len(books.batches) > len(untouched.batches)
    assert 0 == sum(row.ending_minor for row in books.balances(ledger, "FY2026-P10", branch=branch))
    assert {"MERIDIAN", *books.others} == {company.code for company in books.companies}
    assert {} == untouched.others
