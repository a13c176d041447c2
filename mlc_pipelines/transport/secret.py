"""A secret value that stays out of logs, exceptions, pickles and screens. Only the transport floor reveals it."""

import hmac
import json
import re
from html import escape
from typing import NoReturn
from urllib.parse import quote, quote_plus

from mlc_pipelines.transport.logs import spread

_REVEALED: set[str] = set()
_LONGEST_FIRST: list[str] = []
_SHORTEST_HIDDEN = 4  # shorter values would blank out innocent text


class Secret:
    """Holds one secret text under a name. Printing shows the name only; copying, pickling and formatting are refused."""

    __slots__ = ("_name", "_value")

    def __init__(self, value: str, name: str) -> None:
        self._value = value
        self._name = name

    def reveal(self) -> str:
        """The value itself, for the bytes that leave; from now on `redacted` blanks it out wherever it is echoed."""
        if len(self._value) >= _SHORTEST_HIDDEN and self._value not in _REVEALED:
            _REVEALED.update(_spellings(self._value))
            _LONGEST_FIRST[:] = sorted(_REVEALED, key=len, reverse=True)
            spread(redacted)
        return self._value

    def equals(self, given: str) -> bool:
        """Whether somebody else's text is this value, in a time that does not tell how much of it was right."""
        return hmac.compare_digest(self._value.encode(), given.encode(errors="surrogateescape"))

    def __repr__(self) -> str:
        return f"Secret({self._name})"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{self!r} cannot be pickled")

    def __getstate__(self) -> NoReturn:  # else it would hand out the slots
        raise TypeError(f"{self!r} cannot be copied")

    def __copy__(self) -> NoReturn:
        raise TypeError(f"{self!r} cannot be copied")

    def __deepcopy__(self, memo: object) -> NoReturn:
        raise TypeError(f"{self!r} cannot be copied")


def _spellings(value: str) -> set[str]:
    """The value as it may stand in an answer, also where one kind of text stands within another: JSON in an error page, an address in JSON."""
    once = _written(value)
    return once | {twice for one in once for twice in _written(one)}


def _written(value: str) -> set[str]:
    """The value as it is, and as it stands in JSON, in an address, in a form, in a web page and in XML."""
    in_addresses = {quote(value), quote(value, safe=""), quote_plus(value)}
    in_pages = {escape(value), escape(value, quote=False)}
    in_pages |= {escape(value).replace("&#x27;", said).replace("&quot;", '"') for said in ("&#39;", "&apos;", "'")}
    in_pages |= {escape(value).replace("&#x27;", said) for said in ("&#39;", "&apos;", "'")}
    in_pages |= {escape(value).replace("&quot;", "&#34;").replace("&#x27;", "&#39;")}
    in_json = {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    in_json |= {said.replace("/", "\\/") for said in in_json}
    return {value, *in_json, *in_addresses, *map(_lower_hex, in_addresses), *in_pages}


def _lower_hex(address: str) -> str:
    """%2f for %2F: both are in use."""
    return re.sub("%[0-9A-F]{2}", lambda one: one[0].lower(), address)


def redacted(text: str) -> str:
    """The text with every value revealed so far blanked out: servers are known to echo headers and passwords in error bodies."""
    for value in _LONGEST_FIRST:
        text = text.replace(value, "[secret]")
    return text
