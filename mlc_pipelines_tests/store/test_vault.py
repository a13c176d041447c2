"""Credentials at rest: bound to their name, unreadable without the key, refused when somebody touched them."""

import base64
import json
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.store.anchor import CredentialTampered
from mlc_pipelines.store.home import Store
from mlc_pipelines.store.ring import Key, KeyPermissions, KeyUnavailable, Ring
from mlc_pipelines.store.ringplaces import FileRing
from mlc_pipelines.store.schema import credentials
from mlc_pipelines.store.sealing import FORMAT, sealed, written
from mlc_pipelines.store.vault import Vault

FIELDS = {"username": "ann", "password": 'canary "p@ss" wörd \n', "client_secret": ""}


@pytest.fixture
def vault(store: Store) -> Vault:
    return store.vault


def key_file(store: Store) -> Path:
    return store.home / "keys" / "vault.key"


def change(store: Store, statement: str, **values: object) -> None:
    with store.engine.begin() as db:
        assert db.execute(sa.text(statement), values).rowcount


def test_what_was_stored_comes_out(vault: Vault) -> None:
    """Every field, letter by letter, each as a Secret that knows its name."""
    assert 1 == vault.put("demo-anaplan", FIELDS)
    opened = vault.open("demo-anaplan")
    assert FIELDS == {name: secret.reveal() for name, secret in opened.items()}
    assert "Secret(demo-anaplan/password)" == repr(opened["password"])


def test_storing_again_makes_a_new_version(vault: Vault) -> None:
    """The newest one counts; the list shows names and versions, no values."""
    vault.put("demo", {"password": "old"})
    assert 2 == vault.put("demo", {"password": "new"})
    vault.put("another", {"password": "canary"})
    assert "new" == vault.open("demo")["password"].reveal()
    assert [("another", 1), ("demo", 2)] == [row[:2] for row in vault.names()]
    assert "canary" not in str(vault.names())


def test_an_unknown_name_says_how_to_store_it(vault: Vault) -> None:
    """Also before anything was ever stored, and no key is made by looking."""
    with pytest.raises(SetupError, match="No credential is stored under the name 'demo'") as refusal:
        vault.open("demo")
    assert "mlc secrets set demo" in refusal.value.next_step
    assert not Path(vault.place.named).exists()


def test_the_database_holds_no_plain_text(store: Store) -> None:
    """P18: neither the file nor its log, in any of the usual spellings."""
    store.vault.put("demo", {"password": "canary-7f3a-Zq9"})
    key = base64.b64decode(key_file(store).read_text().split()[0])
    store.engine.dispose()
    content = b"".join(path.read_bytes() for path in store.home.glob("mlc.db*"))
    spellings = [
        b"canary",
        base64.b64encode(b"canary-7f3a-Zq9")[:8],
        b"canary-7f3a-Zq9".hex().encode(),
        "canary".encode("utf-16-le"),
        key,
    ]
    assert b"demo" in content
    assert [False] * 5 == [spelling in content for spelling in spellings]


def test_no_two_encryptions_share_a_nonce(store: Store) -> None:
    """Even of the same value under the same name."""
    seen = set()
    for _ in range(20):
        store.vault.put("demo", {"password": "same"})
        with store.engine.connect() as db:
            seen.add(tuple(db.execute(sa.text("SELECT nonce, ciphertext FROM credentials")).one()))
    assert 20 == len({nonce for nonce, _ in seen}) == len({sealed for _, sealed in seen})


@pytest.mark.prove
def test_a_million_encryptions_share_no_nonce() -> None:
    """Under one key: a nonce that came twice would give both values away."""
    key = Key.new()
    assert 1_000_000 == len({sealed(b"same", b"name", key).nonce for _ in range(1_000_000)})


def test_K04_a_record_moved_to_another_name_does_not_open(store: Store) -> None:
    """K04, P19: the test tenant's password put into the production row is refused by name."""
    store.vault.put("test", {"password": "harmless"})
    store.vault.put("production", {"password": "powerful"})
    with store.engine.begin() as db:
        row = db.execute(sa.text("SELECT nonce, ciphertext FROM credentials WHERE name = 'test'")).one()
    change(
        store,
        "UPDATE credentials SET nonce = :nonce, ciphertext = :sealed WHERE name = 'production'",
        nonce=row[0],
        sealed=row[1],
    )
    with pytest.raises(CredentialTampered, match="'production' was changed outside of this project") as refusal:
        store.vault.open("production")
    assert "It was not used." == refusal.value.holds
    assert "harmless" == store.vault.open("test")["password"].reveal()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE credentials SET version = version + 1",
        "UPDATE credentials SET ciphertext = substr(ciphertext, 2)",
        "UPDATE credentials SET ciphertext = x''",
        "UPDATE credentials SET nonce = zeroblob(12)",
        "UPDATE credentials SET nonce = x''",
        "UPDATE credentials SET made_at = '2020-01-01'",
        "UPDATE credentials SET made_by = 'somebody else'",
        "UPDATE credentials SET format = 1",
    ],
)
def test_K04_a_touched_record_does_not_open(store: Store, statement: str) -> None:
    """Version, value, nonce, date or author: everything is bound together."""
    store.vault.put("demo", FIELDS)
    change(store, statement)
    with pytest.raises(CredentialTampered, match="'demo' was changed outside of this project"):
        store.vault.open("demo")


