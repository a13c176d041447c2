"""K05, P19: an old record put back is noticed, because the newest version is anchored outside of the database."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.store.anchor import CredentialRolledBack, CredentialTampered
from mlc_pipelines.store.home import Store

OLD, NEW = {"password": "old"}, {"password": "new"}


def row(store: Store, name: str = "demo") -> dict[str, Any]:
    with store.engine.connect() as db:
        return dict(db.execute(sa.text("SELECT * FROM credentials WHERE name = :name"), {"name": name}).one()._mapping)


def put_back(store: Store, held: dict[str, Any]) -> None:
    """As somebody does who can write into the database and nowhere else."""
    with store.engine.begin() as db:
        db.execute(sa.text("DELETE FROM credentials WHERE name = :name"), {"name": held["name"]})
        columns = ", ".join(held)
        db.execute(
            sa.text(f"INSERT INTO credentials ({columns}) VALUES ({', '.join(f':{each}' for each in held)})"), held
        )


def opened(store: Store, name: str = "demo") -> str:
    return store.vault.open(name)["password"].reveal()


def anchor(store: Store) -> Path:
    return store.home / "keys" / "credentials.anchor"


def test_K05_an_old_record_put_back_is_refused_with_both_versions(store: Store) -> None:
    """A genuine record of yesterday: it opens, and is not the one that was stored last."""
    store.vault.put("demo", OLD)
    yesterday = row(store)
    store.vault.put("demo", NEW)
    put_back(store, yesterday)
    with pytest.raises(
        CredentialRolledBack, match="'demo' is version 1 again; the last one stored here was 2"
    ) as refusal:
        opened(store)
    assert "mlc secrets set demo" in refusal.value.next_step


def test_K05_storing_again_mends_it_and_no_version_comes_twice(store: Store) -> None:
    """The version goes on after the newest one that ever was; the old records stay refused."""
    store.vault.put("demo", OLD)
    yesterday = row(store)
    store.vault.put("demo", NEW)
    put_back(store, yesterday)
    assert 3 == store.vault.put("demo", {"password": "third"})
    assert "third" == opened(store)
    put_back(store, yesterday)
    with pytest.raises(CredentialRolledBack):
        opened(store)


def test_K05_a_removed_credential_put_back_is_refused(store: Store) -> None:
    """What was taken out of use must not come back by the database."""
    store.vault.put("demo", OLD)
    held = row(store)
    assert store.vault.remove("demo")
    assert not store.vault.remove("demo")
    with pytest.raises(SetupError, match="No credential is stored under the name 'demo'"):
        opened(store)
    put_back(store, held)
    with pytest.raises(CredentialRolledBack):
        opened(store)
    assert 2 == store.vault.put("demo", NEW)


def test_K05_a_record_that_vanished_is_told_apart_from_one_that_never_was(store: Store) -> None:
    """The database of another day."""
    store.vault.put("demo", OLD)
    with store.engine.begin() as db:
        db.execute(sa.text("DELETE FROM credentials"))
    with pytest.raises(CredentialRolledBack, match="'demo', version 1, has vanished from the database"):
        opened(store)
    with pytest.raises(SetupError, match="No credential is stored under the name 'nobody'"):
        opened(store, "nobody")


def test_K05_a_record_under_the_key_before_is_refused(store: Store) -> None:
    """The same version as it was before the key was rotated: whoever put it there hopes for the old key."""
    store.vault.put("demo", OLD)
    before = row(store)
    store.vault.rotate_key()
    put_back(store, before)
    with pytest.raises(CredentialRolledBack):
        opened(store)


def test_K05_a_rotation_of_the_key_does_not_launder_an_old_record(store: Store) -> None:
    """Every record is held against the anchor first; nothing is changed, the key ring neither."""
    store.vault.put("demo", OLD)
    yesterday = row(store)
    store.vault.put("demo", NEW)
    put_back(store, yesterday)
    ring = (store.home / "keys" / "vault.key").read_text()
    with pytest.raises(CredentialRolledBack):
        store.vault.rotate_key()
    assert (ring, yesterday) == ((store.home / "keys" / "vault.key").read_text(), row(store))


def test_K05_one_bad_record_does_not_stop_the_others(store: Store) -> None:
    """Also while the anchor lags behind the good one."""
    store.vault.put("demo", OLD)
    yesterday = row(store)
    store.vault.put("demo", NEW)
    lagging = anchor(store).read_bytes()
    store.vault.put("other", {"password": "fine"})
    anchor(store).write_bytes(lagging)
    put_back(store, yesterday)
    assert "fine" == opened(store, "other")
    with pytest.raises(CredentialRolledBack):
        opened(store)


def test_an_anchor_that_lags_behind_catches_up(store: Store) -> None:
    """Killed between the database and the anchor, or stored by another machine: the newer record opens, and from then on it is the newest."""
    store.vault.put("demo", OLD)
    yesterday, lagging = row(store), anchor(store).read_bytes()
    store.vault.put("demo", NEW)
    anchor(store).write_bytes(lagging)
    assert "new" == opened(store)
    put_back(store, yesterday)
    with pytest.raises(CredentialRolledBack):
        opened(store)


def test_a_home_without_an_anchor_gets_one(store: Store) -> None:
    """A database from before there were anchors: what is stored then counts."""
    store.vault.put("demo", OLD)
    anchor(store).unlink()
    assert "old" == opened(store)
    assert anchor(store).is_file()


def test_an_edited_anchor_is_named(store: Store) -> None:
    """Also garbage, and the anchor of another installation."""
    store.vault.put("demo", OLD)
    good = anchor(store).read_bytes()
    for bad in (good[:-9] + b"A" + good[-8:], b"garbage", b"{}", b"[]", b'{"key_id": 1, "nonce": 2, "ciphertext": 3}'):
        anchor(store).write_bytes(bad)
        with pytest.raises(SetupError, match=r"credentials\.anchor") as refusal:
            opened(store)
        assert "No credential was opened or changed." == refusal.value.holds
    anchor(store).write_bytes(good)
    assert "old" == opened(store)


def test_K04_a_record_of_another_installation_with_the_same_key_is_refused(store: Store, tmp_path: Path) -> None:
    """The test installation was a copy of the real one: same key, same name, same version, another password."""
    store.vault.put("demo", OLD)
    store.engine.dispose()
    shutil.copytree(store.home, tmp_path / "test")
    test = Store.open(tmp_path / "test", f"sqlite:///{tmp_path / 'test' / 'mlc.db'}")
    store.vault.put("erp", {"password": "production"})
    test.vault.put("erp", {"password": "of the test tenant"})
    put_back(store, row(test, "erp"))
    with pytest.raises(CredentialTampered, match="'erp' was changed outside of this project: it is another version 1"):
        opened(store, "erp")
    test.engine.dispose()
