"""The filter language. Reference: epicor 2.2."""

import pytest

LINES = "Erp.BO.GLJrnDtlSvc/GLJrnDtls"
P03 = "BookID eq 'MAIN' and FiscalYear eq 2026 and FiscalPeriod eq 3"


def numbers(rig, wanted: str) -> list[tuple[str, int]]:
    rows = rig.rows(LINES, filter=wanted, select="JournalCode,JournalNum,JournalLine", orderby="SysRevID", top=1000)
    return [(row["JournalCode"], row["JournalNum"]) for row in rows if row["JournalLine"] == 1]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("BookID eq 'PLAN'", [("BU", 1)]),
        ("Posted eq false", [("GJ", 5)]),
        ("not Posted and BookID eq 'MAIN'", [("GJ", 5)]),
        ("Posted ne true", [("GJ", 5)]),
        (P03 + " and BookDebitAmount gt 99.99 and BookDebitAmount le 2500", [("GJ", 2), ("GJ", 4)]),
        (P03 + " and (SourceModule eq 'AP' or GroupID eq 'B26AB01')", [("GJ", 4), ("AP", 1)]),
        ("startswith(Description,'O''Brien') eq true or BookID eq 'X'", None),
        ("startswith(Description,'O''Brien')", [("GJ", 2)]),
        ("contains(Description,'''s ret') and not (BookID eq 'PLAN')", [("GJ", 2)]),
        ("endswith(CommentText,':abc')", [("GJ", 4)]),
        ("FiscalPeriod lt 3", [("GJ", 1)]),
        ("JEDate ge 2025-12-01T00:00:00Z and JEDate lt 2026-01-01T00:00:00Z and SourceModule eq 'AP'", [("AP", 1)]),
        ("JEDate lt 2025-12-01T00:00:00", [("GJ", 1)]),
        ("MatchDate eq null and BookID eq 'PLAN'", [("BU", 1)]),
        ("JournalNum eq 1 and BookID eq 'MAIN' and JournalCode ne 'AP'", [("GJ", 1)]),
        ("-1 lt JournalNum and JournalCode eq 'AP'", [("AP", 1)]),
    ],
)
def test_filters(rig, wanted, found):
    """Comparisons, and, or, not, parentheses and the three text functions pick the lines that they say."""
    if found is None:
        assert 400 == rig.ask(LINES, filter=wanted).status_code
    else:
        assert found == numbers(rig, wanted)


def test_texts_compare_without_case_by_default(rig):
    """The usual collation knows no case; a site may have another one."""
    assert [("BU", 1)] == numbers(rig, "BookID eq 'plan'")
    rig.switch(ignore_case=False)
    assert [] == numbers(rig, "BookID eq 'plan'")


def test_a_bare_date_is_a_500(rig):
    """D08 Only full date-times can be compared; the body does not say why."""
    answer = rig.ask(LINES, filter="JEDate ge 2026-01-01")
    assert (500, "An error has occurred.") == (answer.status_code, answer.json()["ErrorMessage"])


def test_a_quoted_number_is_refused(rig):
    """An integer column takes no text, and a text column no number."""
    answer = rig.ask(LINES, filter="FiscalYear eq '2026'")
    sentence = "Found operand types 'Edm.Int32' and 'Edm.String' for operator kind 'Equal'."
    assert answer.json()["ErrorMessage"].endswith(sentence)
    assert (400, 400) == (answer.status_code, rig.ask(LINES, filter="BookID eq 5").status_code)


@pytest.mark.parametrize(
    "wanted",
    [
        "BookID",
        "BookID eq",
        "BookID eq 'MAIN",
        "(BookID eq 'A'",
        "BookID = 'A'",
        "BookID eq 'A' and",
        "BookID in ('A','B')",
    ],
)
def test_what_cannot_be_read_is_refused(rig, wanted):
    """A filter that is no sentence of the language is a 400."""
    assert (400, "Microsoft.OData.ODataException") == (
        (answer := rig.ask(LINES, filter=wanted)).status_code,
        answer.json()["ErrorType"],
    )
