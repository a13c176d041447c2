"""What a connection file may say about extracts, and how the rooms are told."""

from pathlib import Path

import pytest
import yaml

from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.wiring.configs import acumatica_config
from mlc_pipelines.wiring.connections import folder, read_one
from mlc_pipelines.wiring.rooms import extract_rules


def written(tmp_path: Path, extracts: object, **erp: object) -> Path:
    """The demo connection with these extracts."""
    content = yaml.safe_load(
        (folder() / "demo.yaml").read_text().replace("${MLC_SANDBOX_URL:-http://127.0.0.1:8765}", "http://127.0.0.1:1")
    )
    content["attributes"]["extracts"] = extracts
    content["attributes"]["erp"] |= erp
    file = tmp_path / "acme.yaml"
    file.write_text(yaml.safe_dump(content, sort_keys=False))
    return file


def test_a_declaration_reaches_the_reader_as_it_is(tmp_path: Path) -> None:
    """Name, order of fields and parameters; an empty section is no section."""
    said = {
        "inquiry": "GLBalances",
        "keys": ["Account", "Period"],
        "parameters": {"Ledger": "ACTUAL"},
        "select": ["Debit"],
    }
    [rule] = extract_rules(read_one(written(tmp_path, {"balances": said})))
    assert ("balances", "GLBalances", ("Account", "Period"), ("Debit",), 7) == (
        rule.name, rule.source, rule.keys, rule.select, rule.whole_every_days,
    )  # fmt: skip
    assert {"Ledger": "ACTUAL"} == rule.parameters
    assert () == extract_rules(read_one(written(tmp_path, {})))


VENDOR = {"entity": "Vendor", "keys": ["VendorID"]}


@pytest.mark.parametrize(
    ("name", "changes", "complaint"),
    [
        ("x", {"inquiry": "Y"}, "either `entity` or `inquiry`"),
        ("x", {"entity": ""}, "either `entity` or `inquiry`"),
        ("x", {"keys": []}, "keys"),
        ("x", {"parameters": {"A": "1"}}, "`parameters` belong to an inquiry"),
        ("x", {"entity": "", "inquiry": "Y", "expand": ["Details"]}, "rows without details"),
        ("x", {"period_format": "YYYYMM"}, "entities show periods as MMYYYY"),
        ("x", {"expand": ["MainContact/Address"]}, "MainContact/Address lies too deep"),
        ("x", {"select": ["Details/A/B"], "expand": ["Details"]}, "Details/A/B lies too deep"),
        ("x", {"select": ["Details/A"]}, "Details is not expanded"),
        ("gl_actuals", {}, "another asset of that name"),
        ("Vendors", {}, "extracts.Vendors"),
        ("x", {"modifed": "LastModifiedDateTime"}, "modifed: is not known here"),
    ],
)
def test_a_contradiction_is_refused_with_its_field(
    tmp_path: Path, name: str, changes: dict[str, object], complaint: str
) -> None:
    with pytest.raises(SetupError) as caught:
        read_one(written(tmp_path, {name: VENDOR | changes}))
    assert complaint in caught.value.what
    assert "acme.yaml" in caught.value.what


@pytest.mark.parametrize(("auth", "odata"), [("cookie", "bearer"), ("oauth_code", "basic")])
def test_inquiries_cannot_be_signed_in_to_with_what_is_not_there(tmp_path: Path, auth: str, odata: str) -> None:
    """A cookie sign-in has no token, a log-in by a person leaves no password."""
    named = read_one(written(tmp_path, {}, auth=auth, odata_auth=odata))
    with pytest.raises(SetupError, match="odata_auth"):
        acumatica_config(named.settings.erp)
