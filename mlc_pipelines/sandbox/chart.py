"""The coding of the sample company: accounts, account classes, cost centers, practices, regions, ledgers, branches.

Read it as a chart of accounts: one account a line, code then description, under the heading of its class. Some codes are
unfriendly on purpose: see `company`, which lists them.
"""

from mlc_pipelines.sandbox.shapes import Account, Branch, Ledger, Subaccount

COMPANY, COMPANY_NAME, CURRENCY = "MERIDIAN", "Meridian Advisory Group", "USD"

PETTY_CASH, CLEARING = "0010", "NA"
BANK, RECEIVABLES, ACCUMULATED_DEPRECIATION = "1030", "1210", "1590"
PAYABLES, ACCRUED, PAYROLL_TAX_PAYABLE, SALES_TAX = "2010", "2110", "2220", "2310"
CAPITAL, RETAINED_EARNINGS, NET_INCOME = "3010", "3900", "3999"
SALARIES, PAYROLL_TAXES, HEALTH = "5010", "5110", "5120"
BANK_FEES, DEPRECIATION, INTEREST_INCOME = "7010", "6810", "8010"
HEADCOUNT, BILLABLE_HOURS = "9010", "9020"

PENALTIES = "6760"
"""Booked in error and reversed each month, and posted to by nothing else."""

RETIRED = "6990"
"""Inactive today, but posted to in FY2025."""

NO_PLAN_MEMBER = ("7770", "8880")
"""Posted to in every period, and unknown to the planning model."""

SYSTEM_ACCOUNTS = (RETAINED_EARNINGS, NET_INCOME)
"""Kept by the ERP itself, never posted to."""

INACTIVE = ("1190", "4990", "6890", RETIRED)

