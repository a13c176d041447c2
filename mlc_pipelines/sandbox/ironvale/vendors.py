"""The vendors of both companies. VendorNum is a number of the company's own: number 7 is another vendor in the sister company.

Each sells what its group says: MATL material on orders, SERV services, UTIL energy, FRT freight, MRO supplies, PROF advice, EQUP machines.
"""

from mlc_pipelines.sandbox.ironvale import chart
from mlc_pipelines.sandbox.ironvale.shapes import Vendor

# "<number> <id> <group> <currency> <country> <city> <name>", "~" before the id: inactive.
_VENDORS = """
1 ACME MATL USD USA Cleveland Acme Steel Supply
2 BUCKEYE MATL USD USA Toledo Buckeye Castings, Inc.
3 CINALLOY MATL USD USA Cincinnati Cincinnati Alloys
4 DANUBE MATL EUR Austria Linz Donau Edelstahl GmbH
5 ERIEBOLT MRO USD USA Erie Erie Bolt & Nut
6 FERRO MATL USD USA Pittsburgh Ferro Coatings
7 GLFRT FRT USD USA Detroit Great Lakes Freight
8 HTS MRO USD USA Akron Hughes, Tate & Sons
9 INDGAS UTIL USD USA Toledo Industrial Gas Co.
10 JMC MRO USD USA Dayton Johnson "Precision" Cutting Tools
11 KUKARA SERV USD USA Columbus Kukara Automation
12 LAKEPWR UTIL USD USA Toledo Lake Shore Power
13 MULLER EQUP EUR Germany Esslingen Müller Werkzeugmaschinen AG
14 NIPPON EQUP USD Japan Nagoya 東洋精機株式会社
15 OBRIEN PROF USD USA Toledo O'Brien & Partners, LLP
16 ONTARIO MATL CAD Canada Sudbury Ontario Nickel Ltd.
17 PENNTOOL MRO USD USA Allentown Penn Tool
18 QUEBECAL MATL CAD Canada Montréal Aluminium Québec inc.
19 ROADRUN FRT USD USA Columbus Roadrunner Haulage
20 SAFEGEAR MRO USD USA Toledo SafeGear Equipment
21 SERVCO SERV USD USA Toledo ServCo Machine Repair
22 TEMPWRK SERV USD USA Toledo Tempworks Staffing
23 TOLWATER UTIL USD USA Toledo City of Toledo Water
24 UNIGAS UTIL USD USA Columbus United Natural Gas
25 VALLEYIT PROF USD USA Cleveland Valley IT Services
26 WASTEX SERV USD USA Toledo Wastex Environmental
27 XPOHAUL FRT USD USA Chicago Crosspoint Haulage
28 YORKINS PROF USD USA New York York Insurance Brokers
29 ZENITH PROF USD USA Toledo Zenith Advertising
30 0042 MRO USD USA Toledo Forty-Two Fasteners
31 ODDJOB SERV USD USA Toledo Odd Jobs and Errands
32 ~BANKRUPT MATL USD USA Gary Gary Rolling Mills (in liquidation)
33 ~COALCO UTIL USD USA Wheeling Wheeling Coal & Coke
34 ~NULL MRO USD USA Toledo Null & Void Supplies
35 SPARECO MRO USD USA Indianapolis Spareco
36 TRAINCTR PROF USD USA Toledo Northwest Training Center
"""
_SISTER = """
1 MAPLE MATL CAD Canada Hamilton Maple Steel
7 NIAGARA UTIL CAD Canada Hamilton Niagara Hydro
12 ACME MATL USD USA Cleveland Acme Steel Supply
"""
USUAL = {"O'B-": "OBRIEN", "00": "ERIEBOLT", "2026/": "MULLER"}
"""How some vendors begin the numbers of their invoices: with a quote, with zeros, with a slash."""


def vendors() -> dict[tuple[str, int], Vendor]:
    """The vendors by company and number."""
    made = [*_read(chart.COMPANY, _VENDORS), *_read(chart.SISTER, _SISTER)]
    return {(vendor.company, vendor.number): vendor for vendor in made}


def _read(company: str, text: str) -> list[Vendor]:
    return [_vendor(company, line) for line in text.strip().splitlines()]


def _vendor(company: str, line: str) -> Vendor:
    number, code, group, currency, country, rest = line.split(maxsplit=5)
    country = country.replace("_", " ")
    city, name = ("New York", rest[9:]) if rest.startswith("New York ") else rest.split(maxsplit=1)
    active = not code.startswith("~")
    return Vendor(company, int(number), code.removeprefix("~"), name, currency, country, city, group, active)
