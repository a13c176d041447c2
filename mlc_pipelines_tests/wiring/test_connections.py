"""Connection files: what is wrong is told by file, line, field and remedy, and takes nothing else down."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.wiring import connections, settings
from mlc_pipelines.wiring.connections import find, folder, read_all, read_one

WHOLE = """\
type: mlc_pipelines.Connection
attributes:
  erp:
    system: acumatica
    url: https://erp.example.com/AcumaticaERP
    tenant: Company
    company: "0010"
    ledger: ACTUAL
    version: 24.200.001
    credential: erp
  anaplan:
    workspace: Finance
    model: FP&A
    credential: plan
  calendar:
    kind: months
    first_year: 2025
    last_year: 2027
    first_month: 7
  actuals:
    import: Load
    export: Read
    columns: {account: Account, cost_center: Cost Center, period: Period, version: Version, amount: Amount}
  mapping:
    accounts: {list: Accounts, code: "A{code}"}
    cost_centers: {list: Cost Centers, file: centers.csv}
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of connection files, as MLC_CONNECTIONS names it."""
    monkeypatch.setenv("MLC_CONNECTIONS", str(tmp_path))
    return tmp_path


def write(place: Path, text: str = WHOLE, name: str = "acme.yaml") -> Path:
    file = place / name
    file.write_text(text, encoding="utf-8")
    return file


def refusal(file: Path) -> SetupError:
    with pytest.raises(SetupError) as caught:
        read_one(file)
    return caught.value


def test_a_whole_file_is_a_connection(place: Path) -> None:
    """Named after its file; codes stay text; what is not said has its declared value."""
    named = read_one(write(place))
    assert ("acme", place / "acme.yaml") == (named.name, named.file)
    assert ("0010", "Default", "oauth_password") == (
        named.settings.erp.company,
        named.settings.erp.endpoint,
        named.settings.erp.auth,
    )
    assert "stop" == named.settings.mapping.unmapped
    assert ["FY2025-P01", "FY2027-P12"] == [named.calendar.keys[end] for end in (0, -1)]


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "said"),
    [
        ("    ledger: ACTUAL\n", "", 3, "attributes.erp", "ledger is missing"),
        ("    ledger: ACTUAL\n", "    ledger:\n", 8, "attributes.erp.ledger", "valid string"),
        ("ledger: ACTUAL", "ledger: ''", 8, "attributes.erp.ledger", "at least 1 character"),
        ("ledger: ACTUAL", "ledgr: ACTUAL", 8, "attributes.erp.ledgr", "is not known here"),
        ("system: acumatica", "system: sap", 4, "attributes.erp.system", "'acumatica'"),
        ('company: "0010"', "company: 0010", 7, "attributes.erp.company", "valid string"),
        ('company: "0010"', "company: NO", 7, "attributes.erp.company", "valid string"),
        ("version: 24.200.001", "version: 24.200", 9, "attributes.erp.version", "valid string"),
        (
            "    credential: erp\n",
            "    credential: erp\n    password: canary\n",
            11,
            "attributes.erp.password",
            "is not known here",
        ),
        ("first_month: 7", "first_month: 13", 19, "attributes.calendar.first_month", "less than or equal to 12"),
        ("last_year: 2027", "last_year: 2024", 15, "attributes.calendar", "last_year 2024 lies before first_year 2025"),
        (
            "    first_month: 7\n",
            "    first_month: 7\n    adjustment_period: true\n",
            2,
            "attributes",
            "actuals.adjustment_version",
        ),
        (
            "    import: Load\n",
            "    import: Load\n    adjustment_version: Actual\n",
            20,
            "attributes.actuals",
            "adjustment_version must differ",
        ),
        (
            "version: Version, amount: Amount",
            "version: Amount, amount: Amount",
            23,
            "attributes.actuals.columns",
            "two columns have the same name: Amount",
        ),
        ('code: "A{code}"', 'code: "A"', 25, "attributes.mapping.accounts", "does not contain {code}"),
        (', code: "A{code}"', "", 25, "attributes.mapping.accounts", "give a pattern under `code`"),
        ("  mapping:\n", "  mapping:\n    unmapped: drop\n", 25, "attributes.mapping.unmapped", "'stop'"),
        (
            "    import: Load\n",
            "    import: Load\n    signs: {Income: upside_down}\n",
            22,
            "attributes.actuals.signs.Income",
            "'debit_positive' or 'credit_positive'",
        ),
        ("mlc_pipelines.Connection", "something.Else", 1, "type", "'mlc_pipelines.Connection'"),
        (
            "    ledger: ACTUAL\n",
            "    ledger: ACTUAL\n    ledger: BUDGET\n",
            9,
            "attributes.erp.ledger",
            "stands twice, first in line 8",
        ),
        ("  calendar:\n", "  anaplan: {}\n  calendar:\n", 15, "attributes.anaplan", "stands twice, first in line 11"),
    ],
)
def test_each_mistake_is_told_by_file_line_field_and_remedy(
    place: Path, old: str, new: str, line: int, field: str, said: str
) -> None:
    """Whoever reads the message can open the right line at once."""
    assert WHOLE.count(old) == 1
    error = refusal(write(place, WHOLE.replace(old, new)))
    assert "Connection file acme.yaml cannot be used: " in error.what
    assert f"line {line}: {field}" in error.what
    assert said in error.what
    assert "the others are not affected" in error.holds
    assert f"Correct {place / 'acme.yaml'}, then run `mlc connections check`." == error.next_step
    assert "canary" not in str(error)


def test_all_mistakes_are_told_at_once(place: Path) -> None:
    """Nobody wants to correct a file five times."""
    error = refusal(
        write(
            place,
            WHOLE.replace("system: acumatica", "system: sap")
            .replace("first_month: 7", "first_month: 0")
            .replace("    model: FP&A\n", ""),
        )
    )
    assert all(
        field in error.what
        for field in (
            "line 4: attributes.erp.system",
            "line 18: attributes.calendar.first_month",
            "line 11: attributes.anaplan.model",
        )
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "line 1: "),
        (b"- a\n- b\n", "line 1: "),
        (b"just text", "line 1: "),
        (b"type: [open\n", "line 2"),
        (b"type: a\n\tattributes: b\n", "line 2"),
        (b"a: 1\n---\nb: 2\n", "single document"),
        (b"type: \xff\xfe\n", "utf-8"),
        (b"type: !!python/object:os.system x\n", "python/object"),
    ],
)
def test_what_is_no_connection_at_all_is_refused(place: Path, content: bytes, said: str) -> None:
    """Empty, a list, broken YAML, another encoding, a tag that would run code."""
    file = place / "acme.yaml"
    file.write_bytes(content)
    error = refusal(file)
    assert "acme.yaml" in error.what
    assert said in error.what


@pytest.mark.parametrize("name", ["Acme.yaml", "acme-corp.yaml", "1acme.yaml", "acme corp.yaml", f"{'a' * 61}.yaml"])
def test_a_file_name_that_is_no_asset_name_is_refused(place: Path, name: str) -> None:
    """The name becomes the first part of every asset key."""
    assert "must be lower-case letters, digits and underscores" in refusal(write(place, name=name)).what


def test_a_file_that_cannot_be_opened_is_named(place: Path) -> None:
    """A link to nowhere, as a deployment may leave behind."""
    file = place / "acme.yaml"
    file.symlink_to(place / "gone")
    assert "cannot be read (No such file or directory)" in refusal(file).what


def test_a_broken_file_takes_no_other_down(place: Path) -> None:
    """D12: the good ones are all there, each broken one is shown by a name of its own."""
    write(place, name="good.yaml")
    write(place, name="also_good.yml")
    write(place, "type: [", name="bad.yaml")
    write(place, name="Not-A-Name.yaml")
    write(place, name="Not A Name.yaml")
    named, broken = read_all()
    assert ["also_good", "good"] == [one.name for one in named]
    assert ["Not_A_Name", "Not_A_Name_2", "bad"] == [one.name for one in broken]
    assert all(one.file.name in one.error.what for one in broken)


def test_two_files_of_one_name_are_not_two_connections(place: Path) -> None:
    """acme.yaml and acme.yml would fight for the same assets: the first is used, the second is shown as broken."""
    write(place, name="acme.yaml")
    write(place, name="acme.yml")
    named, broken = read_all()
    assert ["acme.yaml"] == [one.file.name for one in named]
    assert "there is a second file of the connection 'acme'" in broken[0].error.what


PLAN = """\
  plans:
    {name}:
      export: Approved
      version: Budget
      columns: {{account: Account, cost_center: Cost Center, period: Period, version: Version, amount: Amount}}
      approval: {{by: list, name: Versions, member: Budget}}
      targets: {{accounts: {{member: "A{{code}}"}}, cost_centers: {{member: "C{{code}}"}}}}
      destination: {{kind: budget_articles, ledger: BUDGET, branch: HQ}}
