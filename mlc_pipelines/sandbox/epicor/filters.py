"""`$filter` of OData 4 as a test on rows, and the where-clauses of the methods, which say the same in other words.

    filter  = or ;  or = and {"or" and} ;  and = not {"and" not} ;  not = ["not"] term
    term    = "(" or ")" | function "(" operand "," operand ")" | operand ("eq"|"ne"|"gt"|"ge"|"lt"|"le") operand
    operand = Column | 'text' | 12.3 | true | null | 2026-01-01T00:00:00Z | guid

An unknown column is a 400 in the recorded sentence, a bare date a 500, a quoted number against a number a 400 [C SUG]. Reference: epicor 2.2.
"""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from mlc_pipelines.sandbox.epicor.errors import bad_query, hidden_failure, unknown_property
from mlc_pipelines.sandbox.epicor.schema import EDM, EMPTY

Row = Mapping[str, Any]
Test = Callable[[Row], bool]

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

_COMPARE: dict[str, tuple[str, Callable[[Any, Any], bool]]] = {
    "eq": ("Equal", operator.eq),
    "ne": ("NotEqual", operator.ne),
    "gt": ("GreaterThan", operator.gt),
    "ge": ("GreaterThanOrEqual", operator.ge),
    "lt": ("LessThan", operator.lt),
    "le": ("LessThanOrEqual", operator.le),
}

_TEXT_TESTS: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda whole, part: part in whole,
    "startswith": lambda whole, part: whole.startswith(part),
    "endswith": lambda whole, part: whole.endswith(part),
}

_NUMBERS = frozenset({"Int32", "Int64", "Decimal"})


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns that may be named: name -> (name in the row, letter), and the entity's name for complaints."""

    kind: str
    sources: Mapping[str, tuple[str, str]]

    def require(self, name: str) -> tuple[str, str]:
        """Name in the row and letter. Raises the 400 of an unknown property."""
        if name not in self.sources:
            raise unknown_property(name, self.kind)
        return self.sources[name]


