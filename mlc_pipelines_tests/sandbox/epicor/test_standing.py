"""How the books stand for a reader: balances, row versions, and what others do meanwhile. Reference: epicor 2.4, 2.6, 4.2, 11."""

from decimal import Decimal

from mlc_pipelines.sandbox.ironvale import Line

LINES = "Erp.BO.GLJrnDtlSvc/GLJrnDtls"
BALANCES = "Erp.BO.GLPeriodBalSearchSvc/GLPeriodBalSearches"
P03 = "BookID eq 'MAIN' and FiscalYear eq 2026 and FiscalPeriod eq 3"
DETAIL = P03 + " and BalanceType ne 'S'"


def debits(rig) -> dict[str, Decimal]:
    """Debit of each balance of the third period that has one."""
    rows = rig.rows(BALANCES, filter=DETAIL, select="BalanceAcct,DebitAmt", top=1000)
    return {row["BalanceAcct"]: row["DebitAmt"] for row in rows if row["DebitAmt"]}


def test_balances_are_the_sum_of_the_posted_lines(rig):
    """By account and department, detail only; what is not posted is in none of them."""
    lines = rig.rows(LINES, filter=P03 + " and Posted eq true", top=1000)
    summed: dict[str, Decimal] = {}
    for line in lines:
        key = line["BalanceAcct"]
        summed[key] = summed.get(key, Decimal(0)) + line["BookDebitAmount"]
    assert {key: amount for key, amount in summed.items() if amount} == debits(rig)


def test_balances_by_account_alone(rig):
    """A chart that keeps no department in its balances shows one row per account, and lines say which one they went to."""
    rig.switch(balance_segments="1")
    rows = rig.rows(BALANCES, filter=P03, top=1000)
    assert {""} == {row["SegValue2"] for row in rows}
    lines = rig.rows(LINES, filter=P03 + " and Posted eq true", top=1000)
    assert {row["BalanceAcct"] for row in rows} == {line["BalanceAcct"] for line in lines}


def test_D11_balances_may_lag_behind_the_lines(rig):
    """The newest lines of all books are not in the balances yet, and say so."""
    before = debits(rig)
    rig.site.books.post(
        "MAIN", "FY2026-P03", [Line(rig.expense(), "110", "MF", 5, 0)], now=rig.clock.now(), posted=False
    )
    rig.switch(lagging_lines=4)
    [late] = rig.rows(
        LINES, filter=P03 + " and PerBalFlag eq false and Posted eq true and BookDebitAmount gt 0", top=1000
    )
    assert {**before, late["BalanceAcct"]: before[late["BalanceAcct"]] - late["BookDebitAmount"]} == debits(rig)
    rig.switch(lagging_lines=0)
    assert before == debits(rig)


def test_a_slow_transaction_appears_in_the_past(rig):
    """A journal that is not committed has its row versions already; when it shows, higher ones have been seen."""
    accounts = [line["SegValue1"] for line in rig.rows(LINES, filter=P03, top=2)]
    lines = [rig.site.books.journals_of("MAIN", "FY2026-P03")[0].lines[at] for at in range(2)]
    assert accounts == [line.account for line in lines]
    slow = rig.site.books.post("MAIN", "FY2026-P03", lines, now=rig.clock.now())
    rig.switch(uncommitted=[f"MAIN 2026 {slow.name}"])
    before = debits(rig)
    quick = rig.site.books.post("MAIN", "FY2026-P03", lines, now=rig.clock.now())
    seen = [row["SysRevID"] for row in rig.rows(LINES, filter=P03, orderby="SysRevID", top=1000)]
    assert seen[-1] > quick.rev > slow.rev
    assert slow.rev not in seen
    assert before != debits(rig)
    rig.switch(uncommitted=[])
    again = [row["SysRevID"] for row in rig.rows(LINES, filter=P03, orderby="SysRevID", top=1000)]
    assert 2 == len(set(again) - set(seen))
    assert max(set(again) - set(seen)) < seen[-1]


def test_row_versions_are_one_series_over_all_tables(rig):
    """Whatever is written gets a higher one than anything before."""
    books = rig.site.books
    highest = max(row["SysRevID"] for row in rig.rows(LINES, top=1000))
    books.close("FY2026-P03")
    [closed] = rig.rows("Erp.BO.GLBookPerSearchSvc/GLBookPerSearches", filter=P03)
    assert (True, True) == (closed["ClosedPeriod"], closed["SysRevID"] > highest)
    books.alter(books.values[2]["110"], name="Renamed")
    [value] = rig.rows("Erp.BO.COASegValuesSvc/COASegValues", filter="SegmentNbr eq 2 and SegmentCode eq '110'")
    assert value["SysRevID"] > closed["SysRevID"]


