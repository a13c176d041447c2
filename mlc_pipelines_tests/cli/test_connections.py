"""mlc connections: a file begun by asking connects at once, what counts is shown, editors get a schema."""

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from mlc_pipelines.cli import cli
from mlc_pipelines.ledger.errors import DataError, SetupError
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.wiring.connections import Named, find
from mlc_pipelines.wiring.settings import ConnectionFile

ACUMATICA = ["acumatica", "{url}/AcumaticaERP", "Meridian", "MERIDIAN", "", "", "", ""]
EPICOR = ["epicor", "{url}/Kinetic", "IVM", "", "", ""]
MERIDIAN = [
    "{url}",
    "Finance",
    "Meridian FP&A",
    "7",
    "2025",
    "2027",
    "Actual Adj",
    "Load GL Actuals",
    "Export GL Actuals",
]
DEFAULTS = [""] * 11


@pytest.fixture
def own(tmp_path: Path, demo: Named, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "own"
    folder.mkdir()
    monkeypatch.setenv("MLC_CONNECTIONS", str(folder))
    return folder


def told(answers: list[str], sandbox: Sandbox) -> Result:
    lines = "".join(answer.replace("{url}", sandbox.url) + "\n" for answer in answers)
    return CliRunner().invoke(cli, ["connections", "new", "fresh"], input=lines, catch_exceptions=False)


def give(*words: str, typed: str = "", who: str = "") -> Result:
    return CliRunner().invoke(cli, words, input=typed, env={"MLC_USER": who} if who else {})


def test_a_newcomer_connects_and_loads_without_editing_a_file(own: Path, sandbox: Sandbox) -> None:
    """As the README says it: answers, own credentials as `new` tells them, a dry run that names the two codes without a member, own mapping by
    two people, ready, loaded and agreed. No line of Python, and no line of YAML, is written by hand.
    """
    seen = told([*ACUMATICA, *MERIDIAN, *DEFAULTS], sandbox)
    assert 0 == seen.exit_code, seen.output
    info = sandbox.info
    erp, plan = (
        next(word.split() for word in seen.output.splitlines() if f"mlc secrets set {name}" in word)[1:]
        for name in ("fresh-acumatica", "fresh-anaplan")
    )
    fields = [word for word in erp if word in info["acumatica"]]
    assert 0 == give(*erp, typed="".join(f"{info['acumatica'][field]}\n" for field in fields)).exit_code
    assert 0 == give(*plan, typed=f"{info['anaplan']['username']}\n{info['anaplan']['password']}\n").exit_code
    tried = give("load", "fresh", "FY2026-P03", "--dry-run")
    assert isinstance(tried.exception, DataError)
    assert "account 7770" in tried.exception.what
    assert "`mlc map suggest`" in tried.exception.next_step
    offered = json.loads(give("map", "suggest", "fresh", "--json").output)["suggestions"]
    best = {row["code"]: row["member"] for row in offered if row["rank"] == 1}
    assert {"7770", "8880"} == set(best)
    assert "0.00" not in [row["at stake"] for row in offered]
    for code, member in best.items():
        for who in ("ann", "ben"):
            assert 0 == give("map", "accept", "fresh", code, member, "--why", "new in August", who=who).exit_code
    checked = give("check", "fresh")
    assert 0 == checked.exit_code, checked.output
    assert "fresh is ready for its first load" in checked.output
    loaded = give("load", "fresh", "FY2026-P03")
    assert "fresh FY2026-P03: plan and ledger agree." == loaded.output.splitlines()[-1]


def test_an_epicor_connection_is_begun_likewise(own: Path, sandbox: Sandbox) -> None:
    """What is asked depends on the ERP; codes stay texts."""
    seen = told([*EPICOR, *MERIDIAN, *DEFAULTS], sandbox)
    assert 0 == seen.exit_code, seen.output
    chosen = find("fresh").settings
    assert ("epicor", "IVM", "fresh-epicor") == (chosen.erp.system, chosen.erp.company, chosen.erp.credential)
    assert "A{code}" == chosen.mapping.accounts.code


def test_no_file_is_overwritten(own: Path, sandbox: Sandbox) -> None:
    """A second `new` of the same name says so and touches nothing."""
    (own / "fresh.yaml").write_text("mine")
    with pytest.raises(SetupError, match="is there already"):
        told([], sandbox)
    assert "mine" == (own / "fresh.yaml").read_text()


@pytest.mark.parametrize("name", ["../../x", "..", "a/b", "Acme", "1st", "a" * 61, ""])
def test_K14_a_name_that_leads_elsewhere_is_refused_before_anything_is_written(own: Path, name: str) -> None:
    """Nothing is asked, and no file appears, in the folder or outside of it."""
    before = sorted(own.parent.rglob("*"))
    with pytest.raises(SetupError, match="cannot be called"):
        CliRunner().invoke(cli, ["connections", "new", name], input="", catch_exceptions=False)
    assert before == sorted(own.parent.rglob("*"))


def test_what_counts_is_shown_without_secrets(demo: Named) -> None:
    """Defaults are filled in; as JSON and as YAML the same."""
    runner = CliRunner()
    shown = runner.invoke(cli, ["connections", "show", "demo", "--json"]).output
    assert json.loads(shown) == yaml.safe_load(runner.invoke(cli, ["connections", "show", "demo"]).output)
    assert "demo-acumatica" == json.loads(shown)["erp"]["credential"]
    assert 200 >= len(json.loads(shown)["plans"]["budget"]["destination"]) > 2


def test_the_published_schema_is_the_one_that_is_checked() -> None:
    """docs/connection.schema.json is what `mlc connections schema` prints, and names every section."""
    published = Path(__file__).parents[2] / "docs" / "connection.schema.json"
    printed = CliRunner().invoke(cli, ["connections", "schema"]).output
    assert json.loads(published.read_text()) == json.loads(printed) == ConnectionFile.model_json_schema()
    assert {"erp", "anaplan", "plans", "mapping"} <= set(json.loads(printed)["$defs"]["Connection"]["properties"])
