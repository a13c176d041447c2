"""Kept files at another place: whole or not there, packed, fetched when they are needed."""

import gzip
import shutil
from pathlib import Path

import pytest

from mlc_pipelines.ledger.errors import DataError, SetupError, TransientError
from mlc_pipelines.store.artefacts import Artefacts
from mlc_pipelines.store.elsewhere import Elsewhere


@pytest.fixture(params=["file", "memory"])
def artefacts(request: pytest.FixtureRequest, tmp_path: Path) -> Artefacts:
    """Kept on another disk, or where nothing is a file."""
    url = f"file://{tmp_path / 'archive'}" if request.param == "file" else f"memory://{tmp_path.name}"
    return Artefacts(tmp_path / "copies", Elsewhere.named(url))


def test_a_file_is_fetched_where_no_copy_lies(artefacts: Artefacts) -> None:
    """Another machine, or a folder of copies that somebody emptied."""
    digest = artefacts.keep_bytes(b"a,b\n1,2\n")
    shutil.rmtree(artefacts.folder)
    assert b"a,b\n1,2\n" == artefacts.path(digest).read_bytes()
    assert digest == artefacts.keep_bytes(b"a,b\n1,2\n")


def test_a_changed_copy_is_mended_from_there(artefacts: Artefacts) -> None:
    digest = artefacts.keep_bytes(b"amount 100")
    place = artefacts.place(digest)
    place.chmod(0o600)
    place.write_bytes(b"amount 900")
    assert b"amount 100" == artefacts.path(digest).read_bytes()


def test_what_was_changed_there_is_refused(tmp_path: Path) -> None:
    """Under its name lies something else: nobody gets it."""
    artefacts = Artefacts(tmp_path / "copies", Elsewhere(f"file://{tmp_path / 'archive'}"))
    digest = artefacts.keep_bytes(b"amount 100")
    [packed] = [one for one in (tmp_path / "archive").rglob("*") if one.is_file()]
    assert b"amount 100" == gzip.decompress(packed.read_bytes())
    assert f"{digest}.gz" == packed.name
    packed.write_bytes(gzip.compress(b"amount 900"))
    shutil.rmtree(artefacts.folder)
    with pytest.raises(DataError, match=f"{digest[:12]} is missing from file://"):
        artefacts.path(digest)


def test_a_file_given_up_is_given_up_for_everybody(artefacts: Artefacts, tmp_path: Path) -> None:
    digest = artefacts.keep_bytes(b"old")
    artefacts.give_up(digest, "older than 84 months")
    other = Artefacts(tmp_path / "another machine", artefacts.elsewhere)
    assert "older than 84 months" == other.given_up(digest)
    with pytest.raises(DataError, match="was given up: older than 84 months"):
        other.path(digest)
    assert digest == other.keep_bytes(b"old")
    assert "" == other.given_up(digest)


def test_a_place_that_cannot_be_written_keeps_nothing(tmp_path: Path) -> None:
    """The work stops before anything that needs the file is sent; no half file lies there."""
    (tmp_path / "archive").write_text("a file where a folder should be")
    artefacts = Artefacts(tmp_path / "copies", Elsewhere(f"file://{tmp_path / 'archive'}"))
    with pytest.raises(TransientError, match="cannot be read or written"):
        artefacts.keep_bytes(b"lost")


@pytest.mark.parametrize(
    ("url", "said"), [("nowhere://x", "nowhere"), ("s3://ann:word@bucket/mlc", "holds a password")]
)
def test_an_address_that_cannot_be_used_is_told(tmp_path: Path, url: str, said: str) -> None:
    with pytest.raises(SetupError, match=said) as refusal:
        Artefacts(tmp_path, Elsewhere.named(url)).keep_bytes(b"x")
    assert "word" not in str(refusal.value).replace("password", "")
