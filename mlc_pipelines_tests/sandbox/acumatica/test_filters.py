"""The grammar of `$filter`, on journals. Reference: acumatica 3.2."""

import pytest

FITTING = [
    ("BatchNbr eq 'GL000003'", ["GL000003"]),
    ("batchnbr eq 'x'", None),
    ("Module eq 'AP' or BranchID eq 'WEST'", ["AP000001", "GL000003"]),
    ("Module eq 'GL' and Status ne 'Posted'", ["GL000004", "GL000005", "GL000006"]),
    ("Hold eq true", ["GL000004"]),
    ("Hold ne false", ["GL000004"]),
    ("Module eq 'AP' or Module eq 'GL' and Hold eq true", ["AP000001", "GL000004"]),
    ("(Module eq 'AP' or Module eq 'GL') and Hold eq true", ["GL000004"]),
    ("((LedgerID eq 'STAT') and (PostPeriod eq '032026'))", ["GL000007"]),
    ("Description eq 'Counsel''s opinion'", ["GL000002"]),
    ("substringof('opinion',Description)", ["GL000002"]),
    ("startswith(Description,'Counsel')", ["GL000002"]),
    ("endswith(Description,'opinion')", ["GL000002"]),
    ("Description eq null", ["GL000008"]),
    ("Description lt 'D'", ["GL000002"]),
    ("BatchNbr gt 'GL000006' and BatchNbr le 'GL000007'", ["GL000007"]),
    ("LastModifiedDateTime gt datetimeoffset'2026-01-08T12:00:00.000+00:00'", ["GL000008"]),
    ("LastModifiedDateTime ge datetimeoffset'2026-01-08T05:00:00-07:00'", ["GL000007", "GL000008"]),
    ("LastModifiedDateTime lt datetime'2026-01-01T12:00:01'", ["GL000001"]),
    ("TransactionDate eq date'2025-06-30' and LastModifiedDateTime lt date'2026-01-02'", ["GL000001"]),
    ("cf.Boolean(f='BatchModule.AutoReverse') eq true", []),
    ("cf.String(f='BatchModule.OrigBatchNbr') eq null and Module eq 'AP'", ["AP000001"]),
]


@pytest.mark.parametrize(("text", "expected"), FITTING)
def test_a_filter_finds_exactly_the_batches_that_it_describes(rig, text, expected):
    """Names are as in the contract; `and` binds closer than `or`; an empty field equals null only."""
    response = rig.get("JournalTransaction", filter=text)
    if expected is None:
        assert 500 == response.status_code
    else:
        assert expected == [row["BatchNbr"]["value"] for row in response.json()]


REFUSED = [
    ("Hold eq 'true'", "incompatible types"),
    ("Description eq 5", "incompatible types"),
    ("LastModifiedDateTime gt '2026-01-01'", "incompatible types"),
    ("Details/Account eq '6500'", "could not find"),
    ("Colour eq 'red'", "could not find"),
    ("BatchNbr like 'GL%'", "comparison operator"),
    ("contains(Description,'x')", ""),
    ("not Hold eq true", ""),
    ("BatchNbr eq 'GL000001' and", ""),
    ("(BatchNbr eq 'GL000001'", ""),
    ("BatchNbr eq 'GL000001' x", "syntax error"),
    ("startswith(Hold,'x')", "signature"),
    ("LastModifiedDateTime gt datetimeoffset'yesterday'", "unrecognized"),
    ("'", "syntax error"),
]


@pytest.mark.parametrize(("text", "told"), REFUSED)
def test_a_filter_that_cannot_be_read_is_a_500(rig, text, told):
    """Details and wrong literals among them."""
    response = rig.get("JournalTransaction", filter=text)
    assert (500, "Microsoft.Data.OData.ODataException") == (response.status_code, response.json()["exceptionType"])
    assert told in response.json()["exceptionMessage"].lower()


def test_filters_arrive_percent_and_plus_encoded(rig):
    """Blanks as plus signs, the dollar of the name too; an offset's plus must be encoded, or it is a blank."""
    url = f"{rig.entity}/JournalTransaction?%24filter=Hold+eq+true"
    assert 1 == len(rig.http.get(url, headers=rig.signed_in()).json())
    later = "LastModifiedDateTime+gt+datetimeoffset'2026-01-08T12:00:00{}00:00'"
    for plus, status in (("%2B", 200), ("+", 500)):
        url = f"{rig.entity}/JournalTransaction?$filter={later.format(plus)}"
        assert status == rig.http.get(url, headers=rig.headers).status_code


def test_texts_compare_without_case_unless_switched(rig):
    """As with the usual collation of the database."""
    text = "startswith(Description,'COUNSEL') and Module eq 'gl'"
    assert 1 == len(rig.rows("JournalTransaction", filter=text))
    rig.site.set_switches({"ignore_case": False})
    assert [] == rig.rows("JournalTransaction", filter=text)


def test_counts_and_flags_of_accounts_can_be_filtered(rig):
    """Numbers are bare."""
    assert ["0010"] == [row["AccountCD"]["value"] for row in rig.rows("Account", filter="ChartOfAccountsOrder lt 2")]
    assert 4 == len(rig.rows("Account", filter="Active eq false"))
