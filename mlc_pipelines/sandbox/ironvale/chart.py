"""The coding of the second sample company: natural accounts with their categories, departments, plants, journal codes, books.

Read it as a chart of accounts: one account a line, code then name, under the heading of its category. Some codes are unfriendly
on purpose: the package's own docstring lists them.
"""

from dataclasses import replace
from datetime import date

from mlc_pipelines.sandbox.ironvale.calendars import MONTHS_CALENDAR, WEEKS_CALENDAR
from mlc_pipelines.sandbox.ironvale.shapes import Book, Category, Value

COMPANY, COMPANY_NAME, CURRENCY = "IVM", "Ironvale Manufacturing", "USD"
SISTER, SISTER_NAME, SISTER_CURRENCY = "IVC", "Ironvale Canada", "CAD"
COA, ACCOUNT, DEPT, PLANT = "MAIN", 1, 2, 3
"""The chart of accounts, and which segment is what."""

PETTY_CASH, NOT_ASSIGNED = "0010", "NA"
BANK, BANK_CAD, RECEIVABLES = "1030", "1040", "1210"
RAW, WIP, FINISHED, PREPAID_SUPPLIERS = "1410", "1420", "1430", "1330"
MACHINES, ACCUMULATED_DEPRECIATION, DUE_FROM_SISTER, BETWEEN_PLANTS = "1520", "1590", "1920", "1910"
PAYABLES, ACCRUED, RECEIVED, PAYROLL_DUE, WITHHELD, SALES_TAX, INPUT_TAX = (
    "2010",
    "2110",
    "2150",
    "2210",
    "2220",
    "2310",
    "1390",
)
CAPITAL, RETAINED_EARNINGS, PLAN_CONTRA = "3010", "3900", "3990"
COGS, LABOR_APPLIED, OVERHEAD_APPLIED, DIRECT_LABOR = "5010", "5190", "5890", "5110"
DEPRECIATION, SALARIES, PAYROLL_TAXES, HEALTH = "5810", "6010", "6110", "6120"
BANK_FEES, INTEREST_EXPENSE, ROUNDING, FX_LOSS = "7010", "7020", "7090", "7030"
INTEREST_INCOME, DISCOUNTS_TAKEN, DISCOUNTS_GIVEN = "8010", "8110", "4920"
HEADCOUNT, MACHINE_HOURS = "9010", "9020"

PENALTIES = "6760"
"""Booked in error and reversed in each period, and posted to by nothing else."""

RETIRED = "6990"
"""Inactive today, but posted to in FY2025 and before."""

NO_PLAN_MEMBER = ("6777", "8880")
"""Accounts posted to in every period, and unknown to the planning model."""

NO_PLAN_CENTER, NO_PLAN_VENDOR = "530", "ODDJOB"
"""The department and the vendor that it does not know either."""

INACTIVE = ("1190", "4990", "5990", RETIRED)
INACTIVE_DEPT, EXPIRED_DEPT, EXPIRED_ON = "700", "710", date(2025, 9, 27)

