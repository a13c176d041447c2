"""The books hold: journals balance, the tables' sums are those of the posted lines, years follow each other, invoices meet the ledger."""

from collections import Counter, defaultdict
from decimal import Decimal

import pytest

from mlc_pipelines.sandbox.ironvale import Ironvale, chart, company, sample_books
from mlc_pipelines.sandbox.ironvale.shapes import Journal
from mlc_pipelines.sandbox.ironvale.slips import TODAY

DETAIL, SUMMARY = ("D", "B"), ("S", "B")


def booked(books: Ironvale, book: str = "MAIN", company: str = "IVM") -> list[str]:
    """The periods of a book with entries."""
    return [key for key in books.calendar_of(book, company) if books.journals_of(book, key, company)]


def journals(books: Ironvale) -> list[Journal]:
    return [journal for found in books.journals.values() for journal in found]


def minor(amount: Decimal) -> int:
    return int(amount.scaleb(2))


# -- journals ---------------------------------------------------------------------------------------------------------


def test_every_posted_journal_balances(seeded: Ironvale) -> None:
    """Debits equal credits in each posted journal, in the currency of its book, whatever that of the journal is."""
    out = [
        one.name for one in journals(seeded) if one.posted and sum(li.debit_minor - li.credit_minor for li in one.lines)
    ]
    assert [] == out


def test_the_size_is_realistic(seeded: Ironvale) -> None:
    """31 periods with journals, some 4,000 of them in the main book; 120 to 200 in an ordinary period, 2 to 20 lines each."""
    periods = booked(seeded)
    assert (31, "FY2024T-P01", "FY2027-P02") == (len(periods), periods[0], periods[-1])
    counts = [len(seeded.journals_of("MAIN", key)) for key in periods if not key.endswith("P13")][:-1]
    assert 120 <= min(counts)
    assert 200 >= max(counts)
    sizes = [len(one.lines) for key in periods for one in seeded.journals_of("MAIN", key)]
    assert 17_000 < sum(sizes)
    assert 2 == min(sizes)
    assert 12 <= max(sizes) <= 20


def test_journals_are_numbered_by_code_and_year_without_gaps(seeded: Ironvale) -> None:
    """Numbers count from 1 in each year of a book, with its suffix, for each journal code."""
    numbers = defaultdict(list)
    for one in journals(seeded):
        numbers[one.company, one.book, one.period.year_key, one.code].append(one.number)
    assert [] == [key for key, found in numbers.items() if sorted(found) != list(range(1, len(found) + 1))]


def test_nothing_is_from_the_future(seeded: Ironvale) -> None:
    """Nothing was dated, posted or entered after the day up to which the books are written."""
    late = [one.name for one in journals(seeded) if one.created_on > TODAY or (one.code != "BU" and one.day > TODAY)]
    assert [] == late
    assert TODAY >= max(one.changed_on for one in seeded.invoices.values())


def test_every_code_is_known_and_used_where_it_may_be(seeded: Ironvale) -> None:
    """No line names a code that the chart lacks; retired and expired codes end with FY2025; the inactive ones are not used."""
    values, used = seeded.values, [(one, line) for one in journals(seeded) for line in one.lines]
    assert set() == {line.account for _, line in used} - set(values[chart.ACCOUNT])
    assert set() == {line.dept for _, line in used} - set(values[chart.DEPT]) - {""}
    assert set() == {line.plant for _, line in used} - set(values[chart.PLANT]) - {""}
    accounts, depts = {line.account for _, line in used}, {line.dept for _, line in used}
    assert {chart.RETIRED} == accounts & set(chart.INACTIVE)
    assert chart.INACTIVE_DEPT not in depts
    gone = [one.period for one, line in used if chart.RETIRED == line.account or chart.EXPIRED_DEPT == line.dept]
    ends = {max(period.end for period in gone if period.calendar == "F445")}
    assert {chart.EXPIRED_ON} == ends


def test_people_are_about_six_hundred(seeded: Ironvale) -> None:
    assert 600 == sum(chart.STAFF.values())
    assert 130 < len(seeded.values[chart.ACCOUNT])
    assert 16 == len(chart.USED_DEPTS)