# -- mishaps of lists -------------------------------------------------------------------------------------------------


def test_rows_missing_and_rows_twice(rig):
    """The last rows of a set are missing, or stand in it twice; other sets are whole."""
    whole = rig.rows(LINES, filter=P03, orderby="SysRevID", top=1000)
    rig.switch(drop_rows={"GLJrnDtls": 2}, repeat_rows={"GLBooks": 1, "ML_GLJrnDtl": 1})
    assert whole[:-2] == rig.rows(LINES, filter=P03, orderby="SysRevID", top=1000)
    assert 5 == len(rig.rows("Erp.BO.GLBookSvc/GLBooks"))
    assert 11 == len(rig.rows("BaqSvc/ML_GLJrnDtl/Data", _BookID="MAIN", _FiscalYear=2026, _FiscalPeriod=3))


def test_D04_the_second_page_is_short_though_more_follow(rig):
    """A page shorter than $top is no proof of the end."""
    rig.switch(page_short=2)
    pages = [rig.rows(LINES, filter=P03, orderby="SysRevID", top=4, skip=skip) for skip in (0, 4, 6)]
    assert [4, 2, 4] == [len(page) for page in pages]
    assert 10 == len({row["SysRevID"] for page in pages for row in page})


def two_pages(rig, path: str, by: str, **more) -> list:
    return [row[by] for skip in (0, 3) for row in rig.rows(path, orderby=by, top=3, skip=skip, select=by, **more)]


def test_D01_a_row_inserted_before_the_cursor_is_seen_twice(rig):
    """Who pages by position reads a row twice when somebody inserts before it."""
    rig.switch(meanwhile="insert")
    seen = two_pages(rig, "Erp.BO.JrnlCodeSvc/JrnlCodes", "JournalCode")
    assert 1 == len(seen) - len(set(seen))


def test_D02_a_row_deleted_before_the_cursor_hides_another(rig):
    """And misses one when somebody deletes."""
    path = "Erp.BO.COASegValuesSvc/COASegValues"
    whole = [row["SegmentCode"] for row in rig.rows(path, filter="SegmentNbr eq 2", orderby="SegmentCode", top=6)]
    rig.switch(meanwhile="delete")
    seen = two_pages(rig, path, "SegmentCode", filter="SegmentNbr eq 2")
    assert [whole[3]] == sorted(set(whole) - set(seen))


def test_a_row_changed_meanwhile_gets_a_new_version(rig):
    """It is the same row under a higher SysRevID."""
    path = "Erp.BO.GLBookSvc/GLBooks"
    before = rig.rows(path, select="BookID,Description,SysRevID", orderby="BookID")
    rig.switch(meanwhile="change", meanwhile_times=1)
    rig.rows(path, orderby="BookID")
    after = rig.rows(path, select="BookID,Description,SysRevID", orderby="BookID")
    assert [row["BookID"] for row in before] == [row["BookID"] for row in after]
    assert f"{before[0]['Description']} (edited)" == after[0]["Description"]
    assert after[0]["SysRevID"] > max(row["SysRevID"] for row in before)
    assert before[1:] == after[1:]


def test_somebody_posts_while_lines_are_read(rig):
    """The journal is really posted: lines, balances and truth all have it afterwards, before the first by key, last by version."""
    before = len(rig.rows(LINES, filter=P03, top=1000))
    rig.switch(meanwhile="insert")
    first = rig.rows(LINES, filter=P03, orderby="SysRevID", top=3)
    after = rig.rows(LINES, filter=P03, orderby="SysRevID", top=1000)
    assert before + 2 == len(after)
    assert first == after[:3]
    assert "AA" == rig.rows(LINES, filter=P03, orderby="JournalCode,JournalNum,JournalLine", top=1)[0]["JournalCode"]
    assert 4200 == sum(int(line.debit_minor) for line in rig.site.books.journals_of("MAIN", "FY2026-P03")[-1].lines)


def test_D10_somebody_recodes_while_lines_are_read(rig):
    """A line read on the first page has another department afterwards, under a new version."""
    rig.switch(meanwhile="change")
    lines = rig.rows(LINES, filter=P03 + " and SegValue2 ne ''", orderby="SegValue2,SysRevID", top=1000)
    again = rig.rows(LINES, filter=P03 + " and SegValue2 ne ''", orderby="SegValue2,SysRevID", top=1000)
    assert {"110", "120"} == {line["SegValue2"] for line in lines}
    key = ("JournalCode", "JournalNum", "JournalLine")
    moved = {tuple(line[part] for part in key): line["SegValue2"] for line in again}
    assert "120" == moved[tuple(lines[0][part] for part in key)]
