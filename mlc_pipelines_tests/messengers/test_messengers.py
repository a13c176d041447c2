"""Messages on real wires: what arrives, what a refusal is called, and that no address or password stands in any error."""

import base64
import json
import ssl
import sys
import threading
from pathlib import Path

import pytest

from mlc_pipelines.ledger.errors import PipelineError, SetupError, TransientError
from mlc_pipelines.ledger.troubles import LATE, RUN_FAILED, Told, Trouble, compose
from mlc_pipelines.messengers.command import Command
from mlc_pipelines.messengers.mail import Mail
from mlc_pipelines.messengers.webhook import SHAPES, Webhook
from mlc_pipelines.sandbox import tls
from mlc_pipelines.transport.secret import Secret
from mlc_pipelines_tests.messengers.conftest import PATH, Chat, Post

FAILED = [
    Trouble(RUN_FAILED, f"FY2026-P{number:02d}", "Leg rows_all_taken <b> & more.", "Map it.") for number in (2, 1)
]
MESSAGE = compose("demo", Told(new=[*FAILED, Trouble(LATE, "FY2026-P03", "Due Friday.")]))
HIDDEN = Path(PATH).name


def test_one_message_groups_whatever_it_tells() -> None:
    """By kind, the gravest first, periods in order, what to do once for all of them."""
    assert "demo: 3 new" == MESSAGE.title
    assert ["Not loaded in time", "Loads that failed"] == [one.heading for one in MESSAGE.sections]
    assert ("FY2026-P01: Leg", "FY2026-P02: Leg", "What to do: Map") == tuple(
        line[:15] for line in MESSAGE.sections[1].lines
    )


def test_many_periods_are_one_message_that_can_be_read() -> None:
    """Of a hundred lines a dozen are shown, and how many more there are."""
    many = [Trouble(RUN_FAILED, f"period {number:03d}", "x" * 1000) for number in range(100)]
    [section] = compose("demo", Told(new=many)).sections
    assert 13 == len(section.lines)
    assert "and 88 more" == section.lines[-1]
    assert max(map(len, section.lines)) <= 400


@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_a_webhook_gets_the_shape_it_expects(chat: Chat, shape) -> None:
    Webhook("finance-chat", Secret(chat.url, "hook/url"), shape).send(MESSAGE)
    [got] = chat.got
    assert [PATH] == chat.paths
    said = json.dumps(got, ensure_ascii=False)
    assert "FY2026-P03: Due Friday." in said
    if shape == "slack":
        assert "&lt;b&gt; &amp; more" in said
        assert {"header", "section"} == {block["type"] for block in got["blocks"]}
    elif shape == "teams":
        assert "AdaptiveCard" == got["attachments"][0]["content"]["type"]
    else:
        assert (3, "demo") == (got["troubles"], got["connection"])


@pytest.mark.parametrize(
    ("status", "kind"), [(503, TransientError), (429, TransientError), (404, SetupError), (403, SetupError)]
)
def test_a_webhook_that_refuses(chat: Chat, status, kind) -> None:
    """Later, or never: by what the answer means. The address, which is the secret, stands nowhere, also when the server repeats it."""
    chat.status, chat.body = status, f"no such hook: {chat.url} {PATH}".encode()
    with pytest.raises(kind) as caught:
        Webhook("finance-chat", Secret(chat.url, "hook/url")).send(MESSAGE)
    assert str(status) in caught.value.what
    assert HIDDEN not in str(caught.value)


def test_a_webhook_over_http_elsewhere_is_refused() -> None:
    with pytest.raises(SetupError, match="https"):
        Webhook("finance-chat", Secret("http://chat.example/abc", "hook/url")).send(MESSAGE)


def mail(post: Post, **more) -> Mail:
    return Mail("mail", "127.0.0.1", post.port, "mlc@example.com", ("a@example.com", "b@example.com"), **more)


def test_a_mail_goes_to_everybody(post: Post) -> None:
    mail(post, tls="none").send(MESSAGE)
    [(sender, to, text)] = post.got
    assert "mlc@example.com" in sender
    assert 2 == len(to)
    assert "Subject: demo: 3 new" in text
    assert "FY2026-P03: Due Friday." in text
    assert "Auto-Submitted: auto-generated" in text


def test_a_mail_is_encrypted_before_anybody_logs_in(tmp_path: Path) -> None:
    """STARTTLS with a checked certificate; the password goes only over it."""
    authority, leaf, key = tls.write_certificates(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(leaf, key)
    with Post(context) as post:
        threading.Thread(target=post.serve_forever, args=(0.02,), daemon=True).start()
        log_in = {"username": Secret("mlc", "u"), "password": Secret("pw-of-mail", "p")}
        mail(post, log_in=log_in, ca_file=str(authority)).send(MESSAGE)
        assert [True] == post.encrypted
        assert "pw-of-mail" in base64.b64decode(post.log_ins[0].split()[-1]).decode()
        with pytest.raises(TransientError, match=r"certificate"):
            mail(post, log_in=log_in).send(MESSAGE)  # a certificate that nobody vouches for
        post.shutdown()


@pytest.mark.parametrize(
    ("word", "answer", "kind"),
    [
        ("MAIL", "451 try again later", TransientError),
        ("DATA", "554 no", SetupError),
        ("RCPT", "550 unknown", SetupError),
    ],
)
def test_a_mail_server_that_refuses(post: Post, word, answer, kind) -> None:
    post.refuse[word] = answer
    with pytest.raises(kind, match="Mail server 127"):
        mail(post, tls="none").send(MESSAGE)


def test_a_mail_server_that_is_not_there() -> None:
    with pytest.raises(TransientError, match="could not be used"):
        Mail("mail", "127.0.0.1", 1, "mlc@example.com", ("a@example.com",), "none").send(MESSAGE)


def test_a_command_gets_the_message_on_its_input(tmp_path: Path) -> None:
    there = tmp_path / "got.json"
    write = f"import sys, pathlib; pathlib.Path({str(there)!r}).write_text(sys.stdin.read())"
    Command("pager", (sys.executable, "-c", write)).send(MESSAGE)
    assert "demo: 3 new" == json.loads(there.read_text())["title"]


@pytest.mark.parametrize(
    ("words", "kind"),
    [((sys.executable, "-c", "raise SystemExit('no network')"), TransientError), (("/not/there",), SetupError)],
)
def test_a_command_that_fails_says_so(words, kind) -> None:
    with pytest.raises(kind) as caught:
        Command("pager", words).send(MESSAGE)
    assert isinstance(caught.value, PipelineError)
    assert words[0] in caught.value.what
