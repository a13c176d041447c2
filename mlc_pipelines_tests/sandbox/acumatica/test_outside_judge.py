"""A client that we did not write runs against the site unmodified. Reference: acumatica 8.1."""

import easy_acumatica
from easy_acumatica.odata import QueryOptions


def test_easy_acumatica_builds_itself_and_reads(rig, tmp_path):
    """It takes the newest version, builds its services from our schema, reads, asks, and signs out."""
    client = easy_acumatica.AcumaticaClient(
        base_url=rig.base,
        username=rig.site.username,
        password=rig.site.password,
        tenant=rig.site.tenant,
        cache_dir=tmp_path,
    )
    assert "25.200.001" == client.endpoints["Default"]["version"]
    wanted = QueryOptions(filter="LedgerID eq 'ACTUAL' and Hold eq true", expand=["Details"])
    assert ["GL000004"] == [row["BatchNbr"]["value"] for row in client.journal_transaction.get_list(options=wanted)]
    assert "Posted" == client.journal_transaction.get_by_keys(Module="GL", BatchNbr="GL000001")["Status"]["value"]
    question = client.models.AccountDetailsForPeriodInquiry(FromPeriod="032026", ToPeriod="032026", Ledger="ACTUAL")
    inquiry = client.account_details_for_period_inquiry
    assert 6 == len(inquiry.put_entity(question, options=QueryOptions(expand=["Results"]))["Results"])
    assert 204 == client.logout()
    assert 0 == rig.site.sessions_open()
