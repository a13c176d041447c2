"""`$filter`: the OData v3 subset that the site understands, as a test on plain records.

    filter  = or ;  or = and {"or" and} ;  and = term {"and" term}
    term    = "(" or ")" | function "(" operand "," operand ")" | operand ("eq"|"ne"|"gt"|"ge"|"lt"|"le") operand
    operand = Field | 'text' | 12.3 | true | null | datetimeoffset'..' | datetime'..' | date'..' | guid'..' | cf.Type(f='View.Field')

Literals of the wrong type are a 500, as are fields of details [C acumatica-cli; S Parameter_filter].
Reference: acumatica 3.2.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from mlc_pipelines.sandbox.acumatica.errors import RefusalError, failure
from mlc_pipelines.sandbox.acumatica.wire import Record

Test = Callable[[Record], bool]

_TOKEN = re.compile(
    r"\s*(?:"
    r"(?P<custom>cf\.\w+\(\s*f\s*=\s*'[^']*'\s*\))"
    r"|(?P<typed>(?:datetimeoffset|datetime|date|guid)'[^']*')"
    r"|(?P<text>'(?:[^']|'')*')"
    r"|(?P<number>-?\d+(?:\.\d+)?[mMdDfFlL]?)(?![\w'])"
    r"|(?P<name>[A-Za-z_][\w/]*)"
    r"|(?P<mark>[(),])"
    r")"
)

_COMPARE: dict[str, tuple[str, Callable[[Any, Any], bool]]] = {
    "eq": ("Equal", lambda a, b: a == b),
    "ne": ("NotEqual", lambda a, b: a != b),
    "gt": ("GreaterThan", lambda a, b: a > b),
    "ge": ("GreaterThanOrEqual", lambda a, b: a >= b),
    "lt": ("LessThan", lambda a, b: a < b),
    "le": ("LessThanOrEqual", lambda a, b: a <= b),
}

_TEXT_TESTS: dict[str, Callable[[str, str], bool]] = {
    "substringof": lambda part, whole: part in whole,
    "startswith": lambda whole, part: whole.startswith(part),
    "endswith": lambda whole, part: whole.endswith(part),
}

_KINDS = {
    "s": "String",
    "d": "Decimal",
    "b": "Boolean",
    "t": "DateTimeOffset",
    "i": "Int32",
    "l": "Int64",
    "h": "Int16",
}
_NUMBERS = {"Decimal", "Int16", "Int32", "Int64"}


class _Token(NamedTuple):
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class _Operand:
    """One side of a comparison: how to read it from a record, and its kind ("Null" fits every kind)."""

    read: Callable[[Record], Any]
    kind: str


def _unreadable(text: str) -> RefusalError:
    return failure(text, "Microsoft.Data.OData.ODataException")


def parse(text: str, fields: Mapping[str, str], *, ignore_case: bool = True) -> Test:
    """A filter as a test on records whose top-level fields are these (name -> letter).

    Raises a 500 on anything it cannot read, on fields it does not know and on types that do not fit.
    """
    return _Parser(text, fields, ignore_case).whole()


class _Parser:
    def __init__(self, text: str, fields: Mapping[str, str], ignore_case: bool) -> None:
        self._tokens = _tokens(text)
        self._at = 0
        self._fields = fields
        self._ignore_case = ignore_case

    def whole(self) -> Test:
        test = self._either()
        if self._peek().kind != "end":
            raise _unreadable(f"Syntax error near '{self._peek().text}'.")
        return test

    def _either(self) -> Test:
        tests = [self._both()]
        while self._take_word("or"):
            tests.append(self._both())
        return tests[0] if len(tests) == 1 else lambda record: any(test(record) for test in tests)

    def _both(self) -> Test:
        tests = [self._term()]
        while self._take_word("and"):
            tests.append(self._term())
        return tests[0] if len(tests) == 1 else lambda record: all(test(record) for test in tests)

    def _term(self) -> Test:
        if self._take_mark("("):
            test = self._either()
            self._need_mark(")")
            return test
        if self._peek().text in _TEXT_TESTS:
            return self._text_test(self._next().text)
        return self._comparison()

    def _text_test(self, name: str) -> Test:
        self._need_mark("(")
        first = self._operand()
        self._need_mark(",")
        second = self._operand()
        self._need_mark(")")
        if {first.kind, second.kind} != {"String"}:
            raise _unreadable(f"No function signature for '{name}' matches the arguments.")
        holds = _TEXT_TESTS[name]
        return lambda record: _text_holds(holds, first.read(record), second.read(record))

    def _comparison(self) -> Test:
        left = self._operand()
        operator = self._next().text
        if operator not in _COMPARE:
            raise _unreadable(f"'{operator}' is no comparison operator.")
        right = self._operand()
        name, compare = _COMPARE[operator]
        _require_comparable(left.kind, right.kind, name)
        return lambda record: _holds(operator, compare, left.read(record), right.read(record))

    def _operand(self) -> _Operand:
        token = self._next()
        if token.kind == "name":
            return self._word(token.text)
        if token.kind == "custom":
            return self._custom(token.text)
        if token.kind == "number":
            number = Decimal(token.text.rstrip("mMdDfFlL"))
            return _Operand(lambda _: number, "Decimal")
        if token.kind == "typed":
            return _typed(token.text)
        if token.kind == "text":
            text = self._folded(token.text[1:-1].replace("''", "'"))
            return _Operand(lambda _: text, "String")
        raise _unreadable(f"Expression expected near '{token.text}'.")

    def _word(self, name: str) -> _Operand:
        if name in ("true", "false"):
            return _Operand(lambda _: name == "true", "Boolean")
        if name == "null":
            return _Operand(lambda _: None, "Null")
        letter = self._fields.get(name)
        if letter is None:
            raise _unreadable(f"Could not find a property named '{name}' that can be filtered.")
        if letter == "s":
            return _Operand(lambda record: self._folded(record.values.get(name)), "String")
        return _Operand(lambda record: _plain(letter, record.values.get(name)), _KINDS[letter])

    def _custom(self, text: str) -> _Operand:
        kind, _, rest = text.removeprefix("cf.").partition("(")
        name = rest.split("'")[1]
        kinds = {"DateTime": "DateTimeOffset", "Int": "Int32", "Short": "Int16", "Long": "Int64"}
        return _Operand(lambda record: self._folded(record.custom.get(name)), kinds.get(kind, kind))

    def _folded(self, text: Any) -> Any:
        return text.casefold() if self._ignore_case and isinstance(text, str) else text

    def _peek(self) -> _Token:
        return self._tokens[self._at]

    def _next(self) -> _Token:
        token = self._tokens[self._at]
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return token

    def _take_word(self, word: str) -> bool:
        return self._take(_Token("name", word))

    def _take_mark(self, mark: str) -> bool:
        return self._take(_Token("mark", mark))

    def _take(self, token: _Token) -> bool:
        if self._peek() != token:
            return False
        self._next()
        return True

    def _need_mark(self, mark: str) -> None:
        if not self._take_mark(mark):
            raise _unreadable(f"'{mark}' expected near '{self._peek().text}'.")


def _tokens(text: str) -> list[_Token]:
    found, at = [], 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise _unreadable(f"Syntax error at position {at} in '{text}'.")
        found.append(_Token(match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return [*found, _Token("end", "end of filter")]


def _plain(letter: str, value: Any) -> Any:
    """A stored value as it is compared: money as a decimal, a day as its midnight."""
    if value is None:
        return None
    if letter == "d":
        return Decimal(value) / 100
    if letter == "t":
        return _instant(value)
    return value


def _instant(value: date) -> datetime:
    if not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def _typed(text: str) -> _Operand:
    prefix, _, rest = text.partition("'")
    if prefix == "guid":
        return _Operand(lambda _: rest[:-1].lower(), "Guid")
    try:
        at = _instant(datetime.fromisoformat(rest[:-1]))
    except ValueError as error:
        raise _unreadable(f"Unrecognized '{prefix}' literal '{rest[:-1]}'.") from error
    return _Operand(lambda _: at, "DateTimeOffset")


def _require_comparable(left: str, right: str, operator: str) -> None:
    if left == right or "Null" in (left, right) or {left, right} <= _NUMBERS:
        return
    raise _unreadable(
        "A binary operator with incompatible types was detected. "
        f"Found operand types 'Edm.{left}' and 'Edm.{right}' for operator kind '{operator}'."
    )


def _holds(operator: str, compare: Callable[[Any, Any], bool], left: Any, right: Any) -> bool:
    """An empty field equals null and nothing else; it is neither more nor less than anything."""
    if (left is None or right is None) and operator not in ("eq", "ne"):
        return False
    return compare(left, right)


def _text_holds(test: Callable[[str, str], bool], first: str | None, second: str | None) -> bool:
    return first is not None and second is not None and test(first, second)
