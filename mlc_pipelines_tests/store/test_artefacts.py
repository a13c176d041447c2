"""Files kept for ever under the name of their content."""

from hashlib import sha256
from pathlib import Path

import pytest

from mlc_pipelines.ledger.errors import DataError
from mlc_pipelines.store.artefacts import Artefacts


@pytest.fixture
def artefacts(tmp_path: Path) -> Artefacts:
    return Artefacts(tmp_path / "artefacts")


def files(artefacts: Artefacts) -> list[Path]:
    return sorted(path for path in artefacts.folder.rglob("*") if path.is_file())


def test_a_file_is_kept_under_its_hash(artefacts: Artefacts) -> None:
    """Named by SHA-256, readable, not writable; the draft is gone."""
    digest = artefacts.keep_bytes(b"a,b\n1,2\n")
    assert sha256(b"a,b\n1,2\n").hexdigest() == digest
    assert b"a,b\n1,2\n" == artefacts.path(digest).read_bytes()
    assert [artefacts.path(digest)] == files(artefacts)
    assert 0 == artefacts.path(digest).stat().st_mode & 0o222


def test_the_same_content_is_kept_once(artefacts: Artefacts) -> None:
    """A replay of the same figures takes no more room."""
    assert artefacts.keep_bytes(b"same") == artefacts.keep_bytes(b"same")
    assert artefacts.keep_bytes(b"other") != artefacts.keep_bytes(b"same")
    assert 2 == len(files(artefacts))


def test_an_empty_file_is_a_file(artefacts: Artefacts) -> None:
    """A dump without rows is evidence as well."""
    assert b"" == artefacts.path(artefacts.keep_bytes(b"")).read_bytes()


def test_a_draft_that_was_not_kept_leaves_nothing(artefacts: Artefacts) -> None:
    """Neither after success nor after an error."""
    with artefacts.draft() as draft:
        draft.write_bytes(b"half")

    def fail() -> None:
        with artefacts.draft() as draft:
            draft.write_bytes(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert [] == files(artefacts)


def test_a_changed_file_is_refused_by_name(artefacts: Artefacts) -> None:
    """Evidence that somebody edited is none; it is not used, and the message says which."""
    digest = artefacts.keep_bytes(b"amount 100")
    place = artefacts.path(digest)
    place.chmod(0o600)
    place.write_bytes(b"amount 900")
    with pytest.raises(DataError, match=f"{digest[:12]} was changed after it was written") as refusal:
        artefacts.path(digest)
    assert "It was not used." == refusal.value.holds


def test_a_missing_file_is_named(artefacts: Artefacts) -> None:
    """With the way to make it again."""
    digest = artefacts.keep_bytes(b"gone")
    artefacts.path(digest).unlink()
    with pytest.raises(DataError, match=f"{digest[:12]} is missing") as refusal:
        artefacts.path(digest)
    assert "again" in refusal.value.next_step


def test_making_a_changed_file_again_mends_it(artefacts: Artefacts) -> None:
    """What the message advises works."""
    digest = artefacts.keep_bytes(b"amount 100")
    place = artefacts.path(digest)
    place.chmod(0o600)
    place.write_bytes(b"amount 900")
    assert digest == artefacts.keep_bytes(b"amount 100")
    assert b"amount 100" == artefacts.path(digest).read_bytes()
