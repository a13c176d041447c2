"""What stands in the books on purpose: each trap is there, in every period where it should be."""

from collections import Counter, defaultdict
from decimal import Decimal
from itertools import pairwise

import pytest

from mlc_pipelines.sandbox.ironvale import NO_PLAN_CENTER, NO_PLAN_MEMBER, NO_PLAN_VENDOR, Ironvale, chart
from mlc_pipelines.sandbox.ironvale.shapes import Invoice, Journal, Line


def ordinary(books: Ironvale) -> list[str]:
    """Ordinary periods that are complete."""
    return [
        key
        for key, period in books.calendar_of("MAIN").items()
        if books.journals_of("MAIN", key) and not period.closing and key != "FY2027-P02"
    ]


def main(books: Ironvale, key: str) -> list[Journal]:
    return list(books.journals_of("MAIN", key))


def lines(books: Ironvale, key: str) -> list[tuple[Journal, Line]]:
    return [(one, line) for one in main(books, key) for line in one.lines]


def invoices(books: Ironvale, key: str) -> list[Invoice]:
    return [one for one in books.invoices.values() if one.company == "IVM" and one.period.key == key]


# -- codes and names --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("account", ["0010", "NA", *NO_PLAN_MEMBER])
def test_awkward_accounts_are_posted_to_in_every_period(seeded: Ironvale, account: str) -> None:
    """Codes like numbers or like nothing, and those that the planning model lacks, come up in every period."""
    missing = [key for key in ordinary(seeded) if account not in {row.account for row in seeded.truth("MAIN", key)}]
    assert [] == missing


def test_the_unplanned_show_in_spend_one_by_one(seeded: Ironvale) -> None:
    """In each period someone unknown to planners sells, a department unknown to them buys, and an account unknown to them is charged."""
    for key in ordinary(seeded):
        spend = seeded.spend_truth(key)
        assert {("6790", "510")} == {(row.account, row.dept) for row in spend if row.vendor == NO_PLAN_VENDOR}
        assert any(row.dept == NO_PLAN_CENTER and row.vendor != NO_PLAN_VENDOR for row in spend)
        assert {"SERVCO"} == {row.vendor for row in spend if row.account == NO_PLAN_MEMBER[0]}
        assert NO_PLAN_CENTER in {row.dept for row in seeded.truth("MAIN", key)}


def test_awkward_names(seeded: Ironvale) -> None:
    """Commas, quotes, percent and letters that are not Latin, in accounts, departments and vendors."""
    accounts, depts = seeded.values[chart.ACCOUNT], seeded.values[chart.DEPT]
    assert ("Dépôt de garantie, Montréal", 'The "Ironvale Cares" fund', "出張旅費") == (
        accounts["1325"].name,
        accounts["6445"].name,
        accounts["6155"].name,
    )
    assert ("Warehouse, shipping", "Welding & fabrication") == (depts["220"].name, depts["130"].name)
    assert 'Johnson "Precision" Cutting Tools' == seeded.vendor("JMC").name
    assert ("0042", "NULL") == (seeded.vendor("0042").code, seeded.vendor("NULL").code)
    numbers = {one.number for one in seeded.invoices.values()}
    assert any("'" in number for number in numbers)
    assert any("/" in number for number in numbers)
    assert any(number.startswith("00") for number in numbers)


def test_inactive_and_expired(seeded: Ironvale) -> None:
    """Four accounts, one department and three vendors are inactive; a department is active and expired; one vendor sold till FY2025."""
    inactive = {
        segment: {one.code for one in values.values() if not one.active} for segment, values in seeded.values.items()
    }
    assert {chart.ACCOUNT: set(chart.INACTIVE), chart.DEPT: {"700"}, chart.PLANT: set()} == inactive
    expired = seeded.values[chart.DEPT]["710"]
    assert (True, "2025-09-27") == (expired.active, str(expired.until))
    gone = {vendor.number for vendor in seeded.vendors.values() if not vendor.active}
    assert {32, 33, 34} == gone
    years = {one.period.year for one in seeded.invoices.values() if one.vendor in gone and one.company == "IVM"}
    assert {2024, 2025} == years


