"""Generic inquiries over OData: two dialects, two ways to sign in, pages of the site's own. Reference: acumatica 3.9."""

import easy_acumatica
import pytest
from easy_acumatica.odata import QueryOptions


def feed(rig, path="", *, legacy=False, **options):
    """GET below the feed; `filter="..."` is sent as `$filter=...`."""
    root = f"{rig.base}/odata/Meridian" if legacy else f"{rig.base}/t/Meridian/api/odata/gi"
    query = {f"${name}": value for name, value in options.items()}
    return rig.http.get(f"{root}/{path}".rstrip("/"), params=query or None, headers=rig.signed_in())


def numbers(response):
    """The numbers of the bills in an answer that must succeed."""
    assert 200 == response.status_code, response.text
    return [row["ReferenceNbr"] for row in response.json()["value"]]


@pytest.fixture
def bills(rig):
    """The rig with five bills of 0.01, and one of another vendor."""
    lines = rig.site.books.batch("AP000001").lines
    for text in ("a", "b", "c", "d", "Bill, Juniper Software"):
        rig.site.books.post("ACTUAL", "FY2026-P03", "HQ", "Posted", text, lines, now=rig.clock.now(), module="AP")
    return rig


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({}, [1, 2, 3, 4, 5, 6]),
        ({"orderby": "ReferenceNbr desc", "top": 2}, [6, 5]),
        ({"orderby": "Vendor,ReferenceNbr desc", "skip": 4}, [1, 6]),
        ({"filter": "ReferenceNbr gt '000004'"}, [5, 6]),
        ({"filter": "LastModifiedDateTime lt 2026-01-31T00:00:00Z"}, [1]),
        ({"filter": "contains(VendorName,'juniper') and Hold eq false and Amount eq 0.01"}, [6]),
        ({"filter": "Date ge 2025-09-30 and (Vendor eq 'V00010' or ReferenceNbr eq '000002')"}, [2, 6]),
    ],
)
def test_rows_are_chosen_and_sorted(bills, options, found):
    """v4: dates stand bare, `contains` looks into texts."""
    assert [f"{number:06d}" for number in found] == numbers(feed(bills, "APBills", **options))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"filter": "substringof('a',VendorName)"}, "substringof"),
        ({"filter": "Date gt datetimeoffset'2026-01-01T00:00:00Z'"}, "datetimeoffset"),
        ({"filter": "Nothing eq 1"}, "Nothing"),
        ({"orderby": "Nothing"}, "Nothing"),
        ({"select": "Nothing"}, "Nothing"),
        ({"apply": "groupby"}, "$apply"),
        ({"top": "two"}, "two"),
    ],
)
def test_what_it_cannot_read_is_a_400_with_its_reason(bills, options, said):
    """The reason stands in `error.message`."""
    response = feed(bills, "APBills", **options)
    assert 400 == response.status_code
    assert said in response.json()["error"]["message"]


def test_a_page_of_the_sites_own_leads_on(bills):
    """With a next link, an address of its own; the last page has none. $count counts all."""
    bills.site.set_switches({"odata_page": 4})
    first = feed(bills, "APBills", orderby="ReferenceNbr", count="true", select="ReferenceNbr").json()
    assert (4, 6) == (len(first["value"]), first["@odata.count"])
    rest = bills.http.get(first["@odata.nextLink"], headers=bills.signed_in())
    assert ["000005", "000006"] == numbers(rest)
    assert "@odata.nextLink" not in rest.json()


def test_the_older_feed_speaks_the_older_language(bills):
    """v3: typed dates, substringof, decimals as texts."""
    said = "substringof('Juniper',VendorName) and Date gt datetimeoffset'2025-01-01T00:00:00Z'"
    response = feed(bills, "APBills", legacy=True, filter=said)
    assert ["000006"] == numbers(response)
    assert "0.0100" == response.json()["value"][0]["Amount"]
    assert "odata.metadata" in response.json()


def test_parameters_narrow_an_inquiry(rig):
    """Balances of the statistical ledger; a parameter that is none is refused."""
    rows = feed(rig, "GLBalances_WithParameters(Ledger='STAT')").json()["value"]
    assert [("6500", 12.0, 0.0)] == [(row["Account"], row["Debit"], row["Credit"]) for row in rows]
    assert 400 == feed(rig, "GLBalances_WithParameters(Book='STAT')").status_code


def test_signed_in_before_anything_is_looked_up(rig):
    """401 for every path without a log-in, also for a tenant that does not exist; by name and password no session is opened."""
    for path in ("t/Meridian/api/odata/gi/APBills", "t/Nobody/api/odata/gi", "odata/Nobody"):
        assert 401 == rig.http.get(f"{rig.base}/{path}").status_code
    basic = (rig.site.username, rig.site.password)
    assert 200 == rig.http.get(f"{rig.base}/t/Meridian/api/odata/gi", auth=basic).status_code
    assert 404 == rig.http.get(f"{rig.base}/t/Nobody/api/odata/gi", auth=basic).status_code
    assert 401 == rig.http.get(f"{rig.base}/t/Meridian/api/odata/gi", auth=(basic[0], "wrong")).status_code
    assert 0 == rig.site.sessions_open()


def test_what_is_not_exposed_is_missing_and_forbidden(rig):
    """Not in the list, not in $metadata, 403 when asked for; what does not exist is a 404."""
    assert ["APBills", "GLBalances"] == [one["name"] for one in feed(rig).json()["value"]]
    assert "PayrollDetail" not in feed(rig, "$metadata").text
    assert 403 == feed(rig, "PayrollDetail").status_code
    assert 404 == feed(rig, "Nothing").status_code


def test_easy_acumatica_finds_the_inquiries_by_itself(rig, tmp_path):
    """A client that we did not write reads $metadata, makes a method of each inquiry, and calls it."""
    client = easy_acumatica.AcumaticaClient(
        base_url=rig.base, username=rig.site.username, password=rig.site.password, tenant="Meridian", cache_dir=tmp_path
    )
    names = [name for name in dir(client.inquiries) if "bills" in name.lower()]
    rows = getattr(client.inquiries, names[0])(options=QueryOptions(top=1))
    assert ["000001"] == [row["ReferenceNbr"] for row in rows["value"]]
    assert 204 == client.logout()