class Part(NamedTuple):
    """A piece of a filter: its test; where it compares one column with one value also that, like ("BookID", "eq", "MAIN")."""

    test: Test
    said: tuple[str, str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter that was understood: the parts that must all hold, the columns it names, the functions it uses."""

    parts: tuple[Part, ...]
    names: frozenset[str]
    functions: frozenset[str]

    @property
    def test(self) -> Test:
        """The whole of it."""
        return _all([part.test for part in self.parts])

    @property
    def equal(self) -> dict[str, Any]:
        """Columns that must have one value for it to hold, by which the books can look up instead of looking through."""
        found = [part.said for part in self.parts if part.said]
        return {name: value for name, word, value in reversed(found) if word == "eq"}

    def above(self, name: str) -> int | None:
        """What a column must be greater than, where it says so."""
        bounds = [part.said[2] for part in self.parts if part.said and part.said[:2] == (name, "gt")]
        return max(bounds, default=None)

    def beyond(self, looked_up: Mapping[str, Any]) -> Test | None:
        """What is left to test of rows that have these values; None where nothing is."""
        left = [
            part
            for part in self.parts
            if not (part.said and part.said[1] == "eq" and looked_up.get(part.said[0]) == part.said[2])
        ]
        return _all([part.test for part in left]) if left else None


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


def comparison(word: str) -> Callable[[Any, Any], bool]:
    """What a comparing word does: "eq", "gt" and so on."""
    return _COMPARE[word][1]


def parse(text: str, columns: Columns, *, ignore_case: bool = True, loose: bool = False) -> Filter:
    """A filter over these columns. Raises the 400s and the 500 above; `loose`, as in where-clauses, takes 0 and 1 for a boolean and bare days."""
    return _Parser(text, columns, ignore_case, loose).whole()


def from_where(clause: str) -> str:
    """A where-clause like "Company = 'IVM' AND Posted = 0 BY GroupID" as a filter; its order is left out.

    Its language is that of the older client: = <> >= <= > <, either quote, yes and no; the sources show only = and AND [S SNO; I].
    """
    clause = re.split(r"\s+BY\s+(?=(?:[^']*'[^']*')*[^']*$)", clause, flags=re.IGNORECASE)[0]
    words = {"=": " eq ", "<>": " ne ", ">=": " ge ", "<=": " le ", ">": " gt ", "<": " lt "}

    def said(found: re.Match[str]) -> str:
        if found["text"] is not None:
            return "'" + found["text"][1:-1].replace('""', '"') + "'" if found["text"][0] == '"' else found["text"]
        if found["mark"] is not None:
            return words[found["mark"]]
        word = found["word"].lower()
        return {"yes": "true", "no": "false"}.get(word, word)

    pattern = r"""(?P<text>'(?:[^']|'')*'|"(?:[^"]|"")*")|(?P<mark><>|>=|<=|=|>|<)|(?P<word>\b(?:AND|OR|NOT|TRUE|FALSE|YES|NO)\b)"""
    return re.sub(pattern, said, clause, flags=re.IGNORECASE).strip()


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
        return [Part(_any([_all([part.test for part in parts]) for parts in found]))]

    def _both(self) -> list[Part]:
        parts = self._maybe_not()
        while self._take("name", "and"):
            parts += self._maybe_not()
        return parts

    def _maybe_not(self) -> list[Part]:
        if self._take("name", "not"):
            test = _all([part.test for part in self._maybe_not()])
            return [Part(lambda row: not test(row))]
        return self._term()

    def _term(self) -> list[Part]:
        if self._take("mark", "("):
            parts = self._either()
            self._need(")")
            return parts
        if self._peek().text in _TEXT_TESTS:
            return [Part(self._text_test(self._next().text))]
        left = self._operand()
        if self._peek().text not in _COMPARE:
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
        holds = _TEXT_TESTS[name]
        return lambda row: holds(first.read(row) or "", second.read(row) or "")

    def _comparison(self, left: _Operand, word: str) -> Part:
        right = self._operand()
        name, compare = _COMPARE[word]
        if self._loose:
            right = _loosely(left, right)
        _require_comparable(left, right, name)
        if right.is_literal and not left.is_literal:
            said = None if right.literal is None else (left.name, word, right.written)
            return Part(_against(left.read, compare, right.literal, word), said)
        return Part(lambda row: _holds(word, compare, left.read(row), right.read(row)))

    def _operand(self) -> _Operand:
        token = self._next()
        match token.kind:
            case "name":
                return self._word(token.text)
            case "number":
                whole = "." not in token.text
                return _literal(int(token.text) if whole else Decimal(token.text), "Int32" if whole else "Decimal")
            case "time":
                return _literal(_instant(_moment(token.text)), "DateTimeOffset")
            case "day":
                return _literal(_instant(date.fromisoformat(token.text)), "Date")
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


def column_reader(source: str, letter: str, *, folded: bool) -> Callable[[Row], Any]:
    """How a column is read for comparing: texts perhaps without case, days as their midnight."""
    default = EMPTY[letter]
    if letter == "s" and folded:
        return lambda row: (row.get(source) or default).casefold()
    if letter == "t":
        return lambda row: _instant(row.get(source))
    if letter == "g":
        return lambda row: str(row.get(source, default)).lower()
    return lambda row: row.get(source, default)


def _instant(value: date | None) -> datetime | None:
    if value is None:
        return None
    if not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    return value if value.tzinfo else value.replace(tzinfo=UTC)


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
        return _literal(_instant(_moment(right.literal.upper())), "DateTimeOffset")
    if left.kind in _NUMBERS and right.kind == "String" and right.literal.isdecimal():
        return _literal(int(right.literal), "Int32")
    return right


def _against(read: Callable[[Row], Any], compare: Callable[[Any, Any], bool], value: Any, word: str) -> Test:
    """A column against a literal, the usual case, without a second look-up per row."""
    if value is None or word in ("eq", "ne"):
        return lambda row: _holds(word, compare, read(row), value) if value is None else compare(read(row), value)
    return lambda row: (found := read(row)) is not None and compare(found, value)


def _holds(word: str, compare: Callable[[Any, Any], bool], left: Any, right: Any) -> bool:
    """An empty column equals null and nothing else; it is neither more nor less than anything."""
    if (left is None or right is None) and word not in ("eq", "ne"):
        return False
    return compare(left, right)


def _any(tests: list[Test]) -> Test:
    return lambda row: any(test(row) for test in tests)


def _all(tests: list[Test]) -> Test:
    if len(tests) == 1:
        return tests[0]

    def holds(row: Row) -> bool:
        for test in tests:  # noqa: SIM110 - a generator per row would double the time of large reads
            if not test(row):
                return False
        return True

    return holds