# -- truth and tables -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["FY2024T-P02", "FY2026-P03", "FY2026-P13", "FY2027-P02"])
def test_truth_is_a_plain_recount_of_the_tables_lines(seeded: Ironvale, key: str) -> None:
    """What GLJrnDtl has of a period, posted and not statistical, adds up to the truth, side by side and coding by coding."""
    period = seeded.period(key)
    recount: dict[tuple[str, str, str], list[int]] = {}
    for row in seeded.rows("GLJrnDtl"):
        of_period = (row["FiscalYear"], row["FiscalYearSuffix"], row["FiscalPeriod"]) == (
            period.year,
            period.suffix,
            period.number,
        )
        if (
            of_period
            and (row["Company"], row["BookID"]) == ("IVM", "MAIN")
            and row["Posted"]
            and not row["Statistical"]
        ):
            sums = recount.setdefault((row["SegValue1"], row["SegValue2"], row["SegValue3"]), [0, 0])
            sums[0] += minor(row["BookDebitAmount"])
            sums[1] += minor(row["BookCreditAmount"])
    assert [(*codes, *sums) for codes, sums in sorted(recount.items())] == seeded.truth("MAIN", key)


@pytest.mark.parametrize("book", ["MAIN", "TAX", "PLAN"])
@pytest.mark.parametrize("family", [DETAIL, SUMMARY])
def test_balances_are_the_sums_of_posted_lines(seeded: Ironvale, book: str, family: tuple[str, str]) -> None:
    """Movements of one family of balance types equal the truth, in every period; both families together are more than that."""
    for key in booked(seeded, book):
        period, by_dept = seeded.period(key, book), "D" in family
        sums: Counter[tuple[str, str]] = Counter()
        for row in seeded.truth(book, key):
            sums[row.account, row.dept if by_dept else ""] += row.debit_minor - row.credit_minor
        where = {"Company": "IVM", "BookID": book, "FiscalYear": period.year, "FiscalPeriod": period.number}
        rows = seeded.rows("GLPeriodBal", {**where, "FiscalYearSuffix": period.suffix})
        money = [row for row in rows if row["BalanceType"] in family and not row["BalanceStatAmt"]]
        assert sums == {(row["SegValue1"], row["SegValue2"]): minor(row["BalanceAmt"]) for row in money}
        assert all(row["BalanceAmt"] == row["DebitAmt"] - row["CreditAmt"] for row in rows)


def test_all_types_together_multiply_the_money(seeded: Ironvale) -> None:
    """The sum over every row of a period's expenses is not their total."""
    where = {"Company": "IVM", "BookID": "MAIN", "FiscalYear": 2026, "FiscalPeriod": 3, "SegValue1": "6700"}
    rows = seeded.rows("GLPeriodBal", where)
    (summary,) = [row["BalanceAmt"] for row in rows if row["BalanceType"] == "S"]
    assert {"D", "S"} == {row["BalanceType"] for row in rows}
    assert 2 * summary == sum(row["BalanceAmt"] for row in rows)


def test_balances_without_departments() -> None:
    """Where the chart keeps no department in balances, there is one row for each account, and every one of type B."""
    coarse = sample_books(balance_segments="1")
    rows = coarse.rows("GLPeriodBal", {"Company": "IVM", "BookID": "MAIN", "FiscalYear": 2026, "FiscalPeriod": 3})
    assert {"B"} == {row["BalanceType"] for row in rows}
    assert {""} == {row["SegValue2"] for row in rows}
    assert {"1"} == {row["PerBalFmt"] for row in coarse.rows("COA")}
    assert [False] == [row["DetailBal"] for row in coarse.rows("COASegment", {"Company": "IVM", "SegmentNbr": 2})]
    assert {row["SegValue1"] for row in rows} == {row["BalanceAcct"] for row in rows}


def test_statistics_are_in_the_balances_without_money(seeded: Ironvale) -> None:
    """Headcount has a balance in units, and none in dollars."""
    where = {"Company": "IVM", "BookID": "MAIN", "FiscalYear": 2026, "FiscalPeriod": 3, "SegValue1": "9010"}
    (total,) = seeded.rows("GLPeriodBal", {**where, "BalanceType": "S"})
    assert Decimal(0) == total["BalanceAmt"]
    assert 580 < total["BalanceStatAmt"] < 620


# -- years ------------------------------------------------------------------------------------------------------------


def openings(books: Ironvale, year: int, suffix: str = "", book: str = "MAIN") -> dict[str, int]:
    """Opening balances of a year by account, in cents, from period 0."""
    where = {"Company": "IVM", "BookID": book, "FiscalYear": year, "FiscalYearSuffix": suffix, "FiscalPeriod": 0}
    return {
        row["SegValue1"]: minor(row["OpenBalance"])
        for row in books.rows("GLPeriodBal", where)
        if row["BalanceType"] in SUMMARY and row["OpenBalance"]
    }