# Heading of a class: "<class> : <type> : <group>". A line below it: code, then description. "~": posts in summary.
_CHART = """
CASH : Asset : Current assets
  0010 Petty cash
  1010 Cash, operating account
  1020 Payroll bank account
  1030 First Mountain Bank, checking
  1040 Money market fund
  1050 Foreign currency account, EUR
  1190 Bank of the West, closed
  NA   Clearing, not assigned
RECEIVABLE : Asset : Current assets
  1210 Accounts receivable~
  1220 Allowance for doubtful accounts
  1230 Employee advances
  1240 Other receivables
  1250 Work in progress, unbilled fees
  1260 Retainers receivable
PREPAID : Asset : Current assets
  1310 Prepaid insurance
  1320 Prepaid software
  1330 Prepaid rent
  1340 Deposits with venues
  1350 Dépôt, Genève
FIXED : Asset : Fixed assets
  1510 Furniture and fixtures
  1520 Computers and equipment
  1530 Leasehold improvements
  1540 Vehicles
  1550 Software, capitalized
  1560 Right-of-use assets
  1590 Accumulated depreciation
OTHERASSET : Asset : Other assets
  1710 Security deposits
  1720 Goodwill
  1730 Client relationships
  1740 Accumulated amortization
  1810 Investments in affiliates
  1820 Deferred tax asset
  1900 Due from and to branches
PAYABLE : Liability : Current liabilities
  2010 Accounts payable~
  2020 Accounts payable, contractors~
  2030 Credit card, corporate
  2040 Employee expense claims payable
ACCRUED : Liability : Current liabilities
  2110 Accrued expenses
  2120 Accrued audit fees
  2130 Accrued rent
  2140 Accrued interest
  2150 Goods received, not invoiced
PAYROLLDUE : Liability : Current liabilities
  2210 Salaries payable
  2220 Payroll taxes payable
  2230 Retirement plan payable
  2240 Health plan payable
  2250 Accrued bonuses
  2260 Accrued vacation
  2270 Garnishments payable
TAXDUE : Liability : Current liabilities
  2310 Sales tax payable
  2320 Income tax payable
  2330 Property tax payable
  2340 Use tax payable
DEFERRED : Liability : Current liabilities
  2410 Deferred revenue
  2420 Client retainers
  2430 Client funds held in trust
  2440 Deferred rent
DEBT : Liability : Long-term liabilities
  2510 Line of credit
  2520 Term loan
  2530 Lease liabilities
  2540 Notes payable to partners
  2550 Deferred tax liability
EQUITY : Liability : Equity
  3010 Members' capital
  3020 Additional paid-in capital
  3030 Distributions to members
  3040 Treasury units
  3900 Retained earnings
  3999 YTD net income
FEES : Income : Revenue
  4010 Advisory fees
  4020 Tax fees
  4030 Technology fees
  4040 Retainer fees
  4050 Fixed-price engagements
  4060 Success fees
  4070 Training and workshops
  4080 Licenses resold
  4090 Intercompany fees
  4110 Discounts granted
  4120 Write-offs of fees
  4990 Fees, legacy practice
REIMBURSED : Income : Revenue
  4210 Travel billed to clients
  4220 Contractors billed to clients
  4230 Other costs billed to clients
DIRECT : Expense : Direct costs
  4510 Contractors
  4520 Subcontracted studies
  4530 Data and research licenses
  4540 Travel on client work
  4550 Translation services
SALARY : Expense : People
  5010 Salaries
  5020 Overtime
  5030 Bonuses
  5040 Commissions
  5050 Vacation pay
  5060 Severance
  5070 Interns
  5080 Temporary staff
BENEFIT : Expense : People
  5110 Payroll taxes
  5120 Health insurance
  5130 Retirement plan
  5140 Workers' compensation
  5150 Tuition assistance
  5160 Recruiting
  5170 Relocation
  5180 Staff events
  5190 Professional certifications
TRAVEL : Expense : Operating expenses
  6100 Travel
  6110 Lodging
  6120 Meals, with clients
  6130 Meals, staff
  6140 Mileage and parking
  6150 旅費交通費
  6160 Conferences
  6170 Visas and permits
PREMISES : Expense : Operating expenses
  6200 Rent
  6210 Utilities
  6220 Cleaning and repairs
  6230 Office supplies
  6240 Postage and courier
  6250 Telephone
  6260 Property tax
  6270 Security services
  6280 Moving and storage
TECHNOLOGY : Expense : Operating expenses
  6300 Software subscriptions
  6310 Cloud hosting
  6320 Hardware below threshold
  6330 IT support
  6340 Data lines
  6350 Cyber security
MARKETING : Expense : Operating expenses
  6400 Advertising
  6410 Sponsorships
  6420 Website
  6430 Printed matter
  6440 The "Summit" fund
  6450 Public relations
OUTSIDE : Expense : Operating expenses
  6500 Legal fees
  6510 Audit fees
  6520 Tax advice
  6530 Consultants, internal projects
  6540 Translation, internal
INSURANCE : Expense : Operating expenses
  6600 Professional liability insurance
  6610 General liability insurance
  6620 Cyber insurance
OTHEROPEX : Expense : Operating expenses
  6700 Dues and memberships
  6710 Licenses and permits
  6720 Books and periodicals
  6730 Charitable contributions
  6740 Bad debt expense
  6750 Gifts, up to 25 dollars
  6760 Penalties and fines
  6790 Miscellaneous
  6890 Telex and telegrams
  6990 Fax lines
DEPRECIATION : Expense : Operating expenses
  6810 Depreciation
  6820 Amortization
FINANCE : Expense : Other income and expense
  7010 Bank fees
  7020 Interest expense
  7030 Foreign exchange loss
  7040 Loss on disposal
  7770 Pandemic relief costs
OTHERINCOME : Income : Other income and expense
  8010 Interest income
  8020 Foreign exchange gain
  8030 Gain on disposal
  8040 Sublease income
  8880 Grants and subsidies
INCOMETAX : Expense : Taxes
  8910 Federal income tax
  8920 State income tax
STATISTIC : Expense : Statistics
  9010 Headcount, full-time equivalents
  9020 Billable hours
  9030 Square feet
"""

