"""Changing the books: what is posted counts at once, what changed has new row versions, copies are apart, nonsense is refused."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from mlc_pipelines.sandbox.ironvale import Ironvale, Line, chart, empty_books
from mlc_pipelines.sandbox.ironvale.shapes import Journal

NOW = datetime(2026, 11, 10, 9, 0, tzinfo=UTC)


def late_journal(books: Ironvale, period: str = "FY2026-P03", **more: Any) -> Journal:
    lines = [Line("6700", "410", "MF", 1_000, 0), Line("2010", "", "", 0, more.pop("credit", 1_000))]
    return books.post(more.pop("book", "MAIN"), period, lines, now=NOW, description="Late", **more)


def changed_since(books: Ironvale, table: str, rev: int) -> list[Mapping[str, Any]]:
    """Rows with a later row version; of lines and balances those of MAIN in FY2026, which spares the making of the others."""
    where = {"Company": "IVM", "BookID": "MAIN", "FiscalYear": 2026} if table in ("GLJrnDtl", "GLPeriodBal") else None
    return [row for row in books.rows(table, where) if row["SysRevID"] > rev]


# -- journals ---------------------------------------------------------------------------------------------------------


def test_a_late_journal_counts_at_once(books: Ironvale) -> None:
    """It gets the next number of its code and year, moves truth and balances by its lines, and its rows are the only new ones."""
    before = {row[:3]: row for row in books.truth("MAIN", "FY2026-P03")}
    last = max(
        one.number
        for key in books.calendar_of("MAIN")
        if "FY2026" in key
        for one in books.journals_of("MAIN", key)
        if one.code == "GJ"
    )
    rev, revision = books.last_rev, books.revision
    journal = late_journal(books, comment="mlc:1")
    assert f"GJ {last + 1}" == journal.name
    assert revision < books.revision
    after = {row[:3]: row for row in books.truth("MAIN", "FY2026-P03")}
    assert before["6700", "410", "MF"].debit_minor + 1_000 == after["6700", "410", "MF"].debit_minor
    new = changed_since(books, "GLJrnDtl", rev)
    assert [("6700", "mlc:1", date(2026, 11, 10)), ("2010", "mlc:1", date(2026, 11, 10))] == [
        (row["SegValue1"], row["CommentText"], row["PostedDate"]) for row in new
    ]
    balances = {(row["BalanceAcct"], row["BalanceType"]) for row in changed_since(books, "GLPeriodBal", rev)}
    assert {("6700|410", "D"), ("6700", "S"), ("2010", "B")} == balances


def test_a_manual_journal_stays_in_its_book(books: Ironvale) -> None:
    """Posting to MAIN leaves TAX alone, and the other way round."""
    before = books.truth("TAX", "FY2026-P03")
    late_journal(books)
    assert before == books.truth("TAX", "FY2026-P03")
    late_journal(books, book="TAX")
    assert before != books.truth("TAX", "FY2026-P03")


def test_what_is_not_posted_does_not_count(books: Ironvale) -> None:
    """A journal that is not posted, though out of balance, is accepted and changes no sum; its rows are there."""
    before, rev = books.truth("MAIN", "FY2026-P03"), books.last_rev
    late_journal(books, posted=False, credit=999)
    assert before == books.truth("MAIN", "FY2026-P03")
    assert [False, False] == [row["Posted"] for row in changed_since(books, "GLJrnDtl", rev)]
    assert [] == changed_since(books, "GLPeriodBal", rev)


def test_balances_may_lag(books: Ironvale) -> None:
    """Lines that the balances have not taken up say so, and count in the truth only; taking them up changes both."""
    rev = books.last_rev
    late_journal(books, in_balances=False)
    assert [False, False] == [row["PerBalFlag"] for row in changed_since(books, "GLJrnDtl", rev)]
    assert [] == changed_since(books, "GLPeriodBal", rev)
    rev = books.last_rev
    assert 1 == books.take_up()
    assert [True, True] == [row["PerBalFlag"] for row in changed_since(books, "GLJrnDtl", rev)]
    assert 3 == len(changed_since(books, "GLPeriodBal", rev))
    assert 0 == books.take_up()


def test_recoding_moves_the_amount_and_one_row_version(books: Ironvale) -> None:
    """A re-coded line leaves its old place and comes up in the new one; the other lines of the journal are as they were."""
    journal = late_journal(books, period="FY2026-P04")
    rev = books.last_rev
    books.recode("FY2026-P04", journal.name, 1, dept="510")
    (row,) = changed_since(books, "GLJrnDtl", rev)
    assert ("510", 1) == (row["SegValue2"], row["JournalLine"])
    last = books.rows("GLJrnDtl", {"FiscalYear": 2026})
    assert row == last[len(last) - 1]


def test_a_balance_that_a_line_has_left_stays(books: Ironvale) -> None:
    """The balance a line was recoded from has a new row version as well, though nothing may be left in it but zero."""
    journal = late_journal(books, period="FY2026-P04")
    rev = books.last_rev
    books.recode("FY2026-P04", journal.name, 1, account="6730", dept="510")
    balances = {row["BalanceAcct"]: row["BalanceAmt"] for row in changed_since(books, "GLPeriodBal", rev)}
    assert {"6700", "6700|410", "6730", "6730|510"} == set(balances)
    assert Decimal(0) == balances["6700|410"]


def test_a_touched_line_changes_nothing_but_its_row_version(books: Ironvale) -> None:
    journal = late_journal(books)
    before, rev = books.truth("MAIN", "FY2026-P03"), books.last_rev
    books.touch("FY2026-P03", journal.name, 2)
    assert before == books.truth("MAIN", "FY2026-P03")
    assert [2] == [row["JournalLine"] for row in changed_since(books, "GLJrnDtl", rev)]


def test_a_number_may_be_chosen_once(books: Ironvale) -> None:
    """A journal takes the number that it had in entry; a number in use is refused; the next one goes on from the highest."""
    assert 9_001 == late_journal(books, number=9_001).number
    with pytest.raises(ValueError, match="there is a journal GJ 9001"):
        late_journal(books, number=9_001)
    assert 9_002 == late_journal(books).number
    assert 9_001 == late_journal(books, period="FY2025-P03", number=9_001).number


def test_nonsense_is_not_booked() -> None:
    """Unknown books, periods and codes, an unbalanced posting and an unknown journal are refused, and nothing is left behind."""
    books = empty_books()
    with pytest.raises(ValueError, match="debits exceed credits by 1 minor units"):
        late_journal(books, credit=999)
    with pytest.raises(ValueError, match="book 'MAIN' of IVM has no period 'FY2030-P01'"):
        late_journal(books, period="FY2030-P01")
    with pytest.raises(ValueError, match="IVM has no book 'XX'"):
        late_journal(books, book="XX")
    with pytest.raises(ValueError, match="segment 2 has no value '999'"):
        books.post("MAIN", "FY2026-P03", [Line("6700", "999", "MF", 0, 0)], now=NOW)
    with pytest.raises(ValueError, match="segment 1 has no value ''"):
        books.post("MAIN", "FY2026-P03", [Line("", "", "", 0, 0)], now=NOW)
    with pytest.raises(KeyError, match="no journal GJ 1 with a line 1"):
        books.recode("FY2026-P03", "GJ 1", 1, dept="410")
    with pytest.raises(ValueError, match="not '2'"):
        empty_books(balance_segments="2")
    assert {} == books.journals


# -- invoices ---------------------------------------------------------------------------------------------------------


def test_a_posted_invoice_is_in_the_subledger_and_in_both_books(books: Ironvale) -> None:
    """Its distributions count as spend, its journals in MAIN and TAX; tax and the receipt are in the journals alone."""
    before = books.spend_truth("FY2026-P11")
    expenses = [("6700", "410", "MF", 12_000), ("6310", "510", "MF", 8_000)]
    more: dict[str, Any] = {"received_minor": 5_000, "tax_minor": 1_450, "apply_on": date(2026, 7, 31)}
    invoice = books.post_invoice("ACME", "X-1", "FY2026-P11", expenses, now=NOW, **more)
    assert 20_000 == sum(row.net_minor for row in books.spend_truth("FY2026-P11")) - sum(
        row.net_minor for row in before
    )
    assert [("MAIN", "FY2026-P11"), ("TAX", "FY2026-P07")] == [
        (book, period.key) for book, _, period in invoice.journals
    ]
    rows = books.rows("GLJrnDtl", {"Company": "IVM", "BookID": "MAIN", "APInvoiceNum": "X-1"})
    assert [("6700", 120), ("6310", 80), ("2150", 50), ("1390", Decimal("14.50")), ("2010", Decimal("-264.50"))] == [
        (row["SegValue1"], row["BookDebitAmount"] - row["BookCreditAmount"]) for row in rows
    ]
    assert {("AP", "PJ", 1)} == {(row["SourceModule"], row["JournalCode"], row["VendorNum"]) for row in rows}
    (header,) = books.rows("APInvHed", {"InvoiceNum": "X-1"})
    assert (Decimal("264.50"), Decimal("14.50"), True) == (header["InvoiceAmt"], header["TaxAmt"], header["Posted"])
    assert (2, 2) == tuple(len(books.rows(table, {"InvoiceNum": "X-1"})) for table in ("APInvDtl", "APInvExp"))
    assert 8 == len(books.rows("APInvExpTGLC", {"InvoiceNum": "X-1"}))


def test_a_debit_memo_is_below_zero(books: Ironvale) -> None:
    """Negative amounts are a debit memo; the ledger credits them."""
    books.post_invoice("ACME", "X-2", "FY2026-P11", [("6700", "410", "MF", -900)], now=NOW)
    (header,) = books.rows("APInvHed", {"InvoiceNum": "X-2"})
    (record,) = books.rows("APInvExpTGLC", {"InvoiceNum": "X-2", "BookID": "MAIN", "RecordType": "R"})
    assert (True, Decimal(-9)) == (header["DebitMemo"], header["InvoiceAmt"])
    assert (Decimal(0), Decimal(9)) == (record["BookDebitAmount"], record["BookCreditAmount"])


def test_an_invoice_is_cancelled_in_red(books: Ironvale) -> None:
    """The twin takes the spend back in its own period, by negative debits; both headers have changed; it is done once."""
    books.post_invoice("ACME", "X-3", "FY2026-P11", [("6700", "410", "MF", 900)], now=NOW)
    before, rev = {row[:3]: row.net_minor for row in books.spend_truth("FY2026-P12")}, books.last_rev
    books.cancel_invoice("ACME", "X-3", "FY2026-P12", now=NOW)
    after = {row[:3]: row.net_minor for row in books.spend_truth("FY2026-P12")}
    key = ("ACME", "6700", "410")
    assert -900 == after[key] - before.get(key, 0)
    assert {"X-3": "X-3-C", "X-3-C": ""} == {
        row["InvoiceNum"]: row["RefCancelledBy"] for row in changed_since(books, "APInvHed", rev)
    }
    (record,) = books.rows("APInvExpTGLC", {"InvoiceNum": "X-3-C", "BookID": "MAIN", "RecordType": "R"})
    assert Decimal(-9) == record["BookDebitAmount"]
    with pytest.raises(ValueError, match="no posted invoice 'X-3' that could be cancelled"):
        books.cancel_invoice("ACME", "X-3", "FY2026-P12", now=NOW)


def test_an_invoice_may_wait(books: Ironvale) -> None:
    """One that is only entered is in the subledger, and counts nowhere."""
    before, rev = books.spend_truth("FY2026-P11"), books.last_rev
    books.post_invoice("ACME", "X-4", "FY2026-P11", [("6700", "410", "MF", 900)], now=NOW, posted=False)
    assert before == books.spend_truth("FY2026-P11")
    assert [] == changed_since(books, "GLJrnDtl", rev)
    assert ["X-4"] == [row["InvoiceNum"] for row in changed_since(books, "APInvHed", rev)]


def test_an_invoice_number_is_used_once_by_a_vendor(books: Ironvale) -> None:
    books.post_invoice("ACME", "X-5", "FY2026-P11", [("6700", "410", "MF", 900)], now=NOW)
    books.post_invoice("SERVCO", "X-5", "FY2026-P11", [("6700", "410", "MF", 900)], now=NOW)
    with pytest.raises(ValueError, match="vendor ACME has an invoice 'X-5' already"):
        books.post_invoice("ACME", "X-5", "FY2026-P11", [("6700", "410", "MF", 900)], now=NOW)
    with pytest.raises(ValueError, match="IVM has no vendor 'NOBODY'"):
        books.post_invoice("NOBODY", "X-6", "FY2026-P11", [], now=NOW)


# -- closing ----------------------------------------------------------------------------------------------------------


def retained(books: Ironvale, year: int) -> Decimal | None:
    where = {"Company": "IVM", "BookID": "MAIN", "FiscalYear": year, "FiscalPeriod": 0, "SegValue1": "3900"}
    return next((row["OpenBalance"] for row in books.rows("GLPeriodBal", where)), None)


def test_the_last_close_of_a_year_opens_the_next(books: Ironvale) -> None:
    """FY2027 has no openings until P13 of FY2026 is closed; then they add up to zero and hold last year's result."""
    for key in ("FY2026-P11", "FY2026-P12"):
        books.close(key)
    assert retained(books, 2027) is None
    rev = books.last_rev
    books.close("FY2026-P13")
    where = {"Company": "IVM", "BookID": "MAIN", "FiscalYear": 2027, "FiscalPeriod": 0}
    rows = [row for row in books.rows("GLPeriodBal", where) if row["BalanceType"] in ("D", "B")]
    assert Decimal(0) == sum(row["OpenBalance"] for row in rows)
    assert all(row["SysRevID"] > rev for row in rows)
    (closed,) = changed_since(books, "GLBookPer", rev)
    assert ("MAIN", 2026, 13, True) == tuple(
        closed[name] for name in ("BookID", "FiscalYear", "FiscalPeriod", "ClosedPeriod")
    )
    (earliest,) = changed_since(books, "EADComp", rev)
    assert books.period("FY2027-P01").start == earliest["EarliestApplyDate"]