def movements(books: Ironvale, keys: list[str], book: str = "MAIN") -> Counter[str]:
    moved: Counter[str] = Counter()
    for key in keys:
        for row in books.truth(book, key):
            moved[row.account] += row.debit_minor - row.credit_minor
    return moved


def test_a_year_opens_with_what_the_one_before_left(seeded: Ironvale) -> None:
    """Opening plus movement of a year, its result put into retained earnings, is the opening of the next; no journal does it."""
    first = openings(seeded, 2025)
    year = [key for key in booked(seeded) if key.startswith("FY2025")]
    moved = movements(seeded, year)
    result = sum(cents for account, cents in moved.items() if seeded.is_income(account))
    expected = Counter({account: cents for account, cents in moved.items() if not seeded.is_income(account)})
    expected.update(first)
    expected[chart.RETAINED_EARNINGS] += result
    assert {account: cents for account, cents in expected.items() if cents} == openings(seeded, 2026)
    assert result < 0
    assert 0 == sum(openings(seeded, 2026).values())
    posted = {line.account for key in year for one in seeded.journals_of("MAIN", key) for line in one.lines}
    assert chart.RETAINED_EARNINGS not in posted


def test_income_is_carried_beside_the_opening(seeded: Ironvale) -> None:
    """In period 0 an income account says what last year came to, and opens with nothing."""
    where = {"Company": "IVM", "BookID": "MAIN", "FiscalYear": 2026, "FiscalPeriod": 0, "BalanceType": "S"}
    (row,) = seeded.rows("GLPeriodBal", {**where, "SegValue1": "6700"})
    last = movements(seeded, [key for key in booked(seeded) if key.startswith("FY2025")])["6700"]
    assert (last, 0) == (minor(row["CarryForwardBalance"]), minor(row["OpenBalance"]))


def test_the_open_year_has_no_successor_yet(seeded: Ironvale) -> None:
    """FY2026 is not closed, so FY2027 has movements and no openings; the books of the months have theirs by the calendar year."""
    assert {} == openings(seeded, 2027)
    assert {} != movements(seeded, ["FY2027-P01"])
    assert {} == openings(seeded, 2027, book="TAX")
    assert 0 == sum(openings(seeded, 2026, book="TAX").values())
    assert {} != openings(seeded, 2026, book="TAX")


def test_what_is_closed(seeded: Ironvale) -> None:
    """MAIN is closed up to FY2026-P10, in the sister company one period less, TAX up to June; earliest dates follow."""

    def last_closed(company: str, book: str) -> str:
        return [key for key in seeded.calendar_of(book, company) if seeded.is_closed(key, book, company)][-1]

    assert ("FY2026-P10", "FY2026-P09") == (last_closed("IVM", "MAIN"), last_closed("IVC", "MAIN"))
    assert "FY2026-P06" == last_closed("IVM", "TAX")
    rows = seeded.rows("GLBookPer", {"Company": "IVM", "BookID": "MAIN", "FiscalYear": 2026})
    assert [True] * 10 + [False] * 3 == [row["ClosedPeriod"] for row in rows]
    (earliest,) = seeded.rows("EADComp", {"Company": "IVM"})
    assert seeded.period("FY2026-P11").start == earliest["EarliestApplyDate"]


# -- vendors' invoices and the ledger ---------------------------------------------------------------------------------


def ledger_spend(books: Ironvale, key: str) -> dict[tuple[str, str, str], int]:
    """Expense lines of a period that came from payables, payments left out, by vendor, account and department."""
    spent: Counter[tuple[str, str, str]] = Counter()
    for one in books.journals_of("MAIN", key):
        if one.posted and one.source == "AP" and one.code != "CD":
            for line in one.lines:
                if books.is_income(line.account):
                    spent[books.vendors["IVM", one.vendor].code, line.account, line.dept] += (
                        line.debit_minor - line.credit_minor
                    )
    return dict(spent)


def test_invoices_meet_the_ledger_in_every_period(seeded: Ironvale) -> None:
    """Distributions of posted invoices on expense accounts equal the ledger's lines from payables, but for payments."""
    for key in booked(seeded):
        spend = {
            (row.vendor, row.account, row.dept): row.net_minor for row in seeded.spend_truth(key, expense_only=True)
        }
        assert ledger_spend(seeded, key) == spend