COST_CENTERS = {
    "010": "Corporate Office",
    "020": "Denver Consulting",
    "030": "Denver Tax",
    "040": "Chicago Consulting",
    "050": "Chicago Technology",
    "060": "New York Consulting",
    "070": "Boston Tax",
    "080": "San Francisco Technology",
    "090": "Seattle Consulting",
    "100": "Portland Tax",
    "110": "Los Angeles Consulting",
    "120": "Shared Services",
}
REGIONS = {
    "010": "Corporate",
    "020": "Mountain",
    "030": "Mountain",
    "040": "Central",
    "050": "Central",
    "060": "East",
    "070": "East",
    "080": "Pacific",
    "090": "Pacific",
    "100": "Pacific",
    "110": "Pacific",
    "120": "Corporate",
}
PRACTICES = {"000": "General", "ADV": "Advisory", "TAX": "Tax", "TEC": "Technology"}
CORPORATE = "010-000"
"""Where most of the balance sheet stands."""

INACTIVE_SUBACCOUNT = "100-TEC"
STAFF = {
    "010": 48,
    "020": 92,
    "030": 41,
    "040": 78,
    "050": 37,
    "060": 85,
    "070": 33,
    "080": 56,
    "090": 44,
    "100": 19,
    "110": 38,
    "120": 31,
}
"""People per cost center, 602 in all."""

CENTERS_OF = {
    "HQ": ("010", "020", "030", "040", "050", "060", "070", "120"),
    "WEST": ("010", "080", "090", "100", "110"),
}
"""The cost centers that each branch books to; the corporate office stands in both."""


def home_centers(branch: str) -> list[str]:
    """The cost centers whose payroll a branch runs; the corporate office is paid by HQ."""
    elsewhere = () if branch == "HQ" else CENTERS_OF["HQ"]
    return [center for center in CENTERS_OF[branch] if center not in elsewhere]


def accounts() -> dict[str, Account]:
    """The chart by code, in the order of the codes."""
    chart, heading = [], ["", "", ""]
    for line in _CHART.strip().splitlines():
        if not line.startswith(" "):
            heading = line.split(" : ")
            continue
        code, description = line.split(maxsplit=1)
        chart.append(_account(code, description, *heading))
    return {account.code: account for account in sorted(chart, key=lambda account: account.code)}


def _account(code: str, description: str, account_class: str, kind: str, group: str) -> Account:
    return Account(
        code=code,
        description=description.removesuffix("~"),
        type=kind,
        account_class=account_class,
        group=group,
        active=code not in INACTIVE,
        post_option="Summary" if description.endswith("~") else "Detail",
    )


def subaccounts() -> dict[str, Subaccount]:
    """Every cost center with every practice, e.g. "020-TAX"."""
    return {
        f"{center}-{practice}": Subaccount(
            f"{center}-{practice}", f"{name} / {PRACTICES[practice]}", f"{center}-{practice}" != INACTIVE_SUBACCOUNT
        )
        for center, name in COST_CENTERS.items()
        for practice in PRACTICES
    }


def branches() -> dict[str, Branch]:
    """The two branches of the one company."""
    return {"HQ": Branch("HQ", "Meridian Denver", COMPANY), "WEST": Branch("WEST", "Meridian West Coast", COMPANY)}


def ledgers() -> dict[str, Ledger]:
    """The actual books, the statistics beside them, and the budget, which takes no journal [S acumatica 5.6]."""
    return {
        "ACTUAL": Ledger("ACTUAL", "Actual Ledger", "Actual", CURRENCY),
        "STAT": Ledger("STAT", "Statistics", "Statistical", CURRENCY),
        "PLAN": Ledger("PLAN", "Approved plans", "Statistical", CURRENCY),
        "BUDGET": Ledger("BUDGET", "Budget Ledger", "Budget", CURRENCY),
    }