# "<category> : <name> : <B balance sheet or I income> : <side where it grows>", and below it code and name of each account;
# "[EA]" after the name: statistics in that unit.
_CHART = """
CASH : Cash and equivalents : B : D
  0010 Petty cash
  1010 Cash, operating account
  1020 Payroll bank account
  1030 Great Lakes Bank, checking
  1040 Great Lakes Bank, CAD account
  1050 Deutsche Handelsbank, EUR account
  1190 Lakeshore Savings, closed
  NA   Clearing, not assigned
RECV : Receivables : B : D
  1210 Accounts receivable, trade
  1220 Allowance for doubtful accounts
  1230 Employee advances
  1240 Scrap sales receivable
  1390 Recoverable sales and use tax
PREP : Prepaid expenses : B : D
  1310 Prepaid insurance
  1320 Prepaid maintenance contracts
  1325 Dépôt de garantie, Montréal
  1330 Prepayments to suppliers
  1340 Prepaid property tax
INVT : Inventories : B : D
  1410 Raw materials
  1420 Work in process
  1430 Finished goods
  1440 Goods in transit
  1450 Spare parts and supplies
  1490 Inventory reserve
FIXA : Fixed assets : B : D
  1510 Land and buildings
  1520 Machinery and equipment
  1530 Tools, dies and molds
  1540 Vehicles and lift trucks
  1550 Computers and software
  1560 Construction in progress
  1590 Accumulated depreciation
OTHA : Other assets : B : D
  1710 Security deposits
  1720 Goodwill
  1730 Patents
  1740 Accumulated amortization
  1820 Deferred tax asset
  1910 Due from and to plants
  1920 Due from Ironvale Canada
PAYB : Payables : B : C
  2010 Accounts payable, trade
  2020 Due to Ironvale Canada
  2030 Purchasing cards
ACCR : Accrued liabilities : B : C
  2110 Accrued expenses
  2120 Accrued warranty
  2130 Accrued utilities
  2140 Accrued interest
  2150 Received not invoiced
  2160 Accrued freight
PAYR : Payroll liabilities : B : C
  2210 Wages payable
  2220 Payroll taxes withheld
  2230 Retirement plan payable
  2240 Union dues payable
  2250 Accrued bonuses
  2260 Accrued vacation
TAXL : Taxes payable : B : C
  2310 Sales tax payable
  2320 Income tax payable
  2330 Property tax payable
  2340 Use tax payable
CUST : Customer deposits : B : C
  2410 Customer deposits on tooling
  2420 Deferred service contracts
DEBT : Long-term debt : B : C
  2510 Revolving credit line
  2520 Term loan
  2530 Lease liabilities
EQTY : Equity : B : C
  3010 Common stock
  3020 Additional paid-in capital
  3030 Dividends
  3900 Retained earnings
  3990 Plan contra
SALE : Sales : I : C
  4010 Sales, pumps
  4020 Sales, valves
  4030 Sales, castings
  4040 Sales, spare parts
  4050 Service and repair
  4060 Tooling billed
  4090 Sales to Ironvale Canada
  4210 Freight billed
  4910 Returns and allowances
  4920 Cash discounts given
  4990 Sales, discontinued lines
COST : Cost of goods sold : I : D
  5010 Cost of goods sold
  5020 Cost of service
  5030 Outside processing
  5040 Inventory adjustments
  5050 Scrap and rework
LABR : Direct labor : I : D
  5110 Direct labor
  5120 Overtime premium
  5130 Shift differential
  5190 Labor applied
FRGT : Freight : I : D
  5210 Freight in
  5220 Freight out
  5230 Customs and duties
VARI : Production variances : I : D
  5310 Purchase price variance
  5320 Material usage variance
  5330 Labor rate variance
  5340 Labor efficiency variance
  5350 Overhead volume variance
  5360 Subcontract variance
OVHD : Plant overhead : I : D
  5410 Indirect labor
  5420 Supervision
  5510 Shop supplies
  5520 Cutting tools
  5530 Lubricants and coolants
  5540 Welding gas
  5550 Safety equipment, 30% coated
  5610 Machine repairs
  5620 Building repairs
  5630 Calibration
  5640 Waste disposal
  5710 Electricity
  5720 Natural gas
  5730 Water and sewage
  5740 Compressed air
  5810 Depreciation, plant
  5820 Plant insurance
  5830 Property tax, plant
  5840 Equipment rental
  5890 Overhead applied
  5990 Coal and coke
SALR : Salaries : I : D
  6010 Salaries
  6020 Bonuses
  6030 Commissions
  6040 Temporary staff
BENE : Benefits : I : D
  6110 Payroll taxes
  6120 Health insurance
  6130 Retirement plan
  6140 Workers' compensation
  6150 Training
  6155 出張旅費
  6160 Recruiting
OPEX : Operating expenses : I : D
  6210 Rent
  6220 Office supplies
  6230 Postage and courier
  6240 Telephone and data lines
  6310 Software subscriptions
  6320 Hardware below threshold
  6330 IT support
  6410 Advertising
  6420 Trade fairs
  6430 Samples and prototypes
  6445 The "Ironvale Cares" fund
  6510 Legal fees
  6520 Audit fees
  6530 Consultants
  6540 Patent fees
  6610 Liability insurance
  6620 Credit insurance
  6700 Travel
  6710 Meals, with customers
  6720 Dues and memberships
  6730 Licenses and permits
  6740 Bad debt expense
  6760 Penalties and fines
  6777 Storm damage clean-up
  6790 Miscellaneous
  6810 Depreciation, office
  6990 Telex
FINX : Financial expense : I : D
  7010 Bank fees
  7020 Interest expense
  7030 Foreign exchange loss
  7040 Loss on disposal
  7090 Rounding differences
OTHI : Other income : I : C
  8010 Interest income
  8020 Foreign exchange gain
  8030 Gain on disposal
  8040 Scrap sales
  8110 Purchase discounts taken
  8880 Training grants
ITAX : Income taxes : I : D
  8910 Federal income tax
  8920 State income tax
STAT : Statistics : I : D
  9010 Headcount, full-time equivalents [EA]
  9020 Machine hours [HR]
  9030 Tons melted [TN]
"""

