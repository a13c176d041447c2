"""What came back, and what it means. Parsers are fail-closed: an unknown shape stops with status, content type and first characters."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn

from mlc_pipelines.ledger.errors import DataError, PipelineError, SetupError, TransientError, UncertainError
from mlc_pipelines.transport.secret import redacted

RETRY_AFTER_MAX_SECONDS = 120.0
REDIRECTS = {301, 302, 303, 307, 308}
_EXCERPT = 200
_SEARCHED = 1 << 16
_BUSY = {408, 429, 502, 503, 504}
_MEANING: dict[int, type[PipelineError]] = {
    400: DataError,
    401: SetupError,
    403: SetupError,
    404: SetupError,
    409: TransientError,
    410: SetupError,
    422: DataError,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. call is "SYSTEM METHOD /path" without query, for messages. wrote: the call was a write, sent once."""

    call: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    wrote: bool = False

    def json(self) -> Any:
        """The body as Python values.

        Raises SetupError on a page of HTML; on JSON that is cut or malformed TransientError, or UncertainError after a write.
        """
        self.require_no_html()
        try:
            return decode(self.body)
        except (ValueError, RecursionError) as error:
            what = f"{self.call} answered {self.status} with unreadable JSON ({error}): {self.excerpt()}"
        if self.wrote:
            raise UncertainError(what, holds="The call was carried out, its answer is lost.")
        raise TransientError(what)

    def require_no_html(self) -> None:
        if is_html(self.headers, self.body):
            raise SetupError(
                f"{self.call} answered {self.status} with a web page instead of data: {self.excerpt()}",
                holds="The page was not used.",
                next_step="Check the address: a sign-in page, a proxy or a site under maintenance may be answering in its place.",
            )

    def excerpt(self) -> str:
        """The first characters, secrets blanked out."""
        # Far more is searched than shown: a token that was cut in the middle would not be recognised.
        text = redacted(self.body[:_SEARCHED].decode("utf-8", "replace"))
        return " ".join(text.split())[:_EXCERPT] or "nothing more was said"


def is_html(headers: Mapping[str, str], start: bytes) -> bool:
    return "text/html" in headers.get("content-type", "").lower() or start[:64].lstrip().lower().startswith(
        (b"<!doctype", b"<html")
    )


def decode(body: bytes | str) -> Any:
    """Wire JSON to Python; a fraction becomes Decimal, digit for digit.

    Raises ValueError on NaN and Infinity, on a name given twice in one object, and on malformed text.
    """
    return json.loads(body, parse_float=Decimal, parse_constant=_no_number, object_pairs_hook=_each_name_once)


def encode(value: Any) -> bytes:
    """Python to wire JSON; Decimal goes out as a number with its own digits."""
    import msgspec

    return msgspec.json.Encoder(decimal_format="number").encode(value)


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a number")


def _each_name_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return values


def error_for(answer: Answer, *, wrote: bool) -> PipelineError:
    """What a failed answer means; a 5xx after a write may have been carried out."""
    what = f"{answer.call} answered {answer.status}: {answer.excerpt()}"
    if answer.status in _BUSY or answer.status >= 500:
        if wrote:
            return UncertainError(what, holds="The call may have been carried out.")
        busy = TransientError(what)
        busy.retry_after_seconds = retry_after_seconds(answer.headers)
        return busy
    if answer.status in REDIRECTS:
        target = answer.headers.get("location", "nowhere").partition("?")[0]
        return SetupError(
            f"{answer.call} was redirected to {redacted(target)}; neither data nor credentials are sent there.",
            next_step="Write the final address into the connection file.",
        )
    return _MEANING.get(answer.status, SetupError)(what)


def retry_after_seconds(headers: Mapping[str, str], *, now: datetime | None = None) -> float:
    """How long the server asks to wait, from seconds or an HTTP date; 0 when it says nothing or nonsense; never above two minutes.

    A date is held against the server's own `Date`, since its clock and ours may differ; without one against now.
    """
    text = headers.get("retry-after", "").strip()
    if text.isdecimal():
        return min(float(text), RETRY_AFTER_MAX_SECONDS)
    until = _instant(text)
    if until is None:
        return 0.0
    said_at = now or _instant(headers.get("date", "")) or datetime.now(UTC)
    return min(max((until - said_at).total_seconds(), 0.0), RETRY_AFTER_MAX_SECONDS)


def _instant(text: str) -> datetime | None:
    """An HTTP date; None for anything else."""
    try:
        instant = parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError):
        return None
    return None if instant.tzinfo is None else instant