def test_spend_is_what_the_distribution_records_say(seeded: Ironvale) -> None:
    """Records R of the main book, by the GL key in them, add up to the truth of spend: machines and prepayments as well."""
    where = {"Company": "IVM", "BookID": "MAIN", "RecordType": "R", "FiscalYear": 2026, "FiscalPeriod": 3}
    spent: Counter[tuple[str, str, str]] = Counter()
    for row in seeded.rows("APInvExpTGLC", where):
        vendor = seeded.vendors["IVM", row["VendorNum"]].code
        net = minor(row["BookDebitAmount"] - row["BookCreditAmount"])
        spent[vendor, row["SegValue1"], row["SegValue2"]] += net
    assert [(*key, net) for key, net in sorted(spent.items())] == seeded.spend_truth("FY2026-P03")


def test_each_record_names_its_journal_line(seeded: Ironvale) -> None:
    """A record R is one line of the ledger, in its book: same coding, same amounts in both currencies, same vendor and invoice."""
    key = ("BookID", "FiscalYear", "FiscalYearSuffix", "JournalCode", "JournalNum", "JournalLine")
    lines = {
        tuple(row[column] for column in key): row
        for row in seeded.rows("GLJrnDtl", {"Company": "IVM", "SourceModule": "AP", "JournalCode": "PJ"})
    }
    records = seeded.rows("APInvExpTGLC", {"Company": "IVM", "RecordType": "R"})
    same = ("GLAccount", "DebitAmount", "CreditAmount", "BookDebitAmount", "BookCreditAmount", "VendorNum")
    assert 6_000 < len(records)
    for row in records:
        line = lines[tuple(row[column] for column in key)]
        assert [row[column] for column in same] == [line[column] for column in same]
        assert row["InvoiceNum"] == line["APInvoiceNum"]


def test_an_invoice_adds_up(seeded: Ironvale) -> None:
    """Lines and tax make the amount, distributions make the line, in dollars and in the invoice's currency."""
    for one in seeded.invoices.values():
        assert one.minor == sum(line.minor for line in one.lines) + one.tax_minor
        for line in one.lines:
            if line.expenses:
                assert (line.minor, line.doc_minor) == (
                    sum(share.minor for share in line.expenses),
                    sum(share.doc_minor for share in line.expenses),
                )


# -- seeds ------------------------------------------------------------------------------------------------------------


def everything(books: Ironvale) -> list[object]:
    return [*journals(books), *books.invoices.values(), *books.orders.values(), books.openings, books.kept]


def test_the_same_seed_gives_the_same_books(seeded: Ironvale) -> None:
    """Same seed, same books to the row version, written anew; another seed, other figures."""
    once = everything(sample_books(7))
    company._written.cache_clear()
    again = sample_books(7)
    assert once == everything(again)
    assert once != everything(seeded)
    assert [dict(row) for row in again.rows("GLPeriodBal")[:100]] == list(sample_books(7).rows("GLPeriodBal")[:100])


def test_scale_multiplies_the_periods() -> None:
    """Twice the scale, about twice the journals, and they still balance."""
    large = sample_books(scale=2)
    assert 260 < len(large.journals_of("MAIN", "FY2026-P02")) < 300
    assert 0 == sum(row.debit_minor - row.credit_minor for row in large.truth("MAIN", "FY2026-P02"))


def test_lines_in_fills_one_period_exactly(seeded: Ironvale) -> None:
    """A bench gets the number of posted lines it asked for, in that period alone; impossible wishes are refused."""
    large = sample_books(lines_in=("FY2026-P03", 3_001))
    where = {"Company": "IVM", "BookID": "MAIN", "FiscalYear": 2026, "FiscalPeriod": 3, "Posted": True}
    assert 3_001 == len(large.rows("GLJrnDtl", where))
    assert 0 == sum(row.debit_minor - row.credit_minor for row in large.truth("MAIN", "FY2026-P03"))
    assert seeded.truth("MAIN", "FY2026-P04") == large.truth("MAIN", "FY2026-P04")
    with pytest.raises(ValueError, match="FY2026-P03 cannot be filled up to 10 lines"):
        sample_books(lines_in=("FY2026-P03", 10))


def test_a_year_of_53_weeks_is_booked_through() -> None:
    """The switch moves the end of FY2026; the 53rd week has entries, and everything still balances."""
    long = sample_books(weeks_53=True)
    assert "2026-10-03" == long.period("FY2026-P12").end.isoformat()
    last_week = [one for one in long.journals_of("MAIN", "FY2026-P12") if one.day.isoformat() > "2026-09-26"]
    assert 20 < len(last_week)
    out = [
        one.name for one in journals(long) if one.posted and sum(li.debit_minor - li.credit_minor for li in one.lines)
    ]
    assert [] == out
