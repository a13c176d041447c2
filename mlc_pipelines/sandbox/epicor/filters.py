"""`$filter` of OData 4 as a test on rows.

    filter  = or ;  or = and {"or" and} ;  and = not {"and" not} ;  not = ["not"] term
    term    = "(" or ")" | function "(" operand "," operand ")" | operand ("eq"|"ne"|"gt"|"ge"|"lt"|"le") operand
    operand = Column | 'text' | 12.3 | true | null | 2026-01-01T00:00:00Z | guid

An unknown column is a 400 in the recorded sentence, a bare date a 500, a quoted number against a number a 400 [C SUG]. Reference: epicor 2.2.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from mlc_pipelines.sandbox.epicor.columns import Columns, column_reader, instant
from mlc_pipelines.sandbox.epicor.comparing import (
    COMPARE,
    TEXT_TESTS,
    Filter,
    Part,
    Row,
    Test,
    against,
    all_of,
    any_of,
    holds,
)
from mlc_pipelines.sandbox.epicor.errors import bad_query, hidden_failure
from mlc_pipelines.sandbox.epicor.schema import EDM

_NUMBERS = frozenset({"Int32", "Int64", "Decimal"})

_TOKEN = re.compile(
    r"\s*(?:"
    r"(?P<guid>[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})(?!\w)"
    r"|(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)"
    r"|(?P<day>\d{4}-\d\d-\d\d)(?!\w)"
    r"|(?P<text>'(?:[^']|'')*')"
    r"|(?P<number>-?\d+(?:\.\d+)?)(?![\w'])"
    r"|(?P<name>[A-Za-z_][\w/]*)"
    r"|(?P<mark>[(),])"
    r")"
)


class _Token(NamedTuple):
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class _Operand:
    """One side of a comparison: how to read it, and its Edm type ("Null" fits every type).

    A column has its `name`; a literal its value as it is compared, and as it was written.
    """

    read: Callable[[Row], Any]
    kind: str
    name: str = ""
    literal: Any = None
    written: Any = None

    @property
    def is_literal(self) -> bool:
        """Whether it is no column."""
        return not self.name


def parse(text: str, columns: Columns, *, ignore_case: bool = True, loose: bool = False) -> Filter:
    """A filter over these columns. Raises the 400s and the 500 above; `loose`, as in where-clauses, takes 0 and 1 for a boolean and bare days."""
    return _Parser(text, columns, ignore_case, loose).whole()


class _Parser:
    def __init__(self, text: str, columns: Columns, ignore_case: bool, loose: bool) -> None:
        self._text = text
        self._tokens = _tokens(text)
        self._at = 0
        self._columns = columns
        self._ignore_case = ignore_case
        self._loose = loose
        self._names: set[str] = set()
        self._functions: set[str] = set()

    def whole(self) -> Filter:
        parts = self._either()
        if self._peek().kind != "end":
            raise bad_query(f"Syntax error at position {len(self._text)} in '{self._text}'.")
        return Filter(tuple(parts), frozenset(self._names), frozenset(self._functions))

    def _either(self) -> list[Part]:
        found = [self._both()]
        while self._take("name", "or"):
            found.append(self._both())
        if len(found) == 1:
            return found[0]
        return [Part(any_of([all_of([part.test for part in parts]) for parts in found]))]

    def _both(self) -> list[Part]:
        parts = self._maybe_not()
        while self._take("name", "and"):
            parts += self._maybe_not()
        return parts

    def _maybe_not(self) -> list[Part]:
        if self._take("name", "not"):
            test = all_of([part.test for part in self._maybe_not()])
            return [Part(lambda row: not test(row))]
        return self._term()

    def _term(self) -> list[Part]:
        if self._take("mark", "("):
            parts = self._either()
            self._need(")")
            return parts
        if self._peek().text in TEXT_TESTS:
            return [Part(self._text_test(self._next().text))]
        left = self._operand()
        if self._peek().text not in COMPARE:
            return [Part(self._flag(left))]
        return [self._comparison(left, self._next().text)]

    def _flag(self, operand: _Operand) -> Test:
        """A boolean column by itself is a condition."""
        if operand.kind != "Boolean":
            raise bad_query(f"Syntax error at position {len(self._text)} in '{self._text}'.")
        return lambda row: bool(operand.read(row))

    def _text_test(self, name: str) -> Test:
        self._functions.add(name)
        self._need("(")
        first = self._operand()
        self._need(",")
        second = self._operand()
        self._need(")")
        if {first.kind, second.kind} != {"String"}:
            raise bad_query(
                f"No function signature for the function with name '{name}' matches the specified arguments."
            )
        test = TEXT_TESTS[name]
        return lambda row: test(first.read(row) or "", second.read(row) or "")

    def _comparison(self, left: _Operand, word: str) -> Part:
        right = self._operand()
        name, compare = COMPARE[word]
        if self._loose:
            right = _loosely(left, right)
        _require_comparable(left, right, name)
        if right.is_literal and not left.is_literal:
            said = None if right.literal is None else (left.name, word, right.written)
            return Part(against(left.read, compare, right.literal, word), said)
        return Part(lambda row: holds(word, compare, left.read(row), right.read(row)))

    def _operand(self) -> _Operand:
        token = self._next()
        match token.kind:
            case "name":
                return self._word(token.text)
            case "number":
                whole = "." not in token.text
                return _literal(int(token.text) if whole else Decimal(token.text), "Int32" if whole else "Decimal")
            case "time":
                return _literal(instant(_moment(token.text)), "DateTimeOffset")
            case "day":
                return _literal(instant(date.fromisoformat(token.text)), "Date")
            case "guid":
                return _literal(token.text.lower(), "Guid")
            case "text":
                text = token.text[1:-1].replace("''", "'")
                return _literal(text.casefold() if self._ignore_case else text, "String", text)
        raise bad_query(f"Expression expected at position {len(self._text)} in '{self._text}'.")

    def _word(self, name: str) -> _Operand:
        if name in ("true", "false"):
            return _literal(name == "true", "Boolean")
        if name == "null":
            return _literal(None, "Null")
        source, letter = self._columns.require(name)
        self._names.add(name)
        return _Operand(column_reader(source, letter, folded=self._ignore_case), EDM[letter], name)

    def _peek(self) -> _Token:
        return self._tokens[self._at]

    def _next(self) -> _Token:
        token = self._tokens[self._at]
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return token

    def _take(self, kind: str, text: str) -> bool:
        if self._peek() != (kind, text):
            return False
        self._next()
        return True

    def _need(self, mark: str) -> None:
        if not self._take("mark", mark):
            raise bad_query(f"'{mark}' or ',' expected at position {len(self._text)} in '{self._text}'.")


def _tokens(text: str) -> list[_Token]:
    found, at = [], 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise bad_query(
                f"Syntax error: character '{text[at:].strip()[0]}' is not valid at position {at} in '{text}'."
            )
        found.append(_Token(match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return [*found, _Token("end", "")]


def _literal(value: Any, kind: str, written: Any = None) -> _Operand:
    return _Operand(lambda _: value, kind, "", value, value if written is None else written)


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise bad_query(f"Unrecognized 'Edm.DateTimeOffset' literal '{text}'.") from error


def _require_comparable(left: _Operand, right: _Operand, name: str) -> None:
    kinds = {left.kind, right.kind}
    if "Date" in kinds:
        raise hidden_failure()
    if left.kind == right.kind or "Null" in kinds or kinds <= _NUMBERS:
        return
    raise bad_query(
        "A binary operator with incompatible types was detected. "
        f"Found operand types 'Edm.{left.kind}' and 'Edm.{right.kind}' for operator kind '{name}'."
    )


def _loosely(left: _Operand, right: _Operand) -> _Operand:
    """The literal of a where-clause as the column wants it."""
    if left.kind == "Boolean" and right.is_literal and right.literal in (0, 1, "true", "false", "yes", "no"):
        return _literal(right.literal in (1, "true", "yes"), "Boolean")
    if left.kind == "DateTimeOffset" and right.kind == "Date":
        return _literal(right.literal, "DateTimeOffset")
    if left.kind == "DateTimeOffset" and right.kind == "String":
        return _literal(instant(_moment(right.literal.upper())), "DateTimeOffset")
    if left.kind in _NUMBERS and right.kind == "String" and right.literal.isdecimal():
        return _literal(int(right.literal), "Int32")
    return right
