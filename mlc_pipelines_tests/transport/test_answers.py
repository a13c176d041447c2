"""What came back, and what it means."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlc_pipelines.ledger.errors import DataError, PipelineError, SetupError, TransientError, UncertainError
from mlc_pipelines.transport.answers import Answer, decode, encode, error_for, retry_after_seconds
from mlc_pipelines.transport.secret import Secret

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


def answer(status: int = 200, body: bytes = b"", wrote: bool = False, **headers: str) -> Answer:
    return Answer("Site GET /entity", status, headers, body, wrote)


def test_every_digit_of_a_fraction_arrives() -> None:
    """C04: what a float would round comes through exactly."""
    assert {"a": Decimal("1234567890123456.78"), "b": 12} == decode(b'{"a": 1234567890123456.78, "b": 12}')
    assert Decimal("0.10") == decode("0.10")
    assert "0.10" == str(decode("0.10"))


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**20), max_value=10**20))
def test_decimals_go_out_and_come_back_unchanged(amount: Decimal) -> None:
    """encode and decode are one door in both directions."""
    assert amount == decode(encode({"amount": amount}))["amount"]
    assert not encode(amount).startswith(b'"')


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", '{"a": -Infinity}', '{"a": 1, "a": 2}', "[1", '{"a": 1} x', ""])
def test_what_is_no_honest_json_is_refused(text: str) -> None:
    """C01, C02: no NaN, no Infinity, no name given twice, nothing cut, nothing behind."""
    with pytest.raises(ValueError):  # noqa: PT011  (each decoder words it its own way)
        decode(text)


@pytest.mark.parametrize("body", [b'{"a": 1, "a": 2}', b"[1, 2", b"\xff\xfe\x00", b"[" * 100_000, b"1" * 5000])
def test_c01_unreadable_json_is_read_again_and_named(body: bytes) -> None:
    """A cut or malformed answer to a read is a TransientError naming the call."""
    with pytest.raises(TransientError, match="Site GET /entity answered 200 with unreadable JSON"):
        answer(body=body).json()


def test_an_unreadable_answer_to_a_write_leaves_the_write_uncertain() -> None:
    """The write was carried out; only its answer is lost, so it must not be sent again."""
    with pytest.raises(UncertainError, match="unreadable JSON"):
        answer(body=b'{"id": 1', wrote=True).json()


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"<!DOCTYPE html><title>Sign in</title>"),
        ("application/json", b"\r\n  <html><body>Sign in"),
        ("text/html; charset=utf-8", b"Under maintenance"),
    ],
)
def test_a_web_page_is_not_data(kind: str, body: bytes) -> None:
    """B17, A20: a sign-in page with a 200 is recognised by its header or by its first characters."""
    with pytest.raises(SetupError, match="a web page instead of data") as refusal:
        answer(body=body, **{"content-type": kind}).json()
    assert "Check the address" in refusal.value.next_step


@pytest.mark.parametrize(
    ("status", "read", "wrote"),
    [
        (400, DataError, DataError),
        (401, SetupError, SetupError),
        (403, SetupError, SetupError),
        (404, SetupError, SetupError),
        (408, TransientError, UncertainError),
        (409, TransientError, TransientError),
        (410, SetupError, SetupError),
        (418, SetupError, SetupError),
        (422, DataError, DataError),
        (429, TransientError, UncertainError),
        (500, TransientError, UncertainError),
        (502, TransientError, UncertainError),
        (503, TransientError, UncertainError),
        (504, TransientError, UncertainError),
        (507, TransientError, UncertainError),
        (204, SetupError, SetupError),
        (302, SetupError, SetupError),
    ],
)
def test_what_each_status_means(status: int, read: type[PipelineError], wrote: type[PipelineError]) -> None:
    """One table: by what to do next, after a read and after a write."""
    assert read is type(error_for(answer(status), wrote=False))
    assert wrote is type(error_for(answer(status), wrote=True))


def test_a_redirect_names_its_target_without_its_query() -> None:
    """A16: the person sees where the site wanted to send us; a query may hold a ticket and is left out."""
    error = error_for(answer(302, location="https://elsewhere.test/sign-in?ticket=abc"), wrote=False)
    assert "redirected to https://elsewhere.test/sign-in;" in error.what
    assert "abc" not in str(error)


def test_an_error_shows_the_first_characters_on_one_line() -> None:
    """Enough to recognise the trouble, never a whole body."""
    error = error_for(answer(400, b"Period   02-2026\nis closed. " + b"x" * 5000), wrote=False)
    assert "answered 400: Period 02-2026 is closed. xxx" in error.what
    assert len(error.what) < 300
    assert "answered 400: nothing more was said" in error_for(answer(400), wrote=False).what


@pytest.mark.parametrize("before", [b"", b" " * 700, b"Authorization: "])
@pytest.mark.parametrize("length", [20, 900, 4000])
def test_an_echoed_token_is_blanked_out_however_long_it_is(before: bytes, length: int) -> None:
    """K02: a token longer than what is shown must not show its beginning."""
    token = f"canary{length}" * (length // 8)
    Secret(token, "token").reveal()
    error = error_for(answer(500, before + token.encode() + b" was refused"), wrote=False)
    assert "canary" not in str(error)
    assert "[secret] was refused" in error.what


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("7", 7.0),
        (" 7 ", 7.0),
        ("0", 0.0),
        ("", 0.0),
        ("9999999", 120.0),
        ("9" * 400, 120.0),
        ("-5", 0.0),
        ("1.5", 0.0),
        ("soon", 0.0),
        ("²", 0.0),
        ("Mon, 05 Jan 2026 12:00:30 GMT", 30.0),
        ("Mon, 05 Jan 2026 11:00:00 GMT", 0.0),
        ("Mon, 05 Jan 2099 12:00:00 GMT", 120.0),
        ("Mon, 05 Jan 2026 12:00:30 -0000", 0.0),
        ("Mon, 01 Jan 99999999999999 00:00:00 GMT", 0.0),
    ],
)
def test_b10_b11_retry_after_in_all_its_spellings(said: str, seconds: float) -> None:
    """B10, B11: seconds or a date, clamped to two minutes; the past, the negative and garbage ask for nothing."""
    assert seconds == retry_after_seconds({"retry-after": said}, now=NOW)


@given(st.text(st.characters(codec="latin-1")))
def test_b11_no_retry_after_header_can_break_the_caller(said: str) -> None:
    """Whatever stands there, the wait lies between nothing and two minutes."""
    assert 0.0 <= retry_after_seconds({"retry-after": said}, now=NOW) <= 120.0


def test_a_busy_answer_carries_the_wait_it_asked_for() -> None:
    """The error itself knows how long to wait."""
    later = (datetime.now(UTC) + timedelta(hours=1)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    for said, seconds in (("7", 7.0), (later, 120.0)):
        error = error_for(answer(429, **{"retry-after": said}), wrote=False)
        assert isinstance(error, TransientError)
        assert seconds == error.retry_after_seconds


PLAIN = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=9)


@settings(deadline=None)
@given(
    st.lists(PLAIN, max_size=5) | st.dictionaries(st.text(max_size=9), PLAIN | st.lists(PLAIN, max_size=3), max_size=5)
)
def test_plain_values_there_and_back(value: object) -> None:
    """encode writes what every JSON reader understands, and decode reads what every JSON writer writes."""
    assert value == json.loads(encode(value))
    assert value == decode(json.dumps(value))


def test_b11_a_date_is_held_against_the_servers_own_clock() -> None:
    """Our clock may be wrong by hours; the answer carries the server's."""
    headers = {"retry-after": "Mon, 05 Jan 2026 12:00:30 GMT", "date": "Mon, 05 Jan 2026 12:00:00 GMT"}
    assert 30.0 == retry_after_seconds(headers)
