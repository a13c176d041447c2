"""The figures of the sample plans: Budget and Forecast of two fiscal years, month by month, on accounts that the ERPs have.

As planners write them: income and costs both positive, what lessens them negative; cents; here and there a zero, or nothing at all.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from mlc_pipelines.sandbox import chart as meridian
from mlc_pipelines.sandbox.anaplan.model import Key
from mlc_pipelines.sandbox.anaplan.timescale import Calendar
from mlc_pipelines.sandbox.ironvale import chart as ironvale
from mlc_pipelines.sandbox.ironvale.slips import Dice

YEARS, VERSIONS = (2026, 2027), ("Budget", "Forecast")

Row = tuple[str, str, int]
"""Account and cost center as members of the lists, and the usual figure of a month in cents."""


@dataclass(frozen=True, slots=True)
class Figures:
    """The cells of a plan, and those that somebody left blank; keys are account, cost center, period, version."""

    cells: dict[Key, Decimal]
    blanks: frozenset[Key]


def planned(seed: str, time: Calendar, rows: Iterable[Row], sparse: frozenset[str] = frozenset()) -> Figures:
    """A plan of the years that it covers, each a little larger than the one before. `sparse` accounts have months without a figure."""
    cells: dict[Key, Decimal] = {}
    blanks: set[Key] = set()
    dice, months = Dice(f"plan {seed}"), [month for month in time.months.values() if month.year in YEARS]
    for account, center, usual in rows:
        for month in months:
            grown = usual * (100 + 4 * (month.year - YEARS[0])) // 100
            for version in VERSIONS:
                key, drawn = (account, center, month.label, version), dice.random()
                if account in sparse and drawn < 0.15:
                    blanks.add(key)
                elif account in sparse and drawn < 0.3:
                    cells[key] = Decimal("0.00")
                else:
                    cells[key] = Decimal(grown * dice.between(90, 110) // 100 + dice.between(0, 99)).scaleb(-2)
    return Figures(cells, frozenset(blanks))


# -- the first company ------------------------------------------------------------------------------------------------

OFFICES = tuple(center for center in meridian.COST_CENTERS if center not in ("010", "120"))
EARNED_PER_HEAD = {
    "4010": 9_500, "4020": 5_200, "4030": 6_100, "4040": 1_800, "4050": 2_400, "4070": 300, "4110": -350, "4210": 900,
    "4220": 700, "4510": 1_100, "4520": 300, "4530": 180, "4540": 850,
}  # fmt: skip
"""Dollars a month for each person of a cost center that serves clients: fees, discounts, what is billed on, direct costs."""

SPENT_PER_HEAD = {
    "5010": 7_900, "5020": 220, "5030": 600, "5040": 150, "5080": 190, "5110": 610, "5120": 740, "5130": 390, "5140": 60,
    "5160": 120, "5180": 45, "5190": 55, "6100": 260, "6110": 210, "6120": 75, "6150": 20, "6200": 650, "6210": 60,
    "6230": 25, "6250": 40, "6300": 310, "6310": 140, "6330": 90, "6400": 80, "6440": 10, "6810": 120,
}  # fmt: skip
"""And of every cost center."""

CORPORATE = {"7010": 45, "8010": 30}
"""And of the corporate office alone: bank fees, interest."""

SELDOM = frozenset(("A4070", "A5020", "A5040", "A5160", "A6150", "A6440"))


def meridian_figures(time: Calendar) -> Figures:
    """The plan of the first company."""
    return planned("meridian", time, _meridian_rows(), SELDOM)


def _meridian_rows() -> Iterator[Row]:
    for table, centers in ((EARNED_PER_HEAD, OFFICES), (SPENT_PER_HEAD, tuple(meridian.STAFF)), (CORPORATE, ("010",))):
        for account, dollars in table.items():
            for center in centers:
                yield f"A{account}", f"CC_{center}", dollars * meridian.STAFF[center] * 100


# -- the second company -----------------------------------------------------------------------------------------------

SHOPS, OFFICE_DEPTS = (*ironvale.SHOPS, "160"), ("310", "410", "510")
DEPTS_OF = (
    (("410",), {"4010": 61_000, "4020": 38_000, "4030": 24_000, "4040": 9_500, "4050": 4_100, "4060": 2_200}),
    (ironvale.SHOPS, {"5110": 3_900}),
    (SHOPS, {"5510": 95, "5520": 130, "5530": 60, "5550": 35, "5610": 210, "5710": 480, "5720": 260, "5810": 640}),
    (OFFICE_DEPTS, {"6010": 6_900, "6110": 560, "6150": 80, "6220": 45, "6310": 240, "6320": 90, "6530": 310, "6700": 380}),
    (("510",), {"7010": 150, "8110": 420}),
)  # fmt: skip
"""Departments, and dollars a month for each of their people. All of it was posted there before: Kinetic refuses other pairs."""

SPARSE = frozenset(("A4060", "A5550", "A6150", "A6320"))


def ironvale_figures(time: Calendar) -> Figures:
    """The plan of the second company."""
    return planned("ironvale", time, _ironvale_rows(), SPARSE)


def _ironvale_rows() -> Iterator[Row]:
    for depts, table in DEPTS_OF:
        for account, dollars in table.items():
            for dept in depts:
                yield f"A{account}", f"CC_{dept}", dollars * ironvale.STAFF[dept] * 100
