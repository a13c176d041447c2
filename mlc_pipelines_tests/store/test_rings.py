"""Where the key ring lies: a file of ours, one handed in, the desktop's keyring, a secrets server. K07 for each."""

import base64
import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import keyring
import keyring.errors
import pytest
from keyring.backend import KeyringBackend

from mlc_pipelines.ledger.errors import PipelineError, SetupError
from mlc_pipelines.store.home import Store
from mlc_pipelines.store.ring import Key, KeyPermissions, KeyUnavailable, Ring, RingPlace
from mlc_pipelines.store.ringplaces import DesktopKeyring, FileRing, HandedIn, ring_place
from mlc_pipelines.store.ringserver import HashiCorpRing

ROOT = pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file away")


def test_a_ring_goes_there_and_back() -> None:
    """A key a line, the newest first; the id is the beginning of its SHA-256; nothing of it is shown."""
    ring = Ring((Key.new(), Key.new()))
    assert ring == Ring.from_text(ring.to_text(), "here")
    assert [2, 1, 0] == [ring.age(key) for key in (ring.keys[0].id, ring.keys[1].id, "unknown")]
    assert all(word not in repr(ring) for line in ring.to_text().splitlines() for word in line.split()[:1])
    assert all(16 == len(key.id) for key in ring.keys)


def test_a_bare_key_is_a_ring() -> None:
    """As `openssl rand -base64 32` prints it, and as older versions kept it."""
    text = base64.b64encode(bytes(range(32))).decode()
    assert bytes(range(32)) == Ring.from_text(text + "\n", "here").active.value


def test_old_keys_go_when_nothing_uses_them_and_their_time_is_over() -> None:
    """The days count from when a newer key followed; the active key stays whatever happens."""
    active, month, year = (
        Key(os.urandom(32), made) for made in ("2026-11-01T00:00:00+00:00", "2020-01-01T00:00:00+00:00", "")
    )
    ring = Ring((active, month, year))
    assert (active, month) == ring.without_old(set(), keep_days=400 * 365).keys[:2]
    assert (active,) == ring.without_old(set(), keep_days=-400 * 365).keys
    assert (active, year) == ring.without_old({year.id}, keep_days=-400 * 365).keys


def test_the_environment_says_where_the_ring_lies(tmp_path: Path) -> None:
    """A path or an address, never a key. The service manager's credential comes before the file in the home."""
    keys, credentials = tmp_path / "home" / "keys", tmp_path / "credentials"
    credentials.mkdir()
    given = {"CREDENTIALS_DIRECTORY": str(credentials)}
    assert FileRing(keys / "vault.key") == ring_place(keys, {}) == ring_place(keys, given)
    (credentials / "mlc-key-ring").touch()
    assert HandedIn(credentials / "mlc-key-ring") == ring_place(keys, given)
    assert HandedIn(credentials / "mine") == ring_place(keys, {**given, "MLC_KEY_RING": "systemd:mine"})
    assert HandedIn(Path("/run/secrets/ring")) == ring_place(keys, {"MLC_KEY_RING": "mounted:/run/secrets/ring"})
    assert FileRing(Path("/etc/mlc/ring")) == ring_place(keys, {"MLC_KEY_RING": "/etc/mlc/ring"})
    assert DesktopKeyring(str(tmp_path / "home")) == ring_place(keys, {"MLC_KEY_RING": "keyring"})


@pytest.mark.parametrize("said", ["elsewhere:x", "relative/path", base64.b64encode(bytes(32)).decode()])
def test_a_place_that_is_none_is_refused(tmp_path: Path, said: str) -> None:
    """A key that was pasted there is not repeated in full."""
    with pytest.raises(SetupError, match="MLC_KEY_RING names no place") as refusal:
        ring_place(tmp_path, {"MLC_KEY_RING": said})
    assert "AAAAAAAAAA" not in str(refusal.value)


def test_K07_a_folder_that_others_can_enter_is_refused(tmp_path: Path) -> None:
    """Whoever can write there can put another ring in its place."""
    place = FileRing(tmp_path / "keys" / "ring")
    place.write(Ring((Key.new(),)))
    assert place.read()
    for mode in (0o755, 0o770, 0o701):
        place.path.parent.chmod(mode)
        with pytest.raises(
            KeyPermissions, match=f"folder of the key ring, .*keys, can be read by others \\(mode {mode:04o}\\)"
        ) as e:
            place.read()
        assert f"chmod 700 {place.path.parent}" in e.value.next_step