def test_equity_is_there(seeded: Ironvale) -> None:
    """Retained earnings is an account like others, of a balance sheet category."""
    assert ("EQTY", False) == (seeded.values[chart.ACCOUNT]["3900"].category, seeded.is_income("3900"))
    assert {"B", "I"} == {category.type for category in seeded.categories.values()}


# -- books and companies ----------------------------------------------------------------------------------------------


def test_the_tax_book_repeats_the_main_book_but_for_depreciation(seeded: Ironvale) -> None:
    """Same journals by date, other depreciation; statistics and what is not posted are in MAIN alone."""

    def codings(book: str) -> Counter[tuple[object, ...]]:
        found: Counter[tuple[object, ...]] = Counter()
        for key, journals in seeded.journals.items():
            if key[:2] == ("IVM", book):
                for one in journals:
                    if one.posted and one.code not in ("FA", "ST"):
                        found.update((one.day, one.text, *line[:5]) for line in one.lines)
        return found

    assert codings("MAIN") == codings("TAX")
    assert {"MAIN"} == {
        key[1] for key, found in seeded.journals.items() for one in found if one.code == "ST" or not one.posted
    }
    main_sum = sum(
        li.debit_minor
        for key, found in seeded.journals.items()
        for one in found
        for li in one.lines
        if one.code == "FA" and key[1] == "MAIN"
    )
    tax_sum = sum(
        li.debit_minor
        for key, found in seeded.journals.items()
        for one in found
        for li in one.lines
        if one.code == "FA" and key[1] == "TAX"
    )
    assert main_sum < tax_sum


def test_a_period_of_the_tax_book_is_another(seeded: Ironvale) -> None:
    """The same key means a week period in MAIN and a calendar month in TAX."""
    assert ("2025-11-23", "2026-03-01") == (
        str(seeded.period("FY2026-P03").start),
        str(seeded.period("FY2026-P03", "TAX").start),
    )
    assert seeded.truth("MAIN", "FY2026-P03") != seeded.truth("TAX", "FY2026-P03")


def test_plans_are_posted_in_a_book_of_their_own(seeded: Ironvale) -> None:
    """PLAN holds posted journals of code BU for FY2026 and all of FY2027, booked before the year began; OLD holds one old entry."""
    plan = [one for key, found in seeded.journals.items() if key[1] == "PLAN" for one in found]
    assert ({"BU"}, {True}) == ({one.code for one in plan}, {one.posted for one in plan})
    assert {2026, 2027} == {one.period.year for one in plan}
    assert 48 == len(plan)
    assert all(one.created_on < one.day for one in plan)
    assert "BU" not in {one.code for key, found in seeded.journals.items() if key[1] != "PLAN" for one in found}
    assert 1 == sum(len(found) for key, found in seeded.journals.items() if key[1] == "OLD")
    rows = {row["BookID"]: row for row in seeded.rows("GLBook", {"Company": "IVM"})}
    assert (["MAIN"], ["OLD"]) == ([b for b in rows if rows[b]["MainBook"]], [b for b in rows if rows[b]["Inactive"]])


def test_the_sister_company_stands_in_the_same_tables(seeded: Ironvale) -> None:
    """IVC has a book MAIN in CAD and journals of the same codes; its vendor numbers are its own."""
    ours, theirs = (
        seeded.rows("GLJrnDtl", {"Company": one, "FiscalYear": 2026, "FiscalPeriod": 3}) for one in ("IVM", "IVC")
    )
    assert ("MAIN", "CAD") == (theirs[0]["BookID"], theirs[0]["BookCurrencyCode"])
    assert {row["JournalCode"] for row in theirs} <= {row["JournalCode"] for row in ours}
    numbers = {(vendor.company, vendor.code): vendor.number for vendor in seeded.vendors.values()}
    assert (1, 12) == (numbers["IVM", "ACME"], numbers["IVC", "ACME"])
    assert seeded.vendors["IVM", 7].code != seeded.vendors["IVC", 7].code


