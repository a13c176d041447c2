"""`mlc notify`: a test message through every messenger, and what people were told."""

import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from mlc_pipelines.cli import cli
from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.ledger.troubles import LATE, Trouble
from mlc_pipelines.store.clock import now
from mlc_pipelines.store.home import Store
from mlc_pipelines.store.outbox import Outbox
from mlc_pipelines.wiring.connections import folder, read_one
from mlc_pipelines_tests.messengers.conftest import Chat, chat  # noqa: F401  a fixture


@pytest.fixture
def declared(furnished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A connection with a chat and a command, whose chat has no address yet."""
    said = yaml.safe_load((folder() / "demo.yaml").read_text())
    ways = {
        "finance_chat": {"by": "webhook", "credential": "yourname-chat"},
        "pager": {"by": "command", "command": [sys.executable, "-c", "import sys; sys.stdin.read()"]},
    }
    said["attributes"]["notify"] = {"to": ways}
    place = tmp_path / "connections"
    place.mkdir()
    (place / "yourname.yaml").write_text(yaml.safe_dump(said))
    monkeypatch.setenv("MLC_CONNECTIONS", str(place))
    return place / "yourname.yaml"


def test_every_messenger_is_tried_whatever_the_others_say(declared: Path, chat: Chat) -> None:  # noqa: F811
    """One without its credential says so and stops none; with it, the message arrives."""
    tried = CliRunner().invoke(cli, ["notify", "test", "yourname"])
    assert isinstance(tried.exception, SetupError)
    assert "finance_chat: not delivered. No credential is stored under the name 'yourname-chat'" in tried.output
    assert "pager: delivered." in tried.output
    CliRunner().invoke(cli, ["secrets", "set", "yourname-chat", "--field", "url"], input=f"{chat.url}\n")
    tried = CliRunner().invoke(cli, ["notify", "test", "yourname"])
    assert (0, 2) == (tried.exit_code, tried.output.count("delivered."))
    assert ["yourname: test message"] == [one["title"] for one in chat.got]


def test_what_people_were_told_and_what_did_not_arrive(declared: Path) -> None:
    outbox = Outbox(Store.open().engine, "yourname")
    outbox.post([Trouble(LATE, "FY2026-P03", "Due on Friday.")], [], "{}", ["finance_chat"], now())
    outbox.failed(outbox.due(now())[0].id, "Webhook yourname-chat answered 503.", now())
    shown = CliRunner().invoke(cli, ["notify", "show", "yourname"]).output
    assert "Not loaded in time: FY2026-P03: Due on Friday." in shown
    assert "by finance_chat: tried 1 times. Webhook yourname-chat answered 503." in shown


@pytest.mark.parametrize(
    ("way", "complaint"),
    [
        ({"by": "webhook", "url": "https://hooks.example/secret"}, "credential"),
        ({"by": "email", "to": ["a@b.c"], "sender": "a@b.c", "host": "mail.example", "tls": "none"}, "tls is none"),
        ({"by": "email", "to": ["somebody"], "sender": "a@b.c", "host": "mail.example"}, "to"),
        ({"by": "command", "command": []}, "command"),
        ({"by": "fax"}, "fax"),
    ],
)
def test_what_cannot_be_is_refused_when_the_file_is_read(declared: Path, way, complaint) -> None:
    said = yaml.safe_load(declared.read_text())
    said["attributes"]["notify"]["to"] = {"somebody": way}
    declared.write_text(yaml.safe_dump(said))
    with pytest.raises(SetupError) as caught:
        read_one(declared)
    assert complaint in str(caught.value)
    assert "hooks.example" not in str(caught.value)
