"""Meridian Advisory Group, the sample company that every emulator of the sandbox serves.

A professional services firm of about 600 people: tenant "Meridian", one company MERIDIAN with the branches HQ and WEST,
US dollars, fiscal years from 1 July named by their end. `sample_company` writes its books from a seed: the same seed
gives the same books, to the cent, the number and the id.

    FY2025             13 periods of journals; P01-P06 Locked, P07-P13 Closed
    FY2026             13 periods of journals; P01-P10 Closed, P11-P13 Open; P13 is the adjustment period, 30 June only
    FY2027             P01 and P02 Open, P02 in progress (booked up to 14 August); the rest Inactive and empty
    ACTUAL             about 200 batches a month, 2 to 12 lines each, from the modules GL, AP, AR and CA
    STAT               headcount, hours and plan figures: debits without credits, as a statistical ledger allows
    BUDGET             empty: a budget ledger takes no journal

What a careless reader would get wrong stands in it on purpose, in every month:

    codes              account "0010" (petty cash) and "NA" (clearing): text that looks like a number, or like nothing
    descriptions       a comma, a double quote, letters that are not Latin ("Dépôt, Genève", 'The "Summit" fund', "旅費交通費")
    no plan member     accounts "7770" and "8880" are posted to, and the planning model does not know them
    inactive           four accounts, one of them ("6990") with postings of FY2025; one subaccount, never used
    system accounts    "3900" retained earnings and "3999" YTD net income are never posted to
    not posted         batches On Hold (one cent out of balance), Balanced and Unposted, in closed months too
    statistics         travel plans on account "6100" in STAT, which is a real account of ACTUAL
    reversed pairs     penalties "6760", booked in error and taken back: lines there are, and their sum is zero
    auto-reversing     accruals of the last day, taken back on the first day of the next month (June: of the next year)
    late bills         dated in the month before the period they are posted to
    two branches       cost center 010 is booked to by both
"""

from functools import lru_cache

from mlc_pipelines.sandbox import chart, fiscal
from mlc_pipelines.sandbox.books import Books
from mlc_pipelines.sandbox.journals import Bookkeeper
from mlc_pipelines.sandbox.shapes import (
    Account,
    Balance,
    Batch,
    Branch,
    Company,
    Ledger,
    Line,
    Period,
    Subaccount,
    TruthRow,
)

__all__ = [
    "Account",
    "Balance",
    "Batch",
    "Books",
    "Branch",
    "Company",
    "Ledger",
    "Line",
    "Period",
    "Subaccount",
    "TruthRow",
    "empty_company",
    "sample_company",
]

BATCHES_PER_MONTH = 200
NEW_YEAR = {"FY2027-P01": 60, "FY2027-P02": 30}
"""Batches of the months that have only begun."""


def sample_company(seed: int = 2026, scale: int = 1, lines_in: tuple[str, int] | None = None) -> Books:
    """The books of Meridian, a copy of one's own.

    `scale` multiplies the batches of every month. `lines_in`, e.g. ("FY2026-P03", 200_000), fills one period up to
    exactly that many posted lines in ACTUAL. Raises ValueError when the period holds more already.
    """
    return _written(seed, scale, lines_in).copy()


def empty_company() -> Books:
    """Meridian before its first entry: chart, calendar, ledgers and branches."""
    return Books(
        company=chart.COMPANY,
        company_name=chart.COMPANY_NAME,
        currency=chart.CURRENCY,
        branches=chart.branches(),
        accounts=chart.accounts(),
        subaccounts=chart.subaccounts(),
        ledgers=chart.ledgers(),
        periods=fiscal.periods(),
        cost_centers=dict(chart.COST_CENTERS),
        practices=dict(chart.PRACTICES),
        regions=dict(chart.REGIONS),
        retained_earnings=chart.RETAINED_EARNINGS,
        net_income=chart.NET_INCOME,
    )


@lru_cache(maxsize=4)
def _written(seed: int, scale: int, lines_in: tuple[str, int] | None) -> Books:
    """Books written once per process and never handed out themselves."""
    books = empty_company()
    bookkeeper = Bookkeeper(books, seed)
    begun = [period for period in books.periods.values() if period.status != "Inactive"]
    bookkeeper.book_opening(begun[0])
    for period in begun:
        if period.adjustment:
            bookkeeper.book_adjustments(period)
        else:
            bookkeeper.book_month(period, NEW_YEAR.get(period.key, BATCHES_PER_MONTH) * scale)
    if lines_in is not None:
        bookkeeper.book_bulk(books.periods[lines_in[0]], lines_in[1])
    books.batches.sort(key=lambda batch: batch.sort_key)
    return books