def test_what_comes_after_a_close_waits_for_the_next_one(books: Ironvale) -> None:
    """A journal posted to a closed year is in that year at once, and in the openings of the next when the year is closed again."""
    before = retained(books, 2026)
    assert before is not None
    books.reopen("FY2025-P12")
    assert not books.is_closed("FY2025-P12")
    late_journal(books, period="FY2025-P12")
    assert before == retained(books, 2026)
    books.close("FY2025-P12")
    assert before + 10 == retained(books, 2026)


def test_a_reopened_period_moves_the_earliest_date_back(books: Ironvale) -> None:
    rev = books.last_rev
    books.reopen("FY2026-P09")
    (earliest,) = changed_since(books, "EADComp", rev)
    assert (9, books.period("FY2026-P09").start) == (earliest["FiscalPeriod"], earliest["EarliestApplyDate"])
    assert 2 == len(changed_since(books, "EADType", rev))


# -- master data, kept tables, copies ---------------------------------------------------------------------------------


def test_master_data_can_be_changed(books: Ironvale) -> None:
    """An account is renamed, a vendor switched off: the row says so, with a new row version."""
    rev = books.last_rev
    books.alter(books.values[chart.ACCOUNT]["6700"], name="Travel, all", active=False)
    books.alter(books.vendor("ACME"), active=False)
    changed = changed_since(books, "COASegValues", rev)
    assert {("6700", "Travel, all", False)} == {
        (row["SegmentCode"], row["SegmentName"], row["ActiveFlag"]) for row in changed
    }
    assert [True] == [row["Inactive"] for row in changed_since(books, "Vendor", rev)]