DEPARTMENTS = {
    "015": "Plant management",
    "110": "Machining",
    "120": "Assembly",
    "130": "Welding & fabrication",
    "140": "Foundry",
    "150": "Quality assurance",
    "160": "Maintenance",
    "170": "Tool room",
    "210": "Purchasing",
    "220": "Warehouse, shipping",
    "310": "Engineering",
    "410": "Sales",
    "420": "Marketing",
    "510": "Finance",
    "520": "Human resources",
    "530": "Continuous improvement",
    INACTIVE_DEPT: "Forge",
    EXPIRED_DEPT: "Pilot line",
}
STAFF = {
    "015": 9,
    "110": 132,
    "120": 118,
    "130": 64,
    "140": 71,
    "150": 22,
    "160": 31,
    "170": 17,
    "210": 11,
    "220": 46,
    "310": 27,
    "410": 19,
    "420": 6,
    "510": 14,
    "520": 8,
    "530": 5,
}
"""People per department, 600 in all."""

SHOPS = ("110", "120", "130", "140")
"""Where products are made: direct labor, applied to them."""

PLANT_DEPTS = (*SHOPS, "015", "150", "160", "170", "220")
OFFICE_DEPTS = ("210", "310", "410", "420", "510", "520", NO_PLAN_CENTER)
USED_DEPTS = (*PLANT_DEPTS, *OFFICE_DEPTS)

PLANTS = {
    "MF": ("MfgSys", "Main plant, Ironvale"),
    "NO": ("NORTH", "North plant"),
    "DI": ("DIST", "Distribution center"),
}
"""Code in the chart: site in the ERP, and name."""

JOURNAL_CODES = {
    "GJ": ("General journal", "GL"),
    "RV": ("Reversing journal", "GL"),
    "ST": ("Statistics", "GL"),
    "BU": ("Budget and plan", "GL"),
    "PJ": ("Purchase journal", "AP"),
    "CD": ("Cash disbursements", "AP"),
    "SJ": ("Sales journal", "AR"),
    "CR": ("Cash receipts", "AR"),
    "BR": ("Bank reconciliation", "CM"),
    "IJ": ("Inventory and production", "INV"),
    "FA": ("Fixed assets", "FA"),
    "PR": ("Payroll", "PR"),
}
"""Name of each journal code, and the module it comes from. Of the module names only GL, AP and AR are known [I for the rest]."""


def categories() -> dict[str, Category]:
    """The categories by code, in the order of the chart."""
    headings = (line.split(" : ") for line in _CHART.strip().splitlines() if not line.startswith(" "))
    return {code: Category(code, name, kind, normal) for code, name, kind, normal in headings}


def accounts() -> dict[str, Value]:
    """The natural accounts by code, in the order of the codes."""
    chart, category = [], ""
    for line in _CHART.strip().splitlines():
        if not line.startswith(" "):
            category = line.partition(" : ")[0]
            continue
        code, name = line.split(maxsplit=1)
        name, _, unit = name.removesuffix("]").partition(" [")
        chart.append(Value(ACCOUNT, code, name, category, unit, active=code not in INACTIVE))
    return {value.code: value for value in sorted(chart, key=lambda value: value.code)}


def departments() -> dict[str, Value]:
    """The departments by code; one of them inactive, and one expired at the end of FY2025."""
    made = {code: Value(DEPT, code, name, active=code != INACTIVE_DEPT) for code, name in DEPARTMENTS.items()}
    made[EXPIRED_DEPT] = replace(made[EXPIRED_DEPT], since=date(2024, 7, 1), until=EXPIRED_ON)
    return made


def plants() -> dict[str, Value]:
    """The plants by their code in the chart."""
    return {code: Value(PLANT, code, name) for code, (_, name) in PLANTS.items()}


def books() -> dict[tuple[str, str], Book]:
    """The books of both companies, by company and code: BookID MAIN exists twice."""
    made = [
        Book(COMPANY, "MAIN", "Main book", CURRENCY, WEEKS_CALENDAR, main=True),
        Book(COMPANY, "TAX", "Tax book, calendar year", CURRENCY, MONTHS_CALENDAR),
        Book(COMPANY, "PLAN", "Approved plan", CURRENCY, WEEKS_CALENDAR, type="Plan"),
        Book(COMPANY, "OLD", "Main book before the new chart", CURRENCY, WEEKS_CALENDAR, inactive=True),
        Book(SISTER, "MAIN", "Main book", SISTER_CURRENCY, WEEKS_CALENDAR, main=True),
    ]
    return {(book.company, book.code): book for book in made}