@ROOT
def test_K07_a_ring_of_another_owner_is_refused(tmp_path: Path) -> None:
    """File or folder: whoever owns it can open it to others at any time."""
    place = FileRing(tmp_path / "keys" / "ring")
    place.write(Ring((Key.new(),)))
    for path, kind in ((place.path, "file"), (place.path.parent, "folder")):
        os.chown(path, 4711, -1)
        with pytest.raises(KeyPermissions, match=f"The {kind} of the key ring, .* belongs to user 4711"):
            place.read()
        os.chown(path, 0, -1)


def test_K07_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    """A folder under that name stands for every other way of not being readable."""
    place = FileRing(tmp_path / "keys" / "ring")
    place.path.mkdir(parents=True, mode=0o700)
    place.path.parent.chmod(0o700)
    with pytest.raises(KeyUnavailable, match=r"keys/ring cannot be read \(Is a directory\)"):
        place.read()


def test_a_ring_that_is_handed_in_serves_and_is_not_changed(store: Store, tmp_path: Path, monkeypatch) -> None:
    """systemd: 0440 by an access list; a new key is the service manager's to add, then everything is re-encrypted with it."""
    ring = Ring((Key.new(),))
    given = tmp_path / "mlc-key-ring"
    given.write_text(ring.to_text())
    given.chmod(0o440)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert 1 == store.vault.put("demo", {"password": "word"})
    assert ring.active.id == store.vault.rotate_key().new_key
    newer = Ring((Key.new(), *ring.keys))
    given.chmod(0o600)
    given.write_text(newer.to_text())
    done = store.vault.rotate_key(keep_days=0)
    assert (newer.active.id, (ring.active.id,), ()) == (done.new_key, done.kept, done.dropped)
    given.write_text(Ring(newer.keys[:1]).to_text())
    assert "word" == store.vault.open("demo")["password"].reveal()
    assert not (store.home / "keys" / "vault.key").exists()
    with pytest.raises(SetupError, match="handed in from outside"):
        HandedIn(given).write(ring)


def test_K07_a_handed_in_ring_for_everybody_is_refused(tmp_path: Path) -> None:
    """As a container's runtime mounts it unless it is told otherwise."""
    given = tmp_path / "ring"
    given.write_text(Ring((Key.new(),)).to_text())
    given.chmod(0o444)
    with pytest.raises(KeyPermissions, match=r"mode 0444"):
        HandedIn(given).read()
    assert HandedIn(tmp_path / "missing").read() is None


def test_K07_a_missing_credential_of_the_service_manager_is_not_made_up(store: Store, monkeypatch) -> None:
    """MLC_KEY_RING says systemd, and the unit hands nothing in."""
    monkeypatch.setenv("MLC_KEY_RING", "systemd")
    with pytest.raises(KeyUnavailable, match="mlc-key-ring is missing"):
        store.vault.put("demo", {"password": "word"})


class InMemory(KeyringBackend):
    """A desktop's keyring without a desktop."""

    priority = 1.0
    locked = False

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise keyring.errors.KeyringLocked("locked")
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if self.locked:
            raise keyring.errors.KeyringLocked("locked")
        self.held[service, username] = password


@pytest.fixture
def desktop() -> Iterator[InMemory]:
    before, backend = keyring.get_keyring(), InMemory()
    keyring.set_keyring(backend)
    yield backend
    keyring.set_keyring(before)


def test_the_desktops_keyring_keeps_the_ring(store: Store, desktop: InMemory, monkeypatch) -> None:
    """One entry per installation; rotated like a file; a locked keyring is told apart from an empty one."""
    monkeypatch.setenv("MLC_KEY_RING", "keyring")
    store.vault.put("demo", {"password": "word"})
    store.vault.rotate_key()
    assert [("mlc_pipelines", str(store.home))] == list(desktop.held)
    assert 2 == len(next(iter(desktop.held.values())).splitlines())
    assert "word" == store.vault.open("demo")["password"].reveal()
    desktop.locked = True
    for use in (lambda: store.vault.open("demo"), store.vault.rotate_key):
        with pytest.raises(KeyUnavailable, match=r"cannot be used \(KeyringLocked\)"):
            use()


