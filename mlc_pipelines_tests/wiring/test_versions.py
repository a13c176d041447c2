"""What the audit trail says of the configuration: another hash whenever something else would be done."""

from dataclasses import replace
from pathlib import Path

import pytest

from mlc_pipelines.wiring.connections import folder, read_one
from mlc_pipelines.wiring.versions import configuration_hash
from mlc_pipelines.wiring.years import file_of


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The demo connection with a mapping file beside it."""
    monkeypatch.setenv("MLC_HOME", str(tmp_path / "home"))
    text = (folder() / "demo.yaml").read_text()
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "accounts.csv").write_text("code,member\n6100,A6100\n")
    place = tmp_path / "own" / "demo.yaml"
    place.write_text(text)
    return place


def test_files_that_the_settings_name_are_part_of_the_configuration(file: Path) -> None:
    """The mapping file, and the fiscal years taken over from the ERP; the same content has the same hash."""
    named = read_one(file)
    mapping = named.settings.mapping
    accounts = mapping.accounts.model_copy(update={"file": "accounts.csv"})
    settings = named.settings.model_copy(update={"mapping": mapping.model_copy(update={"accounts": accounts})})
    named = replace(named, settings=settings)
    first = configuration_hash(named)
    assert first == configuration_hash(named)
    (file.parent / "accounts.csv").write_text("code,member\n6100,A6200\n")
    second = configuration_hash(named)
    assert first != second
    file_of("demo").parent.mkdir(parents=True)
    file_of("demo").write_text("period,start,end,adjustment\n")
    assert second != configuration_hash(named)