"""


def test_two_plans_whose_jobs_would_be_one_are_refused(place: Path) -> None:
    """Plan west_budget of connection acme, and plan budget of acme_west: acme_west_budget_preview in both. The first one stays."""
    write(place, WHOLE + PLAN.format(name="west_budget"))
    second = write(place, WHOLE + PLAN.format(name="budget"), "acme_west.yaml")
    named, broken = read_all(place)
    assert (["acme"], ["acme_west"]) == ([one.name for one in named], [one.name for one in broken])
    assert (
        "'west_budget' of connection 'acme' (acme_west_budget_preview); rename one of the plans" in broken[0].error.what
    )
    second.write_text(WHOLE + PLAN.format(name="outlook"))
    assert ["acme", "acme_west"] == [one.name for one in read_all(place)[0]]


def test_a_connection_is_found_by_name(place: Path) -> None:
    """A broken one with its own error, an unknown one with the names there are."""
    write(place, name="good.yaml")
    write(place, "type: [", name="bad.yaml")
    assert "good" == find("good").name
    with pytest.raises(SetupError, match=r"bad\.yaml cannot be used"):
        find("bad")
    with pytest.raises(SetupError, match=f"no connection 'other' in {place}; there are: good"):
        find("other")


def test_an_empty_or_missing_folder_has_no_connections(place: Path) -> None:
    """That is no error; asking for one by name is."""
    assert ([], []) == read_all()
    assert ([], []) == read_all(place / "missing")
    with pytest.raises(SetupError, match="there are: none"):
        find("acme")


def test_the_folder_comes_from_the_environment(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """MLC_CONNECTIONS, or the folder that comes with the project."""
    assert place == folder()
    for value in ("", None):
        monkeypatch.setenv("MLC_CONNECTIONS", value) if value is not None else monkeypatch.delenv("MLC_CONNECTIONS")
        assert "demo.yaml" in [file.name for file in folder().iterdir()]


def test_addresses_may_come_from_variables(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """${NAME} and ${NAME:-default}; one that is not set is named with its line."""
    text = WHOLE.replace("https://erp.example.com/AcumaticaERP", "${ERP_URL:-https://default.test}/${ERP_SITE}")
    file = write(place, text)
    monkeypatch.delenv("ERP_URL", raising=False)
    monkeypatch.delenv("ERP_SITE", raising=False)
    assert (
        "line 5: the environment variable ERP_SITE is not set; set it, or give a default: ${ERP_SITE:-...}"
        in refusal(file).what
    )
    monkeypatch.setenv("ERP_SITE", "Site")
    assert "https://default.test/Site" == read_one(file).settings.erp.url
    monkeypatch.setenv("ERP_URL", "https://set.test")
    assert "https://set.test/Site" == read_one(file).settings.erp.url


def test_the_published_demo_is_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a variable set, and with the sandbox elsewhere."""
    monkeypatch.delenv("MLC_CONNECTIONS", raising=False)
    monkeypatch.delenv("MLC_SANDBOX_URL", raising=False)
    named, broken = read_all()
    assert [] == broken
    assert "demo" in [one.name for one in named]
    assert "http://127.0.0.1:8765/AcumaticaERP" == find("demo").settings.erp.url
    monkeypatch.setenv("MLC_SANDBOX_URL", "http://127.0.0.1:1")
    assert "http://127.0.0.1:1/2/0" == find("demo").settings.anaplan.api_url
    assert "FY2026-P13" in find("demo").calendar.keys