def test_kept_tables_are_written_by_key(books: Ironvale) -> None:
    """A row is added with its blanks and ids, changed where its key is known, and removed; other tables and columns are refused."""
    rev = books.last_rev
    added = books.put("GLJrnGrp", {"GroupID": "B26AB01", "BookID": "MAIN"})
    assert ("IVM", "", rev + 1) == (added["Company"], added["ActiveUserID"], added["SysRevID"])
    changed = books.put("GLJrnGrp", {"GroupID": "B26AB01", "ActiveUserID": "mlc"})
    assert ("MAIN", "mlc", added["SysRowID"]) == (changed["BookID"], changed["ActiveUserID"], changed["SysRowID"])
    assert [changed] == changed_since(books, "GLJrnGrp", rev)
    books.drop("GLJrnGrp", ("IVM", "B26AB01"))
    assert [] == changed_since(books, "GLJrnGrp", rev)
    with pytest.raises(KeyError, match="Vendor is not kept as rows"):
        books.put("Vendor", {})
    with pytest.raises(ValueError, match=r"GLJrnGrp has no column \['Grp'\]"):
        books.put("GLJrnGrp", {"Grp": 1})


def test_copies_are_apart(books: Ironvale) -> None:
    """What one copy does, the other does not see: journals, closes, invoices, codes, kept rows and balances."""
    where = {"Company": "IVM", "BookID": "MAIN", "FiscalYear": 2026, "FiscalPeriod": 3}
    before = list(books.rows("GLPeriodBal", where))
    other = books.copy()
    late_journal(other)
    other.close("FY2026-P11")
    other.post_invoice("ACME", "X-9", "FY2026-P03", [("6700", "410", "MF", 900)], now=NOW)
    other.alter(other.vendor("ACME"), active=False)
    other.put("BudgetCode", {"BudgetCodeID": "NEW"})
    assert before == list(books.rows("GLPeriodBal", where))
    assert before != list(other.rows("GLPeriodBal", where))
    assert not books.is_closed("FY2026-P11")
    assert books.vendor("ACME").active
    assert 3 == len(books.rows("BudgetCode"))
    assert [] == list(books.rows("APInvHed", {"InvoiceNum": "X-9"}))
    assert books.copy().last_rev == books.last_rev < other.last_rev
