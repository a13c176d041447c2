"""mlc connections: a file begun by asking connects at once, what counts is shown, editors get a schema."""

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from mlc_pipelines.cli import cli
from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.store.home import Store
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


def test_a_connection_begun_by_asking_reads_and_maps_a_period(own: Path, sandbox: Sandbox) -> None:
    """No line of Python, and no line of the file edited: answers, credentials, a dry run."""
    seen = told([*ACUMATICA, *MERIDIAN, *DEFAULTS], sandbox)
    assert 0 == seen.exit_code, seen.output
    assert "mlc secrets set fresh-acumatica" in seen.output
    info, vault = sandbox.info, Store.open().vault
    vault.put(
        "fresh-acumatica",
        {key: info["acumatica"][key] for key in ("username", "password", "client_id", "client_secret")},
    )
    vault.put("fresh-anaplan", {key: info["anaplan"][key] for key in ("username", "password")})
    (own / "fresh.yaml").write_text(
        (own / "fresh.yaml")
        .read_text()
        .replace("unmapped: stop", "unmapped: {account: A_UNMAPPED, cost_center: CC_NONE}")
    )
    loaded = CliRunner().invoke(cli, ["load", "fresh", "FY2026-P03", "--dry-run"], catch_exceptions=False)
    assert 0 == loaded.exit_code, loaded.output
    assert "Nothing was sent (dry run)." in loaded.output


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