class Server(BaseHTTPRequestHandler):
    """The two calls of a key-value engine, version 2, as the vendor's page shows them."""

    token, version, data, status = "t0ken", 0, {}, 0

    def do_GET(self) -> None:
        if not self.version:
            return self.answer(404, {"errors": []})
        return self.answer(200, {"data": {"data": self.data, "metadata": {"version": self.version}}})

    def do_POST(self) -> None:
        said: Any = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if said["options"]["cas"] != self.version:
            return self.answer(
                400, {"errors": ["check-and-set parameter did not match the current version", str(said)]}
            )
        type(self).version, type(self).data = self.version + 1, said["data"]
        return self.answer(200, {"data": {"version": self.version}})

    def answer(self, status: int, content: object) -> None:
        if self.headers["X-Vault-Token"] != self.token:
            status, content = 403, {"errors": ["permission denied"]}
        body = json.dumps(content).encode()
        self.send_response(self.status or status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_said: object) -> None:
        """Not into the test's output."""


@pytest.fixture
def server(tmp_path: Path, monkeypatch) -> Iterator[type[Server]]:
    """An emulated HashiCorp Vault on loopback, and the environment that names it."""
    token = tmp_path / "token"
    token.write_text("t0ken\n")
    token.chmod(0o600)
    handler = type("Own", (Server,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as served:
        threading.Thread(target=served.serve_forever, daemon=True).start()
        monkeypatch.setenv("MLC_KEY_RING", f"hashicorp:http://127.0.0.1:{served.server_port}/v1/secret/data/mlc")
        monkeypatch.setenv("MLC_KEY_RING_TOKEN_FILE", str(token))
        yield handler
        served.shutdown()


def here(store: Store) -> RingPlace:
    return store.vault.place


def test_a_secrets_server_keeps_the_ring(store: Store, server: type[Server]) -> None:
    """Made at the first credential, rotated like a file; nothing of it lies on this machine."""
    store.vault.put("demo", {"password": "word"})
    store.vault.rotate_key()
    assert (2, {"ring"}) == (server.version, set(server.data))
    assert 2 == len(server.data["ring"].splitlines())
    assert "word" == store.vault.open("demo")["password"].reveal()
    assert not (store.home / "keys" / "vault.key").exists()


def test_two_machines_do_not_overwrite_each_others_keys(store: Store, server: type[Server]) -> None:
    """Who read version 1 cannot write over version 2; the refusal, which repeats the body, shows no key."""
    store.vault.put("demo", {"password": "word"})
    late, early = here(store), here(store)
    ring = late.read()
    early.read()
    assert ring
    early.write(ring.with_new_key())
    mine = ring.with_new_key()
    with pytest.raises(PipelineError, match="check-and-set") as refusal:
        late.write(mine)
    assert mine.to_text().split()[0] not in str(refusal.value)
    assert 2 == server.version


def test_K07_a_server_that_refuses_or_holds_something_else_is_named(store: Store, server: type[Server]) -> None:
    """A wrong token, a secret without a ring; the token's file for everybody."""
    store.vault.put("demo", {"password": "word"})
    server.token = "another"
    with pytest.raises(SetupError, match="403"):
        store.vault.open("demo")
    server.token, server.data = "t0ken", {"something": "else"}
    with pytest.raises(KeyUnavailable, match="has no field 'ring'"):
        store.vault.open("demo")
    Path(os.environ["MLC_KEY_RING_TOKEN_FILE"]).chmod(0o644)
    with pytest.raises(KeyPermissions):
        store.vault.open("demo")


@pytest.mark.parametrize(
    "address", ["http://vault.example:8200/v1/secret/data/mlc", "https://vault.example/secret", ""]
)
def test_an_address_that_is_none_of_a_secret_is_refused(address: str) -> None:
    """Plain http only on this machine."""
    with pytest.raises(SetupError, match="does not name a secret"):
        HashiCorpRing.from_address(address, Path("token"))
