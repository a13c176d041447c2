"""Secrets stay out of everything that is written down."""

import copy
import json
import logging
import marshal
import pickle
from dataclasses import asdict, dataclass
from html import escape
from urllib.parse import quote, quote_plus

import pytest
from pydantic_core import to_jsonable_python

from mlc_pipelines.transport.answers import encode
from mlc_pipelines.transport.secret import Secret, redacted

CANARY = "canary-7f3a-Zq9"


@dataclass
class Holder:
    password: Secret


@pytest.fixture
def secret() -> Secret:
    return Secret(CANARY, "demo/password")


@pytest.mark.parametrize(
    "shown",
    [
        repr,
        str,
        "{}".format,
        "{:>40}".format,
        "{!r}".format,
        lambda value: f"{value}",
        lambda value: "%s" % value,  # noqa: UP031
    ],
)
def test_every_way_of_printing_shows_the_name_only(secret: Secret, shown) -> None:
    """repr, str, format and f-strings show which secret it is, never its value."""
    text = shown(secret)
    assert "Secret(demo/password)" in text
    assert CANARY not in text


def test_a_record_that_holds_a_secret_prints_without_it(secret: Secret, caplog: pytest.LogCaptureFixture) -> None:
    """Data classes, lists and log lines around a secret stay harmless."""

    @dataclass
    class Credential:
        user: str
        password: Secret

    logging.getLogger("tests").warning("signing in with %s and %r", Credential("ann", secret), [secret])
    assert "Secret(demo/password)" in caplog.text
    assert CANARY not in caplog.text


@pytest.mark.parametrize(
    "copied",
    [
        *(pickle.dumps, copy.copy, copy.deepcopy, json.dumps, encode, marshal.dumps),
        lambda value: copy.deepcopy({"a": [value]}),
        lambda value: value.__getstate__(),
        lambda value: value.__reduce_ex__(4),
        lambda value: to_jsonable_python({"a": value}),
        lambda value: asdict(Holder(value)),
    ],
)
def test_nothing_can_copy_it_away(secret: Secret, copied) -> None:
    """Pickling, copying and encoding as JSON are refused, and the refusal does not tell the value."""
    with pytest.raises((TypeError, ValueError)) as refusal:
        copied(secret)
    assert CANARY not in str(refusal.value)


def test_it_has_no_attributes_to_list(secret: Secret) -> None:
    """vars() finds nothing, so no tool that lists attributes can print the value."""
    with pytest.raises(TypeError):
        vars(secret)


def test_a_revealed_value_is_blanked_out_wherever_it_is_echoed(secret: Secret) -> None:
    """K02: what was sent once is recognised in a server's answer."""
    assert CANARY == secret.reveal()
    assert "bad header: Bearer [secret]!" == redacted(f"bad header: Bearer {CANARY}!")


def test_a_value_is_recognised_as_it_stands_in_json_and_in_a_form() -> None:
    """An echoed log-in form or JSON body holds the value in that spelling."""
    value = Secret('p@ss "wörd" \\1', "demo/odd").reveal()
    for echoed in (
        json.dumps({"password": value}),
        json.dumps({"p": value}, ensure_ascii=False),
        "p=p%40ss+%22w%C3%B6rd%22+%5C1",
    ):
        assert "[secret]" in redacted(echoed)
        assert "rd" not in redacted(echoed).replace("password", "")


@pytest.mark.parametrize(
    "echoed",
    [
        "<p>Bad login: a&amp;b&lt;c&quot;d&#x27;e/f</p>",
        "<p>Bad login: a&amp;b&lt;c\"d'e/f</p>",
        "<Error>a&amp;b&lt;c&quot;d&apos;e/f</Error>",
        "<Error>a&amp;b&lt;c&#34;d&#39;e/f</Error>",
        "/login?password=a%26b%3Cc%22d%27e%2Ff",
        "/login?password=a%26b%3cc%22d%27e%2ff",
        r"""{"password": "a&b<c\"d'e\/f"}""",
    ],
)
def test_a_value_is_recognised_as_it_stands_in_a_page_and_in_an_address(echoed: str) -> None:
    """A refusal in HTML or XML escapes what it repeats; so do addresses, in either case of letters."""
    Secret("a&b<c\"d'e/f", "demo/odd").reveal()
    assert "[secret]" in redacted(echoed)
    assert "b<c" not in redacted(echoed)


def test_the_longer_of_two_secrets_is_blanked_out_first() -> None:
    """A secret that begins like another one leaves no tail behind."""
    Secret("canary-base", "a").reveal()
    Secret("canary-base-and-more", "b").reveal()
    assert "[secret] [secret]" == redacted("canary-base-and-more canary-base")


def test_very_short_values_do_not_blank_out_innocent_text() -> None:
    """A one-letter test password must not turn every message into stars."""
    assert "e" == Secret("e", "demo/short").reveal()
    assert "every message" == redacted("every message")


@pytest.mark.parametrize(
    "inner",
    [lambda text: json.dumps(text), lambda text: json.dumps(text, ensure_ascii=False), escape, quote, quote_plus],
)
@pytest.mark.parametrize(
    "outer",
    [
        lambda text: json.dumps({"error": text}),
        lambda text: f"<p>{escape(text)}</p>",
        lambda text: quote(text, safe=""),
    ],
)
def test_K01_a_text_within_a_text_is_redacted_too(inner, outer) -> None:
    """JSON in an error page, a page in JSON, an address in either: servers wrap what they were sent, and error pages wrap that."""
    awkward = 'canary-Wrap-91/+="&<ö\\x'
    Secret(awkward, "demo/password").reveal()
    shown = redacted(outer(inner(awkward)))
    assert "Wrap-91" not in shown
    assert "[secret]" in shown