def test_K04_a_record_of_another_installation_does_not_open(store: Store, tmp_path: Path) -> None:
    """Test and production with one ring: the production password, put into the test database, is refused, though name, version and key are right."""
    other = Store.open(tmp_path / "other", f"sqlite:///{tmp_path / 'other.db'}")
    (tmp_path / "other" / "keys").mkdir(mode=0o700, parents=True)
    store.vault.put("demo", FIELDS)
    shutil.copy(key_file(store), key_file(other))
    with store.engine.connect() as db:
        row = db.execute(credentials.select()).mappings().one()
    with other.engine.begin() as db:
        db.execute(credentials.insert().values(**row))
    with pytest.raises(CredentialTampered, match="'demo' was changed outside of this project"):
        other.vault.open("demo")
    assert FIELDS["password"] == store.vault.open("demo")["password"].reveal()


@pytest.mark.parametrize("form", [1, 2])
def test_records_of_older_forms_open_and_are_bound_anew(store: Store, form: int) -> None:
    """What was stored before an upgrade opens as it is; the next rotation of the key binds it as today's."""
    store.vault.put("demo", FIELDS)
    ring = store.vault.room.ring()
    said = {"format": form, "name": "demo", "version": 2, "made_at": "2026-01-01", "made_by": "ann"}
    with store.engine.begin() as db:
        written(db, said, json.dumps(FIELDS).encode(), ring.active, installation="", new=False)
    assert "ann" == store.vault.open("demo")["username"].reveal()
    store.vault.rotate_key()
    assert "ann" == store.vault.open("demo")["username"].reveal()
    with store.engine.connect() as db:
        assert [FORMAT] == list(db.execute(sa.select(credentials.c.format)).scalars())


def test_another_key_does_not_open_it(store: Store, tmp_path: Path) -> None:
    """The message names credential and key file, so that the right file can be put back."""
    store.vault.put("demo", FIELDS)
    place = FileRing(tmp_path / "other" / "vault.key")
    place.write(Ring((Key.new(),)))
    other = Vault(store.engine, place, tmp_path / "other")
    with pytest.raises(KeyUnavailable, match=f"'demo' was stored with another key .* than those in {place.path}"):
        other.open("demo")


def test_K07_a_missing_key_is_named(store: Store) -> None:
    """K07: nothing is made up in its place."""
    store.vault.put("demo", FIELDS)
    key_file(store).unlink()
    with pytest.raises(KeyUnavailable, match=r"key ring .*vault\.key is missing"):
        store.vault.open("demo")
    with pytest.raises(KeyUnavailable, match=r"key ring .*vault\.key is missing"):
        store.vault.put("another", FIELDS)
    assert not key_file(store).exists()


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_K07_a_key_that_others_can_read_is_refused(store: Store, mode: int) -> None:
    """K07: neither for opening nor for storing, with the command that mends it."""
    store.vault.put("demo", FIELDS)
    key_file(store).chmod(mode)
    for use in (lambda: store.vault.open("demo"), lambda: store.vault.put("demo", FIELDS)):
        with pytest.raises(KeyPermissions, match=f"can be read by others \\(mode 0{mode:o}\\)") as refusal:
            use()
        assert f"chmod 600 {key_file(store)}" in refusal.value.next_step


def test_the_key_is_made_for_its_owner_alone(store: Store) -> None:
    """File 0600 in a folder 0700, apart from the database."""
    store.vault.put("demo", FIELDS)
    assert 0o600 == key_file(store).stat().st_mode & 0o777
    assert 0o700 == key_file(store).parent.stat().st_mode & 0o777
    assert 32 == len(base64.b64decode(key_file(store).read_text().split()[0]))
    assert 0o600 == (store.home / "keys" / "credentials.anchor").stat().st_mode & 0o777


def test_two_that_begin_at_once_have_one_key(store: Store) -> None:
    """Whoever makes the key first: what each has stored opens for everybody, and no draft is left over."""
    together = threading.Barrier(8)

    def begin(number: int) -> None:
        together.wait()
        store.vault.put(f"demo-{number}", {"password": str(number)})

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(begin, range(8)))
    assert [str(number) for number in range(8)] == [
        store.vault.open(f"demo-{number}")["password"].reveal() for number in range(8)
    ]
    held = {path.name for path in key_file(store).parent.iterdir()}
    assert {"vault.key", "credentials.anchor", "credentials.lock"} == held


@pytest.mark.parametrize("content", ["", "not a key", base64.b64encode(b"too short").decode(), "é" * 44])
def test_K07_a_damaged_key_ring_is_named(store: Store, content: str) -> None:
    """An empty file after a full disk, or another file copied over it."""
    store.vault.put("demo", FIELDS)
    key_file(store).write_text(content)
    for use in (lambda: store.vault.open("demo"), lambda: store.vault.put("demo", FIELDS)):
        with pytest.raises(SetupError, match=r"vault\.key does not hold a key"):
            use()
