"""The one form in which an event may be written, so that equal content has equal bytes, and equal bytes one meaning.

JSON with sorted keys and without spaces, in UTF-8; whole numbers of 64 bits, texts, true, false, null, lists, objects; no fraction, no key twice.
"""

import json
from typing import Any, NoReturn

from mlc_pipelines.ledger.errors import DataError

_LOWEST, _HIGHEST = -(1 << 63), (1 << 63) - 1


class NotCanonicalError(DataError):
    """A text that is not in the canonical form, or a value that has none."""


def to_canonical(value: object) -> bytes:
    """The bytes of a value. Raises NotCanonicalError for a float, a number past 64 bits, or a text that is no Unicode."""
    _require_plain(value)
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise NotCanonicalError("A text holds half of a surrogate pair, which is no Unicode.") from None


def from_canonical(text: bytes) -> Any:
    """The value again. Raises NotCanonicalError when any byte differs from how this value is written."""
    try:
        value = json.loads(text.decode(), object_pairs_hook=_once, parse_float=_refuse, parse_constant=_refuse)
    except NotCanonicalError:
        raise
    except (ValueError, RecursionError) as error:
        raise NotCanonicalError(f"It is no JSON: {error}.") from None
    if to_canonical(value) != text:
        raise NotCanonicalError("It is JSON, but not in the canonical form.")
    return value


def _require_plain(value: object) -> None:
    match value:
        case None | bool() | str():
            pass
        case int():
            if not _LOWEST <= value <= _HIGHEST:
                raise NotCanonicalError(f"The number {str(value)[:25]}... does not fit 64 bits.")
        case list():
            for one in value:
                _require_plain(one)
        case dict():
            for key, one in value.items():
                if not isinstance(key, str):
                    raise NotCanonicalError(f"The key {key!r} is no text.")
                _require_plain(one)
        case _:
            raise NotCanonicalError(f"A {type(value).__name__} has no canonical form; amounts are whole minor units.")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotCanonicalError("A key stands in it twice.")
    return found


def _refuse(text: str) -> NoReturn:
    raise NotCanonicalError(f"It holds {text[:25]}, which is no whole number.")
