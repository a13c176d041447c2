"""The second sample company, written from a seed: see the package for what stands in it."""

from functools import lru_cache

from mlc_pipelines.sandbox.ironvale.bookkeeper import Bookkeeper
from mlc_pipelines.sandbox.ironvale.books import Ironvale
from mlc_pipelines.sandbox.ironvale.entering import enter_all, fill, touch_statements
from mlc_pipelines.sandbox.ironvale.plans import plan_entries, write_budgets, write_entry
from mlc_pipelines.sandbox.ironvale.sister import sister_entries
from mlc_pipelines.sandbox.ironvale.slips import Dice, days_booked


def sample_books(
    seed: int = 2026,
    scale: int = 1,
    lines_in: tuple[str, int] | None = None,
    *,
    weeks_53: bool = False,
    balance_segments: str = "1~2",
) -> Ironvale:
    """The books of Ironvale, a copy of one's own.

    `scale` multiplies the journals of every period. `lines_in`, e.g. ("FY2026-P03", 200_000), fills one period up to exactly
    that many posted lines in MAIN; ValueError when it holds more already. `weeks_53` gives FY2026 a 53rd week. `balance_segments`
    "1" keeps no departments in the balances.
    """
    key = (seed, scale, weeks_53, balance_segments)
    return (_written(*key) if lines_in is None else _filled(*key, *lines_in)).copy()


def empty_books(*, weeks_53: bool = False, balance_segments: str = "1~2") -> Ironvale:
    """Ironvale before its first entry: charts, calendars and books."""
    return Ironvale(weeks_53=weeks_53, balance_segments=balance_segments)


@lru_cache(maxsize=4)
def _written(seed: int, scale: int, weeks_53: bool, balance_segments: str) -> Ironvale:
    """Books written once per process and never handed out themselves."""
    books = empty_books(weeks_53=weeks_53, balance_segments=balance_segments)
    keeper = Bookkeeper(books, seed)
    periods = list(books.calendar_of("MAIN").values())
    keeper.write_opening(periods[0])
    for period in periods:
        keeper.slips += plan_entries(seed, period)
        if days_booked(period) and period.closing:
            keeper.write_adjustments(period)
        elif days_booked(period):
            keeper.write_period(period, scale)
            keeper.slips += sister_entries(Dice(f"{seed} {period.key} sister"), period)
    enter_all(books, keeper.slips, keeper.buying.orders)
    write_budgets(books, seed)
    write_entry(books, books.period("FY2027-P02"))
    touch_statements(books)
    return books


@lru_cache(maxsize=2)
def _filled(seed: int, scale: int, weeks_53: bool, balance_segments: str, period: str, lines: int) -> Ironvale:
    """The same, with one period filled up."""
    books = _written(seed, scale, weeks_53, balance_segments).copy()
    fill(books, seed, books.period(period), lines)
    return books
