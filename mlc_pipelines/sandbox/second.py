"""A second company beside the sample company, for what only several companies show. It is founded by a switch.

own ledger      MERIDIAN_EU, branch BERLIN, ledger ACTUAL_EU in EUR, a calendar of its own: FY2026-P10 still Open, FY2027-P02 Inactive
shared ledger   MERIDIAN_EAST, branch BOSTON, in the ledger ACTUAL of the first company, which both post to
"""

from datetime import UTC, datetime
from random import Random

from mlc_pipelines.sandbox.books import Books
from mlc_pipelines.sandbox.shapes import Branch, Company, Ledger, Line

OWN, SHARED = "own ledger", "shared ledger"
ACCOUNTS = ("1010", "1030", "2010", "4010", "5010", "6100")
SUBACCOUNTS = ("010-000", "020-ADV", "110-TEC")
BATCHES = 3


def found(books: Books, kind: str) -> None:
    """Add the company with its branch, its ledger and some postings in every period that is not Inactive; once."""
    if kind == OWN and "MERIDIAN_EU" not in books.others:
        own = {"FY2026-P10": "Open", "FY2027-P02": "Inactive"}
        books.others["MERIDIAN_EU"] = Company("MERIDIAN_EU", "Meridian Europe", ["ACTUAL_EU"], own)
        books.branches["BERLIN"] = Branch("BERLIN", "Meridian Berlin", "MERIDIAN_EU")
        books.ledgers["ACTUAL_EU"] = Ledger("ACTUAL_EU", "Actual Ledger Europe", "Actual", "EUR", "MERIDIAN_EU")
        _book(books, "ACTUAL_EU", "BERLIN")
    if kind == SHARED and "MERIDIAN_EAST" not in books.others:
        books.others["MERIDIAN_EAST"] = Company("MERIDIAN_EAST", "Meridian East", ["ACTUAL"], {})
        books.branches["BOSTON"] = Branch("BOSTON", "Meridian Boston", "MERIDIAN_EAST")
        _book(books, "ACTUAL", "BOSTON")


def _book(books: Books, ledger: str, branch: str) -> None:
    chance = Random(7)
    for period in [one for one in books.periods.values() if one.status != "Inactive"]:
        now = datetime(period.end.year, period.end.month, period.end.day, 17, tzinfo=UTC)
        for _ in range(BATCHES):
            debit, credit = chance.sample(ACCOUNTS, 2)
            minor, subaccount = chance.randrange(100, 5_000_000), chance.choice(SUBACCOUNTS)
            lines = [Line(1, debit, subaccount, branch, minor, 0), Line(2, credit, subaccount, branch, 0, minor)]
            books.post(ledger, period.key, branch, "Posted", "Second company", lines, now=now)