# -- journal lines ----------------------------------------------------------------------------------------------------


def test_rows_that_are_not_posted(seeded: Ironvale) -> None:
    """Two journals a period say Posted false, without a posting date; one is a cent out of balance; none counts."""
    for key in ordinary(seeded):
        drafts = [one for one in main(seeded, key) if not one.posted]
        assert 2 == len(drafts)
        assert [0, 1] == sorted(sum(line.debit_minor - line.credit_minor for line in one.lines) for one in drafts)
        assert {None} == {one.posted_on for one in drafts}


def test_statistical_lines_have_no_money(seeded: Ironvale) -> None:
    """Headcount of every department and machine hours, as rows with Statistical true, a unit and amounts of zero."""
    where = {"Company": "IVM", "BookID": "MAIN", "FiscalYear": 2026, "FiscalPeriod": 3, "Statistical": True}
    rows = seeded.rows("GLJrnDtl", where)
    assert {("9010", "EA"), ("9020", "HR")} == {(row["SegValue1"], row["StatUOMCode"]) for row in rows}
    assert {Decimal(0)} == {row["BookDebitAmount"] + row["BookCreditAmount"] for row in rows}
    assert all(row["DebitStatAmt"] > 0 for row in rows)


def test_foreign_journals_balance_twice(seeded: Ironvale) -> None:
    """Journals in CAD and EUR balance in both currencies; what is left over in dollars is a line of a few cents on 7090."""
    cents = []
    for key in ordinary(seeded):
        foreign = [one for one in main(seeded, key) if one.currency != "USD"]
        assert {"CAD", "EUR"} == {one.currency for one in foreign}
        for one in foreign:
            assert 0 == sum((li.doc_debit_minor or 0) - (li.doc_credit_minor or 0) for li in one.lines)
            assert any(li.doc_debit_minor not in (0, li.debit_minor) for li in one.lines)
            cents += [li.debit_minor + li.credit_minor for li in one.lines if li.account == chart.ROUNDING]
    assert 10 < len(cents)
    assert max(cents) <= 5


def test_red_entries_turn_cells_negative(seeded: Ironvale) -> None:
    """What was booked twice is taken back in red in the next period, on the same sides; truth shows less than nothing there."""
    keys = ordinary(seeded)
    for before, after in pairwise(keys):
        (twice,) = [
            li for one, li in lines(seeded, before) if one.text == "Training, booked twice" and li.account == "6150"
        ]
        (red,) = [li for one, li in lines(seeded, after) if one.text == "Correction in red" and li.account == "6150"]
        assert (-twice.debit_minor, 0) == (red.debit_minor, red.credit_minor)
    below = [row for key in keys for row in seeded.truth("MAIN", key) if (row.account, row.dept) == ("6150", "140")]
    assert any(row.debit_minor < 0 for row in below)


def test_reversals(seeded: Ironvale) -> None:
    """Penalties cancel out within a period; accruals are taken back on the first day of the next, and say that they reverse."""
    keys = ordinary(seeded)
    for key in keys:
        (row,) = [row for row in seeded.truth("MAIN", key) if row.account == chart.PENALTIES]
        assert 0 < row.debit_minor == row.credit_minor
    for before, after in pairwise(keys):
        accrued = [one for one in main(seeded, before) if one.code == "RV" and not one.reverses]
        back = [one for one in main(seeded, after) if one.code == "RV" and one.reverses]
        assert 3 == len(accrued)
        assert {seeded.period(after).start} == {one.day for one in back}
        sides = [(li.account, li.dept, li.credit_minor, li.debit_minor) for one in accrued for li in one.lines]
        assert sides == [(li.account, li.dept, li.debit_minor, li.credit_minor) for one in back for li in one.lines]


