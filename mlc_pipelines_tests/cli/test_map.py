"""mlc map suggest: codes that lost their member are offered the right one, the most money first."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from mlc_pipelines.cli import cli
from mlc_pipelines.wiring.connections import Named


def test_codes_without_a_rule_are_offered_their_members(
    demo: Named, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a pattern that finds nothing, names and codes still lead to the members that the pattern would have named; nothing is changed."""
    (tmp_path / "own").mkdir()
    text = demo.file.read_text()
    assert 'accounts: {list: Accounts, code: "A{code}"}' in text
    (tmp_path / "own" / "demo.yaml").write_text(
        text.replace('accounts: {list: Accounts, code: "A{code}"}', 'accounts: {list: Accounts, code: "GL{code}"}')
    )
    monkeypatch.setenv("MLC_CONNECTIONS", str(tmp_path / "own"))
    seen = CliRunner().invoke(cli, ["map", "suggest", "demo", "--json"], catch_exceptions=False)
    assert 0 == seen.exit_code, seen.output
    first = {
        row["code"]: row["member"]
        for row in json.loads(seen.output)["suggestions"]
        if row["rank"] == 1 and row["dimension"] == "account"
    }
    right = sum(member == f"A{code}" for code, member in first.items())
    assert len(first) > 100
    assert right / len(first) > 0.9


def test_the_table_says_what_to_do(demo: Named) -> None:
    """On a terminal: the summary, and a table where there is something to suggest."""
    seen = CliRunner().invoke(cli, ["map", "suggest", "demo"], catch_exceptions=False)
    assert 0 == seen.exit_code, seen.output
    assert "codes have no member" in seen.output
