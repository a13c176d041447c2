"""From slips to journals of the second sample company: entered by the day of posting, as numbers and row versions come, with closes between."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from operator import itemgetter

from mlc_pipelines.sandbox.ironvale import chart
from mlc_pipelines.sandbox.ironvale.books import Ironvale
from mlc_pipelines.sandbox.ironvale.business import RECLASSIFIED
from mlc_pipelines.sandbox.ironvale.calendars import month_key
from mlc_pipelines.sandbox.ironvale.holdings import Key
from mlc_pipelines.sandbox.ironvale.shapes import LINE_REVS, FiscalPeriod, Journal, Line, Order
from mlc_pipelines.sandbox.ironvale.slips import TODAY, Dice, Slip

AUDIT_DAYS, CLOSE_DAYS, TAX_CLOSE_DAYS = 38, 12, 25
"""How long after its end the auditors have closed a year, a period is closed, and a month of the tax book."""

FIRST_OPEN, SISTER_FIRST_OPEN, TAX_FIRST_OPEN = "FY2026-P11", "FY2026-P10", "FY2026-P07"
LINES_MAX = 12
"""Lines of a journal that only fills a period."""


def enter_all(books: Ironvale, slips: Iterable[Slip], orders: Mapping[tuple[str, int], Order]) -> None:
    """Enter what has been written in the order of posting, with the closes between; then the orders behind it."""
    acts: list[tuple[date, int, Slip | Key]] = [(slip.entered_on, 0, slip) for slip in slips]
    acts += [(day, 1, key) for day, key in _closes(books)]
    for day, _, act in sorted(acts, key=itemgetter(0, 1)):
        if isinstance(act, Slip):
            _enter(books, act, day)
        else:
            company, book, period_key = act
            books.close(period_key, book, company)
    for key, order in orders.items():
        books.orders[key] = order._replace(rev=books.next_revs(1 + len(order.lines)))


def touch_statements(books: Ironvale) -> None:
    """Reconcile the bank: one line of each period of FY2026 is written again today, and not changed."""
    for key, period in books.calendar_of("MAIN").items():
        found = [one for one in books.journals_of("MAIN", key) if one.code == "BR"]
        if period.year == 2026 and found:
            books.touch(key, found[0].name, len(found[0].lines))


def fill(books: Ironvale, seed: int, period: FiscalPeriod, lines: int) -> None:
    """Post journals in MAIN until the period holds exactly this many posted lines there.

    Raises ValueError when it holds more already, or would need a journal of a single line.
    """
    posted = sum(len(one.lines) for one in books.journals_of("MAIN", period.key) if one.posted)
    missing = lines - posted
    if missing < 0 or missing == 1:
        raise ValueError(f"{period.key} cannot be filled up to {lines} lines: {missing} are missing")
    dice = Dice(f"{seed} {period.key} bulk")
    depts = [(account, dice.dept(account)) for account in RECLASSIFIED for _ in range(3)]
    codings = [(account, dept, dice.plant(dept)) for account, dept in depts]
    while missing:
        size = missing if missing <= LINES_MAX else min(LINES_MAX, missing - 2)  # never leave a single line over
        slip = Slip(period, "IJ", period.end, "Machine cost allocation", books=("MAIN",))
        for _ in range(size - 1):
            slip.lines.append(Line(*dice.pick(codings), dice.amount(100, 90_000), 0, "Allocation"))
        _enter(books, slip.credit(chart.OVERHEAD_APPLIED, slip.excess, "110", "MF"), TODAY)
        missing -= size


def _closes(books: Ironvale) -> Iterator[tuple[date, Key]]:
    """When each closed period was closed: those of MAIN up to the first open one, in the sister company one less."""
    for key, period in books.calendar_of("MAIN").items():
        day = period.end + timedelta(days=CLOSE_DAYS if not period.closing else CLOSE_DAYS + AUDIT_DAYS)
        if key < FIRST_OPEN:
            yield day, (chart.COMPANY, "MAIN", key)
        if key < SISTER_FIRST_OPEN:
            yield day, (chart.SISTER, "MAIN", key)
    for key, period in books.calendar_of("TAX").items():
        if key < TAX_FIRST_OPEN:
            yield period.end + timedelta(days=TAX_CLOSE_DAYS), (chart.COMPANY, "TAX", key)


def _enter(books: Ironvale, slip: Slip, day: date) -> None:
    """One journal in each book; an invoice finds its own way."""
    if slip.draft is not None:
        books.enter_invoice(slip.draft, day if slip.posted else None)
        return
    lines, posted_on = tuple(slip.lines), day if slip.posted else None
    for book in slip.books:
        period = slip.period if book != "TAX" else books.period(month_key(slip.day), book)
        number = books.next_number(slip.company, book, period, slip.code)
        rev = books.next_revs(len(lines) * LINE_REVS)
        journal = Journal(
            slip.company, book, period, slip.code, number, slip.day, slip.text, chart.JOURNAL_CODES[slip.code][1],
            slip.currency, lines, rev, slip.posted, posted_on, day, slip.user, "", f"{slip.code}{slip.day:%y%m%d}",
            slip.plant, slip.vendor, slip.invoice, slip.customer, slip.ar_invoice, slip.bank, slip.check,
            slip.reverses, slip.from_company,
        )  # fmt: skip
        books.enter(journal)