def test_dates_do_not_tell_the_period(seeded: Ironvale) -> None:
    """One journal is dated before its period; another, of the last day, was posted when the next period had begun."""
    for key in ordinary(seeded):
        period = seeded.period(key)
        assert 1 == len([one for one in main(seeded, key) if one.day < period.start])
        late = [one for one in main(seeded, key) if one.posted_on and one.posted_on > period.end]
        assert 1 <= len(late)
        assert all(one.day == period.end for one in late)


def test_transfers_balance_by_plant(seeded: Ironvale) -> None:
    """Every week goods move from the main plant to the distribution center through the account between plants."""
    for key in ordinary(seeded):
        moved = [one for one in main(seeded, key) if one.text == "Transfer to DIST"]
        assert len(moved) in (3, 4, 5)
        by_plant: defaultdict[str, int] = defaultdict(int)
        for line in (line for one in moved for line in one.lines):
            by_plant[line.plant] += line.debit_minor - line.credit_minor
        assert {"DI": 0, "MF": 0} == by_plant
        assert 1 == len([one for one in main(seeded, key) if one.from_company == "IVC"])


def test_row_versions_move_without_amounts(seeded: Ironvale) -> None:
    """A bank line in each period of FY2026 has a row version from after all that was posted, though the period is closed."""
    posted = max(one.rev for found in seeded.journals.values() for one in found)
    for key in ordinary(seeded):
        late = [one for one in main(seeded, key) if one.bumps]
        assert (1 if key.startswith("FY2026") else 0) == len(late)
        assert all(rev > posted for one in late for rev in (one.bumps or {}).values())


def test_budgets_of_an_old_version_have_no_code(seeded: Ironvale) -> None:
    """GLBudgetHd has rows without a BudgetCodeID; each header is the sum of its periods, income below zero."""
    heads = seeded.rows("GLBudgetHd")
    assert {"", "ORIG"} == {row["BudgetCodeID"] for row in heads}
    for head in heads:
        same = ("BalanceAcct", "FiscalYear", "BudgetCodeID")
        parts = seeded.rows("GLBudgetDtl", {column: head[column] for column in same})
        assert (12, head["TotalBudgetAmt"]) == (len(parts), sum(row["BudgetAmt"] for row in parts))
        assert (head["SegValue1"] < "5") == (head["TotalBudgetAmt"] < 0)


# -- vendors' invoices ------------------------------------------------------------------------------------------------


def test_invoices_of_every_kind_in_every_period(seeded: Ironvale) -> None:
    """Debit memos, a prepayment, foreign currency, tax, receipts without a distribution, many departments, and one not posted."""
    for key in ordinary(seeded):
        found = invoices(seeded, key)
        posted = [one for one in found if one.posted]
        assert 25 < len(posted)
        assert 1 == len(found) - len(posted)
        assert 2 <= len([one for one in posted if one.debit_memo and one.minor < 0 and not one.cancels])
        assert {chart.PREPAID_SUPPLIERS} == {
            share.account for one in posted if one.prepayment for line in one.lines for share in line.expenses
        }
        assert {"USD", "CAD", "EUR"} == {one.currency for one in posted}
        assert any(one.tax_minor for one in posted)
        assert any(line.order and not line.expenses for one in posted for line in one.lines)
        assert 8 < max(len(line.expenses) for one in posted for line in one.lines)
        assert any(len(one.lines) > 2 for one in posted)
        assert any(one.invoice_on < seeded.period(key).start <= one.apply_on for one in posted)


