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


def test_easy_acumatica_writes_and_releases(rig, tmp_path):
    """A statistical journal on hold is put, taken off hold and released by it, and the books show each state afterwards."""
    client = easy_acumatica.AcumaticaClient(
        base_url=rig.base,
        username=rig.site.username,
        password=rig.site.password,
        tenant=rig.site.tenant,
        cache_dir=tmp_path,
    )
    models, journals = client.models, client.journal_transaction
    line = models.JournalTransactionDetail(Account="6500", Subaccount="020-ADV", DebitAmount=12.5)
    draft = models.JournalTransaction(
        LedgerID="STAT", PostPeriod="022027", Description="Plan", Hold=True, Details=[line]
    )
    made = journals.put_entity(draft, options=QueryOptions(expand=["Details"]))
    number = made["BatchNbr"]["value"]
    assert ("On Hold", "STAT") == (made["Status"]["value"], made["LedgerID"]["value"])
    assert [12.5] == [row["DebitAmount"]["value"] for row in made["Details"]]
    free = models.JournalTransaction(Module="GL", BatchNbr=number, Hold=False)
    assert "Balanced" == journals.put_entity(free)["Status"]["value"]
    release = models.ReleaseJournalTransaction(entity=models.JournalTransaction(Module="GL", BatchNbr=number))
    assert journals.invoke_action_release_journal_transaction(release) is None
    assert "Posted" == journals.get_by_keys(Module="GL", BatchNbr=number)["Status"]["value"]
    assert 1250 == sum(one.debit_minor for one in rig.site.books.posted_lines("STAT", "FY2027-P02"))
    assert 204 == client.logout()
