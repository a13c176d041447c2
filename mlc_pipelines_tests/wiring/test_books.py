"""Which books a connection file may name: one company, or several with their ledgers, branches and calendars; never both, never none."""

from pathlib import Path

import pytest

from mlc_pipelines.acumatica.config import BooksRule
from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.wiring.configs import acumatica_config
from mlc_pipelines.wiring.connections import folder, read_one

DEMO = (folder() / "demo.yaml").read_text()
ONE = "    company: MERIDIAN\n    ledger: ACTUAL\n"
SEVERAL = """    books:
      - {company: MERIDIAN, ledger: ACTUAL, branches: [HQ]}
      - {company: MERIDIAN_EU, ledger: ACTUAL_EU, calendar: master}
"""


def written(tmp_path: Path, erp: str) -> Path:
    assert ONE in DEMO
    file = tmp_path / "own.yaml"
    file.write_text(DEMO.replace(ONE, erp))
    return file


def test_one_company_goes_by_the_master_calendar(tmp_path: Path) -> None:
    """The short form stays what it was; branches can be named beside it."""
    config = acumatica_config(read_one(written(tmp_path, ONE + "    branches: [WEST]\n")).settings.erp)
    assert (BooksRule("MERIDIAN", "ACTUAL", ("WEST",), "master"),) == config.rules


def test_several_companies_each_go_by_their_own_calendar(tmp_path: Path) -> None:
    """Where a company of several says nothing, its own calendar counts."""
    config = acumatica_config(read_one(written(tmp_path, SEVERAL)).settings.erp)
    europe = BooksRule("MERIDIAN_EU", "ACTUAL_EU", (), "master")
    assert (BooksRule("MERIDIAN", "ACTUAL", ("HQ",), "company"), europe) == config.rules


@pytest.mark.parametrize(
    ("erp", "complaint"),
    [
        (ONE + SEVERAL, "books names the companies"),
        ("    company: MERIDIAN\n", "ledger is missing"),
        (ONE + "    read: ledgers\n", "erp.*read"),
    ],
)
def test_contradictions_are_told(tmp_path: Path, erp: str, complaint: str) -> None:
    """Both forms together, neither, and an unknown way of reading are refused with the line."""
    with pytest.raises(SetupError, match=f"(?s)line .*{complaint}"):
        read_one(written(tmp_path, erp))


def test_a_company_stands_once(tmp_path: Path) -> None:
    """A company named twice would be read twice."""
    twice = SEVERAL.replace("MERIDIAN_EU, ledger: ACTUAL_EU", "MERIDIAN, ledger: ACTUAL")
    with pytest.raises(SetupError, match="MERIDIAN twice"):
        acumatica_config(read_one(written(tmp_path, twice)).settings.erp)


def test_company_columns_are_read_back_by_an_export(tmp_path: Path) -> None:
    """Other ways of reading back know no company dimension, so a file with one could not be proved."""
    file = written(tmp_path, ONE)
    text = file.read_text().replace("amount: Amount}", "amount: Amount, company: Company}")
    file.write_text(text.replace("export: Export GL Actuals", "read_back: {by: view, name: GL01}"))
    with pytest.raises(SetupError, match="read back by an export only"):
        read_one(file)
