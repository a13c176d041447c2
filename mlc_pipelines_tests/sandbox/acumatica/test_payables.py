"""Vendors, bills, checks and orders: what stands behind the AP journals, and what others do to it while somebody reads."""

import pytest

from mlc_pipelines.sandbox import payables
from mlc_pipelines.sandbox.company import sample_company


def test_bills_and_checks_are_the_ap_journals_to_the_cent():
    """Every posted AP batch is a bill or a check, and together they are what was posted to payables."""
    books = sample_company()
    bills, checks = list(payables.bill_batches(books)), list(payables.check_batches(books))
    posted = [one for one in books.batches if one.module == "AP" and one.status == "Posted"]
    assert len(posted) == len(bills) + len(checks)
    assert sum(
        one.debit_minor - one.credit_minor for batch in posted for one in batch.lines if one.account != "2010"
    ) == sum(payables.payable_minor(one) for one in [*bills, *checks])
    assert {payables.vendor_of(one) for one in posted} <= set(payables.sample_vendors(books))
    assert 50 < len(payables.sample_orders(books)) < 70


def test_a_bill_shows_its_journal(rig):
    """The AP batch of the small books, with its expense line as a detail, and the linked contact of its vendor as one record."""
    [bill] = rig.rows("Bill", expand="Details")
    shown = rig.plain(bill)
    assert ("Bill", "000001", "032026", "0.0100") == (
        *(shown[name] for name in ("Type", "ReferenceNbr", "PostPeriod")),
        str(shown["Amount"]),
    )
    assert [("6500", "020-ADV")] == [(row["Account"]["value"], row["Subaccount"]["value"]) for row in bill["Details"]]
    [vendor] = rig.rows("Vendor", expand="MainContact", filter=f"VendorID eq '{shown['Vendor']}'")
    assert "accounts2@vendor.example" == vendor["MainContact"]["Email"]["value"]
    assert "V00002" == rig.get("Vendor/V00002").json()["VendorID"]["value"]


def test_the_schema_tells_details_from_linked_records(rig):
    """Details are arrays, a contact is one record, in both forms of the schema."""
    for version, root in (("24.200.001", "components"), ("22.200.001", "")):
        document = rig.http.get(f"{rig.base}/entity/Default/{version}/swagger.json").json()
        schemas = document[root]["schemas"] if root else document["definitions"]
        assert "items" in schemas["Bill"]["allOf"][1]["properties"]["Details"]
        assert schemas["Vendor"]["allOf"][1]["properties"]["MainContact"]["$ref"].endswith("/Contact")


@pytest.mark.parametrize(("deed", "before", "after"), [("insert", 10, 11), ("delete", 10, 9), ("change", 10, 10)])
def test_others_work_while_somebody_reads(rig, deed, before, after):
    """After the list was answered, and so many times only; the answer itself is still of one moment."""
    rig.site.set_switches({"meanwhile": deed, "meanwhile_times": 1})
    first = rig.rows("Vendor")
    second, third = rig.rows("Vendor"), rig.rows("Vendor")
    assert (before, after, after) == (len(first), len(second), len(third))
    assert rig.plain(first[0]) != rig.plain(second[0])


@pytest.mark.parametrize("kind", ["Bill", "Check", "JournalTransaction", "PurchaseOrder"])
def test_others_work_on_every_kind_of_paper(rig, kind):
    """Papers that have a journal are entered and deleted with it."""
    orders = payables.Order("PO000001", "V00001", "HQ", rig.clock.now().date(), "", rig.clock.now())
    rig.site.orders.append(orders)
    lines = rig.site.books.batch("AP000001").lines
    rig.site.books.post(
        "ACTUAL",
        "FY2026-P03",
        "HQ",
        "Posted",
        "Payment to Hôtel du Lac",
        _turned(lines),
        now=rig.clock.now(),
        module="AP",
    )
    rig.site.set_switches({"meanwhile": "insert", "meanwhile_times": 1})
    first, second = rig.rows(kind), rig.rows(kind)
    assert len(first) + 1 == len(second)


def _turned(lines):
    """The same lines with debit and credit exchanged."""
    from dataclasses import replace

    return [replace(one, debit_minor=one.credit_minor, credit_minor=one.debit_minor) for one in lines]