def test_an_invoice_that_is_not_posted_is_not_in_the_ledger(seeded: Ironvale) -> None:
    """It has distributions, records of type A and no journal."""
    where = {"Company": "IVM", "Posted": False, "FiscalYear": 2026, "FiscalPeriod": 3, "FiscalYearSuffix": ""}
    (header,) = seeded.rows("APInvHed", where)
    key = {column: header[column] for column in ("Company", "VendorNum", "InvoiceNum")}
    assert (0, "") == (header["JournalNum"], header["JournalCode"])
    assert 0 < len(seeded.rows("APInvExp", key))
    assert {"A"} == {row["RecordType"] for row in seeded.rows("APInvExpTGLC", key)}
    assert [] == list(seeded.rows("GLJrnDtl", {"Company": "IVM", "APInvoiceNum": header["InvoiceNum"]}))


def test_receipts_clear_what_was_not_invoiced(seeded: Ironvale) -> None:
    """An invoice line matched to an order has no distribution; its journal line debits 2150; the order names part and price."""
    order = next(one for one in seeded.invoices.values() if one.order and one.posted and not one.lines[0].expenses)
    where = {"Company": "IVM", "VendorNum": order.vendor, "APInvoiceNum": order.number, "BookID": "MAIN"}
    (matched, *_) = [row for row in seeded.rows("GLJrnDtl", where) if row["SegValue1"] == chart.RECEIVED]
    (line, *_) = seeded.rows("PODetail", {"PONUM": order.order, "POLine": 1})
    assert line["ExtCost"] == matched["BookDebitAmount"]
    assert order.lines[0].part == line["PartNum"]


def test_cancelled_invoices_have_a_twin_in_a_later_period(seeded: Ironvale) -> None:
    """One in each period after the first: amounts turned, in red, and both name each other; together they come to nothing."""
    twins = [one for one in seeded.invoices.values() if one.cancels]
    assert set(ordinary(seeded)[1:]) <= {one.period.key for one in twins}
    for twin in twins:
        first = seeded.invoices[twin.company, twin.vendor, twin.cancels]
        assert (twin.number, -twin.minor, -twin.tax_minor) == (first.cancelled_by, first.minor, first.tax_minor)
        assert first.period.start < twin.period.start
        (book, number, period) = twin.journals[0]
        (journal,) = [one for one in seeded.journals_of(book, period.key) if one.name == f"PJ {number}"]
        assert all(line.debit_minor <= 0 and line.credit_minor <= 0 for line in journal.lines)


def test_payments_take_discounts_and_cost_fees(seeded: Ironvale) -> None:
    """Payments come from payables as well, name invoice and check, and post to a discount account and, rarely, to bank fees."""
    fees = 0
    for key in ordinary(seeded):
        paid = [one for one in main(seeded, key) if one.code == "CD"]
        assert 1 <= len(paid)
        assert all(one.source == "AP" and one.check and one.vendor and one.invoice for one in paid)
        fees += sum(line.account == chart.BANK_FEES for one in paid for line in one.lines)
        assert {line.account for one in paid for line in one.lines} <= {"2010", "1030", "8110", "7010"}
    assert len(ordinary(seeded)) <= fees
    discounts = [
        line
        for key in ordinary(seeded)
        for one, line in lines(seeded, key)
        if one.code == "CD" and line.account == "8110"
    ]
    assert 20 < len(discounts)


def test_someone_is_at_work(seeded: Ironvale) -> None:
    """A group is in entry, locked to its author, with a journal of two lines; another journal waits for review."""
    (group,) = seeded.rows("GLJrnGrp")
    (head,) = seeded.rows("GLJrnHed", {"GroupID": group["GroupID"]})
    parts = seeded.rows("GLJrnDtlMnl", {"GroupID": group["GroupID"]})
    assert ("kreyes", Decimal("1250.00")) == (group["ActiveUserID"], head["TotDebit"])
    assert [Decimal("1250.00"), Decimal("-1250.00")] == [row["TransAmt"] for row in parts]
    (waiting,) = seeded.rows("RvJrn")
    assert "TL1108" == waiting["GroupID"]