def fields(model: type[BaseModel], path: str = "") -> dict[str, Any]:
    """Every field of the schema by its path, through all nested models."""
    found: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        here = f"{path}{field.alias or name}"
        found[here] = field.annotation
        for inner in [field.annotation, *getattr(field.annotation, "__args__", ())]:
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                found |= fields(inner, f"{here}.")
    return found


def test_a_connection_file_has_no_place_for_a_secret() -> None:
    """D8: a credential is named, never written; unknown fields are refused everywhere."""
    everything = fields(settings.ConnectionFile)
    assert {"attributes.erp.credential", "attributes.anaplan.credential", "attributes.mapping.unmapped.account"} <= set(
        everything
    )
    suspicious = (
        "password",
        "secret",
        "token",
        "api_key",
        "private",
        "username",
        "user",
        "client_id",
        "certificate",
        "passphrase",
    )
    named_files = {f"attributes.anaplan.certificate{name}" for name in ("", ".certificate_file", ".private_key_file")}
    assert named_files == {path for path in everything if any(word in path.rpartition(".")[2] for word in suspicious)}
    models = [
        one
        for one in vars(settings).values()
        if isinstance(one, type) and issubclass(one, BaseModel) and one is not BaseModel
    ]
    assert len(models) > 8
    assert ["forbid"] * len(models) == [one.model_config.get("extra") for one in models]


def test_settings_cannot_be_changed_after_reading(place: Path) -> None:
    """What was checked is what is used."""
    read = connections.read_one(write(place)).settings
    with pytest.raises(ValueError, match="frozen"):
        read.erp.ledger = "BUDGET"  # type: ignore[misc]


def test_one_model_has_one_pool_however_many_connections_use_it(place: Path) -> None:
    """Dagster's queue is per model; its name holds no characters that a pool may not have."""
    first = read_one(write(place)).settings.anaplan.pool
    second = read_one(
        write(place, WHOLE.replace("tenant: Company", "tenant: Other"), "other.yaml")
    ).settings.anaplan.pool
    third = read_one(write(place, WHOLE.replace("FP&A", "Another"), "third.yaml")).settings.anaplan.pool
    assert first == second != third
    assert "anaplan_finance_fp_a" == first
