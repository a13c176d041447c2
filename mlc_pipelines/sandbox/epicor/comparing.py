"""Tests on rows, and what a filter is once it is understood: parts that must all hold."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

Row = Mapping[str, Any]
Test = Callable[[Row], bool]

COMPARE: dict[str, tuple[str, Callable[[Any, Any], bool]]] = {
    "eq": ("Equal", operator.eq),
    "ne": ("NotEqual", operator.ne),
    "gt": ("GreaterThan", operator.gt),
    "ge": ("GreaterThanOrEqual", operator.ge),
    "lt": ("LessThan", operator.lt),
    "le": ("LessThanOrEqual", operator.le),
}

TEXT_TESTS: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda whole, part: part in whole,
    "startswith": lambda whole, part: whole.startswith(part),
    "endswith": lambda whole, part: whole.endswith(part),
}


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
        return all_of([part.test for part in self.parts])

    @property
    def equal(self) -> dict[str, Any]:
        """Columns that must have one value for it to hold, by which the books can look up instead of looking through."""
        found = [part.said for part in self.parts if part.said]
        return {name: value for name, word, value in reversed(found) if word == "eq"}

    def above(self, name: str) -> int | None:
        """What a column must be greater than, where it says so."""
        bounds = [part.said[2] for part in self.parts if part.said and part.said[:2] == (name, "gt")]
        return max(bounds, default=None)

    def beyond(self, looked_up: Mapping[str, Any], above: str = "") -> Test | None:
        """What is left to test of rows that have these values, and lie above the bounds of the column `above`; None where nothing is."""
        left = [
            part
            for part in self.parts
            if not (part.said and part.said[1] == "eq" and looked_up.get(part.said[0]) == part.said[2])
            and not (part.said and part.said[:2] == (above, "gt"))
        ]
        return all_of([part.test for part in left]) if left else None


def against(read: Callable[[Row], Any], compare: Callable[[Any, Any], bool], value: Any, word: str) -> Test:
    """A column against a literal, the usual case, without a second look-up per row."""
    if value is None or word in ("eq", "ne"):
        return lambda row: holds(word, compare, read(row), value) if value is None else compare(read(row), value)
    return lambda row: (found := read(row)) is not None and compare(found, value)


def holds(word: str, compare: Callable[[Any, Any], bool], left: Any, right: Any) -> bool:
    """An empty column equals null and nothing else; it is neither more nor less than anything."""
    if (left is None or right is None) and word not in ("eq", "ne"):
        return False
    return compare(left, right)


def any_of(tests: list[Test]) -> Test:
    """At least one of them."""
    return lambda row: any(test(row) for test in tests)


def all_of(tests: list[Test]) -> Test:
    """Every one of them."""
    if len(tests) == 1:
        return tests[0]

    def all_hold(row: Row) -> bool:
        for test in tests:  # noqa: SIM110 - a generator per row would double the time of large reads
            if not test(row):
                return False
        return True

    return all_hold
