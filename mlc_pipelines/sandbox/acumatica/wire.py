"""Records as the site writes them: value objects, bare arrays, amounts with four decimals.

An amount never passes through a float: its digits are written from whole minor units. Reference: acumatica 3.1 [C].
"""

import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache, partial
from json import JSONEncoder

Value = str | bool | int | datetime | date | None
"""A plain field: text, flag, count, minor units of money (contract type `d`), instant or day; None is empty."""

EMPTY = "{}"
"""An empty field is `{}`, not `{"value": null}` [C]."""

UNKNOWN_FIELD = ',"UsrSandboxRemark":{"value":"no contract names this field"}'

quote: Callable[[str], str] = JSONEncoder(ensure_ascii=False).encode
"""A text as JSON, in quotes, other scripts as they are."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record: its id, its filled fields, what can be expanded, and what only `$custom` or `cf.` reaches."""

    id: str
    values: Mapping[str, Value]
    details: Mapping[str, Callable[[], Iterable["Record"]]] = field(default_factory=dict)
    custom: Mapping[str, Value] = field(default_factory=dict)


def record_id(*key: str) -> str:
    """A stable id for a record without one of its own."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, "/".join(key)))


def amount(minor: int) -> str:
    """12345 -> "123.4500": hundredths with the four decimals of the site."""
    return f"{'-' if minor < 0 else ''}{abs(minor) // 100}.{abs(minor) % 100:02d}00"


def moment(value: date | datetime) -> str:
    """An instant as ISO 8601 with offset and at most milliseconds; a day is its midnight without zone shift."""
    if not isinstance(value, datetime):
        return f"{value.isoformat()}T00:00:00+00:00"
    text = value.isoformat(timespec="milliseconds")
    seconds, fraction, offset = text[:19], text[19:23].rstrip("0"), text[23:]
    return f"{seconds}{fraction if fraction != '.' else ''}{offset}"


def literal(letter: str, value: Value) -> str:
    """One value as JSON, by its letter in the contract."""
    if letter == "d" and isinstance(value, int):
        return amount(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return f'"{moment(value)}"'
    return str(value) if isinstance(value, int) else quote(str(value))


def wrapped(letter: str, value: Value, error: str | None = None) -> str:
    """One field as a value object; with an error, that stands beside the value [C: both seen in 422 answers]."""
    if value is None and error is None:
        return EMPTY
    parts = [] if value is None else [f'"value":{literal(letter, value)}']
    parts += [] if error is None else [f'"error":{quote(error)}']
    return "{" + ",".join(parts) + "}"


_WRAPS: Mapping[str, Callable[[Value], str]] = {
    letter: lru_cache(maxsize=100_000)(partial(wrapped, letter)) for letter in "sdbtilh"
}
"""One writer per letter. The same values come again and again in bulk, so what was written is remembered."""


class Rows:
    """Writes records of one kind: id, rowNumber, note, the chosen fields, then what the caller adds at the end."""

    def __init__(self, fields: Mapping[str, str], *, note: str = "null", unknown: bool = False) -> None:
        """`fields` are the chosen ones (name -> letter); `note` is the JSON of an empty note."""
        self._wraps = [(name, _WRAPS[letter]) for name, letter in fields.items()]
        names = "".join(f',"{name}":%s' for name in fields)
        self.template = f'{{"id":"%s","rowNumber":%d,"note":{note}{names}{UNKNOWN_FIELD if unknown else ""}%s}}'

    def write(self, record: Record, number: int, tail: str = ',"custom":{}') -> str:
        """One record as JSON text."""
        get = record.values.get
        return self.template % (record.id, number, *[wrap(get(name)) for name, wrap in self._wraps], tail)


_TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^"{}\[\]:,\s]+')


def indented(text: str) -> str:
    """The same JSON with a line per field, so that nobody comes to rely on how the bytes lie."""
    return "".join(_indented_parts(text))


def _indented_parts(text: str) -> Iterator[str]:
    depth, before = 0, ""
    for token in _TOKENS.findall(text):
        closing = token in ("}", "]")
        depth -= closing
        if before not in ("{", "[") if closing else before in ("{", "[", ","):
            yield "\r\n" + "  " * depth
        yield ": " if token == ":" else token
        depth += token in ("{", "[")
        before = token
